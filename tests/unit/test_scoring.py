"""How the scores of recognised texts are counted."""

import pytest
from scoring import character_error_rate, word_f1


@pytest.mark.parametrize(
    ("recognised", "expected"),
    [("Dear reader", 0), ("Dear\n  reader ", 0), ("Dear leader", 100 / 11), ("Dear", 700 / 11), ("", 100)],
)
def test_the_character_error_rate_counts_edits_but_no_white_space(recognised, expected):
    assert character_error_rate("Dear reader", recognised) == pytest.approx(expected)


def test_typographic_and_typewriter_forms_are_the_same_character():
    assert character_error_rate("l’été – fin", "l'été - fin") == 0


def test_words_are_compared_without_their_order():
    assert word_f1("one two three", "three, Two one") == 100
    assert word_f1("one two", "one six") == 50
