"""Shapes and rasterises lines of text with HarfBuzz.

Pillow shapes text only through libraqm, which loads the system's FriBiDi when there is one: without it Arabic falls
apart and Devanagari is wrong. HarfBuzz from its own wheel does the same on every machine.
"""

from dataclasses import dataclass
from functools import lru_cache

import uharfbuzz as hb
from fpdf.bidi import BidiParagraph
from fpdf.enums import TextDirection
from PIL import Image

from samplepages.fonts import FontFile, locate

RIGHT_TO_LEFT = frozenset({"ar", "he"})


class GlyphMissingError(Exception):
    """A font has no glyph for a character, so that the page would show a box instead of what its ground truth says."""

    def __init__(self, character: str, font: FontFile) -> None:
        super().__init__(character, font)
        self.character, self.font = character, font

    def __str__(self) -> str:
        return f"{self.font.path} has no glyph for {self.character!r} (U+{ord(self.character):04X})"


@dataclass(frozen=True)
class ShapedLine:
    """Glyphs with their origins, and the line's width; all in ems."""

    glyphs: tuple[tuple[int, float, float], ...]
    width: float


class Typeface:
    """A font at a weight, for text of one language (BCP 47), which decides forms and direction."""

    def __init__(self, file: FontFile, language: str, weight: int = 400) -> None:
        self._file = file
        self._language = language
        self.right_to_left = language in RIGHT_TO_LEFT
        face = hb.Face(hb.Blob.from_file_path(str(locate(file))), file.index)
        self._font = hb.Font(face)
        self._font.set_variations({"wght": weight})  # no effect on a font that has only one
        self._em = face.upem
        self.shape = lru_cache(maxsize=4096)(self._shape)

    def _shape(self, text: str) -> ShapedLine:
        """Lay a line out; raise GlyphMissingError."""
        runs = [(text, "ltr")]
        if self.right_to_left:
            # Runs come in logical order and numbers or foreign words are never nested deeper than one level in these
            # texts, so the order seen from the left is the reverse.
            fragments = BidiParagraph(text, base_direction=TextDirection.RTL).get_bidi_fragments()
            runs = [(run, "rtl" if way is TextDirection.RTL else "ltr") for run, way in reversed(fragments)]
        glyphs, pen = [], 0
        for run, direction in runs:
            buffer = hb.Buffer()
            buffer.add_str(run)
            buffer.direction = direction
            buffer.language = self._language  # guessed from the process's locale otherwise
            buffer.guess_segment_properties()
            hb.shape(self._font, buffer)
            for info, position in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
                if info.codepoint == 0:
                    raise GlyphMissingError(run[info.cluster], self._file)
                x, y = pen + position.x_offset, position.y_offset
                glyphs.append((info.codepoint, x / self._em, y / self._em))
                pen += position.x_advance
        return ShapedLine(tuple(glyphs), pen / self._em)

    def width(self, text: str, size: float) -> float:
        """Return the width of a line set at `size` pixels an em, in pixels."""
        return self.shape(text).width * size

    def draw(
        self, image: Image.Image, origin: tuple[float, float], text: str, size: float, ink: tuple[int, int, int]
    ) -> None:
        """Draw a line on the image at `size` pixels an em; `origin` is where its baseline starts on the left."""
        pen = hb.RasterDraw()
        scale = size / self._em
        left, baseline = origin
        for glyph, x, y in self.shape(text).glyphs:
            pen.transform = (scale, 0, 0, scale, left + x * size, y * size)
            pen.draw_glyph(self._font, glyph)
        coverage = pen.render()
        box = coverage.extents
        if box.width and box.height:
            # HarfBuzz's rows go upwards.
            mask = Image.frombytes("L", (box.width, box.height), coverage.buffer, "raw", "L", box.stride, -1)
            image.paste(ink, (box.x_origin, round(baseline) - box.y_origin - box.height), mask)
