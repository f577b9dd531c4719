"""Pages taken out of PDFs: the scan as it is or the page drawn, turned as it is seen, with the text that it has."""

import io
import re
import time
import zlib
from datetime import UTC, datetime

import paged_files
import pikepdf
import pytest
from paged_files import (
    A4,
    LETTER,
    drawing,
    flate_bomb,
    jpeg_object,
    letter,
    of_contents,
    packed_object,
    photograph,
    read_scan,
    saved,
    saved_anew,
    scan,
    written,
)
from PIL import Image, ImageChops
from unit.functions.pictures import encoded

from scanner import image, imports, pdf_guard, pdf_scan, pdf_words, typeset_pdf
from scanner.errors import ImportRefusedError
from scanner.pdf_file import PdfFile

FILLING = b"q 595 0 0 842 0 0 cm /I0 Do Q"
JPEG = photograph("Scan")
UNTOUCHED = pikepdf.StreamDecodeLevel.none


def taken(document, *, with_text=True):
    """The pages of a PDF."""
    file = PdfFile.open(io.BytesIO(document))
    return [file.page(number, place, with_text=with_text) for number, place in enumerate(file.places(), 1)]


def only(document, **options):
    (page,) = taken(document, **options)
    return page


def shown(page):
    """The pixels of a page as it is shown."""
    return image.upright(image.open_image(page.image)).convert("RGB").rotate(-page.rotation, expand=True)


def drawn_by_pdfium(document):
    import pypdfium2

    with pypdfium2.PdfDocument(document) as opened:
        return opened[0].render(scale=1).to_pil().convert("RGB")


def assert_alike(one, other):
    """Two pictures of the same, whatever their sizes."""
    small = [picture.resize((60, 60)) for picture in (one, other)]
    assert abs(one.width / one.height - other.width / other.height) < 0.02
    difference = ImageChops.difference(*small).convert("L")
    assert sum(difference.tobytes()) / 3600 < 8


def refusal(document, **options):
    with pytest.raises(ImportRefusedError) as caught:
        taken(document, **options)
    return caught.value


# ---------------------------------------------------------------- Scans
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_page_that_is_one_jpeg_is_that_jpeg(mode):
    jpegs = [photograph(f"Scan {number}", mode=mode) for number in range(3)]

    pages = taken(written(*[scan(jpeg) for jpeg in jpegs]))

    assert [page.image for page in pages] == jpegs
    assert {(page.content_type, page.rotation, page.text) for page in pages} == {("image/jpeg", 0, None)}


@pytest.mark.parametrize("turned", [0, 90, 180, 270])
@pytest.mark.parametrize(
    "matrix",
    ["595 0 0 842 0 0", "0 -842 595 0 0 842", "-595 0 0 -842 595 842", "0 842 -595 0 595 0"],
    ids=["upright", "clockwise", "on its head", "anticlockwise"],
)
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_scan_that_is_turned_is_shown_as_the_document_shows_it(turned, matrix, orientation):
    picture = Image.open(io.BytesIO(photograph("Up")))
    if matrix[0] == "0":
        picture = picture.resize((877, 620))
    jpeg = encoded(picture, "JPEG", orientation=orientation)
    document = of_contents(f"q {matrix} cm /I0 Do Q".encode(), [jpeg_object(jpeg)], Rotate=turned)

    page = only(document)

    assert page.image == jpeg
    assert_alike(shown(page), drawn_by_pdfium(document))


