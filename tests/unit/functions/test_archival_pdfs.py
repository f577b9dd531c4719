"""PDF/A-2b, as veraPDF finds it: searchable, typeset and joined, with every kind of image, profile and text.

All files are made first, and validated in one run of veraPDF; then each is a test.
"""

import io
import math
import struct
import zlib
from datetime import UTC, datetime

import numpy as np
import pikepdf
import pytest
import verapdf
from pikepdf import Name
from PIL import Image, PngImagePlugin
from unit.functions.pictures import encoded, picture
from unit.functions.profiles import CMYK, GREY, ODD_PROFILES, SRGB, changed

from scanner import pdf, pdf_joining, typeset_pdf
from scanner.text import Line, RecognisedText, Word

CREATED = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)

SCRIPTS = (
    "Zażółć gęślą jaźń, Ünïcödé — ﬁn", "Ελληνικό κείμενο", "Съешь ещё этих булок",
    "שלום עולם סרוק", "مرحبا بالعالم وثيقة", "नमस्ते दुनिया क्षेत्र", "สวัสดีชาวโลก",
    "扫描文档 你好世界", "日本語の 文書です", "안녕하세요 세계", "🧾 𝒳𝒴 𠀋 a\u0301 \u200d \ufffd",
)  # fmt: skip


def cmyk_jpeg(adobe_transform=None, **options):
    """Return a CMYK JPEG: inverted, with Adobe's marker, as Pillow writes them; or with another; or without (-1)."""
    image = Image.merge("CMYK", [Image.radial_gradient("L").rotate(90 * n) for n in range(4)])
    data = encoded(image, "JPEG", **options)
    marker = data.index(b"\xff\xee\0\x0eAdobe")
    if adobe_transform is None:
        return data
    if adobe_transform == -1:
        return data[:marker] + data[marker + 16 :]
    return changed(data, marker + 15, bytes([adobe_transform]))


def deep_png():
    """Return a PNG of 16-bit colours, which Pillow does not write."""

    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    rows = b"".join(b"\0" + (np.arange(12, dtype=">u2") * 1_701 * n).tobytes() for n in range(3))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 3, 16, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def png_with(*chunks, mode="RGB"):
    info = PngImagePlugin.PngInfo()
    for name, content in chunks:
        info.add(name, content)
    return picture("PNG", mode=mode, pnginfo=info)


def translucent(mode, **options):
    image = Image.radial_gradient("L").convert("RGB").convert(mode)
    image.putalpha(Image.linear_gradient("L"))
    return encoded(image, **options)


DEEP = Image.fromarray(np.arange(60 * 50, dtype=np.uint16).reshape(50, 60) * 21)

