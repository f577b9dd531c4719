"""From a document's bytes to an image, within the limits of Textract's synchronous operations.

Limits: https://docs.aws.amazon.com/textract/latest/dg/limits-document.html (JPEG, PNG, TIFF or PDF, 10 MB, one page,
10,000 px a side). Textract also takes one-page PDFs, this endpoint does not. Not documented, and assumed here: too many
pixels are answered with BadDocumentException (which refers to the limits), and EXIF orientation is ignored.
"""

import struct
import zlib
from io import BytesIO

from PIL import Image, UnidentifiedImageError

from samhost.textract.errors import (
    BadDocumentError,
    DocumentTooLargeError,
    InvalidParameterError,
    UnsupportedDocumentError,
)

MAX_BYTES = 10 * 1024 * 1024
MAX_SIDE = 10_000
# Text that is large enough to be read is so at this size too; it bounds the memory that one page takes.
_WORKING_SIDE = 5_000

_FORMATS = ("JPEG", "PNG", "TIFF")
_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"II*\0", b"MM\0*")
# What Pillow's decoders raise for damaged files.
_DAMAGE = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error)


def open_image(document: bytes) -> Image.Image:
    """Return the document's single page in RGB as stored, shrunk evenly to at most 5,000 px a side.

    Raises InvalidParameterError (no bytes), DocumentTooLargeError, UnsupportedDocumentError (another format, or several
    pages) or BadDocumentError (damaged, or more than 10,000 px on a side, found out before any pixel is decoded).
    """
    if not document:
        raise InvalidParameterError("The document is empty.")
    if len(document) > MAX_BYTES:
        raise DocumentTooLargeError(f"The document has {len(document):,} bytes; at most {MAX_BYTES:,} are accepted.")
    try:
        image = Image.open(BytesIO(document), formats=_FORMATS)
        pages = getattr(image, "n_frames", 1) if image.format == "TIFF" else 1
    except Image.DecompressionBombError as error:
        raise _too_many_pixels() from error
    except (UnidentifiedImageError, *_DAMAGE) as error:
        if document.startswith(_SIGNATURES):
            raise BadDocumentError("The image is damaged: its header cannot be read.") from error
        what = "PDF documents are not read here" if b"%PDF-" in document[:1024] else "Unsupported document format"
        raise UnsupportedDocumentError(f"{what}: send a JPEG, PNG or single-page TIFF image.") from error
    if pages > 1:
        raise UnsupportedDocumentError(f"The TIFF has {pages} pages: send each page as an image of its own.")
    if max(image.size) > MAX_SIDE:
        raise _too_many_pixels(image.size)
    try:
        image.thumbnail((_WORKING_SIDE, _WORKING_SIDE))
        return _to_rgb(image)
    except _DAMAGE as error:
        raise BadDocumentError("The image is damaged or incomplete: its pixels cannot be decoded.") from error


def _too_many_pixels(size: tuple[int, int] | None = None) -> BadDocumentError:
    what = f"The image is {size[0]} x {size[1]} pixels" if size else "The image has too many pixels"
    return BadDocumentError(f"{what}; at most {MAX_SIDE:,} on each side are accepted.")


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # 16 bits of grey, which convert() would clip to eight
        image = image.point(lambda value: value * (1 / 256)).convert("L")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        paper = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(paper, image)
    return image.convert("RGB")
