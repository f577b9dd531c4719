import io

import pytest
from PIL import Image, UnidentifiedImageError
from samplepages.bad_files import BAD_FILES

BY_ID = {bad.id: bad for bad in BAD_FILES}
TEN_MEBIBYTES = 10 * 1024 * 1024


def opened(name):
    return Image.open(io.BytesIO(BY_ID[name].make()))


def test_the_truncated_jpeg_starts_as_a_page_and_ends_too_early():
    image = opened("truncated")
    assert (image.format, image.size) == ("JPEG", (1654, 2339))
    with pytest.raises(OSError, match="truncated"):
        image.load()


def test_the_text_file_is_text_under_the_name_of_an_image():
    assert BY_ID["text"].suffix == ".png"
    assert BY_ID["text"].make().decode().isprintable() is False
    assert "milk" in BY_ID["text"].make().decode()
    with pytest.raises(UnidentifiedImageError):
        opened("text")


def test_the_empty_file_is_empty():
    assert BY_ID["empty"].make() == b""


def test_the_huge_png_is_small_and_well_formed(monkeypatch):
    content = BY_ID["huge"].make()
    assert len(content) < 200_000
    with pytest.raises(Image.DecompressionBombError):
        Image.open(io.BytesIO(content))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    image = Image.open(io.BytesIO(content))
    assert (image.format, image.mode, image.size) == ("PNG", "1", (30_000, 30_000))
    image.verify()


def test_the_heavy_page_is_sound_but_over_ten_mebibytes():
    content = BY_ID["heavy"].make()
    assert TEN_MEBIBYTES < len(content) < 12_000_000
    image = Image.open(io.BytesIO(content))
    image.load()
    assert (image.format, image.mode, image.size) == ("TIFF", "RGB", (1654, 2339))


def test_a_bad_file_has_the_same_bytes_each_time():
    assert BY_ID["truncated"].make() == BY_ID["truncated"].make()
