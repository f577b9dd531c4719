"""The sample pages: which text, in which type, with which faults, in which file format."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from samplepages import encoding, faults, fonts
from samplepages.typesetting import Style, typeset

TEXTS = Path(__file__).parent.parent / "texts"

Fault = Callable[[Image.Image, np.random.Generator], Image.Image]


@dataclass(frozen=True)
class SamplePage:
    """What makes a page.

    `encode` is one of `encoding`'s functions, and `orientation` the EXIF value that it writes; `text` names the text
    where that is another page's.
    """

    id: str
    kind: str
    style: Style
    encode: Callable[[Image.Image, int], encoding.Encoded]
    faults: tuple[Fault, ...] = ()
    dpi: int = 200
    orientation: int | None = None
    text: str = ""

    def read_text(self) -> str:
        """Return the text with its marks (see `typesetting`)."""
        return (TEXTS / f"{self.text or self.id}.txt").read_text(encoding="utf-8")


@dataclass(frozen=True)
class DrawnPage:
    """A page's file and the text on it, line by line in reading order."""

    suffix: str
    image: bytes
    lines: list[str]


def draw(page: SamplePage) -> DrawnPage:
    """Make the page: the same bytes each time, whichever other pages are made."""
    rng = np.random.default_rng(zlib.crc32(page.id.encode()))
    image, lines = typeset(page.read_text(), page.style, page.dpi)
    for fault in page.faults:
        image = fault(image, rng)
    suffix, content = page.encode(image, page.dpi)
    return DrawnPage(suffix, content, lines)


def _photo(name: str, kind: str, style: Style, *, orientation: int, tilt: float) -> SamplePage:
    return SamplePage(
        name,
        kind,
        style,
        partial(encoding.phone_jpeg, orientation=orientation),
        (faults.paper, partial(faults.photograph, tilt=tilt), partial(faults.noise, sigma=5)),
        dpi=300,
        orientation=orientation,
    )


BLUE, GREEN, RED, BROWN = (24, 62, 120), (30, 92, 60), (150, 34, 34), (104, 66, 30)

