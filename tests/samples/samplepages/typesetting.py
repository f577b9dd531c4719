"""Sets a text on an A4 sheet, and tells line by line what was set: that is the ground truth.

The text's few marks, each at the start of a line:

    `# `    the title
    `## `   a heading
    `>> `   set at the end of the line (the right-hand side; the left-hand one in Hebrew and Arabic)
    `|`     a table's row; its first row is the header
    `---`   alone: the title's part ends, or a column ends; text with such lines is set in columns

Any other line is a paragraph, broken at spaces (never at U+00A0) where it reaches the margin; an empty line is a gap.
"""

import re
import unicodedata
from dataclasses import dataclass
from itertools import groupby

from PIL import Image, ImageDraw

from samplepages.fonts import FontFile
from samplepages.typeface import Typeface

A4 = (210, 297)  # mm
MARGIN = 22  # mm
GUTTER = 9  # mm, between columns
INK = (38, 38, 42)
WHITE = (255, 255, 255)

BROKEN_ANYWHERE = frozenset({"ja", "zh-Hans"})


@dataclass(frozen=True)
class Style:
    """How a text is set: `size` in points, `leading` (baseline to baseline) in ems, `language` as BCP 47."""

    font: FontFile
    language: str
    size: float = 11
    leading: float = 1.45
    accent: tuple[int, int, int] = INK


class TextTooLongError(Exception):
    """A text, or one of its words or table rows, does not fit the sheet."""


def typeset(text: str, style: Style, dpi: int) -> tuple[Image.Image, list[str]]:
    """Return the sheet (RGB) and the text of its lines in reading order.

    Raises TextTooLongError, and what a Typeface raises.
    """
    sheet = _Sheet(style, dpi)
    head, *columns = re.split(r"^---\n", text, flags=re.MULTILINE)
    sheet.set_blocks(head)
    if columns:
        sheet.set_columns(columns)
    return sheet.image, sheet.lines