@pytest.mark.parametrize(
    "contents",
    [
        b"/I0 Do",
        b"q 0 0 595 842 re W n 595 0 0 842 0 0 cm /I0 Do Q",
        b"1 1 1 rg 0 0 595 842 re f q 595 0 0 842 0 0 cm /I0 Do Q",
        b"q 595 0 0 842 0 0 cm /I0 Do Q BT 3 Tr /F1 9 Tf (hidden) Tj ET",
        b"q 596.5 0 0 843 -1 -1 cm /I0 Do Q",
        b"/Artifact BMC q 595 0 0 842 0 0 cm /I0 Do Q EMC",
        b"q 595 0 0 842 0 0 cm /I1 Do Q q 595 0 0 842 0 0 cm /I0 Do Q",
    ],
    ids=[
        "whole page",
        "clipped to the page",
        "on white",
        "with hidden text",
        "a little larger",
        "marked",
        "on another",
    ],
)
def test_what_is_not_seen_does_not_keep_a_scan_from_being_one(contents):
    if contents == b"/I0 Do":
        contents = b"595 0 0 842 0 0 cm /I0 Do"
    assert only(of_contents(contents, [jpeg_object(JPEG), jpeg_object(photograph("Under"))])).image == JPEG


def test_a_scan_within_a_form_is_one():
    def nest(pdf):
        page = pdf.pages[0].obj
        form = pdf.make_stream(b"q 1 0 0 2 0 0 cm /I0 Do Q", Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Form)
        form.BBox, form.Matrix = [0, 0, 1, 1], [595, 0, 0, 421, 0, 0]
        form.Resources = page.Resources
        page.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Fm=form))
        page.Contents = pdf.make_stream(b"/Fm Do")

    assert only(saved_anew(of_contents(FILLING, [jpeg_object(JPEG)]), nest)).image == JPEG


@pytest.mark.parametrize(
    "contents",
    [
        FILLING + b" 0 0 100 100 re f",
        FILLING + b" 0 0 m 100 100 l S",
        FILLING + b" q 100 0 0 100 0 0 cm /I1 Do Q",
        FILLING + b" BT /F1 9 Tf (seen) Tj ET",
        FILLING + b" BI /W 1 /H 1 /BPC 8 /CS /G ID \x00 EI",
        b"q 300 0 0 842 0 0 cm /I0 Do Q",
        b"q 595 0 0 -842 0 842 cm /I0 Do Q",
        b"q 590 50 -50 842 0 0 cm /I0 Do Q",
        b"q 0 0 200 200 re W n 595 0 0 842 0 0 cm /I0 Do Q",
        b"q 10 10 m 500 10 l 300 800 l h W n 595 0 0 842 0 0 cm /I0 Do Q",
        b"/OC /Layer BDC q 595 0 0 842 0 0 cm /I0 Do Q EMC",
    ],
    ids=["square", "line", "picture", "text", "inline", "half", "mirrored", "askew", "cut", "cut out", "layer"],
)
def test_a_page_that_shows_anything_else_is_drawn(contents):
    document = of_contents(contents, [jpeg_object(JPEG), jpeg_object(photograph("Other"))])

    page = only(document)

    assert page.image != JPEG
    assert Image.open(io.BytesIO(page.image)).size in {(2480, 3509), (2479, 3508), (2480, 3508)}
    assert_alike(shown(page), drawn_by_pdfium(document))


def srgb(pdf, count=3, data=None):
    from PIL import ImageCms

    profile = data or ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return pikepdf.Array([pikepdf.Name.ICCBased, pdf.make_stream(profile, N=count)])


@pytest.mark.parametrize(
    ("entries", "as_it_is"),
    [
        ({"ColorSpace": srgb}, True),
        ({"ColorSpace": lambda pdf: srgb(pdf, data=b"a scanner's own colours")}, False),
        ({"Decode": [1, 0, 1, 0, 1, 0]}, False),
        ({"Mask": [0, 10, 0, 10, 0, 10]}, False),
        ({"SMask": lambda pdf: packed_object(1, 1, zlib.compress(b"\x80"))(pdf)}, False),
        ({"DecodeParms": pikepdf.Dictionary(ColorTransform=0)}, False),
        ({"Width": 10}, False),
        ({"ColorSpace": pikepdf.Name.DeviceGray}, False),
        ({"Filter": pikepdf.Array([pikepdf.Name.DCTDecode])}, True),
    ],
    ids=["sRGB", "another profile", "decode", "mask", "soft mask", "transform", "size", "grey", "array"],
)
def test_the_jpeg_alone_must_tell_what_it_looks_like(entries, as_it_is):
    page = only(of_contents(FILLING, [jpeg_object(JPEG, **entries)]))

    assert (page.image == JPEG) is as_it_is


