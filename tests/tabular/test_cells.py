import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffn.tabular.cells import MISSING, UNKNOWN, category_codes, numbers, trim


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("1", 1.0),
        ("-0.5", -0.5),
        ("+.5", 0.5),
        ("5.", 5.0),
        ("1e3", 1000.0),
        ("2.5E-1", 0.25),
        (" \t7 ", 7.0),
        ("00012", 12.0),
        ("1e-400", 0.0),
        ("179769313486231570000" + "0" * 288, 1.7976931348623157e308),
    ],
)
def test_numbers(cell, value):
    values, wrong = numbers([cell], ("",))
    assert values.tolist() == [value]
    assert wrong == []


@pytest.mark.parametrize(
    "cell",
    [
        *("x", "1_4", "\u0661.\u0664", "\uff11", "0x1F", "1,000", "1.000,5", "1 000", "--1"),
        *("+", "-", ".", "e5", "1e", "1e5.0", "1.2.3", "inf", "-Infinity", "nan", "NaN", "1e999"),
        *("\u00a01", "1\u00a0", "1\n", "\u22121", "1%", "$1", "1f", "True"),
    ],
)
def test_no_numbers(cell):
    values, wrong = numbers(["3", cell], ("",))
    assert values[0] == 3
    assert math.isnan(values[1])
    assert wrong == [1]


def test_missing_is_no_mistake():
    values, wrong = numbers(["", " NA ", "n/a", "-9", "-9.0"], ("", "NA", "-9"))
    assert np.isnan(values).tolist() == [True, True, True, True, False]
    assert wrong == [2]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False)))
def test_numbers_as_python_writes_them(values):
    found, wrong = numbers([repr(value) for value in values], ())
    assert found.tolist() == values
    assert wrong == []


def test_category_codes():
    cells = ["b", " a\t", "", "NA", "c", "A", "a b"]
    codes = category_codes(cells, ("a", "a b", "b"), ("", "NA"))
    assert codes.tolist() == [2, 0, MISSING, MISSING, UNKNOWN, UNKNOWN, 1]
    assert codes.dtype == np.int64
    assert category_codes([], ("a",), ()).shape == (0,)


def test_trim_takes_spaces_and_tabs_alone():
    assert trim(" \t a b\u00a0\n ") == "a b\u00a0\n"
