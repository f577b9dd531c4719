"""Searchable PDFs: each page's image under invisible text that sits on its words."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from fpdf import FPDF
from PIL import Image

from scanner import text_layer
from scanner.image import open_image, orientation, upright_size
from scanner.pdf_image import place
from scanner.text import Line, RecognisedText, Word

_POINTS_PER_INCH = 72
_PLAUSIBLE_DPI = range(150, 1201)
_A4_LONG_SIDE = 297 / 25.4 * _POINTS_PER_INCH


@dataclass(frozen=True, slots=True)
class ScannedPage:
    """A page for the PDF: its text, and how to read its image (JPEG, PNG or TIFF bytes) when its turn comes.

    `rotation` is by how many degrees clockwise, a multiple of 90, viewers turn the upright page.
    """

    text: RecognisedText
    read_image: Callable[[], bytes]
    rotation: int = 0


def build(title: str, created: datetime, pages: Sequence[ScannedPage]) -> bytearray:
    """Return a PDF of `pages`.

    fpdf2 holds the whole document: about twice the images' bytes and 115 MB. Raises ImageRefusedError where an image
    cannot be read, and whatever `read_image` raises.
    """
    characters = {character for page in pages for word in page.text.words for character in word.text}
    with text_layer.document(title, created, characters) as pdf:
        for page in pages:
            _add_page(pdf, page)
        return pdf.output()


def _add_page(pdf: FPDF, page: ScannedPage) -> None:
    data = page.read_image()
    image = open_image(data)
    width, height = _page_size(image)
    pdf.add_page(format=(width, height))
    if page.rotation:
        vars(pdf.pages[pdf.page])["rotate"] = page.rotation  # fpdf2 writes what a page has, and knows no /Rotate itself
    place(pdf, image, data, width, height)
    with text_layer.on_page(pdf):
        for line in page.text.lines:
            for word, spaced in _spaced(line):
                text_layer.write(pdf, word.text, [(x * width, y * height) for x, y in word.polygon], spaced=spaced)


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


def _spaced(line: Line) -> Iterator[tuple[Word, bool]]:
    """Yield the words, each with whether white space parts it from a neighbour (Chinese and Japanese have none)."""
    end = 0
    for word in line.words:
        start = line.text.find(word.text, end)
        if start < 0:
            yield word, True
            continue
        end = start + len(word.text)
        neighbours = line.text[max(start - 1, 0) : start] + line.text[end : end + 1]
        yield word, any(character.isspace() for character in neighbours)
