"""What rejected numbers look like, and the advice that follows."""

from __future__ import annotations

import pytest

from ffn.scoring.rows.decimal_marks import notation_hint, notation_of

BETWEEN = "a comma between thousands: write them without it, or if it is the decimal mark, give"
MARK = 'look written with a comma: give "," as the decimal mark.'


@pytest.mark.parametrize(
    ("cell", "decimal", "notation"),
    [
        ("1,5", ".", "decimal"),
        (" -0,512\t", ".", "decimal"),
        ("1,400", ".", "thousands"),
        ("-12,345,678", ".", "thousands"),
        ("1,400.50", ".", "thousands"),
        ("1400,500", ".", "decimal"),
        ("1.400", ",", "thousands"),
        ("1.400,50", ",", "thousands"),
        ("1.5e3", ",", "decimal"),
        # Beyond float64, and no number at all: no other mark would help.
        ("1e400", ".", ""),
        ("1e400", ",", ""),
        ("12,34,5", ".", ""),
        ("abc", ".", ""),
        ("", ".", ""),
    ],
)
def test_the_notation_of_a_cell(cell: str, decimal: str, notation: str) -> None:
    assert notation_of(cell, decimal) == notation


@pytest.mark.parametrize(
    ("counts", "rejected", "hint"),
    [
        ({"decimal": 3}, 6, MARK),
        # Some cells leave open what others tell.
        ({"decimal": 1, "thousands": 5, "": 2}, 8, MARK),
        ({"thousands": 5, "": 5}, 10, BETWEEN),
        ({"thousands": 4, "": 5}, 9, ""),
        ({"": 9}, 9, ""),
        ({}, 0, ""),
    ],
)
def test_advice_is_given_where_it_would_help_most_rows(
    counts: dict[str, int], rejected: int, hint: str
) -> None:
    said = notation_hint(counts, rejected, ".")
    assert bool(said) == bool(hint)
    assert hint in said