IMAGES = {
    **{f"JPEG, {mode}": picture("JPEG", mode=mode) for mode in ("L", "RGB")},
    **{f"JPEG, {mode}, with its profile": picture("JPEG", mode=mode, icc_profile=profile)
       for mode, profile in {"L": GREY, "RGB": SRGB}.items()},
    "JPEG, progressive": picture("JPEG", mode="RGB", progressive=True),
    "JPEG, turned": picture("JPEG", mode="RGB", orientation=6),
    "JPEG, CMYK inverted by Adobe": cmyk_jpeg(),
    "JPEG, CMYK without Adobe's marker": cmyk_jpeg(-1),
    "JPEG, YCCK": cmyk_jpeg(2),
    "JPEG, CMYK with its profile": cmyk_jpeg(icc_profile=CMYK),
    "JPEG, CMYK with the profile of RGB": cmyk_jpeg(icc_profile=SRGB),
    "JPEG, CMYK with a broken profile": cmyk_jpeg(icc_profile=CMYK[:500]),
    "JPEG, grey with the profile of RGB": picture("JPEG", mode="L", icc_profile=SRGB),
    **{f"JPEG with a profile {what}": picture("JPEG", mode="RGB", icc_profile=profile)
       for what, profile in ODD_PROFILES.items()},
    **{f"{kind}, {mode}": picture(kind, mode=mode)
       for kind in ("PNG", "TIFF") for mode in ("1", "L", "P", "RGB")},
    **{f"{kind}, {mode} with a profile": picture(kind, mode=mode, icc_profile=profile)
       for kind in ("PNG", "TIFF")
       for mode, profile in {"1": GREY, "L": GREY, "P": SRGB, "RGB": SRGB}.items()},
    **{f"PNG, {mode}": translucent(mode) for mode in ("LA", "RGBA")},
    "PNG, RGBA with a profile": translucent("RGBA", icc_profile=SRGB),
    "PNG, palette with a transparent colour": picture("PNG", mode="P", transparency=7),
    "PNG, 16 bits of grey": encoded(DEEP),
    "PNG, 16 bits of colour": deep_png(),
    "PNG with gamma and chromaticities": png_with(
        (b"gAMA", struct.pack(">I", 45_455)),
        (b"cHRM", struct.pack(">8I", 31_270, 32_900, 64_000, 33_000, 30_000, 60_000, 15_000, 6_000)),
    ),
    "PNG with sRGB's mark": png_with((b"sRGB", b"\0")),
    "TIFF, CMYK": picture("TIFF", mode="CMYK"),
    "TIFF, CMYK with its profile": picture("TIFF", mode="CMYK", icc_profile=CMYK),
    "TIFF, RGBA": translucent("RGBA", kind="TIFF"),
    "TIFF, YCbCr": picture("TIFF", mode="YCbCr"),
    "TIFF, 16 bits of grey": encoded(DEEP, "TIFF"),
    "TIFF, fax": picture("TIFF", mode="1", compression="group4"),
    "TIFF, compressed as JPEG": picture("TIFF", mode="RGB", compression="jpeg"),
    "one pixel": encoded(Image.new("L", (1, 1))),
    "a strip": encoded(Image.new("1", (10_000, 1))),
    "a post": encoded(Image.new("1", (1, 10_000)), dpi=(1_200, 1_200)),
    "as large as it can be": encoded(Image.new("1", (10_000, 10_000)), dpi=(150, 150)),
}  # fmt: skip


def text(*lines, tilt=0.0):
    """Return lines of words, each set on a polygon of its own."""
    found = []
    for row, said in enumerate(lines):
        words, top = said.split(" "), (row + 0.2) / len(lines)
        boxes = []
        for n, word in enumerate(words):
            left, right = (n + 0.1) / len(words), (n + 0.8) / len(words)
            lift = (right - left) * math.tan(tilt)
            boxes.append(Word(word, 99.0, ((left, top), (right, top - lift), (right, top + 0.01), (left, top + 0.02))))
        found.append(Line(said, 99.0, tuple(boxes)))
    return RecognisedText(800, 800, tuple(found))


TEXTS = {
    "no text": text(),
    "every script": text(*SCRIPTS),
    "tilted": text(*SCRIPTS, tilt=0.3),
    "control characters": text("a\x07b\x00c \x1f \ufffe\uffff"),
    "a word of 100,000 characters": text("x" * 100_000),
    "a tilted word of 100,000 characters": text("𝒳" * 100_000, tilt=0.3),
    "3,000 different characters": text("".join(map(chr, range(0x4E00, 0x4E00 + 3_000)))),
}

TITLES = {
    "title of markup": "<a> & ]]> \"' {} \\ ()",
    "title of every script": " ".join(SCRIPTS),
    "title of what XML has not": "a\ufffeb\uffff",
}


def searchable(*pages, title="Letters", language=None, rotation=0):
    """Return the PDF of pages (text, image), and its sheets."""
    file = io.BytesIO()
    scanned = [pdf.ScannedPage(n, text, lambda data=data: data, rotation) for n, (text, data) in enumerate(pages, 1)]
    sheets = pdf.build(title, CREATED, scanned, lambda pixels: None, file, language)
    return file.getvalue(), sheets


