"""The text of searchable and of typeset PDFs: invisible, where each word is seen.

A reader gets the text from here whatever is under it, so it comes out the same from a photograph as from typeset
glyphs, in every script.
"""

import math
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from fpdf import TextMode
from fpdf.bidi import BidiParagraph

from scanner import glyphless
from scanner.pdf_document import Document
from scanner.text import Point

_MAX_DRIFT = 0.5
"""Points. Poppler, so pdftotext, ends a word before a letter whose baseline is further off than this."""

_MIN_EXTENT = 0.5
"""Points; no word is set smaller, so that none is lost to a degenerate polygon."""

_MAX_SPAN = 8_000
"""Characters, of up to four bytes; ISO 19005-2, 6.1.13 allows a string 32,767 bytes."""

_BIDI_PART = 400
"""Characters. No word is as long; in one that is, fpdf2 would call itself deeper than Python lets it."""


@dataclass(frozen=True, slots=True)
class PlacedWord:
    """A word and its polygon, clockwise from the top left, in points from the page's top left.

    A space follows where the word is `spaced`, that is, where white space parts it from a neighbour.
    """

    text: str
    corners: Sequence[Point]
    spaced: bool


def write(document: Document, words: Iterable[PlacedWord]) -> None:
    """Set words into their polygons on the current page: along the lower edge, as high and as wide as those."""
    operators = (operator for word in words for operator in _operators(document, word))
    document.draw(f"q {TextMode.INVISIBLE} Tr BT {document.select_font()}", *operators, "ET Q")


def _operators(document: Document, word: PlacedWord) -> Iterator[str]:
    top_left, top_right, bottom_right, bottom_left = word.corners
    length = max(math.dist(bottom_left, bottom_right), _MIN_EXTENT)
    height = max((math.dist(top_left, bottom_left) + math.dist(top_right, bottom_right)) / 2, _MIN_EXTENT)
    tilt = math.atan2(bottom_left[1] - bottom_right[1], bottom_right[0] - bottom_left[0])
    cosine, sine = math.cos(tilt), math.sin(tilt)
    width = length / (max(len(word.text), 1) * glyphless.ADVANCE / glyphless.UNITS_PER_EM)
    rise = glyphless.DESCENT / glyphless.UNITS_PER_EM
    x = bottom_left[0] + (top_left[0] - bottom_left[0]) * rise
    y = document.h_pt - bottom_left[1] - (top_left[1] - bottom_left[1]) * rise
    yield (f"{width * cosine:.4f} {width * sine:.4f} {-height * sine:.4f} {height * cosine:.4f} {x:.3f} {y:.3f} Tm")
    visual = _visual_order(word.text)
    # The text of a span is taken as a whole; but Poppler turns it round if it is written from right to left.
    if length * abs(sine) > _MAX_DRIFT and visual == word.text and len(visual) <= _MAX_SPAN:
        yield f"/Span <</ActualText <FEFF{word.text.encode('utf-16-be').hex()}>>> BDC"
        yield document.show(visual)
        yield "EMC"
        if word.spaced:
            yield document.show(" ")
    else:
        yield document.show(visual + " " if word.spaced else visual)


def _visual_order(text: str) -> str:
    """Return the characters from left to right, as PDF has them; whoever extracts the text turns them round again."""
    if text.isascii() or not any(unicodedata.bidirectional(character) in {"R", "AL", "AN"} for character in text):
        return text
    parts = [text[start : start + _BIDI_PART] for start in range(0, len(text), _BIDI_PART)]
    return "".join(BidiParagraph(part, preserve_bn_chars=True).get_reordered_string() for part in reversed(parts))
