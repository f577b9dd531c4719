"""Recognised text: from Textract's blocks, to the words object and back."""

import json

from scanner.aws import textract
from scanner.text import Line, RecognisedText, Word, from_json, to_json

SQUARE = ((0.1, 0.2), (0.3, 0.2), (0.3, 0.4), (0.1, 0.4))


def block(kind, name, text=None, children=()):
    made = {"BlockType": kind, "Id": name, "Confidence": 98.76543}
    if text is not None:
        made |= {"Text": text, "Geometry": {"Polygon": [{"X": x, "Y": y} for x, y in SQUARE]}}
    if children:
        made["Relationships"] = [{"Type": "CHILD", "Ids": list(children)}]
    return made


def test_lines_keep_textracts_order_whatever_the_order_of_their_words():
    blocks = [
        block("WORD", "w3", "below"),
        block("PAGE", "p", children=["l2", "l1"]),
        block("LINE", "l2", "Above all", ["w1", "w2"]),
        block("LINE", "l1", "below", ["w3"]),
        block("WORD", "w2", "all"),
        block("WORD", "w1", "Above"),
    ]
    text = textract.parse(blocks, 10, 20)
    assert text.text == "Above all\nbelow"
    assert [word.text for word in text.words] == ["Above", "all", "below"]
    assert text.lines[0].words[0] == Word("Above", 98.77, SQUARE)
    assert (text.width, text.height, text.word_count, text.confidence) == (10, 20, 3, 98.77)


def test_a_blank_page_has_no_text_and_no_confidence():
    text = textract.parse([block("PAGE", "p")], 10, 20)
    assert (text.text, text.word_count, text.confidence) == ("", 0, 0)


def test_the_words_object_holds_everything_readably():
    text = RecognisedText(10, 20, (Line("שלום 🧾", 99.5, (Word("שלום", 99.0, SQUARE), Word("🧾", 100.0, SQUARE))),))
    data = to_json(text)
    assert "שלום 🧾" in data.decode()
    assert json.loads(data)["lines"][0]["words"][0]["polygon"] == [list(point) for point in SQUARE]
    assert from_json(data) == text
