"""Files that are no page, for tests of what is refused and how. None is kept: each is made when it is asked for."""

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from samplepages import encoding, faults, fonts
from samplepages.catalogue import BLUE, SamplePage, draw
from samplepages.typesetting import Style

HUGE_SIDE = 30_000  # pixels


@dataclass(frozen=True)
class BadFile:
    """A file's name without suffix, what is wrong with it, its suffix and how it is made."""

    id: str
    kind: str
    suffix: str
    make: Callable[[], bytes]


def _letter(encode: Callable[..., encoding.Encoded]) -> bytes:
    style = Style(fonts.SERIF, "en", accent=BLUE)
    return draw(SamplePage("letter", "letter", style, encode, (faults.paper,), text="letter-english")).image


def _truncated_jpeg() -> bytes:
    whole = _letter(encoding.jpeg)
    return whole[: len(whole) * 6 // 10]


def _huge_png() -> bytes:
    """A white bilevel PNG, written a row at a time: Pillow would hold all of its 900 million pixels."""
    packer = zlib.compressobj(9)
    row = b"\x00" + b"\xff" * (HUGE_SIDE // 8)
    pixels = b"".join([packer.compress(row) for _ in range(HUGE_SIDE)] + [packer.flush()])
    header = struct.pack(">IIBBBBB", HUGE_SIDE, HUGE_SIDE, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in ((b"IHDR", header), (b"IDAT", pixels), (b"IEND", b""))
    )


BAD_FILES = (
    BadFile("truncated", "JPEG of a letter that ends after 60 % of its bytes", ".jpg", _truncated_jpeg),
    BadFile("text", "a text file named .png", ".png", "Bread, milk, six eggs.\nCall the dentist.\n".encode),
    BadFile("empty", "no bytes at all", ".jpg", bytes),
    BadFile("huge", f"PNG of {HUGE_SIDE:,} by {HUGE_SIDE:,} white pixels in a small file", ".png", _huge_png),
    BadFile(
        "heavy",
        "sound A4 letter at 200 dpi, but an uncompressed TIFF of over 11 million bytes",
        ".tif",
        partial(_letter, encoding.uncompressed_tiff),
    ),
)
