"""The lookup against NumPy's interpolation, which searches: the same to the bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.special import ndtri
from sklearn.datasets import load_iris

from ffn.tabular.encodings.knot_lookup import KnotLookup, find_cells

RNG = np.random.default_rng(5)
COLUMNS: dict[str, Any] = {
    **{f"iris {i}": np.unique(load_iris().data[:, i]) for i in range(4)},
    "integers": np.unique(RNG.poisson(40, 3000)).astype(float),
    "normal": np.sort(RNG.normal(size=40)),
    "two": np.array([-3.0, 8.0]),
    "far from zero": 1e9 + np.arange(200.0),
    "tiny": np.arange(5) * 1e-160,
    "huge": np.linspace(-8e307, 8e307, 30),
}


def quantiles(knots: np.ndarray) -> np.ndarray:
    found: np.ndarray = ndtri((np.arange(len(knots)) + 0.5) / len(knots))
    return found


def near(knots: np.ndarray) -> np.ndarray:
    """Return the knots, their neighbours among the floats, and numbers between and beyond."""
    inside = RNG.uniform(knots[0], knots[-1], 5000) if np.ptp(knots) < 1e300 else knots / 3
    beside = [np.nextafter(knots, -np.inf), np.nextafter(knots, np.inf)]
    return np.concatenate([knots, *beside, inside, [0.0, -0.0, 1e308, -1e308, np.inf, -np.inf]])


def lookup(knots: np.ndarray) -> KnotLookup:
    found = find_cells(knots, quantiles(knots))
    assert found is not None
    return found


@pytest.mark.parametrize("name", COLUMNS)
def test_it_is_interpolation_to_the_bit(name: str) -> None:
    knots = COLUMNS[name]
    numbers = near(knots)
    before = numbers.copy()
    expected = np.interp(numbers, knots, quantiles(knots))
    np.testing.assert_array_equal(lookup(knots)(numbers), expected)
    np.testing.assert_array_equal(numbers, before)


@given(
    st.lists(st.floats(-1e6, 1e6, allow_subnormal=False), min_size=2, max_size=30, unique=True),
    st.lists(st.floats(allow_nan=False), max_size=30),
)
def test_no_rounding_puts_a_number_between_other_knots(
    some: list[float], asked: list[float]
) -> None:
    knots = np.sort(np.array(some))
    found = find_cells(knots, quantiles(knots))
    assume(found is not None)
    assert found is not None
    numbers = np.concatenate([near(knots), asked])
    np.testing.assert_array_equal(found(numbers), np.interp(numbers, knots, quantiles(knots)))


@pytest.mark.parametrize(
    "knots",
    [
        # A step that is far narrower than the range: too many cells.
        [0.0, 1e-6, 1.0],
        # A line that is too steep to be told from a jump.
        [0.0, 5e-324, 1e-323],
    ],
)
def test_where_cells_do_not_help_there_are_none(knots: list[float]) -> None:
    assert find_cells(np.array(knots), np.array([0.0, 1.0, 2.0])) is None
