"""Searchable PDFs: images unchanged and upright, invisible text on the words, read back by decoding the PDF itself."""

import io
import itertools
import math
import re
import time
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pikepdf
import pytest
from PIL import Image
from unit.functions.pictures import encoded, stored

from scanner import pdf, pdf_image
from scanner.text import Line, RecognisedText, Word

CREATED = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
NOTHING = RecognisedText(100, 100, ())

SCRIPTS = {
    "Latin": "Zażółć gęślą jaźń, Ünïcödé — ﬁn",
    "Greek": "Ελληνικό κείμενο με τόνους",
    "Cyrillic": "Съешь ещё этих булок",
    "Hebrew": "שלום עולם סרוק",
    "Arabic": "مرحبا بالعالم وثيقة",
    "Devanagari": "नमस्ते दुनिया क्षेत्र",
    "Chinese": "扫描文档 你好世界",
    "Japanese": "日本語の 文書です",
    "Korean": "안녕하세요 세계",
    "beyond the basic plane": "🧾 𝒳𝒴 𠀋",
}


@dataclass(frozen=True)
class Shown:
    """A piece of text as a PDF shows it: corners clockwise from the top left, in points from the page's top left."""

    text: str
    mode: int
    corners: list[tuple[float, float]]


def build(*pages, title="Letters", created=CREATED, packing=lambda pixels: None):
    file = io.BytesIO()
    scanned = [pdf.ScannedPage(n, text, lambda data=data: data) for n, (text, data) in enumerate(pages, 1)]
    pdf.build(title, created, scanned, packing, file)
    return file.getvalue()


def opened(document):
    return pikepdf.open(io.BytesIO(document))


def pages(document):
    _kept.append(opened(document))
    return list(_kept[-1].pages)


_kept = []  # pikepdf closes a document that nobody holds, under its pages


def image_of(page):
    (image,) = page.get_images().values()
    return image


def line(text, left=0.1, top=0.1, height=0.05, width=0.02, tilt=0.0):
    """Return a line whose words are as wide as they are long, tilted (in a square image) around its beginning."""
    cosine, sine = math.cos(tilt), math.sin(tilt)

    def turned(x, y):
        return (left + (x - left) * cosine - (y - top) * sine, top + (x - left) * sine + (y - top) * cosine)

    words, x = [], left
    for part in text.split(" "):
        end = x + width * len(part)
        corners = tuple(turned(*corner) for corner in ((x, top), (end, top), (end, top + height), (x, top + height)))
        words.append(Word(part, 99.0, corners))
        x = end + width
    return Line(text, 99.0, tuple(words))


def shown(page):
    """Decode the text that a page shows, by its font's ToUnicode table and its text and transformation matrices."""
    found, stack = [], []
    matrix, size, mode, text = np.eye(3), 0.0, 0, np.eye(3)
    codes, widths, ascent, descent = {}, {}, 0.0, 0.0
    height = float(page.mediabox[3])
    for operands, operator in pikepdf.parse_content_stream(page):
        match str(operator):
            case "q":
                stack.append((matrix, size, mode))
            case "Q":
                matrix, size, mode = stack.pop()
            case "cm":
                matrix = matrix_of(operands) @ matrix
            case "Tf":
                size = float(operands[1])
                codes, widths, ascent, descent = font_of(page, operands[0])
            case "Tr":
                mode = int(operands[0])
            case "Tm":
                text = matrix_of(operands)
            case "Tj":
                raw = bytes(operands[0])
                pairs = [int.from_bytes(raw[i : i + 2], "big") for i in range(0, len(raw), 2)]
                glyphs = [(codes[pair], widths.get(pair, 0)) for pair in pairs]
                for blank, run in itertools.groupby(glyphs, lambda glyph: glyph[0] == " "):
                    said, advances = zip(*run, strict=True)
                    length = sum(advances) / 1000 * size
                    top, bottom = ascent / 1000 * size, descent / 1000 * size
                    box = [(0, top), (length, top), (length, bottom), (0, bottom)]
                    placed = [np.array([x, y, 1]) @ text @ matrix for x, y in box]
                    corners = [(float(x), height - float(y)) for x, y, _ in placed]
                    found.append(Shown(" " if blank else "".join(said), mode, corners))
                    text = matrix_of((1, 0, 0, 1, length, 0)) @ text
    return found


def matrix_of(operands):
    a, b, c, d, e, f = map(float, operands)
    return np.array([[a, b, 0], [c, d, 0], [e, f, 1]])


