"""Searchable PDFs: each page's image under invisible text that sits on its words."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import IO

from PIL import Image

from scanner import text_layer
from scanner.image import open_image, orientation, upright_size
from scanner.pdf_document import Document
from scanner.pdf_image import place
from scanner.sheets import Sheets
from scanner.text import Line, RecognisedText
from scanner.text_layer import PlacedWord

_POINTS_PER_INCH = 72
_PLAUSIBLE_DPI = range(150, 1201)
_A4_LONG_SIDE = 297 / 25.4 * _POINTS_PER_INCH


@dataclass(frozen=True, slots=True)
class ScannedPage:
    """A page for the PDF: its number, its text, and how to read its image (JPEG, PNG or TIFF) when its turn comes.

    `rotation` is by how many degrees clockwise, a multiple of 90, viewers turn the upright page.
    """

    number: int
    text: RecognisedText
    read_image: Callable[[], bytes]
    rotation: int = 0


def build(
    title: str,
    created: datetime,
    pages: Sequence[ScannedPage],
    packing: Callable[[int], None],
    file: IO[bytes],
    language: str | None = None,
) -> list[Sheets]:
    """Write a PDF/A-2b of `pages` and return its sheets. Images pass one at a time through memory and a temporary file.

    `language` is a BCP 47 tag. `packing` is told how many pixels are about to be decoded and packed anew: images that
    are neither JPEGs nor plain PNGs take time. Raises ImageRefusedError where an image cannot be read, and whatever
    `read_image` and `packing` do.
    """
    characters = {character for page in pages for word in page.text.words for character in word.text}
    document = Document(title, created, language, characters)
    for page in pages:
        _add_page(document, page, packing)
    document.write_to(file)
    return document.sheets


def _add_page(document: Document, page: ScannedPage, packing: Callable[[int], None]) -> None:
    data = page.read_image()
    image = open_image(data)
    width, height = _page_size(image)
    document.add_sheet(page.number, width, height)
    if page.rotation:
        vars(document.pages[document.page])["rotate"] = (
            page.rotation
        )  # fpdf2 writes what a page has; it knows no /Rotate
    place(document, image, data, width, height, packing)
    text_layer.write(document, (word for line in page.text.lines for word in _placed(line, width, height)))


def _page_size(image: Image.Image) -> tuple[float, float]:
    """Return the upright page in points: by the image's resolution if a scanner may have set it, else as long as A4."""
    width, height = upright_size(image)
    try:
        horizontal, vertical = (round(dpi) for dpi in image.info.get("dpi", (0, 0)))
    except (TypeError, ValueError, OverflowError, ZeroDivisionError):  # resolutions can be anything, not even numbers
        horizontal = vertical = 0
    if orientation(image) >= 5:  # 5 to 8 lie on their side
        horizontal, vertical = vertical, horizontal
    if horizontal in _PLAUSIBLE_DPI and vertical in _PLAUSIBLE_DPI:
        return width / horizontal * _POINTS_PER_INCH, height / vertical * _POINTS_PER_INCH
    scale = _A4_LONG_SIDE / max(width, height)
    return width * scale, height * scale


def _placed(line: Line, width: float, height: float) -> Iterator[PlacedWord]:
    """Yield a line's words on a page of that size; Chinese and Japanese ones are not parted by white space."""
    end = 0
    for word in line.words:
        corners = [(x * width, y * height) for x, y in word.polygon]
        start = line.text.find(word.text, end)
        if start < 0:
            yield PlacedWord(word.text, corners, spaced=True)
            continue
        end = start + len(word.text)
        neighbours = line.text[max(start - 1, 0) : start] + line.text[end : end + 1]
        yield PlacedWord(word.text, corners, spaced=any(character.isspace() for character in neighbours))
