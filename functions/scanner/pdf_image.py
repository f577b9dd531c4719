"""Images in PDFs: the bytes of a JPEG and of a plain PNG go in as they are, the pixels of everything else without loss.

fpdf2 would decode and pack most of these again (a phone's JPEG with appended pictures, any PNG), which takes up to a
second for each page and loses 16-bit depths.
"""

import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Any

from fpdf.drawing_primitives import Transform
from PIL import Image

from scanner.colour_profiles import profile_for
from scanner.image import is_jpeg, orientation, upright
from scanner.pdf_document import Document

_CHANNELS = {"1": 1, "L": 1, "LA": 1, "RGB": 3, "RGBA": 3, "CMYK": 4}
_COLOUR_SPACES = {1: "DeviceGray", 3: "DeviceRGB", 4: "DeviceCMYK"}

_STRIP = 1 << 22
"""Pixels that are packed at once, so that memory holds the decoded image and little more."""

_LEVEL = 3
"""Of deflate: half the default's time for a few per cent more bytes."""


def place(
    document: Document, image: Image.Image, data: bytes, width: float, height: float, packing: Callable[[int], None]
) -> None:
    """Fill the page, `width` by `height` points, with the upright `image`, which was opened from `data`.

    `packing` is told how many pixels, if any, are about to be decoded and packed anew, and may raise.
    """
    turn = orientation(image)
    if is_jpeg(image):
        info = _jpeg(image, data)
    elif not (info := _png(image, data)):
        packing(image.width * image.height)
        turn, image = 1, _plain(upright(image))
        info = _packed(image)
    embedded = image.info.get("icc_profile")  # of a TIFF, it can be anything
    if not isinstance(embedded, bytes) or info["cs"] == "Indexed":
        embedded = b""
    profile = profile_for(embedded, info["dpn"])
    name = document.add_image(info | {"w": image.width, "h": image.height}, profile)
    across, down = (height, width) if turn >= 5 else (width, height)
    with document.transform(_placement(turn, across, down)):
        document.image(name, x=0, y=0, w=across, h=down)


def _placement(turn: int, width: float, height: float) -> Transform:
    """Return what turns a `width` by `height` image of that EXIF orientation upright, y downwards."""
    return {
        1: Transform(1, 0, 0, 1, 0, 0),
        2: Transform(-1, 0, 0, 1, width, 0),
        3: Transform(-1, 0, 0, -1, width, height),
        4: Transform(1, 0, 0, -1, 0, height),
        5: Transform(0, 1, 1, 0, 0, 0),
        6: Transform(0, 1, -1, 0, height, 0),
        7: Transform(0, -1, -1, 0, height, width),
        8: Transform(0, -1, 1, 0, 0, width),
    }[turn]


def _jpeg(image: Image.Image, data: bytes) -> dict[str, Any]:
    channels = _CHANNELS[image.mode]
    info = {"data": data, "cs": _COLOUR_SPACES[channels], "dpn": channels, "bpc": 8, "f": "DCTDecode", "dp": ""}
    if channels == 4 and "adobe" in image.info:
        info["decode"] = "[1 0 1 0 1 0 1 0]"  # Adobe stores CMYK inverted
    return info


def _png(image: Image.Image, data: bytes) -> dict[str, Any] | None:
    """Return the PNG's own compressed pixels, which PDF reads as they are; None for interlaced or transparent ones."""
    if image.format != "PNG":
        return None
    chunks = list(_png_chunks(data))
    width, _, depth, colour_type, _, _, interlaced = struct.unpack(">IIBBBBB", chunks[0][1])
    names = {name for name, _ in chunks}
    if interlaced or colour_type not in {0, 2, 3} or b"tRNS" in names:
        return None
    channels = 3 if colour_type == 2 else 1
    info = {
        "data": b"".join(content for name, content in chunks if name == b"IDAT"),
        "cs": "Indexed" if colour_type == 3 else _COLOUR_SPACES[channels],
        "dpn": channels,
        "bpc": depth,
        "f": "FlateDecode",
        "dp": f"/Predictor 15 /Colors {channels} /Columns {width}",
    }
    if colour_type == 3:
        info["pal"] = next(content for name, content in chunks if name == b"PLTE")
    return info


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    position = 8  # after the signature
    while position + 8 <= len(data):
        length, name = struct.unpack_from(">I4s", data, position)
        yield name, data[position + 8 : position + 8 + length]
        position += length + 12


def _packed(image: Image.Image) -> dict[str, Any]:
    """Return the pixels of an image in one of the modes that `_plain` leaves, deflated, transparency as a mask."""
    channels, depth = _CHANNELS.get(image.mode, 1), {"1": 1}.get(image.mode, 8)
    if image.mode.startswith("I;16"):
        depth, deflated = 16, _deflated(image, lambda strip: strip.tobytes("raw", "I;16B"))
    elif image.mode in {"LA", "RGBA"}:
        deflated = _deflated(image, lambda strip: strip.convert(strip.mode[:-1]).tobytes())
    else:
        deflated = _deflated(image, Image.Image.tobytes)
    info = {"data": deflated, "cs": _COLOUR_SPACES[channels], "dpn": channels, "bpc": depth, "f": "FlateDecode"}
    if image.mode in {"LA", "RGBA"}:
        info["smask"] = _deflated(image, _mask)
    return info | {"dp": ""}


def _mask(strip: Image.Image) -> bytes:
    """Return a strip's alpha channel as fpdf2 declares masks: each row as PNG's filter 0 leaves it."""
    alpha = strip.getchannel("A").tobytes()
    return b"".join(b"\0" + alpha[start : start + strip.width] for start in range(0, len(alpha), strip.width))


def _deflated(image: Image.Image, content: Callable[[Image.Image], bytes]) -> bytes:
    """Deflate what `content` says of an image, strip by strip."""
    deflate = zlib.compressobj(_LEVEL)
    rows = max(_STRIP // image.width, 1)
    strips = (image.crop((0, top, image.width, min(top + rows, image.height))) for top in range(0, image.height, rows))
    return b"".join([*(deflate.compress(content(strip)) for strip in strips), deflate.flush()])


def _plain(image: Image.Image) -> Image.Image:
    """Return a decoded image in one of the modes that `_packed` takes, without loss."""
    if image.mode in {"LA", "RGBA"} or image.mode.startswith("I;16"):
        return image
    if image.has_transparency_data:
        return image.convert("RGBA")
    return image if image.mode in _CHANNELS else image.convert("RGB")
