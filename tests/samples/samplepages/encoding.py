"""The forms in which scanners and phones store a page. Each returns the file name's suffix and the file's bytes."""

import io

import numpy as np
from PIL import ExifTags, Image

Encoded = tuple[str, bytes]

# How the upright picture lies in the file, for the values of EXIF's Orientation that phones write (Exif 2.32, 4.6.4 A):
# the inverse of what a viewer does.
_LYING = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}

# A TIFF header whose first directory claims 65,535 entries in a block that ends there.
BROKEN_EXIF = b"Exif\x00\x00MM\x00\x2a\x00\x00\x00\x08\xff\xff" + b"\x01\x12\x00\x03\xff\xff"


def jpeg(image: Image.Image, dpi: int, *, quality: int = 88, grey: bool = False, exif: bytes = b"") -> Encoded:
    """Store a flat-bed scan."""
    return ".jpg", _saved(image.convert("L") if grey else image, "JPEG", quality=quality, dpi=(dpi, dpi), exif=exif)


def phone_jpeg(image: Image.Image, dpi: int, *, orientation: int, quality: int = 85) -> Encoded:
    """Store a photograph as a phone does: as the sensor lay, with the rotation in EXIF."""
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Docscan"
    exif[ExifTags.Base.Model] = "Sample phone"
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.DateTime] = "2024:05:17 09:41:00"
    lying = image.transpose(_LYING[orientation])
    return ".jpg", _saved(lying, "JPEG", quality=quality, dpi=(72, 72), exif=exif.tobytes())


def cmyk_jpeg(image: Image.Image, dpi: int, *, quality: int = 88) -> Encoded:
    """Store as a print shop does: what is common to the three colours is printed in black."""
    levels = np.asarray(image, dtype=np.float32)
    brightest = levels.max(axis=-1, keepdims=True)
    inks = np.concatenate([255 * (1 - levels / np.maximum(brightest, 1)), 255 - brightest], axis=-1)
    printed = Image.fromarray(inks.round().astype(np.uint8), "CMYK")
    return ".jpg", _saved(printed, "JPEG", quality=quality, dpi=(dpi, dpi))


def png(image: Image.Image, dpi: int) -> Encoded:
    """Store grey levels of 8 bits."""
    return ".png", _saved(image.convert("L"), "PNG", dpi=(dpi, dpi), compress_level=3)


def grey16_png(image: Image.Image, dpi: int) -> Encoded:
    """Store grey levels of 16 bits, as scanners for photographs do."""
    luma = np.asarray(image, dtype=np.float32) @ np.array([0.299, 0.587, 0.114], dtype=np.float32)  # ITU-R BT.601
    levels = (luma * 257).clip(0, 65535).astype(np.uint16)
    return ".png", _saved(Image.fromarray(levels), "PNG", dpi=(dpi, dpi), compress_level=3)


def palette_png(image: Image.Image, dpi: int, *, colours: int = 16) -> Encoded:
    """Store indexes into a palette, as the software of office scanners does to save space."""
    indexed = image.quantize(colours, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    return ".png", _saved(indexed, "PNG", dpi=(dpi, dpi), compress_level=6)


def g4_tiff(image: Image.Image, dpi: int, *, threshold: int = 150) -> Encoded:
    """Store black and white, compressed as fax group 4, as document scanners do."""
    bilevel = Image.fromarray(np.asarray(image.convert("L")) >= threshold)
    return ".tif", _saved(bilevel, "TIFF", dpi=(dpi, dpi), compression="group4")


def uncompressed_tiff(image: Image.Image, dpi: int) -> Encoded:
    """Store full colour without compression: three bytes a pixel."""
    return ".tif", _saved(image, "TIFF", dpi=(dpi, dpi))


def _saved(image: Image.Image, form: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()
