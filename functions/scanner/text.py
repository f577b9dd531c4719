"""Recognised text with its geometry, the same for every engine and every output.

Geometry is in the upright image: x and y are ratios from 0 to 1, from its top left corner. A polygon has four points,
clockwise from the top left of the text as it is read, so that rotated text starts elsewhere in the image.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

type Point = tuple[float, float]
type Polygon = tuple[Point, Point, Point, Point]


@dataclass(frozen=True, slots=True)
class Word:
    """A word; `confidence` in per cent."""

    text: str
    confidence: float
    polygon: Polygon


@dataclass(frozen=True, slots=True)
class Line:
    """A line; its words are in reading order, its text holds the spaces between them."""

    text: str
    confidence: float
    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class RecognisedText:
    """What was read on a page of `width` by `height` pixels; the lines are in reading order."""

    width: int
    height: int
    lines: tuple[Line, ...]

    @property
    def words(self) -> Iterator[Word]:
        """All words, in reading order."""
        return (word for line in self.lines for word in line.words)

    @property
    def text(self) -> str:
        """The lines, joined by line feeds."""
        return "\n".join(line.text for line in self.lines)

    @property
    def word_count(self) -> int:
        """The number of words."""
        return sum(len(line.words) for line in self.lines)

    @property
    def confidence(self) -> float:
        """The mean over the words in per cent, with two decimals; 0 where nothing was read."""
        return round(sum(word.confidence for word in self.words) / self.word_count, 2) if self.word_count else 0.0


def to_json(text: RecognisedText) -> bytes:
    """Return the words object, UTF-8 JSON: `{"width","height","lines":[{"text","confidence","words":[{…}]}]}`."""
    document = {"width": text.width, "height": text.height, "lines": lines_to_document(text)}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def lines_to_document(text: RecognisedText) -> list[dict[str, Any]]:
    """Return the lines as JSON has them."""
    return [
        {
            "text": line.text,
            "confidence": line.confidence,
            "words": [
                {"text": word.text, "confidence": word.confidence, "polygon": word.polygon} for word in line.words
            ],
        }
        for line in text.lines
    ]


def from_json(data: bytes) -> RecognisedText:
    """Read a words object as `to_json` wrote it."""
    document = json.loads(data)
    return RecognisedText(document["width"], document["height"], tuple(_line(line) for line in document["lines"]))


def _line(line: dict[str, Any]) -> Line:
    words = (Word(word["text"], word["confidence"], polygon(word["polygon"])) for word in line["words"])
    return Line(line["text"], line["confidence"], tuple(words))


def polygon(points: list[list[float]]) -> Polygon:
    """Return four `[x, y]` pairs as a polygon."""
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = points
    return ((ax, ay), (bx, by), (cx, cy), (dx, dy))
