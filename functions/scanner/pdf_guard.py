"""What a page of a PDF would take to be drawn, found out before: a few bytes can unpack to gigabytes.

PDFium, which draws pages, holds content streams and some images whole; its own limits are higher than a function's
memory.
"""

import re
import zlib

import pikepdf

MAX_PIXELS = 600_000_000
"""Of one image; A0 at 600 dpi, in black and white, has 560 million."""

MAX_IMAGE_BYTES = 256 << 20
"""Of one image, unpacked."""

MAX_STORED_BYTES = 128 << 20
"""Of all that a page consists of, as the file has it."""

MAX_UNPACKED_BYTES = 128 << 20
"""Of all that a page consists of but its images."""

_MOST_EXPANSION = 1_032  # of Flate: https://www.zlib.net/zlib_tech.html
_PIECE = 1 << 20
_PACKED = {"/FlateDecode", "/Fl", "/LZWDecode", "/LZW", "/RunLengthDecode", "/RL"}
_FLATE = {"/FlateDecode", "/Fl"}

# The markers SOC and SIZ, with which a JPEG 2000 codestream begins; then SIZ's length and capabilities, and the size.
_JPX_SIZE = re.compile(rb"\xff\x4f\xff\x51....(....)(....)", re.DOTALL)

_COMPONENTS = {"/DeviceGray": 1, "/CalGray": 1, "/Indexed": 1, "/Separation": 1, "/G": 1, "/I": 1, "/DeviceRGB": 3}


class TooMuchError(Exception):
    """A page would take too much; the message says what, to follow "it"."""


def check(alone: pikepdf.Pdf) -> bool:
    """Look at a PDF of one page; return whether there are pictures on it: images of more than black and white.

    Raises TooMuchError.
    """
    stored = unpacked = 0
    pictures = False
    for stream in (found for found in alone.objects if isinstance(found, pikepdf.Stream)):
        stored += _length(stream)
        if stored > MAX_STORED_BYTES:
            raise TooMuchError("holds too much data.")
        filters = _filters(stream)
        if stream.get("/Subtype") == "/Image":
            pictures |= _check_image(stream, filters)
        else:
            unpacked += _unpacked(stream, filters, MAX_UNPACKED_BYTES - unpacked)
    return pictures


def unpacked_size(stream: pikepdf.Stream, most: int) -> int:
    """Return how many bytes a stream unpacks to, which may be estimated where it cannot be much.

    Raises TooMuchError where it is more than `most`.
    """
    return _unpacked(stream, _filters(stream), most)


def _check_image(image: pikepdf.Stream, filters: list[str]) -> bool:
    width, height = int(image.get("/Width", 0)), int(image.get("/Height", 0))
    bits = 1 if image.get("/ImageMask", False) else int(image.get("/BitsPerComponent", 8))
    components = _components(image)
    if "/JPXDecode" in filters and (size := _JPX_SIZE.search(image.read_raw_bytes()[: 64 << 10])):
        # It is what counts there; whether PDFium compares it with the dictionary's, its documentation does not say.
        width, height = (
            max(said, int.from_bytes(own)) for said, own in zip((width, height), size.groups(), strict=True)
        )
        bits, components = 8, 4
    if width * height > MAX_PIXELS or width * height * bits * components > 8 * MAX_IMAGE_BYTES:
        raise TooMuchError(f"shows an image of {width:,} by {height:,} pixels, which is too large.")
    return bits > 1


def _components(image: pikepdf.Stream) -> int:
    space = image.get("/ColorSpace")
    if isinstance(space, pikepdf.Array) and len(space):
        if space[0] == "/ICCBased" and len(space) > 1:
            return int(space[1].get("/N", 4))
        space = space[0]
    if image.get("/ImageMask", False):
        return 1
    return _COMPONENTS.get(str(space), 4)


def _unpacked(stream: pikepdf.Stream, filters: list[str], most: int) -> int:
    packed = [name for name in filters if name in _PACKED]
    if not packed:
        return _length(stream)
    if len(packed) > 1:
        raise TooMuchError("is packed several times over.")
    most_possible = _length(stream) * _MOST_EXPANSION
    if most_possible <= most or packed[0] not in _FLATE or filters[0] not in _FLATE:
        # LZW and run lengths expand less; only old files have them, and those are no bombs.
        return min(most_possible, most) // 16
    unpacker, data, size = zlib.decompressobj(), stream.read_raw_bytes(), 0
    try:
        while data and not unpacker.eof:
            size += len(unpacker.decompress(data, _PIECE))
            if size > most:
                raise TooMuchError("unpacks to too much data.")
            data = unpacker.unconsumed_tail
    except zlib.error:
        pass  # PDFium takes what there is until then
    return size


def _filters(stream: pikepdf.Stream) -> list[str]:
    value = stream.get("/Filter")
    if isinstance(value, pikepdf.Array):
        return [str(name) for name in value]
    return [] if value is None else [str(value)]


def _length(stream: pikepdf.Stream) -> int:
    return int(stream.get("/Length", 0))