class _Sheet:
    """A sheet being filled from the top; `left`, `right`, `bottom` and `y` are pixels."""

    def __init__(self, style: Style, dpi: int) -> None:
        self._mm = dpi / 25.4
        self._style = style
        self._em = style.size * dpi / 72
        self._regular = Typeface(style.font, style.language)
        self._bold = Typeface(style.font, style.language, weight=700)
        self.image = Image.new("RGB", (round(A4[0] * self._mm), round(A4[1] * self._mm)), WHITE)
        self._pen = ImageDraw.Draw(self.image)
        self.lines: list[str] = []
        self._left, self._right = MARGIN * self._mm, (A4[0] - MARGIN) * self._mm
        self._bottom = (A4[1] - MARGIN) * self._mm
        self._y = MARGIN * self._mm

    def set_columns(self, columns: list[str]) -> None:
        """Set each text in a column of its own, from here down."""
        top, left, right = self._y, self._left, self._right
        gutter = GUTTER * self._mm
        width = (right - left - gutter * (len(columns) - 1)) / len(columns)
        for index, column in enumerate(columns):
            self._y, self._left = top, left + index * (width + gutter)
            self._right = self._left + width
            self.set_blocks(column.strip("\n"))

    def set_blocks(self, text: str) -> None:
        """Set paragraphs, headings and tables one below the other."""
        for is_table, lines in groupby(text.splitlines(), key=lambda line: line.startswith("|")):
            if is_table:
                self._set_table([[cell.strip() for cell in line.strip("|").split("|")] for line in lines])
                continue
            for line in lines:
                if line.startswith("# "):
                    self._set_paragraph(line[2:], self._bold, 1.7 * self._em, self._style.accent)
                    self._y += 0.75 * self._em
                    self._rule(self._style.accent, 0.5)
                elif line.startswith("## "):
                    self._set_paragraph(line[3:], self._bold, 1.15 * self._em, self._style.accent)
                elif line.startswith(">> "):
                    self._set_paragraph(line[3:], self._regular, self._em, INK, at_end=True)
                elif line:
                    self._set_paragraph(line, self._regular, self._em, INK)
                else:
                    self._y += 0.65 * self._style.leading * self._em

    def _set_paragraph(
        self, text: str, face: Typeface, size: float, ink: tuple[int, int, int], *, at_end: bool = False
    ) -> None:
        for line in self._broken(text, face, size):
            self._advance(self._style.leading * size)
            self._draw(line, face, size, ink, (self._left, self._right), at_end=at_end)
            self.lines.append(line)

    def _broken(self, text: str, face: Typeface, size: float) -> list[str]:
        """Break a paragraph into lines, as many words on each as it takes."""
        lines = [""]
        for unit in _unbroken(text, self._style.language):
            if lines[-1] and face.width((lines[-1] + unit).rstrip(), size) > self._right - self._left:
                lines.append("")
            lines[-1] += unit
        lines = [line.rstrip() for line in lines]
        if any(face.width(line, size) > self._right - self._left for line in lines):
            raise TextTooLongError(f"a word in {text!r} is wider than its column")
        return lines

    def _set_table(self, rows: list[list[str]]) -> None:
        padding = 0.5 * self._em
        faces = [self._bold] + [self._regular] * (len(rows) - 1)
        widths = [
            max(face.width(cell, self._em) for face, cell in zip(faces, column, strict=True)) + 2 * padding
            for column in zip(*rows, strict=True)
        ]
        if sum(widths) > self._right - self._left:
            raise TextTooLongError(f"the table that starts with {rows[0]!r} is wider than its column")
        widths[0] += self._right - self._left - sum(widths)
        starts = [sum(widths[:index]) for index in range(len(widths))]
        # Numbers are set at the end of their cell, and so is what stands above them.
        numeric = [index > 0 and all(re.search(r"\d", row[index]) for row in rows[1:]) for index in range(len(widths))]
        self._y += 0.4 * self._em
        self._rule(INK, 0.3)
        for row, face in zip(rows, faces, strict=True):
            self._advance(1.35 * self._em)
            for cell, start, width, at_end in zip(row, starts, widths, numeric, strict=True):
                left = self._right - start - width if face.right_to_left else self._left + start
                self._draw(cell, face, self._em, INK, (left + padding, left + width - padding), at_end=at_end)
            self._advance(0.5 * self._em)
            self._rule(INK, 0.3 if face is self._bold else 0.1)
            self.lines.append(" ".join(row))

    def _draw(
        self,
        line: str,
        face: Typeface,
        size: float,
        ink: tuple[int, int, int],
        span: tuple[float, float],
        *,
        at_end: bool = False,
    ) -> None:
        left, right = span
        if at_end != face.right_to_left:
            left = right - face.width(line, size)
        face.draw(self.image, (left, self._y), line, size, ink)

    def _rule(self, ink: tuple[int, int, int], millimetres: float) -> None:
        self._pen.line((self._left, self._y, self._right, self._y), ink, max(1, round(millimetres * self._mm)))

    def _advance(self, pixels: float) -> None:
        self._y += pixels
        if self._y > self._bottom:
            raise TextTooLongError(f"the text does not fit the sheet after {self.lines[-1]!r}")


def _unbroken(text: str, language: str) -> list[str]:
    """Split a text where a line may end: after spaces; in Chinese and Japanese around any character.

    There no line ends with an opening mark or starts with a closing one, or with a mark that lengthens or repeats.
    """
    if language not in BROKEN_ANYWHERE:
        return re.findall(r"[^ ]+ *", text)
    units: list[str] = []
    for piece in re.findall(r"[!-~]+|.", text):  # a number or a word in Latin letters stays whole
        opened = units and unicodedata.category(units[-1][-1]) in {"Ps", "Pi"}
        if opened or (units and unicodedata.category(piece[0]) in {"Pe", "Pf", "Po", "Lm", "Zs"}):
            units[-1] += piece
        else:
            units.append(piece)
    return units
