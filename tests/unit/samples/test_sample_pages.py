import io
import json
import re
import sys
from functools import lru_cache
from importlib import metadata

import make
import numpy as np
import pytest
from PIL import ExifTags, Image, ImageChops, ImageOps
from samplepages import encoding, faults, fonts
from samplepages.catalogue import PAGES, draw
from samplepages.typeface import GlyphMissingError, Typeface
from samplepages.typesetting import Style, TextTooLongError, typeset

BY_ID = {page.id: page for page in PAGES}
MARK = re.compile(r"^(#+ |>> |---$)|\|", re.MULTILINE)


@lru_cache
def drawn(name):
    return draw(BY_ID[name])


def opened(name):
    return Image.open(io.BytesIO(drawn(name).image))


def grey(image):
    return np.asarray(image.convert("L"), dtype=float)


def without_space(text):
    return re.sub(r"\s", "", text)


def flat_sheet(level=200, size=(400, 500)):
    return Image.new("RGB", size, (level, level, level))


def random():
    return np.random.default_rng(1)


# What makes a page the same each time


def test_a_page_has_the_same_bytes_each_time():
    assert draw(BY_ID["letter-greek"]).image == drawn("letter-greek").image


def test_a_page_does_not_depend_on_the_others_that_are_made(tmp_path):
    make.make(tmp_path, {"letter-greek", "low-resolution"})
    assert (tmp_path / "images" / "letter-greek.jpg").read_bytes() == drawn("letter-greek").image


def test_pages_with_the_same_fault_have_noise_of_their_own():
    clean = flat_sheet()
    first, second = (faults.noise(clean, np.random.default_rng(seed), sigma=5) for seed in (1, 2))
    assert first.tobytes() != second.tobytes()


# The ground truth


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.id)
def test_the_ground_truth_is_what_is_drawn_and_all_of_the_text(page, monkeypatch):
    pieces = []
    monkeypatch.setattr(Typeface, "draw", lambda face, image, origin, text, *style: pieces.append(text))
    _, lines = typeset(page.read_text(), page.style, dpi=50)
    assert without_space("".join(lines)) == without_space("".join(pieces))
    assert without_space("".join(lines)) == without_space(MARK.sub("", page.read_text()))


def test_columns_are_read_one_after_the_other():
    lines = typeset("# News\n---\nleft one\nleft two\n---\nright one\n", Style(fonts.SANS, "en"), dpi=50)[1]
    assert lines == ["News", "left one", "left two", "right one"]


def test_a_table_is_read_row_by_row():
    lines = typeset("| Item | Price |\n| Brake cable | 4.25 |\n", Style(fonts.SANS, "en"), dpi=50)[1]
    assert lines == ["Item Price", "Brake cable 4.25"]


def test_a_long_paragraph_is_broken_within_the_margins():
    image, lines = typeset("word " * 60, Style(fonts.SANS, "en"), dpi=50)
    assert len(lines) > 1
    left, _, right, _ = ImageChops.invert(image).getbbox() or (0, 0, 0, 0)
    margin = 22 / 210 * image.width
    assert left >= margin - 1
    assert right <= image.width - margin + 1


def test_a_hard_space_is_no_place_to_break_at():
    paragraphs = ["i" * indent + " word\N{NO-BREAK SPACE};" * 12 for indent in range(20)]
    lines = typeset("\n".join(paragraphs), Style(fonts.SANS, "en"), dpi=50)[1]
    assert len(lines) > len(paragraphs)
    assert not [line for line in lines if line.startswith(";")]


@pytest.mark.parametrize("name", ["notice-chinese", "recipe-japanese"])
def test_no_line_starts_with_a_closing_mark_or_ends_with_an_opening_one(name):
    page = BY_ID[name]
    lines = typeset(page.read_text(), page.style, dpi=50)[1]
    assert any(len(line) > 30 for line in lines)
    assert not [line for line in lines if line[0] in "、。，）」”" or line[-1] in "（「“"]


@pytest.mark.parametrize("text", ["line\n" * 100, "word" * 100, "| a " * 60 + "|\n"], ids=["page", "word", "table"])
def test_a_text_that_does_not_fit_is_refused(text):
    with pytest.raises(TextTooLongError):
        typeset(text, Style(fonts.SANS, "en"), dpi=50)


def test_a_character_that_the_font_lacks_is_refused():
    with pytest.raises(GlyphMissingError, match=r"NotoSans.*漢.*U\+6F22"):
        typeset("The sign 漢", Style(fonts.SANS, "en"), dpi=50)


# Scripts


def places(face, text):
    """Where each character that is a glyph of its own stands, in ems from the left."""
    return {
        character: next(x for glyph, x, _ in face.shape(text).glyphs if glyph == face.shape(character).glyphs[0][0])
        for character in text.replace(" ", "")
    }


def test_hebrew_runs_to_the_left_and_its_numbers_to_the_right():
    x = places(Typeface(fonts.HEBREW, "he"), "אב 12 גד")
    assert x["ד"] < x["ג"] < x["1"] < x["2"] < x["ב"] < x["א"]


