"""The real OCR engine on images drawn here."""

import sys
from statistics import fmean

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from samhost.textract.engine import RapidOcrEngine, _Character, _Strip, _words
from samhost.textract.layout import arrange
from samhost.textract.page import Word

LETTER = [
    "Dear neighbours in the house,",
    "the lift will be out of service",
    "from Monday to Wednesday.",
    "Please use the stairs in the yard",
    "and keep the doors closed.",
    "Parcels can be left with us,",
    "on the ground floor, at any time",
    "between nine and six.",
    "With best regards,",
    "Thomas Winter",
]


@pytest.fixture(scope="module")
def engine() -> RapidOcrEngine:
    return RapidOcrEngine()


def overlap(word: Word, box: tuple[float, float, float, float]) -> float:
    """Intersection over union of a word's bounding box and a box."""
    xs, ys = zip(*word.quad, strict=True)
    width = min(max(xs), box[2]) - max(min(xs), box[0])
    height = min(max(ys), box[3]) - max(min(ys), box[1])
    both = max(0, width) * max(0, height)
    return both / ((max(xs) - min(xs)) * (max(ys) - min(ys)) + (box[2] - box[0]) * (box[3] - box[1]) - both)


def test_words_are_whole_and_their_boxes_sit_on_them(engine):
    image = Image.new("RGB", (900, 260), "white")
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(40)
    drawn = []
    for y, line in ((40, "The quick brown fox"), (150, "jumps over 12 lazy dogs.")):
        x = 50.0
        for text in line.split():
            draw.text((x, y), text, font=font, fill="black")
            drawn.append((text, draw.textbbox((x, y), text, font=font)))
            x += draw.textlength(text + " ", font=font)
    words = [word for line in arrange(engine.read(image)) for word in line.words]
    assert [word.text for word in words] == [text for text, _ in drawn]
    overlaps = [overlap(word, box) for word, (_, box) in zip(words, drawn, strict=True)]
    assert min(overlaps) > 0.5
    assert fmean(overlaps) > 0.7
    assert all(0.8 < word.confidence <= 1 for word in words)


def test_text_that_runs_downwards_and_light_on_dark_text_are_read(engine):
    image = Image.new("RGB", (700, 300), "black")
    ImageDraw.Draw(image).text((40, 40), "Light on dark", font=ImageFont.load_default(40), fill="white")
    assert [line.text for line in engine.read(image)] == ["Light on dark"]
    assert [line.text for line in engine.read(image.rotate(-90, expand=True))] == ["Light on dark"]


def test_a_page_set_in_two_columns_is_read_column_by_column(engine):
    image = Image.new("RGB", (820, 700), "white")
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(30)
    columns = [[f"{name} column line {number} of text" for number in range(1, 7)] for name in ("First", "Other")]
    for x, texts in zip((40, 80 + draw.textlength(columns[0][0], font=font)), columns, strict=True):
        for number, text in enumerate(texts):
            draw.text((x, 40 + 55 * number), text, font=font, fill="black")
    assert [line.text for line in arrange(engine.read(image))] == [*columns[0], *columns[1]]


@pytest.fixture(scope="module")
def letter() -> Image.Image:
    image = Image.new("RGB", (720, 700), "white")
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(36)
    for number, text in enumerate(LETTER):
        draw.text((60, 30 + 65 * number), text, font=font, fill="black")
    return image


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_page_that_lies_on_its_side_or_head_is_read_and_its_polygons_are_in_the_image_as_given(engine, letter, turns):
    upright = [word for line in arrange(engine.read(letter)) for word in line.words]
    lines = arrange(engine.read(letter.rotate(-90 * turns, expand=True)))
    assert [line.text for line in lines] == LETTER
    for word, expected in zip((word for line in lines for word in line.words), upright, strict=True):
        corners = np.array([clockwise(point, turns, letter.size) for point in expected.quad])
        assert np.abs(np.array(word.quad) - corners).max() < 12  # px; the text is 30 px high


def clockwise(point: tuple[float, float], turns: int, size: tuple[int, int]) -> tuple[float, float]:
    """Return where a point of an image comes to lie when the image is turned by quarters."""
    (x, y), (width, height) = point, size
    return [(x, y), (height - y, x), (width - x, height - y), (y, width - x)][turns]