def font_of(page, name):
    """Return code → text, code → width, ascent and descent of a font, the last three in thousandths."""
    font = page.resources.Font[str(name)]
    table = font.ToUnicode.read_bytes().decode()
    pairs = re.findall(r"<([0-9A-F]{4})> <([0-9A-F]+)>\n", table)
    codes = {int(code, 16): bytes.fromhex(text).decode("utf-16-be") for code, text in pairs}
    cid = font.DescendantFonts[0]
    widths, entries = {}, list(cid.W)
    while entries:  # runs of codes, either with a list of widths or, as first and last code, with one width
        first, second = int(entries[0]), entries[1]
        if isinstance(second, pikepdf.Array):
            widths |= {first + offset: float(value) for offset, value in enumerate(second)}
            entries = entries[2:]
        else:
            widths |= dict.fromkeys(range(first, int(second) + 1), float(entries[2]))
            entries = entries[3:]
    return codes, widths, float(cid.FontDescriptor.Ascent), float(cid.FontDescriptor.Descent)


def words_of(page):
    return [piece for piece in shown(page) if piece.text.strip()]


@pytest.mark.defect(10)
def test_the_bytes_of_a_jpeg_are_unchanged():
    for mode in ("RGB", "L", "CMYK"):
        data = encoded(Image.radial_gradient("L").convert(mode), "JPEG", quality=60)
        (page,) = pages(build((NOTHING, data)))
        assert image_of(page).read_raw_bytes() == data
        assert image_of(page).Filter == "/DCTDecode"


def test_the_bytes_of_a_phones_jpeg_with_further_pictures_are_unchanged():
    data = encoded(
        Image.radial_gradient("L").convert("RGB"), "MPO", save_all=True, append_images=[Image.new("RGB", (9, 9))]
    )
    (page,) = pages(build((NOTHING, data)))
    assert image_of(page).read_raw_bytes() == data


def test_adobes_inverted_cmyk_is_declared():
    data = encoded(Image.new("CMYK", (8, 8), (255, 0, 0, 0)), "JPEG")
    (page,) = pages(build((NOTHING, data)))
    assert [int(value) for value in image_of(page).Decode] == [1, 0] * 4


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
@pytest.mark.parametrize("mode", ["1", "L", "RGB", "P"])
def test_the_pixels_of_png_and_tiff_are_unchanged(kind, mode):
    original = Image.radial_gradient("L").convert("RGB").rotate(7, fillcolor="red").resize((90, 70)).convert(mode)
    (page,) = pages(build((NOTHING, encoded(original, kind))))
    embedded = pikepdf.PdfImage(image_of(page)).as_pil_image()
    assert embedded.size == (90, 70)
    assert embedded.convert("RGB").tobytes() == original.convert("RGB").tobytes()


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bits_of_grey_are_unchanged(kind):
    values = np.arange(60 * 50, dtype=np.uint16).reshape(50, 60) * 21
    (page,) = pages(build((NOTHING, encoded(Image.fromarray(values), kind))))
    image = image_of(page)
    assert int(image.BitsPerComponent) == 16
    assert np.array_equal(np.frombuffer(image.read_bytes(), ">u2").reshape(50, 60), values)


def test_16_bits_of_colour_are_unchanged():
    """Pillow neither writes nor keeps them, so the PNG is made by hand."""
    import struct
    import zlib

    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    pixels = np.arange(4 * 3 * 3, dtype=">u2").reshape(3, 12) * 1_701
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 3, 16, 2, 0, 0, 0))
    data = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    (page,) = pages(build((NOTHING, data)))
    assert image_of(page).read_bytes() == pixels.tobytes()


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_transparency_is_kept(mode):
    original = Image.radial_gradient("L").convert("RGB").convert(mode)
    original.putalpha(Image.linear_gradient("L"))
    (page,) = pages(build((NOTHING, encoded(original))))
    image = image_of(page)
    colours = original.convert("RGBA").convert("RGB") if mode == "RGBA" else original.getchannel("L")
    assert image.read_bytes() == colours.tobytes()
    assert image.SMask.read_bytes() == Image.linear_gradient("L").tobytes()


@pytest.mark.parametrize("mode", ["L", "P"])
def test_a_colour_that_is_declared_transparent_is_kept_so(mode):
    original = Image.new(mode, (4, 1), 9)
    if mode == "P":
        original.putpalette([shade for shade in range(16) for _ in "rgb"])
    original.putpixel((0, 0), 7)
    (page,) = pages(build((NOTHING, encoded(original, transparency=7))))
    assert image_of(page).SMask.read_bytes() == bytes([0, 255, 255, 255])


def test_an_interlaced_png_keeps_its_pixels():
    """Pillow does not write interlaced ones; this is a grey 2 x 2 image in Adam7's seven passes."""
    import struct
    import zlib

    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    passes = b"\0\x0a" + b"\0\x14" + b"\0\x1e\x28"  # pass 1: (0,0); pass 6: (1,0); pass 7: the second row
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 2, 8, 0, 0, 0, 1))
    data = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(passes)) + chunk(b"IEND", b"")
    (page,) = pages(build((NOTHING, data)))
    assert image_of(page).read_bytes() == bytes([10, 20, 30, 40])


