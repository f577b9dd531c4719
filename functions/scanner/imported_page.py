"""Pages as imports take them out of files, and how fine they are where they have to be drawn."""

from dataclasses import dataclass
from typing import IO, Protocol, Self

from PIL import Image

from scanner import image
from scanner.errors import ImageRefusedError, ImportRefusedError
from scanner.text import RecognisedText

DPI = 300
MAX_PIXELS = 25_000_000
"""Of a page that is drawn: A3 at 300 dpi has 17 million. What is larger gets fewer dots per inch."""


@dataclass(frozen=True, slots=True)
class ImportedPage:
    """A page: its image, and the rotation (degrees clockwise) that shows it as the file does.

    One that has text in the file comes with that, and with a thumbnail, which recognition makes of the others.
    """

    image: bytes
    content_type: str
    rotation: int = 0
    text: RecognisedText | None = None
    thumbnail: bytes = b""


class PagedFile(Protocol):
    """A file of pages. Opening one raises ImportRefusedError for what cannot be imported."""

    @classmethod
    def open(cls, file: IO[bytes]) -> Self:
        """Open a file; of whatever size, it is read where it has to be."""
        ...

    def places(self) -> list[int]:
        """Return where each page is: numbers by which they are found again at once, in the file opened anew."""
        ...

    def page(self, number: int, place: int, *, with_text: bool) -> ImportedPage:
        """Take out a page, numbered from 1, with its text if that is wanted and there is any.

        Raises ImportRefusedError.
        """
        ...


def drawn(pixels: Image.Image, *, lossless: bool) -> tuple[bytes, str]:
    """Return the image file of a page's pixels, and its content type: without loss if asked for and small enough.

    What no page image may be is made smaller until it may.
    """
    pixels = pixels if pixels.mode == "1" else image.flatten(pixels)
    side = image.MAX_SIDE
    while True:
        if max(pixels.size) > side:
            pixels = pixels.convert("L") if pixels.mode == "1" else pixels  # black and white alone would look rough
            pixels.thumbnail((side, side))
        try:
            return image.encode(pixels, lossless=lossless)
        except ImageRefusedError:
            side = max(pixels.size) * 3 // 4


def refused(number: int, why: str) -> ImportRefusedError:
    """Return the error of a page that cannot be imported; `why` is a sentence."""
    message = f"Page {number} cannot be imported: {why} The pages made so far stay."
    return ImportRefusedError("page-failed", message)


def too_many_pages(most: int) -> ImportRefusedError:
    """Return the error of a file with more pages than `most`."""
    return ImportRefusedError("import-too-many-pages", f"The file has more than {most:,} pages. Import it in parts.")


def damaged(what: str) -> ImportRefusedError:
    """Return the error of a damaged file; `what` is what it should be, as in "PDF"."""
    message = f"The {what} is damaged or incomplete. Save or scan it again, and import that."
    return ImportRefusedError("import-damaged", message)
