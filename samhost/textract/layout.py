"""Reading order: from strips of text, as an engine finds them anywhere and across columns, to lines one after another.

In coordinates turned so that the page's text runs level, whichever way up the image is (it is left alone):

1. strips are split where words stand far apart, as between the cells of a table;
2. a gutter is looked for: a corridor with running text on both sides. Strips that were merged across it are split
   there, and the left side is read before the right one. A line that crosses it, such as a headline, parts what is
   above it from what is below;
3. what has no gutter is read in rows from the top, each from the left. So are tables and forms, whose cells make rows;
4. what runs across the rest, as a note along the margin does, comes last.

Columns are told from tables by the length of their lines: a table with long texts side by side is read as columns.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from math import atan2, cos, dist, hypot, pi, sin
from statistics import fmean, median

from samhost.textract.page import Line, Point, Word

# Gaps, in heights of the text. Justified and typewritten spaces stay below the first, magazines' gutters above it.
# Where there is a gutter already, a strip that was merged across it needs less. Words beyond the last are two lines.
_GUTTER = 0.8
_MERGED_GUTTER = 0.5
_WIDE = 2.0
# Running text is at least this many lines, half of them of at least this many characters.
_COLUMN_LINES = 4
_COLUMN_CHARACTERS = 15


@dataclass(frozen=True, slots=True)
class _Placed:
    """A word in turned coordinates; `middle` is the y of its centre."""

    word: Word
    left: float
    right: float
    middle: float
    height: float


@dataclass(frozen=True, slots=True)
class _Piece:
    """Words of one strip that stay together."""

    words: Sequence[_Placed]
    left: float
    right: float
    middle: float
    height: float

    @classmethod
    def of(cls, words: Sequence[_Placed]) -> "_Piece":
        return cls(
            words,
            min(word.left for word in words),
            max(word.right for word in words),
            fmean(word.middle for word in words),
            fmean(word.height for word in words),
        )

    @property
    def characters(self) -> int:
        return sum(len(placed.word.text) + 1 for placed in self.words) - 1

    def split(self, at: Callable[[_Placed, _Placed], bool]) -> list["_Piece"]:
        """Return the pieces between those neighbours for which `at` is true; itself, if there are none."""
        cuts = [index for index, pair in enumerate(pairwise(self.words), 1) if at(*pair)]
        if not cuts:
            return [self]
        return [_Piece.of(self.words[start:end]) for start, end in pairwise([0, *cuts, len(self.words)])]


def arrange(strips: Iterable[Line]) -> list[Line]:
    """Return the words of `strips` as lines in reading order. No word is lost, changed or doubled."""
    strips = list(strips)
    angle = _skew(strips)
    along = [strip for strip in strips if abs(_turn(_run(strip), angle)) <= pi / 4]
    across = [strip for strip in strips if abs(_turn(_run(strip), angle)) > pi / 4]
    pieces = []
    for strip in along:
        piece = _Piece.of([_place(word, angle) for word in strip.words])
        widest = _WIDE * piece.height
        pieces += piece.split(lambda a, b, widest=widest: b.left - a.right >= widest)
    lines = [Line([placed.word for placed in piece.words]) for piece in _order(pieces)]
    return lines + arrange(across) if across else lines


def _skew(strips: Sequence[Line]) -> float:
    """Return the angle at which the page's text runs, in radians: the median of the strips', weighted by length."""
    runs = [_run(strip) for strip in strips]
    # Counted from the mean direction: angles that differ little are neighbours on an upside-down page, too.
    mean = atan2(sum(y for _, y in runs), sum(x for x, _ in runs))
    turns = sorted((_turn(run, mean), hypot(*run)) for run in runs)
    half = sum(length for _, length in turns) / 2
    for turn, length in turns:
        half -= length
        if half <= 0:
            return mean + turn
    return 0.0


def _run(strip: Line) -> Point:
    """Return the way from the strip's start to its end."""
    start, end = _centre(strip.quad[0], strip.quad[3]), _centre(strip.quad[1], strip.quad[2])
    return end[0] - start[0], end[1] - start[1]


def _turn(run: Point, angle: float) -> float:
    """Return by how much a run is turned against `angle`, from -pi to pi."""
    x, y = run
    return atan2(y * cos(angle) - x * sin(angle), x * cos(angle) + y * sin(angle))


def _centre(a: Point, b: Point) -> Point:
    return (a[0] + b[0]) / 2, (a[1] + b[1]) / 2


