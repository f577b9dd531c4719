"""The fonts that the sample pages are set in, and the packages of the registry that carry them.

No font is part of this project. All of these are Noto fonts under the SIL Open Font License 1.1, installed by name with
the `dev` dependency group.
"""

from dataclasses import dataclass
from importlib import metadata
from pathlib import Path


@dataclass(frozen=True)
class FontFile:
    """A font inside an installed package; `index` is its place in a collection (.ttc)."""

    package: str
    path: str
    index: int = 0


class FontMissingError(Exception):
    """A package that carries a font is not installed, or holds another version that lacks the file."""

    def __init__(self, font: FontFile) -> None:
        super().__init__(font)
        self.font = font

    def __str__(self) -> str:
        return (
            f"no {self.font.path!r} from the package {self.font.package!r}: "
            f"install it with `uv sync` (group dev), or with `pip install {self.font.package}`"
        )


def locate(font: FontFile) -> Path:
    """Return where the font is installed; raise FontMissingError."""
    try:
        path = Path(str(metadata.distribution(font.package).locate_file(font.path)))
    except metadata.PackageNotFoundError:
        raise FontMissingError(font) from None
    if not path.is_file():
        raise FontMissingError(font)
    return path


_CJK = "noto-cjk-sans-otc", "noto_cjk_sans_otc/NotoSansCJK-Regular.ttc"

SANS = FontFile("fontpkg-noto-sans", "fontpkg_noto_sans/files/NotoSans[wdth,wght].ttf")
SERIF = FontFile("fontpkg-noto-serif", "fontpkg_noto_serif/files/NotoSerif[wdth,wght].ttf")
HEBREW = FontFile("pylopdf-fonts-he", "pylopdf_fonts_he/NotoSansHebrew-Variable.ttf")
ARABIC = FontFile("pylopdf-fonts-ar", "pylopdf_fonts_ar/NotoNaskhArabic-Variable.ttf")
DEVANAGARI = FontFile("pylopdf-fonts-hi", "pylopdf_fonts_hi/NotoSansDevanagari-Variable.ttf")
JAPANESE = FontFile(*_CJK, index=0)
KOREAN = FontFile(*_CJK, index=1)
CHINESE = FontFile(*_CJK, index=2)
