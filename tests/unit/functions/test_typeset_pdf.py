"""Typeset PDFs: readable in any script, and the text comes out of them again."""

import io
import re
import unicodedata
from datetime import UTC, datetime
from pathlib import Path

import pikepdf
import pytest

from scanner import typeset_pdf, typesetting
from scanner.typefaces import Typefaces

CREATED = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
SAMPLES = sorted((Path(__file__).parents[2] / "samples" / "texts").glob("*.txt"))
WIDTH = 45.0

SCRIPTS = {
    "Latin": "Zażółć gęślą jaźń, Tiếng Việt, Ünïcödé — “ﬁn” 12 €",
    "Greek": "Ελληνικό κείμενο με τόνους, 2026",
    "Cyrillic": "Съешь ещё этих булок, № 7",
    "Hebrew": "שלום, עולם (סרוק): 12.5% עד 21/11/2026, טל׳ 03-1234567.",
    "Hebrew with Latin": "הקובץ scan page.pdf נמצא, 3 עמודים: abc!",
    "Arabic": "مرحبا بالعالم: وثيقة رقم ١٢٣، و 456 (اختبار)، ٥٠٪.",
    "Persian and Urdu": "گزارش پژوهش، ۱۲۳ صفحه اور ڈاک ٹکٹ",
    "Devanagari": "नमस्ते दुनिया क्षेत्र, कृष्ण १२३",
    "Bengali": "বাংলা ভাষা ক্ষমা",
    "Tamil": "வணக்கம் உலகம் கொடு",
    "Thai": "สวัสดีชาวโลก ภาษาไทย",
    "Armenian and Georgian": "Բարեւ աշխարհ გამარჯობა",
    "Ethiopic": "ሰላም ዓለም",
    "Khmer": "សួស្តី ពិភពលោក",
    "Chinese": "扫描文档，你好世界。（2026年）",
    "Japanese": "日本語の「文書」です。カタカナ",
    "Korean": "안녕하세요 세계, 문서 스캔",
    "symbols and emoji": "Quadrat ■ → Schirm ☂ Gesicht 😀 Hälfte ½ ① ∑ Ende",
    "no font at all": "a 𒀀𒁀 b",
}


def build(*texts, title="Letters", numbers=None):
    pages = [typeset_pdf.TypesetPage(n, text) for n, text in zip(numbers or range(1, 999), texts, strict=False)]
    file = io.BytesIO()
    typeset_pdf.build(title, CREATED, pages, file)
    return file.getvalue()


@pytest.fixture
def read_back(pdftotext, tmp_path):
    """What pdftotext reads on each page of a document, without the number below it and without marks of direction."""

    def read(document):
        file = tmp_path / "typeset.pdf"
        file.write_bytes(document)
        read = re.sub(r"[\u200e\u200f\u202a-\u202e\u2066-\u2069]", "", pdftotext(file))
        return [page.strip().removesuffix(str(n)).strip() for n, page in enumerate(read.split("\f")[:-1], 1)]

    return read


def opened(document):
    return pikepdf.open(io.BytesIO(document))


def operators(page):
    return [(str(operator), list(operands)) for operands, operator in pikepdf.parse_content_stream(page)]


def lines(text, width=WIDTH):
    return list(typesetting.lines(text, Typefaces(text), width))


def texts(line):
    return [piece.text for piece in line.pieces if piece.text != typesetting.MARK]


def glyphs(text):
    runs = [run for line in lines(text) for piece in line.pieces for run in piece.runs]
    return [glyph for _, _, shape in runs for glyph, *_ in shape.glyphs]


@pytest.mark.defect(6)
@pytest.mark.parametrize("script", SCRIPTS)
def test_every_script_comes_out_as_it_went_in(read_back, script):
    assert read_back(build(SCRIPTS[script])) == [SCRIPTS[script]]


@pytest.mark.parametrize("sample", SAMPLES, ids=[sample.stem for sample in SAMPLES])
def test_whole_pages_come_out_word_by_word(read_back, sample):
    text = sample.read_text().replace("---", "")  # pdftotext takes a last hyphen for a broken word
    (read,) = read_back(build(text))
    if re.search("[\u3041-\u30ff\u4e00-\u9fff]", text):  # lines are broken within what is between two spaces
        assert "".join(read.split()) == "".join(text.split())
    else:
        assert read.split() == text.split()


def test_the_text_lies_invisible_over_what_is_drawn():
    with opened(build("Two words")) as document:
        found = operators(document.pages[0])
    modes = [int(operands[0]) for operator, operands in found if operator == "Tr"]
    assert sum(operator == "Do" for operator, _ in found) == len("Twowords") + len("1")
    assert set(modes) <= {0, 3}
    first_text = next(n for n, (operator, _) in enumerate(found) if operator == "Tj")
    assert any(operator == "Tr" and int(operands[0]) == 3 for operator, operands in found[:first_text])


def test_each_glyph_is_in_the_document_once_and_is_filled():
    with opened(build("anna anna", "anna")) as document:
        drawn, forms = 0, {}
        for page in document.pages:
            names = [str(operands[0]) for operator, operands in operators(page) if operator == "Do"]
            drawn += len(names)
            forms |= {page.resources.XObject[name].objgen: page.resources.XObject[name].read_bytes() for name in names}
    assert drawn == 3 * len("anna") + len("12")
    assert len(forms) == len("an12")
    assert all(content.endswith(b" h f") for content in forms.values())