PAGES = (
    _photo(
        "letter-english",
        "letter (English), phone photo on a table, turned (EXIF 6)",
        Style(fonts.SERIF, "en", accent=BLUE),
        orientation=6,
        tilt=0.02,
    ),
    SamplePage(
        "newsletter-english",
        "newsletter in two columns (English), clean grey PNG",
        Style(fonts.SERIF, "en", size=10.5, accent=GREEN),
        encoding.png,
        dpi=300,
    ),
    SamplePage(
        "invoice-english",
        "invoice with a table (English), bilevel TIFF (fax group 4) with specks",
        Style(fonts.SANS, "en", size=10.5),
        encoding.g4_tiff,
        (partial(faults.skew, degrees=-0.4), partial(faults.specks, count=900)),
        dpi=300,
    ),
    SamplePage(
        "letter-german",
        "letter (German), grey flat-bed scan, skewed and noisy",
        Style(fonts.SERIF, "de"),
        partial(encoding.jpeg, grey=True),
        (faults.paper, partial(faults.skew, degrees=1.7), partial(faults.noise, sigma=14)),
        dpi=300,
    ),
    SamplePage(
        "minutes-french",
        "minutes of a meeting (French), colour scan with the shadow of a fold",
        Style(fonts.SERIF, "fr", accent=BLUE),
        encoding.jpeg,
        (faults.paper, partial(faults.shadow, darkest=0.3), partial(faults.noise, sigma=4)),
    ),
    _photo(
        "recipe-polish",
        "recipe (Polish), phone photo in perspective, turned (EXIF 8)",
        Style(fonts.SANS, "pl", size=10.5, accent=BROWN),
        orientation=8,
        tilt=0.05,
    ),
    SamplePage(
        "notice-vietnamese",
        "notice (Vietnamese), slightly blurred scan",
        Style(fonts.SANS, "vi", accent=RED),
        encoding.jpeg,
        (faults.paper, partial(faults.blur, radius=1.2), partial(faults.noise, sigma=3)),
    ),
    SamplePage(
        "letter-greek",
        "letter (Greek), low resolution (100 dpi)",
        Style(fonts.SERIF, "el", accent=BLUE),
        partial(encoding.jpeg, quality=75),
        (faults.paper, partial(faults.noise, sigma=3)),
        dpi=100,
    ),
    SamplePage(
        "minutes-russian",
        "minutes of a meeting (Russian), heavy JPEG artefacts",
        Style(fonts.SERIF, "ru"),
        partial(encoding.jpeg, quality=14),
        (faults.paper, partial(faults.recopied, scale=0.7), partial(faults.noise, sigma=4)),
    ),
    SamplePage(
        "invoice-hebrew",
        "invoice with a table (Hebrew, right to left), 16-bit grey PNG",
        Style(fonts.HEBREW, "he"),
        encoding.grey16_png,
        (faults.paper, partial(faults.skew, degrees=0.6), partial(faults.noise, sigma=2)),
    ),
    SamplePage(
        "letter-arabic",
        "letter (Arabic, right to left, both kinds of digits), palette PNG",
        Style(fonts.ARABIC, "ar", size=13, leading=1.6, accent=GREEN),
        encoding.palette_png,
        (faults.paper,),
    ),
    SamplePage(
        "notice-hindi",
        "notice (Hindi), unevenly lit and skewed scan",
        Style(fonts.DEVANAGARI, "hi", size=11.5, leading=1.6, accent=RED),
        encoding.jpeg,
        (
            faults.paper,
            partial(faults.skew, degrees=-1.2),
            partial(faults.shadow, darkest=0.5),
            partial(faults.noise, sigma=7),
        ),
    ),
    SamplePage(
        "notice-chinese",
        "notice with a table (simplified Chinese), CMYK JPEG",
        Style(fonts.CHINESE, "zh-Hans", size=12, leading=1.6, accent=RED),
        encoding.cmyk_jpeg,
        (faults.paper,),
    ),
    _photo(
        "recipe-japanese",
        "recipe (Japanese), phone photo upside down (EXIF 3)",
        Style(fonts.JAPANESE, "ja", size=11.5, leading=1.6, accent=BROWN),
        orientation=3,
        tilt=0.03,
    ),
    SamplePage(
        "minutes-korean",
        "minutes of a meeting (Korean), skewed colour scan",
        Style(fonts.KOREAN, "ko", leading=1.6, accent=BLUE),
        partial(encoding.jpeg, quality=80),
        (faults.paper, partial(faults.skew, degrees=2.2), partial(faults.noise, sigma=5)),
    ),
    # The same texts again, each with a fault at its worst.
    SamplePage(
        "low-resolution",
        "invoice with a table (English), very low resolution (60 dpi)",
        Style(fonts.SANS, "en", size=10.5),
        partial(encoding.jpeg, quality=70),
        (faults.paper, partial(faults.noise, sigma=4)),
        dpi=60,
        text="invoice-english",
    ),
    SamplePage(
        "artefacts",
        "minutes of a meeting (French), copied often: soft, with heavy JPEG artefacts",
        Style(fonts.SERIF, "fr", size=9.5),
        partial(encoding.jpeg, quality=7),
        (faults.paper, partial(faults.recopied, scale=0.4), partial(faults.noise, sigma=5)),
        dpi=150,
        text="minutes-french",
    ),
    SamplePage(
        "out-of-focus",
        "letter (German), badly out of focus, dim and noisy",
        Style(fonts.SERIF, "de"),
        partial(encoding.jpeg, quality=80),
        (
            faults.paper,
            partial(faults.blur, radius=2.7),
            partial(faults.shadow, darkest=0.15),
            partial(faults.noise, sigma=12),
        ),
        text="letter-german",
    ),
    SamplePage(
        "broken-exif",
        "letter (English), upright scan whose EXIF block is broken: the page itself is sound",
        Style(fonts.SERIF, "en", accent=BLUE),
        partial(encoding.jpeg, exif=encoding.BROKEN_EXIF),
        (faults.paper, partial(faults.noise, sigma=3)),
        text="letter-english",
    ),
)
