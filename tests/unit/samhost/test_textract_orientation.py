"""Which way text runs, told from the shapes of strips."""

from math import cos, radians, sin

import numpy as np
import pytest

from samhost.textract.orientation import begun_along, likely_direction, most_text_first

RIGHT, DOWN, LEFT, UP = (1, 0), (0, 1), (-1, 0), (0, -1)


def strip(length: float, height: float, degrees: float = 0.0, start: int = 0) -> np.ndarray:
    """Return a strip that is turned clockwise by `degrees`, from the corner that is `start` after its text's first."""
    angle = radians(degrees)
    x, y = np.array((cos(angle), sin(angle))), np.array((-sin(angle), cos(angle)))
    corners = [np.zeros(2), length * x, length * x + height * y, height * y]
    return np.roll(np.array(corners), -start, axis=0)


@pytest.mark.parametrize("start", range(4))
@pytest.mark.parametrize(
    ("degrees", "direction"), [(0, RIGHT), (12, RIGHT), (180, RIGHT), (90, DOWN), (78, DOWN), (-95, DOWN)]
)
def test_the_long_sides_of_strips_tell_the_axis_in_which_text_runs(degrees, direction, start):
    quads = np.array([strip(300, 20, degrees, start), strip(200, 20, degrees, start), strip(20, 40, degrees, start)])
    assert tuple(likely_direction(quads)) == direction


def test_many_narrow_cells_do_not_outweigh_lines():
    assert tuple(likely_direction(np.array([strip(400, 20)] + [strip(10, 20)] * 10))) == RIGHT


def test_a_page_without_strips_is_upright():
    assert tuple(likely_direction(np.empty((0, 4, 2)))) == RIGHT
    assert begun_along(np.empty((0, 4, 2)), np.array(RIGHT)).shape == (0, 4, 2)


@pytest.mark.parametrize("start", range(4))
@pytest.mark.parametrize("tilt", [-30, 0, 5, 30])
@pytest.mark.parametrize("size", [(300, 20), (20, 300)])
@pytest.mark.parametrize(("degrees", "direction"), [(0, RIGHT), (90, DOWN), (180, LEFT), (270, UP)])
def test_a_strip_begins_where_its_text_does_whichever_corner_the_detector_named_first(
    degrees, direction, size, tilt, start
):
    found = strip(*size, degrees + tilt, start)
    begun = begun_along(found[None], np.array(direction))
    np.testing.assert_allclose(begun[0], strip(*size, degrees + tilt), atol=1e-9)


def test_strips_with_most_text_come_first_and_ruled_lines_last():
    word, line, rule = strip(80, 20), strip(20, 300), strip(3000, 2)
    np.testing.assert_array_equal(most_text_first(np.array([rule, word, line])), [line, word, rule])