def placement(page):
    """Return the matrix that maps the image's unit square to the page."""
    matrix, stack = np.eye(3), []
    for operands, operator in pikepdf.parse_content_stream(page):
        match str(operator):
            case "q":
                stack.append(matrix)
            case "Q":
                matrix = stack.pop()
            case "cm":
                matrix = matrix_of(operands) @ matrix
            case "Do":
                return matrix
    raise AssertionError("no image is placed")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_is_upright_on_the_page(kind, orientation):
    """The four corners of the stored image land where the upright image has them."""
    upright = Image.new("L", (60, 40))
    upright.putdata([row * 3 + column for row in range(40) for column in range(60)])
    image = stored(upright, orientation)
    data = encoded(image, kind, orientation=orientation)
    (page,) = pages(build((NOTHING, data)))
    width, height = float(page.mediabox[2]), float(page.mediabox[3])
    assert width / height == pytest.approx(1.5, abs=0.001)

    pixels = np.asarray(image if kind == "JPEG" else pikepdf.PdfImage(image_of(page)).as_pil_image())
    matrix = placement(page)
    for (u, v), pixel in {
        (0, 1): pixels[0, 0],
        (1, 1): pixels[0, -1],
        (0, 0): pixels[-1, 0],
        (1, 0): pixels[-1, -1],
    }.items():
        x, y, _ = np.array([u, v, 1]) @ matrix
        column, row = (0 if x < width / 2 else 59), (0 if y > height / 2 else 39)
        assert {round(float(x), 1), round(float(y), 1)} <= {0.0, round(width, 1), round(height, 1)}
        assert upright.getpixel((column, row)) == pixel


def size_mm(data):
    (page,) = pages(build((NOTHING, data)))
    return [float(value) / 72 * 25.4 for value in page.mediabox[2:]]


def test_the_page_is_as_large_as_a_scanner_says():
    assert size_mm(encoded(Image.new("L", (600, 300)), dpi=(300, 300))) == pytest.approx([50.8, 25.4], abs=0.1)
    assert size_mm(encoded(Image.new("L", (600, 300)), dpi=(300, 150))) == pytest.approx([50.8, 50.8], abs=0.1)


@pytest.mark.parametrize("dpi", [None, (72, 72), (149, 149), (1_201, 1_201), (0, 0), (300, 72)])
def test_without_a_plausible_resolution_the_long_side_is_a4s(dpi):
    options = {"dpi": dpi} if dpi else {}
    assert size_mm(encoded(Image.new("L", (300, 400)), **options)) == pytest.approx([222.75, 297], abs=0.1)
    assert size_mm(encoded(Image.new("L", (400, 300)), "JPEG", **options)) == pytest.approx([297, 222.75], abs=0.1)


def test_a_turned_images_resolution_is_turned_with_it():
    data = encoded(Image.new("L", (600, 300)), "JPEG", orientation=6, dpi=(300, 150))
    assert size_mm(data) == pytest.approx([50.8, 50.8], abs=0.1)


@pytest.mark.defect(6)
@pytest.mark.parametrize("script", SCRIPTS)
def test_the_characters_of_any_script_come_out_again(script):
    text = SCRIPTS[script]
    (page,) = pages(build((RecognisedText(100, 100, (line(text),)), encoded(Image.new("L", (100, 100))))))
    pieces = words_of(page)
    logical = [turned_round(piece.text) for piece in pieces]
    assert logical == text.split(" ")


def turned_round(text):
    """Return text in logical order; PDF has it in visual order, from left to right."""
    return text[::-1] if any(unicodedata.bidirectional(c) in {"R", "AL"} for c in text) else text


def test_numbers_stay_in_order_within_words_from_right_to_left():
    (page,) = pages(build((RecognisedText(100, 100, (line("א12ב"),)), encoded(Image.new("L", (100, 100))))))
    assert [piece.text for piece in words_of(page)] == ["ב12א"]


@pytest.mark.defect(10)
@pytest.mark.parametrize("degrees", [0, 0.3, 2, -7, 45, 90, 180, -90])
def test_each_word_sits_on_its_polygon_however_it_is_tilted(degrees):
    text = RecognisedText(
        400, 400, (line("Words that sit", left=0.5, top=0.5, width=0.01, tilt=math.radians(degrees)),)
    )
    (page,) = pages(build((text, encoded(Image.new("L", (400, 400))))))
    side = float(page.mediabox[2])
    pieces = words_of(page)
    assert [piece.text for piece in pieces] == ["Words", "that", "sit"]
    for word, piece in zip(text.words, pieces, strict=True):
        expected = [coordinate * side for corner in word.polygon for coordinate in corner]
        assert [value for corner in piece.corners for value in corner] == pytest.approx(expected, abs=side * 0.002)


