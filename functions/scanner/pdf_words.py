"""The text that a page of a PDF has, visible or invisible, as words with geometry in the page's image.

PDFium finds the characters, in the order in which they are read, from right to left, too, and the spaces and ends of
lines between them.
"""

import ctypes
import math
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pypdfium2
import pypdfium2.raw as pdfium

from scanner.pdf_geometry import Box, Placement
from scanner.text import Line, Point, RecognisedText, Word

LEAST = 8
"""Letters and digits; with fewer a page is read, as one without text. It costs little, and nothing is lost."""

LEAST_BESIDE_PICTURE = 80
"""The same where a picture covers half the page: a scan on which somebody has stamped its number is a scan."""

MOST_GARBAGE = 0.2
"""Of the characters. Fonts that do not say what their glyphs mean give characters that mean nothing."""

MOST_CHARACTERS = 200_000
"""A book has 2,000 or 3,000 a page."""

CONFIDENCE = 100.0
"""Per cent. Whoever wrote the document has written these very characters; nothing was recognised."""

_HYPHEN = "\x02"  # PDFium's, where a word is broken at the end of a line
_PICTURED = 0.5
_MEANINGLESS = {"Cc", "Cn", "Co", "Cs"}


@dataclass(frozen=True, slots=True)
class _Character:
    text: str
    box: Box | None
    quarters: int  # of the direction in which it is read, clockwise


@dataclass(slots=True)
class _Found:
    """The words of each line so far, and what they are made of."""

    lines: list[list[list[_Character]]] = field(default_factory=lambda: [[[]]])
    letters: int = 0
    garbage: int = 0
    characters: int = 0


def read(page: pypdfium2.PdfPage, placement: Placement, size: tuple[int, int], box: Box) -> RecognisedText | None:
    """Return the text of a page whose upright image has that size in pixels, or None where it has none to speak of.

    `box` is what is seen of the page. Raises pypdfium2.PdfiumError.
    """
    textpage = page.get_textpage()
    try:
        found = _found(textpage)
    finally:
        textpage.close()
    if found is None or found.garbage > MOST_GARBAGE * found.characters or found.letters < LEAST:
        return None
    if found.letters < LEAST_BESIDE_PICTURE and _has_large_picture(page, box):
        return None
    ratios = placement.ratios()
    lines = []
    for characters in found.lines:
        words = tuple(word for spelt in characters if (word := _word(spelt, ratios)))
        if words:
            lines.append(Line(" ".join(word.text for word in words), CONFIDENCE, words))
    return RecognisedText(*size, tuple(lines)) if lines else None


def _found(textpage: pypdfium2.PdfTextPage) -> _Found | None:
    count = textpage.count_chars()
    if not 0 < count <= MOST_CHARACTERS:
        return None
    found = _Found()
    for text, character in _characters(textpage, count):
        if text in "\r\n":
            if found.lines[-1] != [[]]:
                found.lines.append([[]])
        elif text.isspace():
            if found.lines[-1][-1]:
                found.lines[-1].append([])
        else:
            category = unicodedata.category(text)
            found.characters += 1
            found.letters += category[0] in "LN"
            if category in _MEANINGLESS or text == "\ufffd":
                found.garbage += 1
            else:
                found.lines[-1][-1].append(character)
    return found


def _characters(textpage: pypdfium2.PdfTextPage, count: int) -> Iterator[tuple[str, _Character]]:
    rectangle = pdfium.FS_RECTF()
    for index in range(count):
        code = pdfium.FPDFText_GetUnicode(textpage, index)
        text = chr(code) if 0 < code <= 0x10FFFF else "\ufffd"
        if text == _HYPHEN:
            text = "-"
        if pdfium.FPDFText_HasUnicodeMapError(textpage, index) == 1:
            text = "\ufffd"
        box = None
        if not text.isspace() and pdfium.FPDFText_GetLooseCharBox(textpage, index, ctypes.byref(rectangle)):
            box = (rectangle.left, rectangle.bottom, rectangle.right, rectangle.top)
        angle = pdfium.FPDFText_GetCharAngle(textpage, index)
        yield text, _Character(text, box, round(angle / (math.pi / 2)) % 4 if angle > 0 else 0)


def _word(characters: list[_Character], ratios: Callable[[float, float], Point]) -> Word | None:
    boxes = [character.box for character in characters if character.box]
    if not boxes:
        return None
    left, bottom = min(box[0] for box in boxes), min(box[1] for box in boxes)
    right, top = max(box[2] for box in boxes), max(box[3] for box in boxes)
    # Clockwise from the top left of the word as it is read: of one that is read upwards that is at the bottom left.
    corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
    first = characters[0].quarters
    a, b, c, d = (ratios(*corners[(first + place) % 4]) for place in range(4))
    text = unicodedata.normalize("NFC", "".join(character.text for character in characters))
    return Word(text, CONFIDENCE, (a, b, c, d))


def _has_large_picture(page: pypdfium2.PdfPage, box: Box) -> bool:
    area = (box[2] - box[0]) * (box[3] - box[1])
    covered = 0.0
    for shown in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE]):
        left, bottom, right, top = shown.get_bounds()
        across, up = min(right, box[2]) - max(left, box[0]), min(top, box[3]) - max(bottom, box[1])
        covered += max(across, 0) * max(up, 0)
    return covered >= _PICTURED * area
