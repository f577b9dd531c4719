"""Typeset PDFs: the text of pages set in type, on A4.

What is seen are the outlines of glyphs, each in the document once; what is searched, selected and extracted is
invisible text on top of them, as in searchable PDFs. Text that is both would have to be taken back from shaped glyphs:
in Arabic and in the scripts of India a glyph is not a character, nor are glyphs in the order of the characters, and
every reader makes something else of that.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO

from scanner import glyphless, text_layer, typesetting
from scanner.pdf_document import Document
from scanner.sheets import Sheets
from scanner.text_layer import PlacedWord
from scanner.typefaces import UNITS_PER_EM, Typeface, Typefaces
from scanner.typesetting import MARK, TypesetLine

_WIDTH, _HEIGHT = 210 / 25.4 * 72, 297 / 25.4 * 72
_MARGIN = 60
_SIZE = 10.5
_LEADING = 1.4
"""The least distance between two baselines, in ems; typefaces that reach further up and down get more."""

_FOLIO_SIZE = 8
_FOLIO_BASELINE = _HEIGHT - 34

_BOX = (-2 * UNITS_PER_EM, -2 * UNITS_PER_EM, 4 * UNITS_PER_EM, 3 * UNITS_PER_EM)
"""Left, bottom, right and top of what any glyph may cover."""


@dataclass(frozen=True, slots=True)
class TypesetPage:
    """A page's number, which is printed below its text, and its text."""

    number: int
    text: str


@dataclass(slots=True)
class _Glyphs:
    """The glyphs that are drawn so far, by typeface and index, each a form; None for a blank."""

    document: Document
    forms: dict[tuple[str, int], int | None] = field(default_factory=dict)

    def form(self, typeface: Typeface, glyph: int) -> int | None:
        """Return the number of a glyph's form, for the current page."""
        key = typeface.name, glyph
        if key not in self.forms:
            outline = typeface.outline(glyph)
            self.forms[key] = self.document.add_form(outline + b" f", _BOX) if outline else None
        number = self.forms[key]
        if number is not None:
            self.document.allow_form(number)
        return number


def build(
    title: str, created: datetime, pages: Sequence[TypesetPage], file: IO[bytes], language: str | None = None
) -> list[Sheets]:
    """Write a PDF/A-2b of the pages' text, each beginning on a new sheet, and return its sheets.

    `language` is a BCP 47 tag.
    """
    characters = {character for page in pages for character in page.text + str(page.number)} | {MARK}
    document = Document(title, created, language, characters)
    glyphs = _Glyphs(document)
    for page in pages:
        _add_page(document, glyphs, page)
    document.write_to(file)
    return document.sheets


def _add_page(document: Document, glyphs: _Glyphs, page: TypesetPage) -> None:
    typefaces = Typefaces(page.text)
    folio = next(typesetting.lines(str(page.number), typefaces, _WIDTH))
    for sheet in _sheets(page.text, typefaces):
        document.add_sheet(page.number, _WIDTH, _HEIGHT)
        words: list[PlacedWord] = []
        for baseline, line in sheet:
            left = _WIDTH - _MARGIN - line.width * _SIZE if line.right_to_left else _MARGIN
            words += _set(document, glyphs, line, left, baseline, _SIZE)
        words += _set(document, glyphs, folio, (_WIDTH - folio.width * _FOLIO_SIZE) / 2, _FOLIO_BASELINE, _FOLIO_SIZE)
        text_layer.write(document, words)


def _sheets(text: str, typefaces: Typefaces) -> Iterator[list[tuple[float, TypesetLine]]]:
    """Yield the lines of each sheet, each with its baseline in points from the top; one empty sheet for no text."""
    sheet: list[tuple[float, TypesetLine]] = []
    top = float(_MARGIN)
    for paragraph in text.splitlines():
        for line in typesetting.lines(paragraph, typefaces, (_WIDTH - 2 * _MARGIN) / _SIZE):
            height = max(line.ascent + line.descent, _LEADING) * _SIZE
            if top + height > _HEIGHT - _MARGIN and sheet:
                yield sheet
                sheet, top = [], float(_MARGIN)
            sheet.append((top + height - line.descent * _SIZE, line))
            top += height
    yield sheet


def _set(
    document: Document, glyphs: _Glyphs, line: TypesetLine, left: float, baseline: float, size: float
) -> Iterator[PlacedWord]:
    """Draw a line, x and y in points from the page's top left, and yield the words that are to lie over it."""
    scale = size / UNITS_PER_EM
    drawing = [f"q {scale:.5f} 0 0 {scale:.5f} {left:.2f} {_HEIGHT - baseline:.2f} cm"]
    pen_x = pen_y = 0
    for piece in line.pieces:
        for start, typeface, shape in piece.runs:
            for glyph, x, y in shape.glyphs:
                if (number := glyphs.form(typeface, glyph)) is not None:
                    x += round(start * UNITS_PER_EM)
                    drawing.append(f"1 0 0 1 {x - pen_x} {y - pen_y} cm /I{number} Do")
                    pen_x, pen_y = x, y
    document.draw(*drawing, "Q")
    top = baseline - glyphless.ASCENT / glyphless.UNITS_PER_EM * size
    bottom = baseline + glyphless.DESCENT / glyphless.UNITS_PER_EM * size
    for piece in line.pieces:
        start, end = left + piece.left * size, left + (piece.left + piece.width) * size
        corners = [(start, top), (end, top), (end, bottom), (start, bottom)]
        yield PlacedWord(piece.text, corners, piece.spaced)
