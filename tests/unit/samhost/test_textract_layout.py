"""Reading order and line splitting, on boxes made by hand: 20 px high, 10 px a character."""

from math import cos, radians, sin

import pytest

from samhost.textract.layout import arrange
from samhost.textract.page import Line, Point, Quad, Word

HEIGHT = 20
CHARACTER = 10


def strip(*words: tuple[float, str], y: float) -> Line:
    return Line([Word(text, 0.9, box(x, y, x + CHARACTER * len(text), y + HEIGHT)) for x, text in words])


def box(left: float, top: float, right: float, bottom: float) -> Quad:
    return (left, top), (right, top), (right, bottom), (left, bottom)


def turned(line: Line, degrees: float) -> Line:
    angle = radians(degrees)

    def turn(point: Point) -> Point:
        x, y = point
        return x * cos(angle) - y * sin(angle), x * sin(angle) + y * cos(angle)

    return Line(
        [
            Word(word.text, word.confidence, (turn(a), turn(b), turn(c), turn(d)))
            for word, (a, b, c, d) in ((word, word.quad) for word in line.words)
        ]
    )


def texts(lines: list[Line]) -> list[str]:
    return [line.text for line in lines]


def column(x: float, name: str, lines: int = 6, top: float = 0) -> list[Line]:
    return [strip((x, f"{name}{i}-running"), (x + 120, "text-here"), y=top + 30 * i) for i in range(lines)]


def test_an_empty_page_has_no_lines():
    assert arrange([]) == []


def test_lines_come_from_the_top_and_cells_of_a_row_from_the_left():
    found = [strip((300, "right"), y=4), strip((0, "below"), y=40), strip((0, "left"), y=0)]
    assert texts(arrange(found)) == ["left", "right", "below"]


def test_a_strip_is_split_where_words_stand_far_apart():
    found = [strip((0, "Total"), (55, "due"), (200, "12.50"), y=0)]
    assert texts(arrange(found)) == ["Total due", "12.50"]


def test_columns_that_were_found_apart_are_read_one_after_the_other():
    left, right = column(0, "L"), column(240, "R")
    found = [line for pair in zip(left, right, strict=True) for line in pair]
    assert texts(arrange(found)) == texts(left) + texts(right)


def test_columns_that_were_merged_into_one_strip_are_split_at_the_gutter():
    left, right = column(0, "L"), column(240, "R")  # the gutter is 30 px wide, less than what splits any line
    found = [Line([*a.words, *b.words]) for a, b in zip(left, right, strict=True)]
    assert texts(arrange(found)) == texts(left) + texts(right)


def test_three_columns_are_read_from_left_to_right():
    columns = [column(0, "A"), column(240, "B"), column(480, "C")]
    found = [Line([word for line in row for word in line.words]) for row in zip(*columns, strict=True)]
    assert texts(arrange(found)) == [text for lines in columns for text in texts(lines)]


def test_a_headline_across_the_gutter_parts_what_is_above_from_what_is_below():
    upper = [column(0, "L1"), column(250, "R1")]
    lower = [column(0, "L2", top=300), column(250, "R2", top=300)]
    headline = strip((100, "A-headline-across-both"), y=220)
    found = [*upper[1], *upper[0], headline, *lower[1], *lower[0]]
    assert texts(arrange(found)) == [
        *texts(upper[0]),
        *texts(upper[1]),
        headline.text,
        *texts(lower[0]),
        *texts(lower[1]),
    ]


def test_spaces_of_running_text_that_line_up_by_chance_are_no_gutter():
    found = [strip((0, f"first-half-of-{i}"), (162, "second-half-of-it"), y=30 * i) for i in range(6)]
    assert texts(arrange(found)) == texts(found)


def test_a_table_with_short_cells_is_read_in_rows():
    found = [strip((0, f"A-long-description-{i}"), (300, "9.90"), y=30 * i) for i in range(6)]
    expected = [text for i in range(6) for text in (f"A-long-description-{i}", "9.90")]
    assert texts(arrange(found)) == expected


@pytest.mark.parametrize("degrees", [-4, 3, 90])
def test_the_order_of_a_turned_page_is_that_of_the_page_turned_back(degrees: float):
    left, right = column(0, "L", lines=12), column(240, "R", lines=12)
    found = [turned(Line([*a.words, *b.words]), degrees) for a, b in zip(left, right, strict=True)]
    assert texts(arrange(found)) == texts(left) + texts(right)


def test_cells_of_a_turned_row_stay_in_their_row():
    rows = [strip((0, "label"), (900, "value"), y=30 * i) for i in range(5)]
    assert texts(arrange([turned(row, 3) for row in rows])) == ["label", "value"] * 5


def test_an_address_block_above_a_table_makes_no_columns_with_its_heading():
    """The heading's third cell stands across the gutter that the block and the other cells leave."""
    block = [strip((400, f"Reference number {i}"), y=30 * i) for i in range(3)]
    address = [strip((0, f"Line {i} of the address"), y=30 * i) for i in range(3)]
    heading = [strip((0, "Description of goods"), y=100)]
    heading += [strip((x, text), y=y) for x, text, y in ((370, "Qty", 102), (420, "Price", 101), (500, "Amount", 101))]
    found = [*address, *block, *heading, strip((0, "Bicycle"), y=130), strip((400, "12"), y=130)]
    rows = [text for pair in zip(texts(address), texts(block), strict=True) for text in pair]
    assert texts(arrange(found)) == [*rows, *texts(heading), "Bicycle", "12"]


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
@pytest.mark.parametrize("tilt", [-1, 0, 1])
def test_a_page_reads_the_same_whichever_way_up_it_is(degrees, tilt):
    left, right = column(0, "L"), column(240, "R")
    found = [line for pair in zip(left, right, strict=True) for line in pair]
    uneven = [turned(line, degrees + tilt + (-0.5, 0.5)[i % 2]) for i, line in enumerate(found)]
    assert texts(arrange(uneven)) == [*texts(left), *texts(right)]


def test_one_word_askew_does_not_turn_an_upside_down_page():
    cells = [(f"left{row}", f"right{row}") for row in range(4)]
    rows = [(strip((0, left), y=30 * row), strip((300, right), y=30 * row)) for row, (left, right) in enumerate(cells)]
    page = [turned(cell, 180 + (-1) ** i) for i, row in enumerate(rows) for cell in row]
    askew = turned(strip((0, "stamp"), y=200), 150)
    assert texts(arrange([askew, *page])) == [text for row in cells for text in row] + ["stamp"]


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
@pytest.mark.parametrize("note_degrees", [-90, 90])
def test_a_note_along_the_margin_comes_last(degrees, note_degrees):
    note = turned(strip((0, "note"), (50, "along"), y=0), note_degrees)
    page = [note, *(strip((30, f"line{i}"), y=30 * i - 40) for i in range(4))]
    assert texts(arrange(turned(line, degrees) for line in page))[-1] == "note along"
