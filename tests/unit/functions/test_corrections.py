"""Corrected text on the recognised geometry, and in the PDF."""

import io
from urllib.parse import urlparse

import pikepdf
import pytest

from scanner import correction
from scanner.aws import bucket, clients, dynamodb
from scanner.text import Line, RecognisedText, Word


def box(column, row, width=1):
    left, right, top, bottom = column / 10, (column + width) / 10, row / 10, row / 10 + 0.05
    return ((left, top), (right, top), (right, bottom), (left, bottom))


def recognised(*lines):
    """Return lines of words, each a tenth of the page wide, one below another."""
    return RecognisedText(
        1000,
        1000,
        tuple(
            Line(line, 90.0, tuple(Word(word, 90.0, box(column, row)) for column, word in enumerate(line.split())))
            for row, line in enumerate(lines)
        ),
    )


def places(text):
    return [(word.text, word.polygon) for word in text.words]


def corners(polygon):
    return [(round(x, 6), round(y, 6)) for x, y in polygon]


def test_words_that_stay_keep_their_boxes_exactly():
    read = recognised("one two", "three four")
    assert places(correction.apply("one two\nthree four", read)) == places(read)


def test_a_replaced_word_takes_the_box_of_what_it_replaces():
    corrected = correction.apply("one twenty three", recognised("one two three"))
    assert places(corrected) == [("one", box(0, 0)), ("twenty", box(1, 0)), ("three", box(2, 0))]


def test_one_word_for_several_reaches_over_their_boxes():
    corrected = correction.apply("a together z", recognised("a to ge ther z"))
    assert places(corrected)[1] == ("together", box(1, 0, 3))


def test_one_word_for_several_ends_with_its_line():
    corrected = correction.apply("a hyphenated z", recognised("a hyphen-", "at ed z"))
    assert places(corrected)[1] == ("hyphenated", box(1, 0))


def test_several_words_for_one_share_its_box():
    corrected = correction.apply("a of x z", recognised("a ofx z"))
    assert [corners(polygon) for word, polygon in places(corrected) if word in "ofx"] == [
        corners(((0.1, 0), (0.15, 0), (0.15, 0.05), (0.1, 0.05))),
        corners(((0.175, 0), (0.2, 0), (0.2, 0.05), (0.175, 0.05))),
    ]


def test_words_from_right_to_left_share_a_box_from_its_right():
    first, second = (polygon for _, polygon in places(correction.apply("שלום עולם", recognised("Dl7W"))))
    assert corners(first)[1] == (0.1, 0)
    assert corners(second)[0] == (0, 0)


@pytest.mark.parametrize("text", ["new one two", "one new two", "one two new", "a b c d e f", "one\n\n two", "", "\n"])
def test_the_text_is_what_was_corrected_whatever_became_of_it(text):
    corrected = correction.apply(text, recognised("one two"))
    assert corrected.text == text
    assert [word.text for word in corrected.words] == text.split()
    for word in corrected.words:
        assert all(0 <= x <= 0.2 and 0 <= y <= 0.05 for x, y in word.polygon)


def test_letters_of_scripts_without_spaces_are_aligned_one_by_one():
    corrected = correction.apply("東京都の地図", recognised("東京部の地図"))
    assert [word.text for word in corrected.words] == list("東京都の地図")
    assert [corners(word.polygon)[0][0] for word in corrected.words] == [round(n / 60, 6) for n in range(6)]


def test_a_text_for_a_page_without_words_is_spread_over_it():
    corrected = correction.apply("ᚠᚢᚦ ᚨᚱᚲ", RecognisedText(1000, 1000, ()))
    assert [word.text for word in corrected.words] == ["ᚠᚢᚦ", "ᚨᚱᚲ"]


PAGE = "/projects/{projectId}/pages/{pageId}"


def edit(stack, page, **body):
    path = {"projectId": page["projectId"], "pageId": page["pageId"]}
    assert stack.call(f"PATCH {PAGE}", body=body, **path)[0] == 200


def pdf_of(stack, page):
    status, answer = stack.call("GET /projects/{projectId}/pdf", projectId=page["projectId"])
    assert status == 200
    return bucket.read(urlparse(answer["url"]).path.lstrip("/").removeprefix("docscan-test/"))


@pytest.mark.parametrize("text", ["Dear render\nsecond, longer line", "Liebe Leserin", "Дорогой читатель", "שלום עולם"])
def test_the_pdf_has_the_corrected_text(stack, pdftotext, tmp_path, text):
    page = stack.ready_page(stack.project())
    before = pdf_of(stack, page)
    edit(stack, page, text=text)
    (file := tmp_path / "corrected.pdf").write_bytes(pdf_of(stack, page))
    assert file.read_bytes() != before
    read = pdftotext(file).translate(dict.fromkeys(map(ord, "\u202a\u202b\u202c\f")))  # what poppler adds
    assert read.split() == text.split()


def test_a_line_of_a_script_without_spaces_is_one_in_the_pdf(stack, pdftotext, tmp_path):
    stack.textract.lines = ["Dear reader"]
    page = stack.ready_page(stack.project())
    edit(stack, page, text="親愛なる読者")
    (file := tmp_path / "corrected.pdf").write_bytes(pdf_of(stack, page))
    assert pdftotext(file).split() == ["親愛なる読者"]


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_the_pdf_turns_the_page(stack, degrees):
    page = stack.ready_page(stack.project())
    edit(stack, page, rotation=degrees)
    with pikepdf.open(io.BytesIO(pdf_of(stack, page))) as document:
        assert document.pages[0].get("/Rotate", 0) == degrees


def test_a_page_that_changes_while_the_pdf_is_made_is_not_taken_for_what_it_was(stack, monkeypatch):
    page = stack.ready_page(stack.project())
    edit(stack, page, text="first")
    read = bucket.read

    def read_and_change(*args):
        clients.dynamodb().update_item(
            TableName="pages",
            Key=dynamodb.to_item({"projectId": page["projectId"], "pageId": page["pageId"]}),
            UpdateExpression="SET updatedAt = :later",
            ExpressionAttributeValues=dynamodb.to_item({":later": "2099-01-01T00:00:00.000Z"}),
        )
        return read(*args)

    monkeypatch.setattr(bucket, "read", read_and_change)
    status, answer = stack.call("GET /projects/{projectId}/pdf", projectId=page["projectId"])
    assert (status, answer["code"]) == (503, "busy")
    assert stack.objects("documents/") == []
