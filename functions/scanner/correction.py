"""Corrected text on the geometry of what was recognised.

A user's text has no geometry. It is aligned to the recognised words: those that stayed keep their boxes, those that
were replaced are spread over the boxes of what they replace, those that were added share the box of the word before.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import accumulate, groupby, pairwise
from math import ceil

from scanner.page import Page
from scanner.text import Line, Point, Polygon, RecognisedText, Word

_UNSPACED = ("CJK ", "HIRAGANA", "KATAKANA", "THAI ", "LAO ", "KHMER ", "MYANMAR ")
"""How Unicode's names of letters begin in scripts that put no spaces between words: there every letter is aligned."""

type _Box = tuple[int, Polygon]
"""The line in which something was recognised, and where."""


def applied(page: Page, recognised: RecognisedText) -> RecognisedText:
    """Return the text of a page on which `recognised` was read: that, or what the user has made of it."""
    return apply(page.text, recognised) if page.corrected and page.text is not None else recognised


def apply(corrected: str, recognised: RecognisedText) -> RecognisedText:
    """Return the text of `corrected`, line by line, with each word where `recognised` has it, or about there."""
    lines = corrected.split("\n")
    parts = [list(_parts(line)) for line in lines]
    words = [part for line in parts for part in line]
    polygons = iter(_polygons(words, recognised))
    return RecognisedText(
        recognised.width,
        recognised.height,
        tuple(
            Line(line, 100.0, tuple(Word(word, 100.0, next(polygons)) for word in found))
            for line, found in zip(lines, parts, strict=True)
        ),
    )


def _parts(line: str) -> Iterator[str]:
    """Yield what is aligned: words, and of scripts without spaces the letters, each with the marks that follow it."""
    for word in line.split():
        start = 0
        for at in range(1, len(word)):
            if (_unspaced(word[at]) or _unspaced(word[at - 1])) and not unicodedata.combining(word[at]):
                yield word[start:at]
                start = at
        yield word[start:]


def _unspaced(character: str) -> bool:
    return unicodedata.name(character, "").startswith(_UNSPACED)


def _polygons(words: Sequence[str], recognised: RecognisedText) -> list[Polygon]:
    """Return a polygon for each of `words`."""
    boxes: list[_Box] = []
    read: list[str] = []
    for number, line in enumerate(recognised.lines):
        for word in line.words:
            parts = list(_parts(word.text)) or [word.text]
            read += parts
            boxes += [(number, polygon) for polygon in _divided(word.polygon, parts)]
    if not boxes:
        return _divided(((0, 0), (1, 0), (1, 1), (0, 1)), words)
    groups: list[tuple[list[_Box], list[str]]] = []
    added: list[str] = []
    for kind, i, i_end, j, j_end in SequenceMatcher(None, read, words).get_opcodes():
        if kind == "equal":
            groups += [([boxes[i + at]], [words[j + at]]) for at in range(i_end - i)]
        elif kind == "replace":
            groups.append((boxes[i:i_end], list(words[j:j_end])))
        elif kind == "insert" and groups:
            groups[-1][1].extend(words[j:j_end])
        elif kind == "insert":
            added = list(words[j:j_end])
        if added and groups:
            groups[0][1][:0] = added
            added = []
    return [polygon for group in groups for polygon in _spread(*group)]


def _spread(boxes: Sequence[_Box], words: Sequence[str]) -> Iterator[Polygon]:
    """Yield a polygon for each of `words`, in the place of all `boxes`."""
    if len(words) == len(boxes) and not any(_unspaced(word[0]) for word in words):
        yield from (polygon for _, polygon in boxes)
        return
    start = 0
    for _, row in groupby(enumerate(boxes, 1), key=lambda numbered: numbered[1][0]):
        numbered = list(row)
        first, last = numbered[0][1][1], numbered[-1][1][1]
        end = ceil(len(words) * numbered[-1][0] / len(boxes))
        yield from _divided((first[0], last[1], last[2], first[3]), words[start:end])
        start = end


def _divided(polygon: Polygon, words: Sequence[str]) -> list[Polygon]:
    """Return the parts of a polygon that `words` take side by side, as wide as they are long, a letter apart."""
    top_left, top_right, bottom_right, bottom_left = polygon
    gaps = [0 if _unspaced(one[-1]) or _unspaced(other[0]) else 1 for one, other in pairwise(words)]
    widths = [len(word) for word in words]
    starts = [0, *accumulate(width + gap for width, gap in zip(widths, gaps, strict=False))]
    whole = sum(widths) + sum(gaps)
    shares = [(start / whole, (start + width) / whole) for start, width in zip(starts, widths, strict=False)]
    if any(unicodedata.bidirectional(character) in {"R", "AL"} for word in words for character in word):
        shares = [(1 - end, 1 - start) for start, end in shares]
    return [
        (
            _between(top_left, top_right, start),
            _between(top_left, top_right, end),
            _between(bottom_left, bottom_right, end),
            _between(bottom_left, bottom_right, start),
        )
        for start, end in shares
    ]


def _between(one: Point, other: Point, share: float) -> Point:
    if share in {0, 1}:  # exactly as it was
        return other if share else one
    return one[0] + (other[0] - one[0]) * share, one[1] + (other[1] - one[1]) * share
