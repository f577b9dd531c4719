"""Parts of a PDF, joined: every page as it was in its part, listed and labelled as if it had been built at once."""

import io
import random
import shutil
from datetime import UTC, datetime

import pikepdf
import pytest
from PIL import Image
from unit.functions.pictures import encoded, picture

from scanner import pdf, typeset_pdf
from scanner.pdf_joining import DamagedPartError, Sheets, join
from scanner.text import Line, RecognisedText, Word

CREATED = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)


def words(text):
    """Return recognised text of one line, its words side by side."""
    parts, found = text.split(" "), []
    for n, part in enumerate(parts):
        left, right = 0.05 + n / len(parts) * 0.9, 0.03 + (n + 1) / len(parts) * 0.9
        found.append(Word(part, 99.0, ((left, 0.1), (right, 0.1), (right, 0.15), (left, 0.15))))
    return RecognisedText(800, 800, (Line(text, 99.0, tuple(found)),))


@pytest.fixture
def part(tmp_path):
    """Return what writes a searchable part of pages {number: (text, image)} and returns its path and sheets."""
    made = []

    def build(pages):
        path = tmp_path / f"part-{len(made)}.pdf"
        made.append(path)
        scanned = [pdf.ScannedPage(n, words(text), lambda data=data: data) for n, (text, data) in pages.items()]
        with path.open("wb") as file:
            return path, pdf.build("Part", CREATED, scanned, lambda pixels: None, file)

    return build


@pytest.fixture
def typeset(tmp_path):
    """Return what writes a typeset part of pages {number: text} and returns its path and sheets."""
    made = []

    def build(pages):
        path = tmp_path / f"typeset-{len(made)}.pdf"
        made.append(path)
        with path.open("wb") as file:
            listed = [typeset_pdf.TypesetPage(n, text) for n, text in pages.items()]
            return path, typeset_pdf.build("Part", CREATED, listed, file)

    return build


def joined(*parts, title="Letters", language=None):
    file = io.BytesIO()
    paths, sheets = [path for path, _ in parts], [page for _, pages in parts for page in pages]
    join(paths, sheets, title, CREATED, language, file)
    return file.getvalue()


@pytest.fixture
def extracted(pdftotext, tmp_path):
    """Return what reads the text of each sheet of a PDF."""

    def read(document):
        path = tmp_path / "read.pdf"
        path.write_bytes(document)
        return pdftotext(path).split("\f")[:-1]

    return read


def opened(document):
    return pikepdf.open(io.BytesIO(document))


def outline(document):
    """Return the outline's items as title and index of the page."""
    with opened(document) as file, file.open_outline() as listed:
        objects = [page.objgen for page in file.pages]
        return [(item.title, objects.index(item.destination[0].objgen)) for item in listed.root]


def labels(document):
    with opened(document) as file:
        return [page.label for page in file.pages]


def test_pages_come_in_order_with_their_images_and_their_text(part, extracted):
    images = [picture("JPEG", size=(200 + n, 100)) for n in range(4)]
    first = part({1: ("alpha one", images[0]), 2: ("beta", images[1])})
    second = part({3: ("γάμμα", images[2])})
    third = part({4: ("дельта 終", images[3])})
    document = joined(first, second, third)
    with opened(document) as file:
        assert [next(iter(page.get_images().values())).read_raw_bytes() for page in file.pages] == images
    assert [text.split() for text in extracted(document)] == [["alpha", "one"], ["beta"], ["γάμμα"], ["дельта", "終"]]


def test_the_text_of_typeset_parts_is_that_of_the_parts(typeset, extracted):
    first = typeset({1: "Die Straße\nשלום עולם abc", 2: "日本語の文書です。" * 200})
    second = typeset({3: "क्षेत्र नमस्ते", 4: "مرحبا بالعالم", 5: ""})
    parts = [text for path, _ in (first, second) for text in extracted(path.read_bytes())]
    assert extracted(joined(first, second)) == parts


def test_pages_keep_their_size_and_rotation(typeset, tmp_path):
    path = tmp_path / "turned.pdf"
    turned = pdf.ScannedPage(2, words("x"), lambda: encoded(Image.new("L", (600, 300)), dpi=(300, 300)), 270)
    with path.open("wb") as file:
        sheets = pdf.build("Part", CREATED, [turned], lambda pixels: None, file)
    with opened(joined(typeset({1: "x"}), (path, sheets))) as file:
        assert [[round(float(side)) for side in page.mediabox[2:]] for page in file.pages] == [[595, 842], [144, 72]]
        assert [int(page.get("/Rotate", 0)) for page in file.pages] == [0, 270]


def test_each_page_of_the_project_is_in_the_outline_and_each_sheet_has_its_label(typeset):
    long = "\n".join(f"Paragraph {n}" for n in range(100))
    document = joined(typeset({2: "x", 3: long}), typeset({17: "x", 18: long}), typeset({19: "x"}))
    assert outline(document) == [("Page 2", 0), ("Page 3", 1), ("Page 17", 4), ("Page 18", 5), ("Page 19", 8)]
    assert labels(document) == ["2", "3", "3-2", "3-3", "17", "18", "18-2", "18-3", "19"]