def _place(word: Word, angle: float) -> _Placed:
    turned = [(x * cos(angle) + y * sin(angle), y * cos(angle) - x * sin(angle)) for x, y in word.quad]
    return _Placed(
        word,
        left=min(x for x, _ in turned),
        right=max(x for x, _ in turned),
        middle=fmean(y for _, y in turned),
        height=(dist(turned[0], turned[3]) + dist(turned[1], turned[2])) / 2,
    )


def _order(pieces: Sequence[_Piece]) -> list[_Piece]:
    candidates = _candidate_gutters(pieces)
    gutter = max(candidates, key=lambda x: _lines_in_columns(_bands(pieces, x, _GUTTER)), default=0.0)
    bands = _bands(pieces, gutter, _MERGED_GUTTER)
    if not (_lines_in_columns(_bands(pieces, gutter, _GUTTER)) and _lines_in_columns(bands)):
        return _rows(pieces)
    ordered = []
    for in_columns, group in groupby(bands, key=lambda band: band.in_columns):
        if in_columns:
            ordered += [piece for band in group for side in (band.left, band.right) for piece in _order(side)]
        else:
            ordered += _order([piece for band in group for piece in band.pieces])
    return ordered


@dataclass(frozen=True, slots=True)
class _Band:
    """Pieces one below the other between two that cross the gutter (or such a one itself), and its two sides."""

    pieces: Sequence[_Piece]
    left: Sequence[_Piece] = ()
    right: Sequence[_Piece] = ()

    @property
    def in_columns(self) -> bool:
        """Whether there is running text on both sides, most of it at the same heights."""
        if not all(
            len(side) >= _COLUMN_LINES and median(piece.characters for piece in side) >= _COLUMN_CHARACTERS
            for side in (self.left, self.right)
        ):
            return False
        tops, bottoms = zip(*(_extent(side) for side in (self.left, self.right)), strict=True)
        shorter = min(bottom - top for top, bottom in zip(tops, bottoms, strict=True))
        return min(bottoms) - max(tops) >= shorter / 2


def _extent(side: Sequence[_Piece]) -> tuple[float, float]:
    return min(piece.middle for piece in side), max(piece.middle for piece in side)


def _lines_in_columns(bands: Iterable[_Band]) -> int:
    return sum(len(band.left) + len(band.right) for band in bands if band.in_columns)


def _candidate_gutters(pieces: Sequence[_Piece]) -> list[float]:
    """Return the xs to try: just beside each piece and in each gap that could be a gutter, no two almost the same."""
    if len(pieces) < _COLUMN_LINES:
        return []
    xs = []
    for piece in pieces:
        room = _GUTTER * piece.height
        xs += [piece.left - room / 2, piece.right + room / 2]
        xs += [(a.right + b.left) / 2 for a, b in pairwise(piece.words) if b.left - a.right >= room]
    step = _GUTTER * median(piece.height for piece in pieces) / 4
    return list({round(x / step): x for x in sorted(xs)}.values())


def _bands(pieces: Sequence[_Piece], gutter: float, gap: float) -> list[_Band]:
    """Return the bands that a gutter at x makes, from the top; `gap` is what must be free in a strip across it."""

    def sides(piece: _Piece) -> tuple[list[_Piece], list[_Piece]]:
        if piece.right <= gutter:
            return [piece], []
        if piece.left >= gutter:
            return [], [piece]
        room = gap * piece.height
        parts = piece.split(lambda a, b: a.right <= gutter <= b.left and b.left - a.right >= room)
        return (parts[:1], parts[1:]) if len(parts) == 2 else ([], [])

    bands = []
    placed = [(piece, sides(piece)) for piece in sorted(pieces, key=lambda piece: piece.middle)]
    # A headline has nothing beside it; what has, is a cell, and its whole row crosses the gutter.
    crossing = [piece for piece, both in placed if not any(both)]
    placed = [
        (piece, ([], []) if any(_in_one_row(piece, other) for other in crossing) else both) for piece, both in placed
    ]
    for _, group in groupby(placed, key=lambda pair: any(pair[1])):
        band, both = zip(*group, strict=True)
        left, right = ([piece for side in sides for piece in side] for sides in zip(*both, strict=True))
        bands.append(_Band(band, left, right))
    return bands


def _in_one_row(a: _Piece, b: _Piece) -> bool:
    return abs(a.middle - b.middle) < min(a.height, b.height) / 2


def _rows(pieces: Sequence[_Piece]) -> list[_Piece]:
    rows: list[list[_Piece]] = []
    for piece in sorted(pieces, key=lambda piece: piece.middle):
        row = rows[-1] if rows else []
        if row and piece.middle - fmean(p.middle for p in row) < min(piece.height, row[-1].height) / 2:
            row.append(piece)
        else:
            rows.append([piece])
    return [piece for row in rows for piece in sorted(row, key=lambda piece: piece.left)]
