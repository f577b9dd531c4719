"""Searchable PDFs: each page's image under invisible text that sits on its words.

The same input gives the same bytes.
"""

import math
import tempfile
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from fpdf import FPDF, TextMode
from fpdf.bidi import BidiParagraph
from PIL import Image

from scanner import glyphless
from scanner.image import open_image, orientation, upright_size
from scanner.pdf_image import place
from scanner.text import Line, Point, RecognisedText, Word

_POINTS_PER_INCH = 72
_PLAUSIBLE_DPI = range(150, 1201)
_A4_LONG_SIDE = 297 / 25.4 * _POINTS_PER_INCH
_MAX_DRIFT = 0.5
"""Points. Poppler, so pdftotext, ends a word before a letter whose baseline is further off than this."""

_MIN_EXTENT = 0.5
"""Points; no word is set smaller, so that none is lost to a degenerate polygon."""


@dataclass(frozen=True, slots=True)
class ScannedPage:
    """A page for the PDF: its text, and how to read its image (JPEG, PNG or TIFF bytes) when its turn comes."""

    text: RecognisedText
    read_image: Callable[[], bytes]


def build(title: str, created: datetime, pages: Sequence[ScannedPage]) -> bytearray:
    """Return a PDF of `pages`.

    fpdf2 holds the whole document: about twice the images' bytes and 115 MB. Raises ImageRefusedError where an image
    cannot be read, and whatever `read_image` raises.
    """
    pdf = FPDF(unit="pt")
    pdf.pdf_version = "1.7"
    pdf.set_auto_page_break(auto=False)
    pdf.set_title(title)
    pdf.set_producer("Docscan")
    pdf.set_creation_date(created)
    characters = {character for page in pages for word in page.text.words for character in word.text}
    with tempfile.TemporaryDirectory() as folder:
        font = Path(folder, "glyphless.ttf")
        font.write_bytes(glyphless.font(characters))
        pdf.add_font("glyphless", fname=font)
        for page in pages:
            _add_page(pdf, page)
        return pdf.output()


def _add_page(pdf: FPDF, page: ScannedPage) -> None:
    data = page.read_image()
    image = open_image(data)
    width, height = _page_size(image)
    pdf.add_page(format=(width, height))
    place(pdf, image, data, width, height)
    pdf.set_font("glyphless")
    with pdf.local_context(text_mode=TextMode.INVISIBLE):
        for line in page.text.lines:
            for word, spaced in _spaced(line):
                _write(pdf, word, [(x * width, y * height) for x, y in word.polygon], spaced=spaced)


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


def _write(pdf: FPDF, word: Word, corners: list[Point], *, spaced: bool) -> None:
    """Set a word into its polygon, given in points: along its lower edge, as high and as wide as it."""
    top_left, top_right, bottom_right, bottom_left = corners
    length = max(math.dist(bottom_left, bottom_right), _MIN_EXTENT)
    size = max((math.dist(top_left, bottom_left) + math.dist(top_right, bottom_right)) / 2, _MIN_EXTENT)
    tilt = math.atan2(bottom_right[1] - bottom_left[1], bottom_right[0] - bottom_left[0])
    rise = glyphless.DESCENT / glyphless.UNITS_PER_EM
    x = bottom_left[0] + (top_left[0] - bottom_left[0]) * rise
    y = bottom_left[1] + (top_left[1] - bottom_left[1]) * rise
    pdf.set_font_size(size)
    pdf.set_stretching(100 * length / (max(len(word.text), 1) * glyphless.ADVANCE / glyphless.UNITS_PER_EM * size))
    visual = _visual_order(word.text)
    # The text of a span is taken as a whole; but Poppler turns it round if it is written from right to left.
    whole = length * abs(math.sin(tilt)) > _MAX_DRIFT and visual == word.text
    with pdf.rotation(-math.degrees(tilt), x, y):
        if whole:
            pdf._out(f"/Span <</ActualText <FEFF{word.text.encode('utf-16-be').hex()}>>> BDC")  # noqa: SLF001 - no public way
        pdf.text(x, y, visual)
        if whole:
            pdf._out("EMC")  # noqa: SLF001
        if spaced:
            pdf.text(x + length, y, " ")


def _visual_order(text: str) -> str:
    """Return the characters from left to right, as PDF has them; whoever extracts the text turns them round again."""
    if not any(unicodedata.bidirectional(character) in {"R", "AL", "AN"} for character in text):
        return text
    return BidiParagraph(text, preserve_bn_chars=True).get_reordered_string()
