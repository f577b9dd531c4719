"""Images in PDFs: the bytes of a JPEG and of a plain PNG go in as they are, the pixels of everything else without loss.

fpdf2 would decode and pack most of these again (a phone's JPEG with appended pictures, any PNG), which takes up to a
second for each page and loses 16-bit depths.
"""

import struct
import zlib
from collections.abc import Iterator
from typing import Any

from fpdf import FPDF
from fpdf.drawing_primitives import Transform
from fpdf.image_datastructures import RasterImageInfo
from PIL import Image

from scanner.image import is_jpeg, orientation, upright

_CHANNELS = {"L": 1, "RGB": 3, "CMYK": 4}
_COLOUR_SPACES = {1: "DeviceGray", 3: "DeviceRGB", 4: "DeviceCMYK"}
_ICC_SPACES = {1: b"GRAY", 3: b"RGB ", 4: b"CMYK"}


def place(pdf: FPDF, image: Image.Image, data: bytes, width: float, height: float) -> None:
    """Fill the page, `width` by `height` points, with the upright `image`, which was opened from `data`."""
    turn = orientation(image)
    if is_jpeg(image):
        name = _add(pdf, image, _jpeg(image, data))
    elif png := _png(image, data):
        name = _add(pdf, image, png)
    else:
        turn, image = 1, _plain(upright(image))
        if image.mode in {"1", "LA", "RGBA"}:  # fpdf2 packs one bit as fax machines do, and transparency as a mask
            pdf.image(image, x=0, y=0, w=width, h=height)
            return
        name = _add(pdf, image, _packed(image))
    across, down = (height, width) if turn >= 5 else (width, height)
    with pdf.transform(_placement(turn, across, down)):
        pdf.image(name, x=0, y=0, w=across, h=down)


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


def _add(pdf: FPDF, image: Image.Image, info: dict[str, Any]) -> str:
    """Put an image's stream into the document, with its ICC profile, and return the name under which to place it."""
    cache = pdf.image_cache
    name = f"page-{pdf.page}"
    profile = image.info.get("icc_profile") or b""
    profile_index = None
    if profile[16:20] == _ICC_SPACES.get(info["dpn"]) and info["cs"] != "Indexed":
        profile_index = cache.icc_profiles.setdefault(profile, len(cache.icc_profiles))
    width, height = image.size
    cache.images[name] = RasterImageInfo(
        w=width, h=height, i=len(cache.images) + 1, usages=0, iccp_i=profile_index, inverted=False, **info
    )
    return name


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
    channels, depth = (1, 16) if image.mode.startswith("I;16") else (_CHANNELS[image.mode], 8)
    packed = zlib.compress(image.tobytes("raw", "I;16B" if depth == 16 else image.mode))
    return {"data": packed, "cs": _COLOUR_SPACES[channels], "dpn": channels, "bpc": depth, "f": "FlateDecode", "dp": ""}


def _plain(image: Image.Image) -> Image.Image:
    """Return a decoded image in one of the modes that `_packed` or fpdf2 packs without loss."""
    if image.mode in {"LA", "RGBA"} or image.mode.startswith("I;16"):
        return image
    if image.has_transparency_data:
        return image.convert("RGBA")
    return image if image.mode in {"1", *_CHANNELS} else image.convert("RGB")