def test_hebrew_is_set_against_the_right_margin():
    image, _ = typeset("שלום", Style(fonts.HEBREW, "he"), dpi=50)
    left, _, right, _ = ImageChops.invert(image).getbbox() or (0, 0, 0, 0)
    assert left > 0.75 * image.width
    assert right == pytest.approx(188 / 210 * image.width, abs=2)


def test_a_hebrew_table_has_its_first_column_on_the_right(monkeypatch):
    places = {}
    monkeypatch.setattr(Typeface, "draw", lambda face, image, origin, text, *style: places.update({text: origin[0]}))
    typeset("| שם | 7 |\n| דלת | 8 |\n", Style(fonts.HEBREW, "he"), dpi=50)
    assert places["7"] < places["שם"]
    assert places["8"] < places["דלת"]


def test_arabic_letters_join():
    face = Typeface(fonts.ARABIC, "ar")
    alone = face.shape("س").glyphs[0][0]
    assert alone not in {glyph for glyph, _, _ in face.shape("سسس").glyphs}


def test_devanagari_forms_conjuncts():
    assert len(Typeface(fonts.DEVANAGARI, "hi").shape("क्ष").glyphs) == 1


def test_chinese_and_japanese_have_forms_of_their_own():
    image = {}
    for language, font in (("zh-Hans", fonts.CHINESE), ("ja", fonts.JAPANESE)):
        image[language], _ = typeset("直", Style(font, language, size=40), dpi=50)
    assert ImageChops.difference(image["zh-Hans"], image["ja"]).getbbox()


def test_a_heading_is_bolder_than_a_paragraph():
    ink = [(255 - grey(typeset(text, Style(fonts.SANS, "en"), 100)[0])).sum() for text in ("## Heading", "Heading")]
    assert ink[0] > 1.5 * ink[1]


def test_every_script_is_there():
    assert {page.style.language for page in PAGES} >= {
        *("en", "de", "fr", "pl", "vi", "el", "ru", "he", "ar", "hi", "zh-Hans", "ja", "ko")
    }


# Fonts


def test_a_missing_font_package_is_named():
    with pytest.raises(fonts.FontMissingError, match="pip install fontpkg-of-nobody"):
        fonts.locate(fonts.FontFile("fontpkg-of-nobody", "font.ttf"))


def test_a_package_that_lost_its_font_is_named():
    with pytest.raises(fonts.FontMissingError, match=r"other\.ttf.*pip install fontpkg-noto-sans"):
        fonts.locate(fonts.FontFile("fontpkg-noto-sans", "fontpkg_noto_sans/other.ttf"))


def test_the_command_ends_with_the_name_of_a_missing_font_package(tmp_path, monkeypatch):
    def missing(package):
        raise metadata.PackageNotFoundError(package)

    monkeypatch.setattr(metadata, "distribution", missing)
    monkeypatch.setattr(sys, "argv", ["make.py", str(tmp_path), "--only", "letter-greek"])
    with pytest.raises(SystemExit, match=r"make\.py: .*pip install fontpkg-noto-serif"):
        make.main()


# File formats


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_a_photo_lies_as_its_exif_says(orientation):
    upright = flat_sheet(size=(300, 400))
    upright.paste((200, 0, 0), (0, 0, 100, 100))
    photo = Image.open(io.BytesIO(encoding.phone_jpeg(upright, 300, orientation=orientation)[1]))
    assert photo.getexif()[ExifTags.Base.Orientation] == orientation
    assert photo.size == ((300, 400) if orientation == 3 else (400, 300))
    assert grey(ImageOps.exif_transpose(photo)) == pytest.approx(grey(upright), abs=12)
    assert grey(photo.resize((300, 400))) != pytest.approx(grey(upright), abs=12)


def test_a_phone_photo_has_the_size_and_the_orientation_of_one():
    photo = opened("letter-english")
    assert photo.size == (4000, 3000)
    assert photo.getexif()[ExifTags.Base.Orientation] == BY_ID["letter-english"].orientation == 6


def test_every_orientation_that_phones_write_is_there():
    assert {page.orientation for page in PAGES} == {None, 3, 6, 8}


@pytest.mark.parametrize(
    ("name", "form", "mode", "size"),
    [
        ("newsletter-english", "PNG", "L", (2480, 3508)),
        ("invoice-english", "TIFF", "1", (2480, 3508)),
        ("invoice-hebrew", "PNG", "I;16", (1654, 2339)),
        ("letter-arabic", "PNG", "P", (1654, 2339)),
        ("notice-chinese", "JPEG", "CMYK", (1654, 2339)),
        ("letter-greek", "JPEG", "RGB", (827, 1169)),
    ],
)
def test_a_page_is_stored_in_the_form_that_it_is_there_for(name, form, mode, size):
    image = opened(name)
    assert (image.format, image.mode, image.size) == (form, mode, size)
    assert drawn(name).suffix == {"PNG": ".png", "TIFF": ".tif", "JPEG": ".jpg"}[form]


