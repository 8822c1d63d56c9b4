"""A column's format is found from its cells, or there is a doubt; never another number."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffn.tabular.cells import is_number
from ffn.tabular.columns.format_recognition import Doubt, Found, recognise_format

UNITS = ["$", "€", "%", "kg", "CHF", "°C", "m²", "EUR", "months"]
MARKS = [("", "."), ("", ","), (",", "."), (".", ","), ("'", "."), ("\u202f", ","), (" ", ".")]


def write(cents: int, places: int, thousands: str, decimal: str) -> str:
    """Write a number of hundredths, without its fraction if it shall have no places."""
    whole, fraction = divmod(abs(cents), 100)
    text = f"{whole:,}".replace(",", thousands)
    return f"{text}{decimal}{fraction:02}"[: None if places else -3]


@given(
    st.lists(st.integers(0, 10**8), min_size=20, max_size=40),
    st.sampled_from(UNITS),
    st.sampled_from(MARKS),
    st.booleans(),
    st.sampled_from([0, 2]),
    st.sampled_from([".", ","]),
)
def test_what_is_found_reads_every_cell_as_it_was_meant(
    cents: list[int],
    unit: str,
    marks: tuple[str, str],
    before: bool,
    places: int,
    decimal: str,
) -> None:
    """Whatever the marks: two places leave no doubt of them, and none may do so."""
    meant = {}
    for number in cents:
        digits = write(number, places, *marks)
        text = f"{unit}{digits}" if before else f"{digits} {unit}"
        meant[text] = number / 100 if places else float(number // 100)
    found = recognise_format(Counter(meant), decimal)
    if before and unit in {"kg", "°C", "m²", "months"}:
        assert not isinstance(found, Found)  # no currency: rather a name
        return
    if not places and marks[0] == decimal and unit not in {"$", "€", "CHF", "EUR"}:
        return  # "1.234 kg" is read as plain numbers of the same file are
    if isinstance(found, Found):
        assert {text: found.format.number(text) for text in meant} == meant
        assert found.format.unit == unit
    else:
        assert isinstance(found, Doubt)
        assert not places
    if places:
        assert isinstance(found, Found)


@given(
    st.lists(st.integers(10**5, 10**8), min_size=20, max_size=40),
    st.sampled_from(["$", "£", "US$"]),
)
def test_a_comma_after_dollars_separates_thousands(numbers: list[int], unit: str) -> None:
    meant = {f"{unit}{number:,}": float(number) for number in numbers}
    found = recognise_format(Counter(meant), ".")
    assert isinstance(found, Found)
    assert {text: found.format.number(text) for text in meant} == meant


@given(
    st.lists(
        st.from_regex(r"[-+]?[0-9]{1,7}(\.[0-9]{0,4})?", fullmatch=True), min_size=1, max_size=30
    )
)
def test_plain_numbers_need_no_format(texts: list[str]) -> None:
    assert all(map(is_number, texts))
    assert recognise_format(Counter(texts), ".") is None


@given(st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=30), st.sampled_from(".,"))
def test_any_texts_are_looked_at(texts: list[str], decimal: str) -> None:
    found = recognise_format(Counter(text.strip(" \t") for text in texts), decimal)
    if isinstance(found, Found):
        assert found.format.number(found.example) == found.value


@pytest.mark.parametrize(
    ("cells", "formats"),
    [
        (["1.200 €", "2.500 €"], {"1234.5€", "1.234,5€"}),
        (["$1.200", "$950"], {"$1234.50", "$1.234,50"}),
        (["950 kg", "1.200 kg"], {"1234.5 kg", "1.234,5 kg"}),
        (["950 kg", "1,200 kg"], {"1,234.5 kg", "1234,5 kg"}),
        (["12,345 %", "3,155 %"], {"1,234.5%", "1234,5%"}),
        (["24,691", "903"], {"1,234.5", "1234,5"}),
    ],
)
def test_a_mark_that_may_be_either_is_in_doubt(cells: list[str], formats: set[str]) -> None:
    found = recognise_format(Counter(cells), ".")
    assert isinstance(found, Doubt)
    assert {form.example for form in found.formats} == formats


def test_where_the_point_is_decimal_three_places_are_no_thousands() -> None:
    found = recognise_format(Counter(["0.950 kg", "1.200 kg"]), ".")
    assert isinstance(found, Found)
    assert found.format.number("1.200 kg") == 1.2


@pytest.mark.parametrize(
    "cells",
    [
        ["555 123 456", "555 123 457"],
        ["100 200 300", "999 888 777"],
        ["0171 123 456", "0172 123 456"],
        ["2 items", "3"],
        ["room 3", "room 4"],
        ["5'11", "6'2"],
        ["1.2.3.4", "1.2.3.5"],
        ["12.01.2024", "13.01.2024"],
        ["", "$"],
        [],
    ],
)
def test_what_is_no_column_of_numbers_has_no_format(cells: list[str]) -> None:
    assert recognise_format(Counter(cells), ".") is None
