"""The typefaces of typeset text: which of them has a character, how a run of text is shaped, what a glyph looks like.

They are Noto fonts, under the SIL Open Font License, from packages of the registry that a layer carries (`fonts/` at
the root of the project). Each is mapped into memory when a character first needs it, which takes less than a
millisecond: HarfBuzz reads variable fonts, CFF and collections as they are. All lengths are thousandths of an em.
"""

# uharfbuzz is compiled, and has no stubs.
# pyright: reportAttributeAccessIssue=false

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources

import uharfbuzz as hb

UNITS_PER_EM = 1000

_NOTO = "manimgx_fonts"
_SCRIPTS = (
    "Arabic", "Hebrew", "Devanagari", "Thai", "Armenian", "Bengali", "Ethiopic", "Georgian", "Gujarati", "Gurmukhi",
    "Kannada", "Khmer", "Lao", "Malayalam", "Myanmar", "Oriya", "Sinhala", "Tamil", "Telugu",
)  # fmt: skip
_CJK = "noto_cjk_sans_otc", "NotoSansCJK-Regular.ttc"
_KANA, _HANGUL = re.compile(r"[\u3041-\u30ff]"), re.compile(r"[\u1100-\u11ff\u3131-\u318e\uac00-\ud7a3]")
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


@dataclass(frozen=True, slots=True)
class Shape:
    """Shaped text: glyphs from left to right, each with where it is drawn, and the width of all."""

    glyphs: tuple[tuple[int, int, int], ...]
    width: int


class Typeface:
    """A font; `language` (BCP 47) decides between forms of the same character."""

    def __init__(self, package: str, file: str, index: int = 0, language: str = "und") -> None:
        face = hb.Face(hb.Blob.from_file_path(str(resources.files(package) / file)), index)
        self._font = hb.Font(face)
        self._font.scale = (UNITS_PER_EM, UNITS_PER_EM)
        self._language = language
        self.name = f"{file}#{index}"
        extents = self._font.get_font_extents("ltr")
        self.ascent, self.descent = extents.ascender, -extents.descender
        self.has = cache(self._has)
        self.shape = lru_cache(maxsize=4096)(self._shape)

    def _has(self, character: str) -> bool:
        return self._font.get_nominal_glyph(ord(character)) is not None

    def _shape(self, text: str, direction: str) -> Shape:
        """Shape a run that goes in one direction, `ltr` or `rtl`."""
        buffer = hb.Buffer()
        buffer.add_str(text)
        buffer.direction = direction
        buffer.language = self._language  # or it would be guessed from the process's locale
        buffer.guess_segment_properties()
        hb.shape(self._font, buffer)
        glyphs, pen = [], 0
        for info, position in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
            glyphs.append((info.codepoint, pen + position.x_offset, position.y_offset))
            pen += position.x_advance
        return Shape(tuple(glyphs), pen)

    def outline(self, glyph: int) -> bytes:
        """Return a glyph's outline as PDF path operators, y upwards, without painting it; empty for a blank."""
        path: list[str] = []
        self._font.draw_glyph(glyph, _pen(), path)
        return " ".join(path).encode()


class Typefaces:
    """The typefaces for a text, in the order of preference.

    Chinese, Japanese and Korean share characters and differ in how they are drawn: kana and hangul tell.
    """

    def __init__(self, text: str) -> None:
        index, language = (0, "ja") if _KANA.search(text) else (1, "ko") if _HANGUL.search(text) else (2, "zh-Hans")
        self._order: tuple[tuple[str, str, int, str], ...] = (
            (_NOTO, "NotoSans[wght].ttf", 0, "und"),
            *((_NOTO, f"NotoSans{script}[wght].ttf", 0, "und") for script in _SCRIPTS),
            (*_CJK, index, language),
            (_NOTO, "NotoSansSymbols[wght].ttf", 0, "und"),
            (_NOTO, "NotoEmoji[wght].ttf", 0, "und"),
        )
        self._first_with = cache(self._find)

    def runs(self, text: str) -> list[tuple[Typeface, str]]:
        """Return `text` in runs of one typeface each. A character that none has is replaced by U+FFFD.

        Marks, punctuation and digits stay in the typeface of the letters before them, where it has them.
        """
        runs: list[tuple[Typeface, str]] = []
        for character in text:
            last = runs[-1][0] if runs else None
            if last and (_is_ignorable(character) or (not character.isalpha() and last.has(character))):
                typeface = last
            elif found := self._first_with(character):
                typeface = found
            else:
                typeface, character = self._replacement()
            if typeface is last:
                runs[-1] = (typeface, runs[-1][1] + character)
            else:
                runs.append((typeface, character))
        return runs

    def _find(self, character: str) -> Typeface | None:
        return next((face for face in map(_opened, self._order) if face.has(character)), None)

    def _replacement(self) -> tuple[Typeface, str]:
        typeface = self._first_with(_REPLACEMENT)
        return (typeface, _REPLACEMENT) if typeface else (_opened(self._order[0]), "?")


@cache
def _opened(font: tuple[str, str, int, str]) -> Typeface:
    return Typeface(*font)


def _is_ignorable(character: str) -> bool:
    """Tell joiners, directional marks and variation selectors: they have no shape, and any typeface will do."""
    return unicodedata.category(character) == "Cf" or "\ufe00" <= character <= "\ufe0f"


@cache
def _pen() -> hb.DrawFuncs:
    """Draw into a list of PDF operators; what TrueType draws by quadratic curves HarfBuzz hands over as cubic ones."""
    pen = hb.DrawFuncs()

    def draw(operator: str, path: list[str], coordinates: Sequence[float]) -> None:
        path.append(" ".join([*(f"{value:.0f}" for value in coordinates), operator]))

    pen.set_move_to_func(lambda x, y, path: draw("m", path, (x, y)))
    pen.set_line_to_func(lambda x, y, path: draw("l", path, (x, y)))
    pen.set_cubic_to_func(lambda a, b, c, d, x, y, path: draw("c", path, (a, b, c, d, x, y)))
    pen.set_close_path_func(lambda path: draw("h", path, ()))
    return pen