def test_the_text_is_invisible():
    (page,) = pages(build((RecognisedText(100, 100, (line("not to be seen"),)), encoded(Image.new("L", (100, 100))))))
    assert {piece.mode for piece in shown(page)} == {3}


def test_words_are_parted_by_spaces_where_the_line_has_them():
    text = RecognisedText(100, 100, (line("two words"), line("一二 三四", top=0.3)))
    chinese = text.lines[1]
    joined = Line("一二三四", 99.0, chinese.words)
    image = encoded(Image.new("L", (100, 100)))
    (page,) = pages(build((RecognisedText(100, 100, (text.lines[0], joined)), image)))
    first = ["two", " ", "words", " "]
    assert [piece.text for piece in shown(page)] == [*first, "一二", "三四"]


def test_a_tilted_word_is_marked_as_a_whole():
    """Poppler would end the word at the first letter whose baseline is off by half a point."""
    image = encoded(Image.new("L", (100, 100)))
    tilted = RecognisedText(100, 100, (line("Überschrift", tilt=math.radians(5)),))
    (page,) = pages(build((tilted, image)))
    spans = [operands[1] for operands, operator in pikepdf.parse_content_stream(page) if str(operator) == "BDC"]
    assert [str(span.ActualText) for span in spans] == ["Überschrift"]


def test_a_tilted_word_from_right_to_left_is_not():
    """Poppler would turn the span's text round."""
    image = encoded(Image.new("L", (100, 100)))
    tilted = RecognisedText(100, 100, (line("שלום", tilt=math.radians(5)),))
    (page,) = pages(build((tilted, image)))
    assert not [operator for _, operator in pikepdf.parse_content_stream(page) if str(operator) == "BDC"]


def test_a_degenerate_polygon_loses_no_word():
    point = (0.5, 0.5)
    text = RecognisedText(100, 100, (Line("dot", 99.0, (Word("dot", 99.0, (point,) * 4),)),))
    (page,) = pages(build((text, encoded(Image.new("L", (100, 100))))))
    (piece,) = words_of(page)
    (left, top), (right, _), (_, bottom), _ = piece.corners
    assert piece.text == "dot"
    assert left < right
    assert top < bottom


def test_the_same_input_gives_the_same_bytes_at_any_time(monkeypatch):
    page = (RecognisedText(100, 100, (line("same again"),)), encoded(Image.new("L", (100, 100))))
    first, now = build(page, page), time.time()
    monkeypatch.setattr(time, "time", lambda: now + 1_000_000)
    assert build(page, page) == first
    assert build(page) != build(page, title="another")


def test_title_and_date_are_those_given():
    with opened(build((NOTHING, encoded(Image.new("L", (9, 9)))), title="Prüfung / 試験 (שלום) \\")) as document:
        assert str(document.docinfo.Title) == "Prüfung / 試験 (שלום) \\"
        assert str(document.docinfo.CreationDate).startswith("D:20261121093000")


def test_the_identifier_is_another_as_soon_as_the_image_is():
    documents = [build((NOTHING, encoded(Image.new("L", (9, 9), shade)))) for shade in (0, 255)]
    first, second = [bytes(opened(document).trailer.ID[0]) for document in documents]
    assert first != second


def test_pages_come_in_the_order_given():
    widths = [50, 100, 200]
    document = build(*((NOTHING, encoded(Image.new("L", (width, 100)))) for width in widths))
    assert [int(image_of(page).Width) for page in pages(document)] == widths


def test_only_images_that_are_packed_anew_count_as_such():
    told = []
    images = [encoded(Image.new("RGB", (40, 30)), kind) for kind in ("JPEG", "PNG", "TIFF")]
    build(*((NOTHING, image) for image in [*images, encoded(Image.new("RGBA", (20, 10)))]), packing=told.append)
    assert told == [40 * 30, 20 * 10]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "RGB", "RGBA", "CMYK", "I;16"])
def test_images_are_packed_strip_by_strip_without_a_seam(monkeypatch, mode):
    noise = Image.effect_noise((61, 47), 90)
    image = noise.convert(mode) if mode != "I;16" else noise.convert("I").point(lambda v: v * 257).convert("I;16")
    if mode.endswith("A"):
        image.putalpha(noise.rotate(180))
    page = (NOTHING, encoded(image, "TIFF"))
    whole = image_of(pages(build(page))[0])
    monkeypatch.setattr(pdf_image, "_STRIP", 61 * 7)
    strips = image_of(pages(build(page))[0])
    assert strips.read_bytes() == whole.read_bytes()
    if mode.endswith("A"):
        assert strips.SMask.read_bytes() == whole.SMask.read_bytes() == noise.rotate(180).tobytes()
