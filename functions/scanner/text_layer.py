"""What searchable and typeset PDFs have in common: the document, and its text, invisible, where each word is seen.

A reader gets the text from here whatever is under it, so it comes out the same from a photograph as from typeset
glyphs, in every script. The same input gives the same bytes.
"""

import math
import tempfile
import unicodedata
from collections.abc import Iterator, Sequence, Set
from contextlib import contextmanager, nullcontext
from datetime import datetime
from pathlib import Path

from fpdf import FPDF, TextMode
from fpdf.bidi import BidiParagraph

from scanner import glyphless
from scanner.text import Point

_MAX_DRIFT = 0.5
"""Points. Poppler, so pdftotext, ends a word before a letter whose baseline is further off than this."""

_MIN_EXTENT = 0.5
"""Points; no word is set smaller, so that none is lost to a degenerate polygon."""

_BIDI_PART = 400
"""Characters. No word is as long; in one that is, fpdf2 would call itself deeper than Python lets it."""


@contextmanager
def document(title: str, created: datetime, characters: Set[str]) -> Iterator[FPDF]:
    """Open a document whose text will be made of `characters`; write it out before leaving."""
    pdf = FPDF(unit="pt")
    pdf.pdf_version = "1.7"
    pdf.set_auto_page_break(auto=False)
    pdf.set_title(title)
    pdf.set_producer("Docscan")
    pdf.set_creation_date(created)
    with tempfile.TemporaryDirectory() as folder:
        font = Path(folder, "glyphless.ttf")
        font.write_bytes(glyphless.font(characters))
        pdf.add_font("glyphless", fname=font)
        yield pdf


@contextmanager
def on_page(pdf: FPDF) -> Iterator[None]:
    """Have `write` write on the current page."""
    pdf.set_font("glyphless")
    with pdf.local_context(text_mode=TextMode.INVISIBLE):
        yield


def write(pdf: FPDF, word: str, corners: Sequence[Point], *, spaced: bool) -> None:
    """Set a word into its polygon, given in points: along its lower edge, as high and as wide as it.

    A space follows where the word is `spaced`, that is, where white space parts it from a neighbour.
    """
    top_left, top_right, bottom_right, bottom_left = corners
    length = max(math.dist(bottom_left, bottom_right), _MIN_EXTENT)
    size = max((math.dist(top_left, bottom_left) + math.dist(top_right, bottom_right)) / 2, _MIN_EXTENT)
    tilt = math.atan2(bottom_right[1] - bottom_left[1], bottom_right[0] - bottom_left[0])
    rise = glyphless.DESCENT / glyphless.UNITS_PER_EM
    x = bottom_left[0] + (top_left[0] - bottom_left[0]) * rise
    y = bottom_left[1] + (top_left[1] - bottom_left[1]) * rise
    pdf.set_font_size(size)
    pdf.set_stretching(100 * length / (max(len(word), 1) * glyphless.ADVANCE / glyphless.UNITS_PER_EM * size))
    visual = _visual_order(word)
    # The text of a span is taken as a whole; but Poppler turns it round if it is written from right to left.
    whole = length * abs(math.sin(tilt)) > _MAX_DRIFT and visual == word
    with pdf.rotation(-math.degrees(tilt), x, y) if tilt else nullcontext():
        if whole:
            pdf._out(f"/Span <</ActualText <FEFF{word.encode('utf-16-be').hex()}>>> BDC")  # noqa: SLF001 - no public way
        pdf.text(x, y, visual)
        if whole:
            pdf._out("EMC")  # noqa: SLF001
        if spaced:
            pdf.text(x + length, y, " ")


def _visual_order(text: str) -> str:
    """Return the characters from left to right, as PDF has them; whoever extracts the text turns them round again."""
    if not any(unicodedata.bidirectional(character) in {"R", "AL", "AN"} for character in text):
        return text
    parts = [text[start : start + _BIDI_PART] for start in range(0, len(text), _BIDI_PART)]
    return "".join(BidiParagraph(part, preserve_bn_chars=True).get_reordered_string() for part in reversed(parts))