def test_a_cmyk_jpeg_is_drawn_in_rgb():
    document = of_contents(FILLING, [jpeg_object(photograph("Print", mode="CMYK"), Decode=[1, 0] * 4)])

    page = only(document)

    assert Image.open(io.BytesIO(page.image)).mode in {"L", "RGB"}
    assert_alike(shown(page), drawn_by_pdfium(document))


def test_a_stamp_on_a_scan_is_seen_but_a_link_is_nothing():
    def stamp(subtype):
        def change(pdf):
            seen = pdf.make_stream(b"1 0 0 rg 0 0 100 100 re f", Subtype=pikepdf.Name.Form, BBox=[0, 0, 100, 100])
            note = pikepdf.Dictionary(Type=pikepdf.Name.Annot, Subtype=subtype, Rect=[0, 0, 300, 300], F=4)
            note.AP = pikepdf.Dictionary(N=seen)
            pdf.pages[0].obj.Annots = pdf.make_indirect([pdf.make_indirect(note)])

        return change

    document = of_contents(FILLING, [jpeg_object(JPEG)])
    assert only(saved_anew(document, stamp(pikepdf.Name.Link))).image == JPEG
    stamped = only(saved_anew(document, stamp(pikepdf.Name.Stamp)))
    red, green, blue = shown(stamped).resize((60, 60)).getpixel((5, 55))
    assert (red > 250, green < 5, blue < 5) == (True, True, True)