def test_the_bilevel_page_is_compressed_as_fax_group_4():
    assert opened("invoice-english").info["compression"] == "group4"


def test_sixteen_bit_levels_are_more_than_eight_bits_hold():
    levels = np.asarray(opened("invoice-hebrew"))
    assert levels.max() > 50_000
    assert len(np.unique(levels)) > 1000


def test_cmyk_shows_the_colours_that_were_drawn():
    colours = Image.new("RGB", (64, 64), (150, 34, 34))
    colours.paste((20, 20, 20), (0, 0, 32, 64))
    printed = Image.open(io.BytesIO(encoding.cmyk_jpeg(colours, 200, quality=95)[1]))
    assert np.asarray(printed.convert("RGB"), dtype=float) == pytest.approx(np.asarray(colours, dtype=float), abs=25)
    assert printed.getpixel((8, 8)) == pytest.approx((0, 0, 0, 235), abs=12)


def test_a_broken_exif_block_leaves_the_page_sound():
    image = opened("broken-exif")
    assert image.info["exif"] == encoding.BROKEN_EXIF
    assert image.size == (1654, 2339)
    image.load()
    with pytest.warns(UserWarning, match="Corrupt EXIF"):
        assert ExifTags.Base.Orientation not in image.getexif()


# Faults


def test_noise_has_the_strength_it_is_asked_for():
    assert grey(faults.noise(flat_sheet(), random(), sigma=9)).std() == pytest.approx(9, rel=0.1)


def test_a_skewed_line_rises_to_the_right():
    sheet = flat_sheet(255)
    sheet.paste((0, 0, 0), (0, 249, 400, 251))
    turned = grey(faults.skew(sheet, random(), degrees=2))
    rise = turned[:, 50].argmin() - turned[:, 350].argmin()
    assert rise == pytest.approx(300 * np.tan(np.radians(2)), abs=2)


def test_a_shadow_darkens_the_fold():
    page = grey(faults.shadow(flat_sheet(200), random(), darkest=0.3))
    assert page[0, 0] == pytest.approx(60, abs=2)
    assert page[0, -1] > 195


def test_blur_and_copying_soften_edges():
    sheet = flat_sheet(255)
    sheet.paste((0, 0, 0), (200, 0, 400, 500))
    for soft in (faults.blur(sheet, random(), radius=2), faults.recopied(sheet, random(), scale=0.4)):
        assert 0 < abs(np.diff(grey(soft)[250, 190:210])).max() < 150


def test_specks_strew_black_and_white():
    page = grey(faults.specks(flat_sheet(128), random(), count=300))
    assert 100 < (page < 64).sum() < 2000
    assert 100 < (page > 192).sum() < 2000


def test_a_photograph_shows_the_whole_sheet_in_perspective_on_a_table(monkeypatch):
    monkeypatch.setattr(faults, "PHOTO", (750, 1000))
    sheet = flat_sheet(255, (600, 848))
    sheet.paste((0, 0, 255), (0, 0, 600, 40))  # the sheet's top edge, from corner to corner
    scene = faults.photograph(sheet, np.random.default_rng(3), tilt=0.05)
    assert scene.size == (750, 1000)
    red, _, blue = (np.asarray(channel, dtype=int) for channel in scene.split())
    ends = [red - blue > 20][0][[0, 0, -1, -1], [0, -1, 0, -1]]
    assert ends.all()  # brown wood in all four corners
    _, columns = np.nonzero(blue - red > 100)
    assert columns.min() > 0
    assert columns.max() < 749
    tops = [np.nonzero(blue[:, column] - red[:, column] > 100)[0].min() for column in (150, 600)]
    assert abs(tops[0] - tops[1]) > 5


def test_a_heavily_compressed_page_has_coarse_quantisation():
    assert opened("minutes-russian").quantization[0][0] > 3 * opened("letter-greek").quantization[0][0]


# The folder


def test_the_manifest_tells_what_the_files_are(tmp_path):
    make.make(tmp_path, {"letter-greek", "broken-exif", "text"})
    entries = json.loads((tmp_path / "manifest.json").read_text())
    assert [entry["id"] for entry in entries] == ["letter-greek", "broken-exif"]
    for entry in entries:
        truth = (tmp_path / "gt" / f"{entry['id']}.txt").read_text()
        assert truth == "\n".join(drawn(entry["id"]).lines) + "\n"
        assert entry["gt_words"] == len(truth.split())
        assert Image.open(tmp_path / "images" / entry["image"]).size == (entry["width"], entry["height"])
        assert entry["exif_orientation"] is None
    assert [entry["lang"] for entry in entries] == ["ell", "eng"]
    assert [entry["image"] for entry in json.loads((tmp_path / "bad" / "manifest.json").read_text())] == ["text.png"]


def test_every_language_has_its_code():
    assert {page.style.language for page in PAGES} <= make.ISO_639_3.keys()


def test_an_unknown_name_is_refused_with_the_names_there_are(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["make.py", str(tmp_path), "--only", "letter-klingon"])
    with pytest.raises(SystemExit):
        make.main()
    assert "letter-greek" in capsys.readouterr().err