def test_a_joined_pdf_is_listed_and_labelled_as_one_that_was_built_at_once(part, typeset):
    image, long = picture("JPEG"), "\n".join(f"Paragraph {n}" for n in range(100))
    for builder, one, two in (
        (part, {1: ("a", image), 3: ("b", image)}, {4: ("c", image)}),
        (typeset, {5: long, 7: "x"}, {8: long}),
    ):
        (whole, _), document = builder(one | two), joined(builder(one), builder(two))
        assert outline(document) == outline(whole.read_bytes())
        assert labels(document) == labels(whole.read_bytes())


def test_title_date_and_language_are_in_the_document(part):
    title = "Prüfung / 試験 (שלום) \\ <&>"
    one = part({1: ("x", picture())})
    with opened(joined(one, title=title, language="pt-BR")) as file:
        assert str(file.docinfo.Title) == title
        assert str(file.docinfo.CreationDate) == "D:20261121093000Z"
        assert str(file.Root.Lang) == "pt-BR"
        assert bool(file.Root.ViewerPreferences.DisplayDocTitle)
        with file.open_metadata() as xmp:
            assert xmp["dc:title"] == title
            assert xmp["xmp:CreateDate"] == "2026-11-21T09:30:00Z"
            assert xmp.pdfa_status == "2B"
    with opened(joined(one)) as file:
        assert "/Lang" not in file.Root


def test_the_same_parts_make_the_same_bytes(part, typeset):
    parts = part({1: ("a", picture())}), typeset({2: "b"})
    assert joined(*parts) == joined(*parts)
    assert joined(*parts)[-200:] != joined(*parts, title="Other")[-200:]


def test_what_parts_have_alike_is_stored_once(part, typeset):
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image = picture("JPEG", mode="RGB", icc_profile=profile)
    document = joined(*(part({n: (f"text {n}", image)}) for n in range(1, 6)))
    with opened(document) as file:
        streams = [thing for thing in file.objects if isinstance(thing, pikepdf.Stream)]
        assert sum(thing.get("/N") == 3 for thing in streams) == 2  # the images' profile, and the output intent's
    with opened(joined(*(typeset({n: "anna"}) for n in (1, 11, 111)))) as file:
        streams = [thing for thing in file.objects if isinstance(thing, pikepdf.Stream)]
        assert sum(thing.get("/Subtype") == "/Form" for thing in streams) == len("an1")


def test_images_that_are_alike_stay_apart_from_their_profiles(part):
    """A profile is shared with those who have the same one, never with those who have another."""
    from PIL import ImageCms

    first, second = (
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
        bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()),
    )
    second[24:36] = bytes([7, 230, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0])  # another date
    parts = [
        part({n: ("x", picture("JPEG", mode="RGB", icc_profile=bytes(profile)))})
        for n, profile in enumerate((first, second, first), 1)
    ]
    with opened(joined(*parts)) as file:
        spaces = [next(iter(page.get_images().values())).ColorSpace[1] for page in file.pages]
        assert [space.read_bytes() for space in spaces] == [first, bytes(second), first]
        assert spaces[0].objgen == spaces[2].objgen


@pytest.mark.parametrize("damage", ["empty", "cut off", "not a PDF", "without its font"])
def test_a_damaged_part_is_named(part, tmp_path, damage):
    good, (path, sheets) = part({1: ("a", picture())}), part({2: ("b", picture())})
    whole = path.read_bytes()
    path.write_bytes(
        {
            "empty": b"",
            "cut off": whole[: len(whole) // 2],
            "not a PDF": b"<html></html>",
            "without its font": whole.replace(b"/FontFile2", b"/NoFontFile"[:10]),
        }[damage]
    )
    with pytest.raises(DamagedPartError, match="part 1 of the PDF is damaged") as raised:
        joined(good, (path, sheets))
    assert raised.value.part == 1


def test_damage_is_either_named_or_leaves_a_pdf_that_can_be_read(typeset):
    path, sheets = typeset({1: "Some text"})
    whole, chance = path.read_bytes(), random.Random(5)
    for _ in range(150):
        start = chance.randrange(len(whole))
        path.write_bytes(whole[:start] + chance.randbytes(8) + whole[start + 8 :])
        try:
            document = joined((path, sheets))
        except DamagedPartError:
            continue
        with opened(document) as file:
            assert len(file.pages) == 1


def test_sheets_that_are_not_those_of_the_parts_are_refused(part):
    path, _ = part({1: ("a", picture())})
    with pytest.raises(ValueError, match="the parts have 1 sheets, not 2"):
        joined((path, [Sheets(1, 2)]))


def test_the_parts_stay_as_they_are(part, tmp_path):
    path, sheets = part({1: ("a", picture())})
    copy = tmp_path / "copy.pdf"
    shutil.copy(path, copy)
    joined((path, sheets))
    assert path.read_bytes() == copy.read_bytes()