def typeset(*texts, title="Letters", language=None):
    file = io.BytesIO()
    pages = [typeset_pdf.TypesetPage(n, text) for n, text in enumerate(texts, 7)]
    sheets = typeset_pdf.build(title, CREATED, pages, file, language)
    return file.getvalue(), sheets


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory):
    """Every file's verdict, by the file's name."""
    folder, plain = tmp_path_factory.mktemp("archival"), picture()
    made = {f"image: {name}": searchable((text("A word"), data)) for name, data in IMAGES.items()}
    made |= {f"text: {name}": searchable((said, plain)) for name, said in TEXTS.items()}
    made |= {name: searchable((text("x"), plain), title=title) for name, title in TITLES.items()}
    made["every image"] = searchable(*((text("A word"), data) for data in IMAGES.values()), language="pt-BR")
    made["turned"] = searchable((text("x"), plain), rotation=270)
    made["typeset"] = typeset(*SCRIPTS, "\n".join(SCRIPTS * 20), "", language="ar")
    made["typeset in a language"] = typeset("x", language="de")
    paths = {name: folder / f"{n}.pdf" for n, name in enumerate(made)}
    for name, path in paths.items():
        path.write_bytes(made[name][0])

    def join(*names, title="Letters", language=None):
        file = io.BytesIO()
        sheets = [page for name in names for page in made[name][1]]
        pdf_joining.join([paths[name] for name in names], sheets, title, CREATED, language, file)
        return file.getvalue()

    late = {
        "joined": join(*made),
        "joined, of one": join("text: no text"),
        "text that is not invisible": spoilt(made["text: every script"][0], show_the_text),
        **{f"joined, {name}": join("typeset", title=title, language="ja") for name, title in TITLES.items()},
        **{f"spoilt: {name}": spoilt(made[file][0], spoil) for name, (file, spoil, _) in SPOILT.items()},
    }
    for name, document in late.items():
        paths[name] = folder / f"{len(paths)}.pdf"
        paths[name].write_bytes(document)
    return dict(zip(paths, verapdf.validate(list(paths.values())), strict=True))


def spoilt(document, spoil):
    """Return a PDF after something was done to it that PDF/A forbids."""
    file, target = pikepdf.open(io.BytesIO(document)), io.BytesIO()
    spoil(file)
    file.save(target)
    return target.getvalue()


def image_of(page):
    return next(iter(page.get_images().values()))


def set_device_cmyk(file):
    image_of(file.pages[0]).ColorSpace = Name.DeviceCMYK


def set_interpolate(file):
    image_of(file.pages[0]).Interpolate = True


def show_the_text(file):
    page = file.pages[0]
    page.Contents.write(page.Contents.read_bytes().replace(b"3 Tr", b"0 Tr"))


def take_font_away(file):
    show_the_text(file)  # of invisible text, PDF/A asks no font
    del file.pages[0].Resources.Font.F1.DescendantFonts[0].FontDescriptor.FontFile2


def set_widths(file):
    show_the_text(file)
    file.pages[0].Resources.Font.F1.DescendantFonts[0].W = [0, 9, 777]


def set_part(file):
    file.Root.Metadata.write(file.Root.Metadata.read_bytes().replace(b"part>2<", b"part>1<"))


SPOILT = {
    "no metadata": ("image: PNG, L", lambda file: file.Root.__delitem__("/Metadata"), "6.6.2.1-1"),
    "another part of PDF/A": ("image: PNG, L", set_part, "6.6.4-2"),
    "no output intent": ("image: PNG, L", lambda file: file.Root.__delitem__("/OutputIntents"), "6.2.4.3-4"),
    "CMYK of the device": ("image: TIFF, CMYK", set_device_cmyk, "6.2.4.3-3"),
    "interpolated": ("image: PNG, L", set_interpolate, "6.2.8-3"),
    "a font that is not embedded": ("text: every script", take_font_away, "6.2.11.4.1-1"),
    "widths that are not the font's": ("text: every script", set_widths, "6.2.11.5-1"),
}

VALID = [
    *(f"image: {name}" for name in IMAGES), *(f"text: {name}" for name in TEXTS), *TITLES, "every image", "turned",
    "text that is not invisible", "typeset", "typeset in a language",
    "joined", "joined, of one", *(f"joined, {name}" for name in TITLES),
]  # fmt: skip


@pytest.mark.parametrize("name", VALID)
def test_it_is_pdf_a_2b(verdicts, name):
    assert verdicts[name].failed == []
    assert verdicts[name].checks > 150


@pytest.mark.parametrize("name", SPOILT)
def test_the_validator_finds_what_is_not_allowed(verdicts, name):
    *_, rule = SPOILT[name]
    assert rule in {failure.partition(":")[0] for failure in verdicts[f"spoilt: {name}"].failed}


def test_the_validator_knows_all_rules_of_its_profile(verdicts):
    assert {verdict.rules for verdict in verdicts.values()} == {144}