def test_paragraphs_begin_on_their_own_side():
    def left(text):
        with opened(build(text)) as document:
            places = [list(map(float, operands)) for op, operands in operators(document.pages[0]) if op == "cm"]
        return next(x for scale, _, _, _, x, _ in places if scale < 0.1)

    assert left("Good morning") == 60
    assert left("12 שלום") > 400
    assert left("שלום") > 400


def test_a_page_that_is_longer_than_a_sheet_goes_on_and_keeps_its_number(read_back):
    paragraphs = [f"Paragraph {n}" for n in range(120)]
    document = build("\n".join(paragraphs), "The next page", numbers=[777, 888])
    pages = read_back(document)
    with opened(document) as pdf:
        assert len(pdf.pages) == 4
        assert {tuple(round(float(value)) for value in page.mediabox) for page in pdf.pages} == {(0, 0, 595, 842)}
    assert [page.split()[-1] for page in pages] == ["777", "777", "777", "888"]
    assert [line for page in pages for line in page.splitlines() if line.startswith("Par")] == paragraphs


def test_a_page_without_text_is_an_empty_sheet():
    with opened(build("", "\n\n", "x")) as document:
        assert len(document.pages) == 3


def test_the_title_and_the_time_are_in_the_document():
    with opened(build("x", title="Prüfung / 試験 (שלום) \\")) as document:
        assert str(document.docinfo.Title) == "Prüfung / 試験 (שלום) \\"
        assert str(document.docinfo.CreationDate).startswith("D:20261121093000")


def test_the_same_pages_make_the_same_bytes():
    assert build(*SCRIPTS.values()) == build(*SCRIPTS.values())


def test_what_no_font_has_is_seen_as_replaced():
    assert glyphs("𒀀") == glyphs("\N{REPLACEMENT CHARACTER}")
    assert glyphs("a𒀀") != glyphs("a")


def test_control_characters_are_spaces(read_back):
    assert read_back(build("one\ttwo\x00three\x1bfour\r\nfive")) == ["one two three four\nfive"]


def test_letters_are_joined_and_clusters_formed():
    assert glyphs("بب") != glyphs("ب") * 2
    assert len(glyphs("क्ष")) == 1
    assert glyphs("कि") != glyphs("क") + glyphs("\N{DOTTED CIRCLE}ि")[1:]


def test_ideographs_are_drawn_as_in_the_texts_language():
    chinese, japanese = (glyphs(f"{other}直")[-1] for other in ("好", "ね"))
    assert chinese != japanese


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("one two", ["one", "two"]),
        ("שלום עולם", ["עולם", "שלום"]),
        ("שלום abc def 12", ["abc", "def", "12", "שלום"]),
        ("the שלום עולם end", ["the", "עולם", "שלום", "end"]),
        ("שנת 2026 טובה", ["טובה", "2026", "שנת"]),
    ],
)
def test_words_are_seen_in_the_order_of_the_bidirectional_algorithm(text, seen):
    (line,) = lines(text)
    assert texts(line) == seen
    lefts = [piece.left for piece in line.pieces]
    assert lefts == sorted(lefts)


@pytest.mark.parametrize(
    "text",
    [
        *(sample.read_text() for sample in SAMPLES),
        "https://example.com/" + "a" * 500,
        "e\u0301" * 300,
        "สวัสดีชาวโลก" * 20,
        "word " * 100,
        "שלום abc 123, " * 30,
        "我" * 46 + "。",
    ],
    ids=[*(sample.stem for sample in SAMPLES), "address", "marks", "Thai", "words", "both ways", "full stop"],
)
def test_no_line_is_too_long_and_nothing_gets_lost(text):
    for paragraph in text.splitlines():
        broken = lines(paragraph)
        assert all(line.width <= WIDTH + 0.01 for line in broken)
        characters = [character for line in broken for text in texts(line) for character in text]
        assert sorted(characters) == sorted("".join(paragraph.split()))
        assert not any(unicodedata.combining(line.pieces[0].text[0]) for line in broken if line.pieces)


def test_lines_of_chinese_and_japanese_break_where_they_may():
    for width in range(4, 12):
        broken = lines("日本語の「文書」です、「本」を読む。" * 5, width)
        assert len(broken) > 5
        assert not any(line.pieces[0].text[0] in "、。」" for line in broken)
        assert not any(line.pieces[-1].text[-1] == "「" for line in broken)


@pytest.mark.parametrize("text", ["ש" + "." * 3000, "\u2067" * 3000 + "ש", "ש" * 3000, "שלום " * 600])
def test_text_from_right_to_left_may_be_long(text):
    assert build(text).startswith(b"%PDF")


def test_a_word_moves_to_the_next_line_as_a_whole():
    words = ["typesetting", "breaks", "lines", "between", "words", "only"]
    broken = lines(" ".join(words), 8.0)
    assert [text for line in broken for text in texts(line)] == words


def test_spaces_are_kept_apart_from_words_that_touch():
    (line,) = lines("日本 語 ab")
    assert [(piece.text, piece.spaced) for piece in line.pieces] == [("日本", True), ("語", True), ("ab", True)]
    (line,) = lines("日本")
    assert not line.pieces[0].spaced
