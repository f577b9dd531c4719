"""Page images: what is accepted, what recognition is given, and thumbnails.

Type and size are read from the content, never from a name or a header. "Upright" is the image as a viewer shows it,
with its EXIF orientation applied; all geometry is in the upright image.
"""

import io
import struct
import warnings
import zlib
from dataclasses import dataclass

from PIL import ExifTags, Image, ImageChops

from scanner.errors import ImageRefusedError
from scanner.page import MAX_IMAGE_BYTES

# https://docs.aws.amazon.com/textract/latest/dg/limits-document.html
MAX_SIDE = 10_000

THUMBNAIL_SIDE = 400
_JPEG_QUALITIES = (95, 85, 75)

_FORMATS = {b"\xff\xd8\xff": "JPEG", b"\x89PNG\r\n\x1a\n": "PNG", b"II*\0": "TIFF", b"MM\0*": "TIFF"}
_OTHER_FORMATS = {
    b"%PDF": "a PDF",
    b"GIF8": "a GIF",
    b"BM": "a BMP",
    b"II+\0": "a BigTIFF",
    b"MM\0+": "a BigTIFF",
    b"RIFF": "a WebP",
}

# What Pillow's decoders raise on damaged bytes; a MemoryError is not among them, because it is no fault of the image.
_DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    EOFError,
    OverflowError,
    ZeroDivisionError,
    AttributeError,
    struct.error,
    zlib.error,
)


@dataclass(frozen=True, slots=True)
class PreparedImage:
    """An accepted image: upright size in pixels, the bytes to recognise (JPEG or PNG), and a JPEG thumbnail."""

    width: int
    height: int
    recognisable: bytes
    thumbnail: bytes


def prepare(data: bytes) -> PreparedImage:
    """Check an uploaded image and derive from it what recognition needs.

    Raises ImageRefusedError with the code unsupported-image, damaged-image, image-too-large or too-many-pixels, and a
    message for the person who took the picture.
    """
    image = open_image(data)
    width, height = upright_size(image)
    if orientation(image) == 1 and _taken_as_it_is(image, data):
        recognisable = data
        # JPEG is decoded at a fraction of its size here; truncation shows all the same.
        image.draft(None, (2 * THUMBNAIL_SIDE, 2 * THUMBNAIL_SIDE))
        pixels = flatten(decode(image))
    else:
        lossless = not is_jpeg(image)
        image = upright(image)
        pixels = flatten(image)
        recognisable, _ = encode(pixels, lossless=lossless)
    pixels.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    return PreparedImage(width, height, recognisable, _jpeg(pixels, 80))


