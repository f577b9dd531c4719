"""Where a PDF page's points are in its image: user space (points, y upwards) to ratios from the image's top left."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Self

import pikepdf

from scanner.text import Point

type Box = tuple[float, float, float, float]
"""Left, bottom, right, top."""

LETTER: Box = (0.0, 0.0, 612.0, 792.0)
"""What readers take a page for that has no box, or one that is none."""


@dataclass(frozen=True, slots=True)
class Placement:
    """How an image lies on a page.

    `matrix` takes the image's unit square (y upwards) to user space; `quarters` are the quarter turns, clockwise, from
    the image as it is stored to the upright one.
    """

    matrix: pikepdf.Matrix
    quarters: int = 0

    @classmethod
    def of_box(cls, box: Box, quarters: int) -> Self:
        """The image shows just this box, turned clockwise by so many quarters."""
        left, bottom, right, top = box
        return cls(pikepdf.Matrix(right - left, 0, 0, top - bottom, left, bottom), quarters)

    def ratios(self) -> Callable[[float, float], Point]:
        """Return what takes a point of user space to where it is in the upright image."""
        a, b, c, d, e, f = self.matrix.inverse().shorthand

        def of_point(x: float, y: float) -> Point:
            across, down = a * x + c * y + e, 1 - (b * x + d * y + f)
            for _ in range(self.quarters):
                across, down = 1 - down, across
            return round(across, 6), round(down, 6)

        return of_point


def visible_box(page: pikepdf.Page) -> Box:
    """Return what is seen of a page with its boxes: its crop box, as far as that is within its media box."""
    media = _box(page.obj.get("/MediaBox")) or LETTER
    crop = _box(page.obj.get("/CropBox")) or media
    seen = (max(media[0], crop[0]), max(media[1], crop[1]), min(media[2], crop[2]), min(media[3], crop[3]))
    return seen if _has_area(seen) else media


def quarters(rotation: object) -> int:
    """Return how many quarters clockwise a page's `/Rotate` is; of one that is none, 0."""
    return int(rotation) // 90 % 4 if isinstance(rotation, int) and rotation % 90 == 0 else 0


def _box(value: object) -> Box | None:
    if not isinstance(value, pikepdf.Array) or len(value) != 4:
        return None
    numbers = _numbers(value)
    if numbers is None:
        return None
    box = (min(numbers[0::2]), min(numbers[1::2]), max(numbers[0::2]), max(numbers[1::2]))
    return box if _has_area(box) else None


def _numbers(values: Iterable[object]) -> list[float] | None:
    try:
        numbers = [float(value) for value in values]  # pyright: ignore[reportArgumentType] - what is none raises
    except (TypeError, ValueError):
        return None
    return numbers if all(math.isfinite(number) for number in numbers) else None


def _has_area(box: Box) -> bool:
    return box[2] - box[0] > 0 and box[3] - box[1] > 0
