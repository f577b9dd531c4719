"""How well a text was recognised."""

import re
import unicodedata
from collections import Counter


def word_f1(truth, recognised):
    """F1 of the bags of words of two texts, in per cent; case, and punctuation at the ends of a word, do not count."""
    expected, found = words(truth), words(recognised)
    total = expected.total() + found.total()
    return 200 * (expected & found).total() / total if total else 100.0


def words(text):
    text = re.sub(r"(\w)-\s*\n\s*(\w)", r"\1\2", unicodedata.normalize("NFKC", text))
    typewriter = str.maketrans("’‘“”„–—−", '\'\'"""---')
    stripped = (re.sub(r"^\W+|\W+$", "", word) for word in text.translate(typewriter).lower().split())
    return Counter(word for word in stripped if word)