def open_image(data: bytes) -> Image.Image:
    """Open an image without decoding its pixels, once its type, size and number of pages are acceptable.

    Raises ImageRefusedError.
    """
    if not data:
        raise ImageRefusedError("damaged-image", "The uploaded file is empty. Upload the image again.")
    if len(data) > MAX_IMAGE_BYTES:
        raise _too_large()
    kind = next((kind for magic, kind in _FORMATS.items() if data.startswith(magic)), None)
    if kind is None:
        raise _unsupported(data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about metadata, and about more pixels than Pillow likes: checked below
            image = Image.open(io.BytesIO(data), formats=(kind,))
            pages = getattr(image, "n_frames", 1) if kind == "TIFF" else 1
    except Image.DecompressionBombError as error:
        raise _too_many_pixels() from error
    except _DAMAGE as error:
        raise _damaged() from error
    if max(image.size) > MAX_SIDE:
        raise _too_many_pixels()
    if pages > 1:
        message = f"The TIFF has {pages} pages. Upload each of them as an image of its own."
        raise ImageRefusedError("unsupported-image", message)
    if image.mode in {"I", "F", "LAB"}:
        message = "The image's colours are stored in a way that cannot be read. Save it as an ordinary JPEG or PNG."
        raise ImageRefusedError("unsupported-image", message)
    return image


def orientation(image: Image.Image) -> int:
    """Return the EXIF orientation, 1 to 8; 1 where it is absent or damaged.

    Of a TIFF it is always 1: Pillow turns it upright itself, the size at once and the pixels when it decodes them.
    """
    if image.format == "TIFF":
        return 1
    try:
        value = image.getexif().get(ExifTags.Base.Orientation, 1)
    except _DAMAGE:
        return 1
    return value if value in range(1, 9) else 1


def upright_size(image: Image.Image) -> tuple[int, int]:
    """Return width and height of the upright image in pixels."""
    width, height = image.size
    return (height, width) if orientation(image) >= 5 else (width, height)


def decode(image: Image.Image) -> Image.Image:
    """Decode the pixels of an opened image. Raises ImageRefusedError where they are damaged or end too early."""
    try:
        image.load()
    except _DAMAGE as error:
        raise _damaged() from error
    return image


def upright(image: Image.Image) -> Image.Image:
    """Return the decoded image with its EXIF orientation applied. Raises ImageRefusedError, as `decode` does."""
    transposition = _TRANSPOSITIONS.get(orientation(image))
    return decode(image) if transposition is None else decode(image).transpose(transposition)


_TRANSPOSITIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def flatten(image: Image.Image) -> Image.Image:
    """Return the image as 8-bit grey (`L`) or `RGB`, transparent parts white."""
    if image.mode.startswith("I;16"):
        grey = image if image.mode == "I;16" else image.convert("I")
        return grey.point(lambda value: value * (1 / 256)).convert("L")
    if image.has_transparency_data:
        pixels = image if image.mode == "RGBA" else image.convert("RGBA")
        pixels.paste("white", mask=ImageChops.invert(pixels.getchannel("A")))
        return pixels.convert("RGB")
    if image.mode in {"L", "RGB"}:
        return image  # 100 megapixels take 400 MB; every copy counts
    return image.convert("L" if image.mode == "1" else "RGB")


def is_jpeg(image: Image.Image) -> bool:
    """Phones append further pictures to a JPEG, which Pillow calls MPO; the first one is the photograph."""
    return image.format in {"JPEG", "MPO"}


def _taken_as_it_is(image: Image.Image, data: bytes) -> bool:
    """Tell whether these bytes can go to Textract unchanged: 8-bit grey or RGB without transparency, JPEG or PNG.

    Its documentation names formats, not colour modes; these are the ones that leave no doubt.
    """
    if is_jpeg(image):
        return image.mode in {"L", "RGB"}
    bit_depth, colour_type = data[24:26]  # of the PNG's IHDR; colour types 0 and 2 are grey and RGB
    return image.format == "PNG" and bit_depth == 8 and colour_type in {0, 2} and not image.has_transparency_data


def encode(image: Image.Image, *, lossless: bool) -> tuple[bytes, str]:
    """Encode an upright image for recognition: without loss if asked for and small enough, else as JPEG.

    Returns the file and its content type. Raises ImageRefusedError where it would be too large all the same.
    """
    if lossless:
        encoded = io.BytesIO()
        image.save(encoded, "PNG", compress_level=1)
        if encoded.tell() <= MAX_IMAGE_BYTES:
            return encoded.getvalue(), "image/png"
    for quality in _JPEG_QUALITIES:
        if len(jpeg := _jpeg(image, quality)) <= MAX_IMAGE_BYTES:
            return jpeg, "image/jpeg"
    raise _too_large()


def _jpeg(image: Image.Image, quality: int) -> bytes:
    encoded = io.BytesIO()
    image.save(encoded, "JPEG", quality=quality)
    return encoded.getvalue()


def _unsupported(data: bytes) -> ImageRefusedError:
    kind = next((name for magic, name in _OTHER_FORMATS.items() if data.startswith(magic)), None)
    if data[4:8] == b"ftyp":
        kind = "a HEIC or AVIF"
    what = f"This is {kind} file" if kind else "This is no image that can be read"
    return ImageRefusedError("unsupported-image", f"{what}. Upload the page as JPEG, PNG or single-page TIFF.")


def _damaged() -> ImageRefusedError:
    message = "The image is damaged or incomplete. Take or save it again, and upload that."
    return ImageRefusedError("damaged-image", message)


def _too_large() -> ImageRefusedError:
    limit = f"{MAX_IMAGE_BYTES >> 20} MB"
    return ImageRefusedError(
        "image-too-large", f"The image is larger than {limit}, or would be once it is upright. Upload a smaller one."
    )


def _too_many_pixels() -> ImageRefusedError:
    message = f"The image has a side of more than {MAX_SIDE:,} pixels. Upload a smaller one."
    return ImageRefusedError("too-many-pixels", message)
