"""Typesetting of plain text: lines broken to a width, each in its visual order (Unicode's bidirectional algorithm).

A line breaks at white space and between Chinese and Japanese characters, but for punctuation that may not begin or end
a line. A stretch without such a place that is too long for a line (an address of the web, Thai, which has no spaces)
breaks between characters. All lengths are in ems of the type.
"""

# ruff: noqa: RUF001 - punctuation of many scripts, some of which looks like another's

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from fpdf.bidi import BidiParagraph, auto_detect_base_direction
from fpdf.enums import TextDirection

from scanner.typefaces import UNITS_PER_EM, Shape, Typeface, Typefaces

_SPACE = r"[^\S\u00a0\u202f]"
_IDEOGRAPH = r"[\u2e80-\u2fff\u3040-\u312f\u31a0-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
_OPENING = r"[(\[{‘“«〈《「『【〔〖〘（［｛｟｢]"
_NOT_FIRST = r"[)\]}’”»,.:;!?%…、。〃々〉》」』】〕〗〙〜ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮー・！％），．：；？］｝｠｡｣､･\u0300-\u036f\u3099\u309a\ufe00-\ufe0f]"  # noqa: E501
_UNBROKEN = re.compile(
    rf"{_SPACE}+|{_OPENING}{{0,9}}{_IDEOGRAPH}{_NOT_FIRST}{{0,9}}"
    rf"|{_OPENING}{{0,9}}(?:(?!{_SPACE}|{_IDEOGRAPH}|(?<=\S){_OPENING}{{1,9}}{_IDEOGRAPH}).){{1,500}}|.",
    re.DOTALL,
)
"""The numbers bound the time that hostile text takes; no line has as many characters as that."""

_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN", "RLE", "RLO", "RLI"})
_BIDI_PARTS = re.compile(r".{1,400}(?:\S{0,300}\s)?", re.DOTALL)
"""Up to white space where there is some: fpdf2 calls itself for each neutral character, as deep as Python lets it."""

_LIKE_NUMBERS = frozenset({"L", "EN", "AN", "ES", "ET", "CS"})
MARK = "\N{RIGHT-TO-LEFT MARK}"
_JOINER = "\N{ZERO WIDTH JOINER}"

type _Stretch = tuple[int, int, int]
"""Where a part of a paragraph starts and ends, and its embedding level."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A word, or as much of one as goes in one direction, at `left` in its line. `text` is in reading order.

    `spaced` tells if white space parts it from a neighbour. `runs` are from left to right, each with where it starts.
    A `MARK` has neither width nor runs.
    """

    text: str
    left: float
    width: float
    spaced: bool
    runs: tuple[tuple[float, Typeface, Shape], ...]


@dataclass(frozen=True, slots=True)
class TypesetLine:
    """A line: pieces from left to right, its width, how far it reaches up and down from its baseline."""

    pieces: tuple[Piece, ...]
    width: float
    ascent: float
    descent: float
    right_to_left: bool


@dataclass(frozen=True, slots=True)
class _Paragraph:
    """A paragraph's text with the embedding level of each character; odd levels go from right to left."""

    text: str
    levels: tuple[int, ...]
    base: int


def lines(paragraph: str, typefaces: Typefaces, width: float) -> Iterator[TypesetLine]:
    """Typeset a paragraph, a text without line feeds, into lines of at most `width`; one empty line if it is blank."""
    source = _paragraph("".join(" " if unicodedata.category(c) == "Cc" else c for c in paragraph).rstrip())
    for start, end in _broken(source.text, typefaces, width):
        yield _line(source, start, end, typefaces)


def _paragraph(text: str) -> _Paragraph:
    if not any(unicodedata.bidirectional(character) in _RIGHT_TO_LEFT for character in text):
        return _Paragraph(text, (0,) * len(text), 0)
    direction = auto_detect_base_direction(text)
    base = int(direction is TextDirection.RTL)
    levels = [base] * len(text)
    for part in _BIDI_PARTS.finditer(text):
        for character in BidiParagraph(part[0], direction, preserve_bn_chars=True).get_characters():
            levels[part.start() + character.character_index] = character.embedding_level
    return _Paragraph(text, tuple(levels), base)


