"""Formatted numbers, written by hand rules and Python's decimal, read back as the same numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffn.tabular.columns.formatted_column import formatted_numbers
from ffn.tabular.number_format import NumberFormat

UNITS = ["", "$", "€", "%", "‰", "kg", "CHF", "US$", "°C", "m²", "Rs.", "km/h", "m2"]
MARKS = [("", "."), ("", ","), (",", "."), (".", ","), ("'", "."), (" ", ","), (" ", ".")]
SPACES = ["", " ", "\u00a0", "\u202f"]


def grouped(digits: str, mark: str) -> str:
    """Separate thousands, from the right."""
    groups = []
    while len(digits) > 3:
        digits, last = digits[:-3], digits[-3:]
        groups.insert(0, last)
    return mark.join([digits, *groups])


@st.composite
def written(draw: st.DrawFn) -> tuple[NumberFormat, str, float]:
    """Return a format, a number in it, and the float64 that is nearest to the number."""
    thousands, mark = draw(st.sampled_from(MARKS))
    unit = draw(st.sampled_from(UNITS))
    form = NumberFormat(unit=unit, before=draw(st.booleans()), thousands=thousands, decimal=mark)
    number = draw(st.decimals(0, 10**9, allow_nan=False, places=draw(st.integers(0, 4))))
    whole, _, fraction = f"{number:f}".partition(".")
    text = draw(st.sampled_from([whole, grouped(whole, thousands)]))
    if thousands == " ":
        text = text.replace(" ", draw(st.sampled_from(SPACES[1:])))
    elif thousands == "'":
        text = text.replace("'", draw(st.sampled_from(["'", "\u2019"])))
    text += f"{mark}{fraction}" if fraction else ""
    space = draw(st.sampled_from(SPACES))
    minus = draw(st.sampled_from(["-", "\u2212"]))
    texts = [f"{text}{space}{unit}", f"{unit}{space}{text}"]
    if not form.needs_unit:
        texts.append(text)
    positive = draw(st.booleans())
    if not positive:
        texts = [
            sign for one in texts for sign in (f"{minus}{one}", f"({one})", f"{one}{space}{minus}")
        ] + [f"{unit}{space}{minus}{text}", f"{unit}{space}({text})"]
    return form, draw(st.sampled_from(texts)), float(number if positive else -number)


@given(written())
def test_what_is_written_in_a_format_is_read_as_the_same_number(
    case: tuple[NumberFormat, str, float],
) -> None:
    form, text, number = case
    assert form.number(text) == number


@given(st.lists(written(), min_size=1, max_size=20), st.data())
def test_all_at_once_is_one_by_one(
    cases: list[tuple[NumberFormat, str, float]], data: st.DataObject
) -> None:
    """Also of cells that are written in another format, or are no numbers at all."""
    form = cases[0][0]
    texts = [text for _, text, _ in cases]
    texts += data.draw(st.lists(st.text("0123456789.,'- ()$%ekg\u2212\u00a0\0\1\2", max_size=9)))
    texts = data.draw(st.permutations(texts))
    few, wrong_of_few = formatted_numbers(texts, form, ("", "-9"))
    # Two thousand cells are many.
    times = -(-2_000 // len(texts))
    found, wrong = formatted_numbers(texts * times, form, ("", "-9"))
    np.testing.assert_array_equal(found, np.tile(few, times))
    assert wrong == [i + turn * len(texts) for turn in range(times) for i in wrong_of_few]
    missing = {i for i, text in enumerate(texts) if text.strip(" \t") in {"", "-9"}}
    assert set(wrong_of_few) | missing == set(np.flatnonzero(np.isnan(few)).tolist())


@given(st.floats(allow_nan=False, allow_infinity=False), st.sampled_from(UNITS), st.booleans())
def test_a_number_is_written_so_that_it_is_read_back(value: float, unit: str, before: bool) -> None:
    for thousands, decimal in MARKS:
        form = NumberFormat(unit=unit, before=before, thousands=thousands, decimal=decimal)
        assert form.number(form.written(repr(abs(value)), negative=value < 0)) == value
        bare = form.number(form.bare(repr(value)))
        assert math.isnan(bare) if form.needs_unit else bare == value


@given(st.sampled_from(UNITS), st.booleans(), st.sampled_from(MARKS))
def test_the_example_declares_the_format(unit: str, before: bool, marks: tuple[str, str]) -> None:
    form = NumberFormat(
        unit=unit, before=before and bool(unit), thousands=marks[0], decimal=marks[1]
    )
    if before and any(map(str.isdigit, unit)):
        return  # a unit with a digit in it stands behind
    assert NumberFormat.of(form.example) == form
    assert form.number(form.example) == 1234.5


@pytest.mark.parametrize(
    ("form", "text", "value"),
    [
        ("$1,234.50", "$1,234,567.89", 1234567.89),
        ("$1,234.50", "$ (5.50)", -5.5),
        ("$1,234.50", "+$5", 5),
        ("$1,234.50", "1.2e3 $", 1200),
        ("$1,234.50", "$1e-3", 0.001),
        ("$1,234.50", "12,34,567", 1234567),
        ("CHF 1'234.50", "CHF 1'200", 1200),
        ("1.234,5 €", "1.234 €", 1234),
        ("1234.5%", "12 %", 12),
        ("1234.5", "5-", -5),
        ("1234.5", "\u22125", -5),
        # Not one by the format, whatever else it may be.
        ("$1,234.50", "$1,23", math.nan),
        ("$1,234.50", "$0,123", math.nan),
        ("$1,234.50", "$1,2345", math.nan),
        ("$1,234.50", "1 234", math.nan),
        ("$1,234.50", "€5", math.nan),
        ("$1,234.50", "US$5", math.nan),
        ("$1,234.50", "$5$", math.nan),
        ("$1,234.50", "5$5", math.nan),
        ("$1,234.50", "--$5", math.nan),
        ("$1,234.50", "-($5)", math.nan),
        ("$1,234.50", "$5 - $7", math.nan),
        ("$1,234.50", "$1e400", math.nan),
        ("$1,234.50", "$", math.nan),
        ("$1,234.50", "", math.nan),
        ("$1,234.50", "$inf", math.nan),
        ("1234.5%", "0.12", math.nan),
        ("1234.5 kg", "5 g", math.nan),
        ("1234.5 m", "5 mm", math.nan),
        ("1.234,5 €", "1,234.50 €", math.nan),
        ("1234.5", "1,234", math.nan),
        ("1234.5", "\uff15", math.nan),
    ],
)
def test_cells_by_hand(form: str, text: str, value: float) -> None:
    np.testing.assert_equal(NumberFormat.of(form).number(text), value)


def test_long_cells_are_no_numbers_and_take_no_time() -> None:
    form = NumberFormat.of("$1,234.50")
    for text in ("\u00a0" * 100_000 + "x", "$" + " " * 100_000 + "x", "1," * 100_000, "9" * 400):
        assert math.isnan(form.number(text))
        _, wrong = formatted_numbers([text, *["$5"] * 3_000], form, ())
        assert wrong == [0]
    assert form.number("$" + "0" * 300 + "5") == 5


@pytest.mark.parametrize("example", ["$1,234.50", "$1,234.5", "1 234,50 €", "1234,5"])
def test_an_example_is_1234_and_a_half(example: str) -> None:
    assert NumberFormat.of(example).number(example) == 1234.5
    assert NumberFormat.of("$1,234").number("$1,234") == 1234


@pytest.mark.parametrize(
    "example", ["", "x", "12%", "120 €", "$1234.50€", "1,234,5", "1.234.5", "(1234.5)", "-1234.5"]
)
def test_another_example_is_refused(example: str) -> None:
    with pytest.raises(ValueError, match=r'must be 1234\.5 as the column writes it, such as "\$1,'):
        NumberFormat.of(example)


@pytest.mark.parametrize("unit", ["5", "-", "(", "a,b", "e", "E", "", "\n", '"', "x\0"])
def test_a_unit_is_no_part_of_a_number(unit: str) -> None:
    if unit == "":
        assert NumberFormat(unit=unit).unit == ""
        return
    with pytest.raises(ValueError, match=r"must be 1234\.5"):
        NumberFormat(unit=unit)
