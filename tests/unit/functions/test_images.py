"""Page images: what is accepted, what recognition is given, thumbnails."""

import io
import random

import pytest
from PIL import Image, ImageDraw, PngImagePlugin
from unit.functions.pictures import encoded, stored

from scanner.errors import ImageRefusedError
from scanner.image import prepare

# About damaged metadata, Pillow only warns.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def sheet(size=(600, 400), mode="RGB"):
    """White paper with a dark corner, top left, and a lighter one next to it."""
    image = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, size[0] // 4, size[1] // 4), fill="black")
    draw.rectangle((size[0] * 3 // 4, 0, size[0], size[1] // 4), fill="grey")
    return image.convert(mode)


def opened(data):
    return Image.open(io.BytesIO(data))


def corners(image):
    """Mean brightness near the four corners, clockwise from the top left."""
    tiles = image.convert("L").resize((8, 8), Image.Resampling.BOX)
    return [tiles.getpixel(point) for point in ((0, 0), (7, 0), (7, 7), (0, 7))]


def assert_upright(image):
    assert corners(image) == pytest.approx([0, 128, 255, 255], abs=8)


def refused(data):
    with pytest.raises(ImageRefusedError) as error:
        prepare(data)
    assert len(error.value.message) > 20
    return error.value.code


@pytest.mark.parametrize(("kind", "mode"), [("JPEG", "RGB"), ("JPEG", "L"), ("PNG", "RGB"), ("PNG", "L")])
def test_what_textract_takes_goes_to_it_as_it_is(kind, mode):
    data = encoded(sheet(mode=mode), kind)
    prepared = prepare(data)
    assert prepared.recognisable is data
    assert (prepared.width, prepared.height) == (600, 400)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_is_made_upright(kind, orientation):
    prepared = prepare(encoded(stored(sheet(), orientation), kind, orientation=orientation))
    assert (prepared.width, prepared.height) == (600, 400)
    assert_upright(opened(prepared.recognisable))
    assert opened(prepared.recognisable).getexif().get(0x0112, 1) == 1
    assert_upright(opened(prepared.thumbnail))


@pytest.mark.parametrize("orientation", [9, 255, 65535])
def test_an_orientation_that_does_not_exist_is_upright(orientation):
    data = encoded(sheet(), "JPEG", orientation=orientation)
    assert prepare(data).recognisable is data


@pytest.mark.parametrize(
    "exif",
    [b"Exif\0\0", b"Exif\0\0MM\0*\xff\xff\xff\xff", b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\x12\x01" * 40, b"junk"],
)
def test_a_broken_exif_block_is_no_reason_to_refuse_an_image(exif):
    data = encoded(sheet(), "JPEG", exif=exif)
    prepared = prepare(data)
    assert (prepared.width, prepared.height) == (600, 400)
    assert_upright(opened(prepared.recognisable))


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        *(("JPEG", "CMYK"), ("PNG", "1"), ("PNG", "P"), ("PNG", "LA"), ("PNG", "RGBA")),
        *(("TIFF", "1"), ("TIFF", "L"), ("TIFF", "P"), ("TIFF", "RGB"), ("TIFF", "RGBA"), ("TIFF", "CMYK")),
    ],
)
def test_other_formats_and_colour_modes_are_converted(kind, mode):
    prepared = prepare(encoded(sheet(mode=mode), kind))
    given = opened(prepared.recognisable)
    assert given.format == ("JPEG" if kind == "JPEG" else "PNG")
    assert given.mode in {"L", "RGB"}
    assert_upright(given)
    assert_upright(opened(prepared.thumbnail))


@pytest.mark.parametrize(("kind", "mode"), [("PNG", "I;16"), ("TIFF", "I;16"), ("TIFF", "I;16B")])
def test_16_bit_grey_keeps_its_shades(kind, mode):
    ramp = Image.new("I;16", (256, 10))
    ramp.putdata([256 * column for _ in range(10) for column in range(256)])
    given = opened(prepare(encoded(ramp.convert("I").convert(mode), kind)).recognisable)
    assert given.mode == "L"
    assert [given.getpixel((column, 5)) for column in (0, 64, 128, 255)] == [0, 64, 128, 255]


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg", "group4"])
def test_tiff_of_any_usual_compression_is_read(compression):
    image = sheet(mode="1" if compression == "group4" else "RGB")
    assert_upright(opened(prepare(encoded(image, "TIFF", compression=compression)).recognisable))


def test_what_is_transparent_is_white():
    image = Image.new("RGBA", (100, 100), (0, 0, 0, 0))
    assert opened(prepare(encoded(image, "PNG")).recognisable).getextrema() == ((255, 255),) * 3
    keyed = encoded(Image.new("L", (100, 100), 7), "PNG", transparency=7)
    assert opened(prepare(keyed).recognisable).convert("L").getextrema() == (255, 255)


def test_a_phones_jpeg_with_further_pictures_appended_is_a_jpeg():
    data = encoded(sheet(), "MPO", save_all=True, append_images=[Image.new("RGB", (9, 9))])
    assert opened(data).format == "MPO"
    prepared = prepare(data)
    assert prepared.recognisable is data
    assert (prepared.width, prepared.height) == (600, 400)


def test_the_type_is_read_from_the_content():
    assert refused(encoded(sheet(), "GIF")) == "unsupported-image"
    assert refused(encoded(sheet(), "WEBP")) == "unsupported-image"
    assert refused(b"\0\0\0\x18ftypheic" + b"\0" * 100) == "unsupported-image"
    assert refused(b"%PDF-1.7\n") == "unsupported-image"
    assert refused(b"hello") == "unsupported-image"


@pytest.mark.parametrize(
    ("data", "name"), [(b"%PDF-1.7", "PDF"), (b"\0\0\0\x18ftypheic", "HEIC"), (b"RIFF....WEBP", "WebP")]
)
def test_a_format_that_people_try_is_called_by_its_name(data, name):
    with pytest.raises(ImageRefusedError, match=name):
        prepare(data)


def test_a_tiff_of_several_pages_is_refused():
    assert refused(encoded(sheet(), "TIFF", save_all=True, append_images=[sheet()])) == "unsupported-image"


def test_no_bytes_are_no_image():
    assert refused(b"") == "damaged-image"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
@pytest.mark.parametrize("kept", [0.02, 0.3, 0.9])
def test_a_truncated_image_is_damaged(kind, kept):
    data = encoded(Image.effect_noise((300, 300), 90), kind)
    assert refused(data[: int(len(data) * kept)]) == "damaged-image"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
def test_garbage_under_a_right_signature_is_refused_or_read_and_never_another_error(kind):
    data = encoded(sheet((60, 40)), kind)
    chance = random.Random(7)
    outcomes = set()
    for _ in range(400):
        garbled = bytearray(data)
        for _ in range(chance.randint(1, 12)):
            garbled[chance.randrange(8, len(data))] = chance.randrange(256)
        try:
            prepare(bytes(garbled))
            outcomes.add("read")
        except ImageRefusedError as refusal:
            outcomes.add(refusal.code)
    assert outcomes >= {"damaged-image", "read"}


@pytest.mark.parametrize("size", [(10_001, 10), (10, 10_001)])
def test_more_than_10_000_pixels_a_side_are_too_many(size):
    assert refused(encoded(Image.new("1", size), "PNG")) == "too-many-pixels"
    assert prepare(encoded(Image.new("1", (10_000, 10)), "PNG")).width == 10_000


@pytest.mark.parametrize("side", [20_000, 2_000_000_000])
def test_a_decompression_bomb_is_refused_before_it_is_decoded(side):
    bomb = bytearray(encoded(Image.new("1", (8, 8)), "PNG"))
    header = b"IHDR" + side.to_bytes(4, "big") * 2 + bytes(bomb[24:29])
    bomb[12:29] = header
    bomb[29:33] = PngImagePlugin.o32(PngImagePlugin._crc32(header))  # noqa: SLF001 - the header's checksum
    assert refused(bytes(bomb)) == "too-many-pixels"


def test_more_than_10_mb_are_too_large():
    assert refused(encoded(sheet(), "PNG") + b"\0" * 10_485_760) == "image-too-large"


def test_the_upright_image_stays_within_10_mb():
    noise = Image.merge("RGB", [Image.effect_noise((3_000, 3_000), 200) for _ in range(3)])
    data = encoded(noise, "JPEG", quality=75, orientation=6)
    assert len(data) < 10_485_760 < len(encoded(noise, "JPEG", quality=95)), "the test needs an image that grows"
    assert len(prepare(data).recognisable) <= 10_485_760


def test_a_thumbnail_is_a_jpeg_of_400_pixels_at_most():
    for size, expected in (((3_000, 2_000), (400, 267)), ((1_000, 4_000), (100, 400)), ((30, 20), (30, 20))):
        thumbnail = opened(prepare(encoded(sheet(size), "JPEG")).thumbnail)
        assert (thumbnail.format, thumbnail.size) == ("JPEG", expected)


def test_colours_that_cannot_be_read_are_refused():
    assert refused(encoded(Image.new("F", (10, 10)), "TIFF")) == "unsupported-image"