def _broken(text: str, typefaces: Typefaces, width: float) -> Iterator[tuple[int, int]]:
    """Yield where each line starts and ends, without the white space around it (but for a paragraph's indent)."""
    start, end, used = 0, 0, 0.0
    for match in _UNBROKEN.finditer(text):
        extent = _extent(match[0], typefaces)
        if match[0].isspace():
            used += extent
            continue
        if used + extent > width and end > start:
            yield start, end
            start, used = match.start(), 0.0
        first = match.start()
        while used + extent > width and (fitting := _fitting(text[first : match.end()], typefaces, width - used)):
            yield start, first + fitting
            start = first = first + fitting
            used, extent = 0.0, _extent(text[first : match.end()], typefaces)
        used += extent
        end = match.end()
    yield start, end


def _fitting(text: str, typefaces: Typefaces, width: float) -> int:
    """Return how many characters fit, at least one with its marks; 0 if nothing would be left over."""
    places = [
        place
        for place in range(1, len(text))
        if not unicodedata.category(text[place]).startswith("M") and _JOINER not in text[place - 1 : place + 1]
    ]
    low, high = 0, len(places) - 1
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _extent(text[: places[middle]], typefaces) <= width else (low, middle - 1)
    return places[low] if places else 0


def _extent(text: str, typefaces: Typefaces) -> float:
    direction = "rtl" if unicodedata.bidirectional(text[0]) in {"R", "AL"} else "ltr"
    return sum(typeface.shape(run, direction).width for typeface, run in typefaces.runs(text)) / UNITS_PER_EM


def _line(source: _Paragraph, start: int, end: int, typefaces: Typefaces) -> TypesetLine:
    pieces, left = [], 0.0
    ascent = descent = 0.0
    for first, last, level in _visual_order(_uniform(source, start, end)):
        if first == last:
            pieces.append(Piece(MARK, left, 0.0, False, ()))
            continue
        text = source.text[first:last]
        right_to_left = level % 2 == 1
        runs, right = [], left
        for typeface, run in typefaces.runs(text)[:: -1 if right_to_left else 1]:
            shape = typeface.shape(run, "rtl" if right_to_left else "ltr")
            runs.append((right, typeface, shape))
            right += shape.width / UNITS_PER_EM
            ascent = max(ascent, typeface.ascent / UNITS_PER_EM)
            descent = max(descent, typeface.descent / UNITS_PER_EM)
        if not text.isspace():
            spaced = source.text[max(first - 1, 0) : first].isspace() or source.text[last : last + 1].isspace()
            pieces.append(Piece(text, left, right - left, spaced, tuple(runs)))
        left = right
    return TypesetLine(tuple(pieces), left, ascent, descent, source.base == 1)


def _uniform(source: _Paragraph, start: int, end: int) -> Iterator[_Stretch]:
    """Yield the stretches that are all white space or have none, in reading order, and an empty one for each mark."""
    first = start
    for place in range(start + 1, end + 1):
        before, level = source.levels[place - 1], source.levels[place] if place < end else -1
        marked = place < end and _needs_mark(source, place)
        if marked or level != before or source.text[place].isspace() != source.text[place - 1].isspace():
            yield first, place, before
            first = place
        if marked:
            yield place, place, before if before % 2 == 1 else level


def _needs_mark(source: _Paragraph, place: int) -> bool:
    """Tell whether the text layer needs a right-to-left mark before the character at `place`.

    Poppler, so pdftotext, finds the reading order from what it sees, without the levels: to it a number goes on, with
    signs and white space, up to the next letter that is read from right to left. A mark ends it.
    """
    before, after = place - 1, place
    return (
        (source.levels[before] % 2 == 1 or source.levels[after] % 2 == 1)
        and unicodedata.bidirectional(source.text[before]) in _LIKE_NUMBERS
        and unicodedata.bidirectional(source.text[after]) not in {"R", "AL", "NSM"}
    )


def _visual_order(stretches: Iterable[_Stretch]) -> list[_Stretch]:
    """Return the stretches from left to right: rule L2 of https://www.unicode.org/reports/tr9/."""
    ordered = list(stretches)
    for least in range(max((level for *_, level in ordered), default=0), 0, -1):
        place = 0
        while place < len(ordered):
            end = place
            while end < len(ordered) and ordered[end][2] >= least:
                end += 1
            ordered[place:end] = ordered[place:end][::-1]
            place = end + 1
    return ordered
