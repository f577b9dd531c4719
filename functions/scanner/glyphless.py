"""A font without outlines, for text that is searched and selected but not seen."""

import io
from collections.abc import Set

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib.tables._c_m_a_p import CmapSubtable

UNITS_PER_EM = 1000
ASCENT, DESCENT = 800, 200
ADVANCE = 500
SPACE_ADVANCE = 100
"""Narrow, so that the space after a word does not reach into the next one, however tight they are set."""

_ALIKE = 64
_EPOCH = 2_082_844_800  # 1970, counted from 1904 as fonts do: a fixed date that fontTools does not warn about


def font(characters: Set[str]) -> bytes:
    """Return a TrueType font in which every one of `characters` is an empty glyph, `ADVANCE` wide.

    A table of format 13 maps many characters to one glyph, of any script and plane. There are some glyphs that are
    alike, for fpdf2 compares a character with all before it that share its glyph: 2.2 s for 3,000 characters of one.
    All of Unicode would need no argument, but fpdf2 expands the table: 2.2 s and 130 MB for each document, against a
    hundredth of both.
    """
    glyphs = {".notdef": 0, "space": SPACE_ADVANCE} | {f"any{number}": ADVANCE for number in range(_ALIKE)}
    builder = FontBuilder(UNITS_PER_EM, isTTF=True)
    builder.setupHead(unitsPerEm=UNITS_PER_EM, created=_EPOCH, modified=_EPOCH)
    builder.setupGlyphOrder(list(glyphs))
    builder.setupCharacterMap({})
    builder.setupGlyf({name: TTGlyphPen(None).glyph() for name in glyphs})
    builder.setupHorizontalMetrics({name: (advance, 0) for name, advance in glyphs.items()})
    builder.setupHorizontalHeader(ascent=ASCENT, descent=-DESCENT)
    builder.setupOS2(sTypoAscender=ASCENT, sTypoDescender=-DESCENT, usWinAscent=ASCENT, usWinDescent=DESCENT)
    builder.setupNameTable({"familyName": "Glyphless", "styleName": "Regular", "psName": "Glyphless"})
    builder.setupPost(keepGlyphNames=False)
    cmap = CmapSubtable.newSubtable(13)
    cmap.platformID, cmap.platEncID, cmap.language = 3, 10, 0
    cmap.cmap = {ord(character): f"any{ord(character) % _ALIKE}" for character in characters} | {ord(" "): "space"}
    builder.font["cmap"].tables = [cmap]
    encoded = io.BytesIO()
    builder.save(encoded)
    return encoded.getvalue()
