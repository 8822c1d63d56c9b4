"""Texts that a reader takes for the same are the same; others stay apart."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffn.tabular.text_encoding.normalised_text import MOST_CHARACTERS, normalise_text


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("Steel  Bolt\tM8\n", "steel bolt m8"),
        ("STRASSE", "strasse"),
        ("Straße", "strasse"),
        ("Cafe\u0301", "caf\u00e9"),
        ("\uff21\uff22\uff23\uff11", "abc1"),  # full width
        ("\ufb01sh", "fish"),  # ligature
        ("5\u00a0\u00b5m", "5 \u03bcm"),  # no-break space; micro sign and Greek mu
        ("\u0130", "i\u0307"),  # capital i with dot, whose folding takes it apart
        ("\u03a3\u03c2", "\u03c3\u03c3"),  # final sigma
        ("\u05e9\u05dc\u05d5\u05dd", "\u05e9\u05dc\u05d5\u05dd"),  # right to left
        ("a\0b", "a\0b"),
        ("\udcff", "\udcff"),  # a surrogate escape
        ("\u200fabc", "\u200fabc"),  # a direction mark stays
        ("", ""),
        (" \t\u3000\u2028", ""),
    ],
)
def test_examples_of_the_unicode_standard(cell: str, expected: str) -> None:
    assert normalise_text(cell) == expected


@given(st.text())
def test_canonically_equivalent_texts_are_equal(text: str) -> None:
    composed, apart = unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text)
    assert normalise_text(composed) == normalise_text(apart) == normalise_text(text)


@given(st.text(), st.text(alphabet=" \t\r\n\u00a0\u2003\u3000", min_size=1))
def test_white_space_around_a_text_has_no_effect(text: str, space: str) -> None:
    found = normalise_text(f"{space}{text}{space}")
    assert found == normalise_text(text)
    assert found == " ".join(found.split())


@given(st.text(alphabet=st.characters(max_codepoint=127)))
def test_ascii_is_folded_as_any_text_is(text: str) -> None:
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    assert normalise_text(text) == " ".join(folded.split())


def test_a_long_cell_is_read_up_to_a_limit() -> None:
    start = "ab " * (MOST_CHARACTERS // 3) + "c"
    assert len(start) == MOST_CHARACTERS
    assert normalise_text(start + "zzz" * 100_000) == normalise_text(start)