@pytest.mark.parametrize("turns", range(4))
def test_three_words_are_enough_to_tell_which_way_up_a_page_is(engine, turns):
    image = Image.new("RGB", (620, 880), "white")
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(40)
    draw.text((180, 350), "Chapter One", font=font, fill="black")
    draw.text((220, 420), "Beginnings", font=font, fill="black")
    lines = arrange(engine.read(image.rotate(-90 * turns, expand=True)))
    assert [line.text for line in lines] == ["Chapter One", "Beginnings"]


@pytest.mark.parametrize(("turns", "more"), [(0, 0), (1, 0), (2, 8), (3, 8)])
def test_only_on_a_doubtful_page_a_sample_is_read_the_other_way_too(engine, letter, monkeypatch, turns, more):
    strips = []
    recognise = engine._recognise  # noqa: SLF001 (what is read shows nowhere else)
    monkeypatch.setattr(engine, "_recognise", lambda pixels: strips.extend(pixels) or recognise(pixels))
    engine.read(letter.rotate(-90 * turns, expand=True))
    assert len(strips) == len(LETTER) + more


@pytest.mark.parametrize("upwards", [True, False])
def test_a_note_along_the_margin_is_read_whichever_way_it_runs(engine, letter, upwards):
    note = Image.new("RGB", (400, 50), "white")
    ImageDraw.Draw(note).text((10, 5), "Do not remove", font=ImageFont.load_default(34), fill="black")
    page = Image.new("RGB", (820, 700), "white")
    page.paste(letter, (100, 0))
    page.paste(note.rotate(90 if upwards else -90, expand=True), (20, 10))
    assert [line.text for line in arrange(engine.read(page))] == [*LETTER, "Do not remove"]


def test_a_blank_page_has_no_text(engine):
    assert engine.read(Image.new("RGB", (640, 480), "white")) == []


def test_an_image_of_one_pixel_has_no_text(engine):
    assert engine.read(Image.new("RGB", (1, 1), "white")) == []


@pytest.mark.parametrize("size", [(2000, 20), (20, 2000)])
def test_an_elongated_image_gives_the_detector_no_more_than_a_page_does(engine, monkeypatch, size):
    pixels = []
    detector = engine._rapidocr.text_det  # noqa: SLF001 (what it gets shows nowhere else)
    monkeypatch.setattr(detector, "session", recording(detector.session, pixels))
    engine.read(Image.new("RGB", size, "white"))
    assert max(pixels) < 3_000_000


def test_a_ruled_line_taken_for_text_gives_the_recogniser_no_more_than_a_line_of_text_does(engine, monkeypatch):
    pixels = []
    recogniser = engine._rapidocr.text_rec  # noqa: SLF001
    monkeypatch.setattr(recogniser, "session", recording(recogniser.session, pixels))
    ruled_line = np.array([[(0, 50), (3000, 50), (3000, 51), (0, 51)]], np.float32)
    monkeypatch.setattr(engine, "_detect", lambda pixels: ruled_line)
    engine.read(Image.new("RGB", (3000, 100), "white"))
    assert max(pixels) < 300_000


def recording(session, pixels: list[int]):
    def run(tensor):
        pixels.append(tensor.shape[2] * tensor.shape[3])
        return session(tensor)

    return run


def test_openvino_does_not_report_its_use(engine):
    assert "openvino_telemetry.main" not in sys.modules


@pytest.mark.parametrize(("text", "words"), [("北京，上海", ["北京，上海"]), ("ab,cd", ["ab,", "cd"])])
def test_the_white_space_of_wide_punctuation_ends_no_word(text, words):
    """A strip 48 px high with ink under every character, and 30 px of white after the comma."""
    starts = [0, 40, 80, 120, 160]
    strip = np.full((48, 200, 3), 255, np.uint8)
    for start, width in zip(starts, [36, 36, 10, 36, 36], strict=True):
        strip[10:38, start : start + width] = 0
    characters = [_Character(character, 1.0, start + 5) for character, start in zip(text, starts, strict=True)]
    found = _words(_Strip(strip, np.eye(3)), characters)
    assert [word.text for word in found] == words
