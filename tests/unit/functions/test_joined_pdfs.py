"""Parts of a PDF, joined: every page as it was in its part, listed and labelled as if it had been built at once."""

import io
import os
import random
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pikepdf
import pytest
from PIL import Image
from unit.functions.pictures import encoded, picture

import scanner
from scanner import pdf, pdf_joining, typeset_pdf
from scanner.pdf_joining import DamagedPartError, Sheets, join
from scanner.text import Line, RecognisedText, Word

FUNCTIONS = Path(scanner.__file__).parents[1]
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


def test_the_identifier_is_of_the_content_and_twice_the_same(part):
    one, other = part({1: ("a", picture())}), part({1: ("b", picture())})
    first, second, third = (opened(document) for document in (joined(one), joined(other), joined(one, title="Other")))
    identifiers = {bytes(file.trailer.ID[0]) for file in (first, second, third)}
    assert len(identifiers) == 3
    assert all(bytes(file.trailer.ID[0]) == bytes(file.trailer.ID[1]) for file in (first, second, third))


def test_a_pdf_can_follow_other_content_of_the_file(part):
    one = part({1: ("a", picture())})
    file = io.BytesIO(b"before")
    file.seek(0, io.SEEK_END)
    join([one[0]], one[1], "Letters", CREATED, None, file)
    file.write(b"after")
    assert file.getvalue() == b"before" + joined(one) + b"after"


def test_images_are_not_held_in_memory(part, tmp_path):
    parts = [part({n: ("x", picture("JPEG") + random.Random(n).randbytes(9 << 20))}) for n in range(1, 7)]
    (tmp_path / "join.py").write_text("""if True:
        import sys
        from datetime import UTC, datetime
        from pathlib import Path
        from scanner.pdf_joining import Sheets, join

        def peak():
            lines = Path("/proc/self/status").read_text().splitlines()
            return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024

        before, parts = peak(), [Path(name) for name in sys.argv[1:]]
        with open(parts[0].with_name("joined.pdf"), "wb") as file:
            join(parts, [Sheets(n, 1) for n in range(1, 7)], "x", datetime.now(UTC), None, file)
            assert file.tell() > 54 << 20
        print(peak() - before)
    """)
    command = [sys.executable, tmp_path / "join.py", *(path for path, _ in parts)]
    environment = os.environ | {"PYTHONPATH": str(FUNCTIONS)}
    grown = int(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)
    assert grown < 40 << 20


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


@pytest.mark.parametrize(
    "damage", ["empty", "cut off", "not a PDF", "without its font", "without its intent", "with a broken stream"]
)
def test_a_damaged_part_is_named(part, tmp_path, damage):
    good, (path, sheets) = part({1: ("a", picture())}), part({2: ("b", picture())})
    whole = path.read_bytes()
    path.write_bytes(
        {
            "empty": b"",
            "cut off": whole[: len(whole) // 2],
            "not a PDF": b"<html></html>",
            "with a broken stream": whole.replace(b"endstream", b"endstrean", 1),
            "without its intent": whole.replace(b"/OutputIntents", b"/OutputIntentz"),
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


def test_parts_of_many_glyphs_are_joined_by_batches_into_the_same_pdf(typeset, monkeypatch):
    parts = [typeset({n: f"page {n} of sheets\nשלום {chr(0x4E00 + n)}"}) for n in range(1, 12)]
    at_once = joined(*parts)
    jobs, job = [], pikepdf.Job
    monkeypatch.setattr(pikepdf, "Job", lambda what: jobs.append(len(what["pages"])) or job(what))
    monkeypatch.setattr(pdf_joining, "_SHARED_AT_ONCE", 60)
    assert joined(*parts) == at_once
    assert len(jobs) > 3
    assert max(jobs) <= 4


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
