"""A recognised page: what an engine reads, the layout arranges and the protocol answers with.

Coordinates are pixels of the image as it was stored (EXIF orientation not applied), x to the right, y down. A quad has
four corners in the order in which its text is read: start of the top edge, end of the top edge, end of the bottom
edge, start of the bottom edge. Confidences are probabilities, 0 to 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Protocol

from PIL import Image

type Point = tuple[float, float]
type Quad = tuple[Point, Point, Point, Point]


@dataclass(frozen=True, slots=True)
class Word:
    """Characters without white space between them, and where they stand."""

    text: str
    confidence: float
    quad: Quad


@dataclass(frozen=True, slots=True)
class Line:
    """Words that are read one after another; never empty."""

    words: Sequence[Word]

    @property
    def text(self) -> str:
        """The words, separated by single spaces."""
        return " ".join(word.text for word in self.words)

    @property
    def confidence(self) -> float:
        """Mean of the words' confidences."""
        return fmean(word.confidence for word in self.words)

    @property
    def quad(self) -> Quad:
        """From the first word's start to the last word's end."""
        first, last = self.words[0].quad, self.words[-1].quad
        return first[0], last[1], last[2], first[3]


@dataclass(frozen=True, slots=True)
class Page:
    """An image's size in pixels and its lines in reading order."""

    width: int
    height: int
    lines: Sequence[Line]


class Engine(Protocol):
    """An OCR engine with its models loaded. Used by one thread at a time."""

    name: str

    def read(self, image: Image.Image) -> list[Line]:
        """Return the text found in an RGB image, each detected stretch of text as a line, in no particular order."""
        ...