def test_a_damaged_jpeg_under_text_is_drawn():
    page = only(written(read_scan(JPEG)).replace(JPEG, JPEG[: len(JPEG) // 2] + bytes(len(JPEG) - len(JPEG) // 2)))

    assert page.text.text == LETTER
    assert Image.open(io.BytesIO(page.image)).size[0] > 2400


# ---------------------------------------------------------------- Drawn pages
def test_a_page_is_drawn_at_300_dpi_without_loss_and_without_colours_it_has_not():
    page = only(written(drawing))

    with Image.open(io.BytesIO(page.image)) as picture:
        assert (page.content_type, picture.mode) == ("image/png", "L")
        assert picture.width == pytest.approx(A4[0] * 300 / 72, abs=1)


def test_a_page_with_pictures_is_a_jpeg():
    noise = Image.effect_noise((300, 300), 50).tobytes()
    page = only(of_contents(b"q 300 0 0 300 100 100 cm /I0 Do Q", [packed_object(300, 300, zlib.compress(noise))]))

    assert page.content_type == "image/jpeg"


@pytest.mark.parametrize("rotation", [90, 180, 270, -90, 450, 45])
def test_a_drawn_page_is_upright(rotation):
    document = saved_anew(written(drawing), lambda pdf: pdf.pages[0].obj.__setitem__("/Rotate", rotation))

    page = only(document)

    assert page.rotation == 0
    assert_alike(shown(page), drawn_by_pdfium(document))


@pytest.mark.parametrize(
    "box",
    [
        [0, 0, 20_000, 20_000],
        [0, 0, 1e9, 10],
        [0, 0, 5, 1e6],
        [0, 0, 0, 0],
        [595, 842, 0, 0],
        [0, 0, 1],
        "A4",
        [0, 0, 0.01, 0.01],
    ],
    ids=["large", "wide", "high", "none", "upside down", "short", "no array", "tiny"],
)
def test_a_page_of_any_size_is_drawn(box):
    document = saved_anew(written(letter()), lambda pdf: pdf.pages[0].obj.__setitem__("/MediaBox", box))

    page = only(document)

    size = image.open_image(page.image).size
    assert max(size) <= image.MAX_SIDE
    assert size[0] * size[1] <= 25_100_000
    assert len(page.image) <= 10 << 20


def test_what_a_page_inherits_counts():
    def inherit(pdf):
        pages = pdf.Root.Pages
        for name in ("/MediaBox", "/Resources"):
            pages[name] = pdf.pages[0].obj[name]
            del pdf.pages[0].obj[name]
        pages.Rotate = 90

    page = only(saved_anew(of_contents(FILLING, [jpeg_object(JPEG)]), inherit))
    assert (page.image, page.rotation) == (JPEG, 90)
    text = only(saved_anew(written(letter()), inherit))
    assert text.text.text == LETTER


def test_a_layer_that_is_switched_off_is_not_seen():
    def hide(pdf):
        layer = pdf.make_indirect(pikepdf.Dictionary(Type=pikepdf.Name.OCG, Name="Hidden"))
        pdf.Root.OCProperties = pikepdf.Dictionary(OCGs=[layer], D=pikepdf.Dictionary(OFF=[layer], Order=[layer]))
        pdf.pages[0].obj.Resources.Properties = pikepdf.Dictionary(Layer=layer)

    square = of_contents(b"/OC /Layer BDC 0 0 300 300 re f EMC")
    assert shown(only(square)).convert("L").getextrema()[0] == 0
    assert shown(only(saved_anew(square, hide))).convert("L").getextrema() == (255, 255)


@pytest.mark.parametrize("name", ["JBIG2Decode", "CCITTFaxDecode", "JPXDecode"])
def test_images_that_cannot_be_decoded_leave_the_page_empty(name):
    bad = packed_object(100, 100, b"\0\1\2\3", Filter=pikepdf.Name(f"/{name}"))

    assert only(of_contents(FILLING, [bad])).image


def test_a_fax_is_drawn():
    tiff = paged_files.tiff(Image.open(io.BytesIO(JPEG)).convert("1"), compression="group4")
    with Image.open(io.BytesIO(tiff)) as opened:
        offset, length, size = opened.tag_v2[273][0], opened.tag_v2[279][0], opened.size
    parameters = pikepdf.Dictionary(K=-1, Columns=size[0], Rows=size[1], BlackIs1=True)
    fax = packed_object(
        *size, tiff[offset : offset + length],
        Filter=pikepdf.Name.CCITTFaxDecode, DecodeParms=parameters, BitsPerComponent=1, Decode=[1, 0],
    )  # fmt: skip
    page = only(of_contents(FILLING, [fax]))

    assert page.content_type == "image/png"
    assert_alike(shown(page), drawn_by_pdfium(of_contents(FILLING, [fax])))


# ---------------------------------------------------------------- Text
def corners(page, word):
    """The first polygon of a word, in the pixels of the page as it is shown, 1000 by 1000."""
    (found, *_) = [w for w in page.text.words if w.text == word]
    points = found.polygon
    for _ in range(page.rotation // 90):
        points = [(1 - y, x) for x, y in points]
    return [(round(x * 1000), round(y * 1000)) for x, y in points]


def test_text_is_taken_line_by_line_and_word_by_word():
    text = "Dear reader of this page,\nthe second line follows the first one here,\nGrüße aus Köln"
    page = only(written(letter(text)))

    assert page.text.text == text
    assert [word.text for word in page.text.lines[0].words] == ["Dear", "reader", "of", "this", "page,"]
    assert (page.text.confidence, page.text.word_count) == (100, 16)
    assert (page.text.width, page.text.height) == image.open_image(page.image).size
    assert Image.open(io.BytesIO(page.thumbnail)).format == "JPEG"
    (left, top), (right, _), (_, bottom), _ = corners(page, "Dear")
    assert left == pytest.approx(36 / 595 * 1000, abs=2)
    assert 60 < top < 78 < 86 < bottom < 92
    assert left + 30 < right < left + 50


def test_invisible_text_on_a_scan_is_taken_with_the_scan():
    page = only(written(read_scan(JPEG)))

    assert (page.image, page.text.text) == (JPEG, LETTER)
    assert (page.text.width, page.text.height) == (620, 877)


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("draw", [letter(), read_scan(JPEG)], ids=["letter", "scan"])
def test_words_are_where_they_are_seen_however_the_page_is_turned(rotation, draw):
    plain = corners(only(written(draw)), "reader,")
    document = saved_anew(written(draw), lambda pdf: pdf.pages[0].obj.__setitem__("/Rotate", rotation))

    turned = corners(only(document), "reader,")

    for _ in range(rotation // 90):
        plain = [(1000 - y, x) for x, y in plain]
    assert all(
        abs(a - b) <= 2 for one, other in zip(turned, plain, strict=True) for a, b in zip(one, other, strict=True)
    )


@pytest.mark.parametrize(("angle", "first"), [(0, (0, 0)), (90, (0, 1)), (180, (1, 1)), (270, (1, 0))])
def test_a_word_s_corners_begin_where_it_does(angle, first):
    def draw(pdf):
        pdf.set_font("helvetica", size=20)
        with pdf.rotation(angle, 300, 400):
            pdf.text(300, 400, "Sideways")

    points = corners(only(written(draw)), "Sideways")

    xs, ys = {x for x, _ in points}, {y for _, y in points}
    assert points[0] == ((min(xs), max(xs))[first[0]], (min(ys), max(ys))[first[1]])
    assert len(xs) == len(ys) == 2


def test_geometry_follows_the_crop_box():
    def crop(pdf):
        pdf.pages[0].obj.CropBox = [30, 700, 330, 800]

    page = only(saved_anew(written(letter()), crop))

    (left, top), *_ = corners(page, "Dear")
    assert left == pytest.approx(6 / 300 * 1000, abs=3)
    assert 150 < top < 350


@pytest.mark.parametrize(
    "text", ["שלום לכולם, זהו מכתב ארוך מאוד", "中文文字的頁面應當保持邏輯順序", "مرحبا بكم في هذه الصفحة"]
)
def test_other_scripts_come_in_the_order_in_which_they_are_read(text):

    typeset_pdf.build(
        "Scripts", datetime(2026, 1, 1, tzinfo=UTC), [typeset_pdf.TypesetPage(1, text)], file := io.BytesIO()
    )

    page = only(file.getvalue())

    assert page.text.text.replace(" ", "") == text.replace(" ", "")


def test_where_the_text_is_not_wanted_the_page_comes_without():
    page = only(written(read_scan(JPEG)), with_text=False)

    assert (page.image, page.text) == (JPEG, None)


@pytest.mark.parametrize(
    ("draw", "kept"),
    [
        (letter("7"), False),
        (letter("Page 7 of 9"), True),
        (read_scan(JPEG, "Case 7, document 12, page 1 of 20"), False),
    ],
    ids=["a number", "a line", "a stamped scan"],
)
def test_too_little_text_is_none(draw, kept):
    assert bool(only(written(draw)).text) is kept


def to_unicode(characters):
    head = b"/CIDInit /ProcSet findresource begin begincmap 1 begincodespacerange <00> <FF> endcodespacerange "
    return head + b"1 beginbfrange " + characters + b" endbfrange endcmap end"


def test_text_that_means_nothing_is_none():
    def forget(pdf):
        font = next(iter(pdf.pages[0].obj.Resources.Font.values()))
        font.ToUnicode = pdf.make_stream(to_unicode(b"<20> <7E> <E020>"))

    assert only(saved_anew(written(letter()), forget)).text is None


@pytest.mark.parametrize("says_what_it_is", [True, False])
def test_the_text_of_drawn_fonts_counts_where_they_say_what_it_is(says_what_it_is):
    def draw_letters(pdf):
        glyph = pdf.make_stream(b"500 0 0 0 400 700 d1 0 0 400 700 re f")
        font = pikepdf.Dictionary(
            Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type3, FontBBox=[0, 0, 500, 700], FirstChar=97, LastChar=97,
            FontMatrix=[0.001, 0, 0, 0.001, 0, 0], Widths=[500], CharProcs=pikepdf.Dictionary(a=glyph),
            Encoding=pikepdf.Dictionary(Type=pikepdf.Name.Encoding, Differences=[97, pikepdf.Name.a]),
        )  # fmt: skip
        if says_what_it_is:
            font.ToUnicode = pdf.make_stream(to_unicode(b"<61> <61> <0041>"))
        pdf.pages[0].obj.Resources.Font = pikepdf.Dictionary(F1=pdf.make_indirect(font))

    document = saved_anew(of_contents(b"BT /F1 20 Tf 100 700 Td (aaaaaaaaaaaa) Tj ET"), draw_letters)

    text = only(document).text
    assert (text and text.text) == ("A" * 12 if says_what_it_is else None)


# ---------------------------------------------------------------- Files
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"object_stream_mode": pikepdf.ObjectStreamMode.generate},
        {"linearize": True},
        {"encryption": pikepdf.Encryption(user="", owner="secret")},
        {"min_version": "2.0"},
    ],
    ids=["plain", "object streams", "linearized", "owner password", "2.0"],
)
def test_however_a_pdf_is_stored_its_pages_are_the_same(options):
    document = saved_anew(written(scan(JPEG), letter(), drawing), **options)

    first, second, third = taken(document)

    assert (first.image, second.text.text, third.content_type) == (JPEG, LETTER, "image/png")


def test_what_is_before_and_behind_a_pdf_does_not_matter():
    document = written(scan(JPEG))

    assert only(document + b"\0" * 5000).image == JPEG
    assert only(b"\r\n\r\n" + document).image == JPEG


def test_a_pdf_that_needs_a_password_says_so():
    locked = saved_anew(written(letter()), encryption=pikepdf.Encryption(user="secret", owner="other"))

    assert refusal(locked).code == "import-encrypted"


@pytest.mark.parametrize("content", [b"", b"Dear reader", b"\x89PNG\r\n\x1a\n", b"PK\3\4", b" " * 2000 + b"%PDF-1.4"])
def test_what_is_no_pdf_is_not_taken_for_one(content):
    assert refusal(content).code == "import-unsupported"


def test_a_pdf_that_is_cut_off_loses_no_page_unnoticed():
    document = written(*[scan(photograph(f"Scan {number}")) for number in range(6)])

    for share in (0.99, 0.9, 0.5, 0.1):
        assert refusal(document[: int(len(document) * share)]).code == "import-damaged"


def test_a_pdf_whose_table_of_objects_is_wrong_is_read_all_the_same():
    document = written(scan(JPEG), letter())

    pages = taken(re.sub(rb"startxref\s+\d+", b"startxref\n12345", document))

    assert (pages[0].image, pages[1].text.text) == (JPEG, LETTER)


def test_a_pdf_without_pages_is_refused():
    with pikepdf.new() as pdf:
        assert refusal(saved(pdf)).code == "import-damaged"


def looping(pdf):
    pages = pdf.Root.Pages
    pages.Kids.append(pages)


def lying(pdf):
    pdf.Root.Pages.Count = 1_000_000


def nested(pdf):
    node = pdf.pages[0].obj
    for _ in range(2_000):
        node = pdf.make_indirect(pikepdf.Dictionary(Type=pikepdf.Name.Pages, Kids=[node], Count=1))
    pdf.Root.Pages.Kids = [node]


def without_pages(pdf):
    pdf.Root.Pages = pikepdf.Name.Nothing


@pytest.mark.parametrize("change", [looping, lying, nested, without_pages])
def test_a_page_tree_that_is_none_ends_quickly(change):
    with pikepdf.open(io.BytesIO(written(letter()))) as pdf:
        change(pdf)
        data = io.BytesIO()
        try:
            pdf.save(data)
        except pikepdf.PdfError:
            pytest.skip("pikepdf itself cannot write it")
    try:
        found = len(taken(data.getvalue()))
    except ImportRefusedError as error:
        found = error.code
    assert found in {1, "import-damaged"}


def test_the_same_page_twice_is_two_pages():
    document = saved_anew(written(scan(JPEG), letter()), lambda pdf: pdf.pages.extend([pdf.pages[0], pdf.pages[1]]))

    assert [page.image == JPEG for page in taken(document)] == [True, False, True, False]


def test_a_page_of_the_tree_twice_is_two_pages():
    def repeat(pdf):
        kids = pdf.Root.Pages.Kids
        kids.append(kids[0])
        pdf.Root.Pages.Count = 2

    with pikepdf.open(io.BytesIO(written(scan(JPEG)))) as pdf:
        repeat(pdf)
        document = saved(pdf, fix_metadata_version=False)
    assert [page.image == JPEG for page in taken(document)] == [True, True]


def test_too_many_pages_are_refused(monkeypatch):
    monkeypatch.setattr(imports, "MAX_PAGES", 2)

    assert len(taken(written(letter(), letter()))) == 2
    assert refusal(written(letter(), letter(), letter())).code == "import-too-many-pages"


# ---------------------------------------------------------------- Bombs
def packed_contents(data, kind):
    """A PDF whose page has these drawing instructions, packed."""

    def replace(pdf):
        pdf.pages[0].obj.Contents = pdf.make_stream(data, Filter=kind)

    return saved_anew(of_contents(b""), replace, stream_decode_level=UNTOUCHED, compress_streams=False)


@pytest.mark.parametrize(
    "document",
    [
        of_contents(FILLING, [packed_object(60_000, 60_000, flate_bomb(1 << 20))]),
        of_contents(FILLING, [packed_object(20_000, 20_000, flate_bomb(1 << 20), ColorSpace=pikepdf.Name.DeviceRGB)]),
        of_contents(
            FILLING,
            [packed_object(10, 10, b"\xff\x4f\xff\x51\0\x2f\0\0" + b"\0\1\0\0" * 2, Filter=pikepdf.Name.JPXDecode)],
        ),
        packed_contents(flate_bomb(1 << 30), pikepdf.Name.FlateDecode),
        packed_contents(zlib.compress(flate_bomb(1 << 30)), pikepdf.Array([pikepdf.Name.FlateDecode] * 2)),
    ],
    ids=["grey", "colour", "JPEG 2000", "instructions", "twice packed"],
)
def test_a_page_that_unpacks_to_too_much_is_refused_by_its_number(document):
    with pikepdf.open(io.BytesIO(written(drawing))) as pdf, pikepdf.open(io.BytesIO(document)) as bomb:
        pdf.pages.append(bomb.pages[0])
        data = saved(pdf, stream_decode_level=UNTOUCHED, compress_streams=False)
    started = time.process_time()

    error = refusal(data)

    assert (error.code, error.message[:7]) == ("page-failed", "Page 2 ")
    assert time.process_time() - started < 20


def test_what_is_refused_is_what_the_limits_say(monkeypatch):
    document = of_contents(b"q 300 0 0 300 0 0 cm /I0 Do Q", [packed_object(100, 100, zlib.compress(bytes(10_000)))])
    assert only(document)
    monkeypatch.setattr(pdf_guard, "MAX_PIXELS", 9_999)
    assert "100 by 100 pixels" in refusal(document).message
    monkeypatch.undo()
    monkeypatch.setattr(pdf_guard, "MAX_STORED_BYTES", 10)
    assert "too much data" in refusal(document).message


def test_endless_content_is_no_scan(monkeypatch):
    monkeypatch.setattr(pdf_scan, "MAX_CONTENT_BYTES", 20)

    assert only(of_contents(FILLING, [jpeg_object(JPEG)])).image != JPEG


def test_more_text_than_a_page_can_have_is_none(monkeypatch):
    monkeypatch.setattr(pdf_words, "MOST_CHARACTERS", 50)

    assert only(written(letter())).text is None
