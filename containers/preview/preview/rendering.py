"""Pictures of pages: upright, turned as the user wants them, at a width, as WebP or JPEG."""

import io
import math
from enum import StrEnum

from PIL import Image

from scanner.image import flatten, is_jpeg, open_image, orientation, upright, upright_size

MAX_WIDTH = 1_600
_QUALITY = 80
_TURNS = {90: Image.Transpose.ROTATE_270, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_90}


class Kind(StrEnum):
    """What a picture is encoded as, by its media type."""

    WEBP = "image/webp"
    JPEG = "image/jpeg"


def render(data: bytes, width: int, rotation: int, kind: Kind) -> bytes:
    """Return the picture of an image (JPEG, PNG, TIFF) turned clockwise by `rotation`, a multiple of 90.

    It is `width` pixels wide, or as wide as the image where that is less. Raises ImageRefusedError.
    """
    image = open_image(data)
    across, down = upright_size(image)
    scale = min(width / (down if rotation % 180 else across), 1)
    size = _at_least_one(across * scale), _at_least_one(down * scale)
    if is_jpeg(image):
        raw = (size[1], size[0]) if orientation(image) >= 5 else size
        image.draft(None, raw)  # decodes at an eighth, a quarter or a half of the size, whatever is still enough
    small = flatten(upright(image)).resize(size, reducing_gap=2.0)
    picture, encoded = small.transpose(_TURNS[rotation]) if rotation else small, io.BytesIO()
    picture.save(encoded, kind.name, quality=_QUALITY)
    return encoded.getvalue()


def _at_least_one(side: float) -> int:
    return max(math.floor(side + 0.5), 1)
