"""How well a text was recognised."""

import re
import unicodedata
from collections import Counter

from rapidfuzz.distance import Levenshtein

_TYPEWRITER = str.maketrans("’‘“”„–—−", '\'\'"""---')


def word_f1(truth, recognised):
    """F1 of the bags of words of two texts, in per cent; case, and punctuation at the ends of a word, do not count."""
    expected, found = words(truth), words(recognised)
    total = expected.total() + found.total()
    return 200 * (expected & found).total() / total if total else 100.0


def words(text):
    text = re.sub(r"(\w)-\s*\n\s*(\w)", r"\1\2", _typewritten(text))
    stripped = (re.sub(r"^\W+|\W+$", "", word) for word in text.lower().split())
    return Counter(word for word in stripped if word)


def character_error_rate(truth, recognised):
    """Edits that turn one text into the other, in per cent of the truth's characters; any white space is one space."""
    expected, found = (" ".join(_typewritten(text).split()) for text in (truth, recognised))
    return 100 * Levenshtein.distance(expected, found) / len(expected)


def _typewritten(text):
    return unicodedata.normalize("NFKC", text).translate(_TYPEWRITER)
