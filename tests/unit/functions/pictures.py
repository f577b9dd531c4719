"""Pictures that the tests of the functions use."""

import io

from PIL import Image

STORED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""How an upright image is stored under each EXIF orientation."""


def encoded(image, kind="PNG", **options):
    """Return an image's file; `orientation` goes into its EXIF block."""
    if orientation := options.pop("orientation", None):
        options["exif"] = Image.Exif()
        options["exif"][0x0112] = orientation
    target = io.BytesIO()
    image.save(target, kind, **options)
    return target.getvalue()


def stored(upright, orientation):
    """Return an upright image as a camera stores it under an EXIF orientation."""
    return upright if STORED[orientation] is None else upright.transpose(STORED[orientation])


def picture(kind="PNG", size=(200, 100), mode="L", **options):
    """Return the file of a small image with something on it."""
    return encoded(Image.radial_gradient("L").resize(size).convert(mode), kind, **options)
