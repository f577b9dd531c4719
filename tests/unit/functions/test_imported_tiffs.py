"""Pages taken out of TIFFs: all of them, in order, without loss where that fits."""

import io
import struct

import pytest
from paged_files import photograph, tiff
from PIL import Image, TiffImagePlugin

from scanner import image, imports, tiff_file
from scanner.errors import ImportRefusedError
from scanner.tiff_file import TiffFile

PICTURE = Image.open(io.BytesIO(photograph("Fax")))


def taken(content):
    file = TiffFile.open(io.BytesIO(content))
    return [file.page(number, place, with_text=True) for number, place in enumerate(file.places(), 1)]


def pixels(page):
    return Image.open(io.BytesIO(page.image))


def refusal(content):
    with pytest.raises(ImportRefusedError) as caught:
        taken(content)
    return caught.value


@pytest.mark.parametrize(
    ("mode", "compression"),
    [
        ("1", "group4"),
        ("1", "group3"),
        ("1", None),
        ("L", "tiff_lzw"),
        ("L", "tiff_adobe_deflate"),
        ("RGB", None),
        ("RGB", "packbits"),
        ("RGB", "tiff_lzw"),
        ("P", "tiff_lzw"),
    ],
)
def test_pages_are_taken_without_loss(mode, compression):
    frames = [PICTURE.rotate(10 * number).convert(mode) for number in range(3)]

    pages = taken(tiff(*frames, compression=compression))

    assert [page.content_type for page in pages] == ["image/png"] * 3
    wanted = {"P": "RGB"}.get(mode, mode)
    assert [pixels(page).convert(wanted).tobytes() for page in pages] == [f.convert(wanted).tobytes() for f in frames]


def test_a_jpeg_in_a_tiff_is_a_page():
    (page,) = taken(tiff(PICTURE, compression="jpeg"))

    assert pixels(page).size == PICTURE.size


def test_pages_of_different_sizes_and_modes_stay_so():
    frames = [PICTURE.resize((50 + n, 80)).convert(mode) for n, mode in enumerate(["1", "L", "RGB", "CMYK"])]

    assert [pixels(page).size for page in taken(tiff(*frames))] == [(50, 80), (51, 80), (52, 80), (53, 80)]


@pytest.mark.parametrize(("tag", "value", "pages"), [(254, 1, 2), (254, 4, 2), (254, 2, 3), (255, 2, 2), (255, 3, 3)])
def test_reduced_images_and_masks_are_no_pages(tag, value, pages):
    small = PICTURE.resize((10, 10))
    small.encoderinfo = {"tiffinfo": {254: value}}
    data = bytearray(tiff(PICTURE, small, PICTURE))
    for entry in entries(data, 1, {254}):
        struct.pack_into("<H", data, entry, tag)

    assert len(taken(bytes(data))) == pages


def entries(data, page, tags):
    """Where the entries of these tags are in the directory of a page."""
    (offset,) = struct.unpack_from("<I", data, 4)
    for _ in range(page):
        (offset,) = struct.unpack_from("<I", data, offset + 2 + 12 * struct.unpack_from("<H", data, offset)[0])
    (count,) = struct.unpack_from("<H", data, offset)
    every = range(offset + 2, offset + 2 + 12 * count, 12)
    return [entry for entry in every if struct.unpack_from("<H", data, entry)[0] in tags]


def test_a_page_that_is_turned_by_its_tag_is_upright():
    (page,) = taken(tiff(PICTURE, tiffinfo={274: 6}))

    assert pixels(page).tobytes() == PICTURE.rotate(-90, expand=True).tobytes()


def test_big_endian_is_read():
    directory = TiffImagePlugin.ImageFileDirectory_v2(b"MM\0*\0\0\0\0")
    strip = PICTURE.convert("L").tobytes()
    for tag, value in ((256, PICTURE.width), (257, PICTURE.height), (258, 8), (259, 1), (262, 1), (277, 1)):
        directory[tag] = value
    directory[278], directory[279], directory[273] = PICTURE.height, len(strip), 0
    out = io.BytesIO(b"MM\0*\0\0\0\x08")
    out.seek(8)
    directory.save(out)
    content = out.getvalue() + strip
    at = content.index(struct.pack(">HHI", 273, directory.tagtype[273], 1)) + 8
    start = len(content) - len(strip)
    packed = struct.pack(">I", start) if directory.tagtype[273] == 4 else struct.pack(">HH", start, 0)
    content = content[:at] + packed + content[at + 4 :]

    (page,) = taken(content)

    assert pixels(page).tobytes() == strip


def test_too_large_a_page_is_made_smaller(monkeypatch):
    monkeypatch.setattr(image, "MAX_SIDE", 300)

    (page,) = taken(tiff(PICTURE.convert("1"), compression="group4"))

    assert max(pixels(page).size) == 300


def test_a_page_that_is_too_large_without_loss_is_a_jpeg(monkeypatch):
    monkeypatch.setattr(image, "MAX_IMAGE_BYTES", 200_000)

    (page,) = taken(tiff(Image.effect_noise((700, 700), 90)))

    assert (page.content_type, len(page.image) < 200_000) == ("image/jpeg", True)


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7", b"II+\0", b"\x89PNG"])
def test_what_is_no_tiff_is_not_taken_for_one(content):
    assert refusal(content).code == "import-unsupported"


@pytest.mark.parametrize("cut", [6, 12, 100])
def test_what_is_cut_off_is_damaged(cut):
    assert refusal(tiff(PICTURE)[:cut]).code in {"import-damaged", "page-failed"}


def test_a_page_whose_strip_is_cut_off_is_refused_by_its_number():
    small = PICTURE.resize((10, 10))
    data = bytearray(tiff(small, small))
    (entry,) = entries(data, 1, {273})
    struct.pack_into("<I", data, entry + 8, len(data))

    error = refusal(bytes(data))

    assert (error.code, error.message[:6]) == ("page-failed", "Page 2")


def test_directories_that_go_in_circles_are_damage():
    data = bytearray(tiff(PICTURE))
    (first,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, first)
    struct.pack_into("<I", data, first + 2 + 12 * count, first)

    assert refusal(bytes(data)).code == "import-damaged"


def test_too_many_pages_are_refused(monkeypatch):
    monkeypatch.setattr(imports, "MAX_PAGES", 2)

    assert refusal(tiff(*[PICTURE.resize((5, 5))] * 3)).code == "import-too-many-pages"


def test_a_page_that_says_to_be_huge_is_refused():
    data = bytearray(tiff(PICTURE.convert("1"), compression="group4"))
    for entry in entries(data, 0, {256, 257}):
        struct.pack_into("<HII", data, entry + 2, 4, 1, 100_000)

    assert refusal(bytes(data)).code == "page-failed"


def test_strips_of_more_than_a_page_can_have_are_not_read(monkeypatch):
    monkeypatch.setattr(tiff_file, "_MOST_BYTES", 1000)

    assert refusal(tiff(PICTURE)).code == "page-failed"
