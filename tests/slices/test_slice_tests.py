"""P-values and bounds of slices, beside those of SciPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ffn.slices.slice_tests import (
    higher_mean_p,
    higher_share_p,
    mean_at_level,
    share_at_level,
    units_in,
)

COUNTS = st.tuples(*[st.integers(0, 60)] * 4).filter(
    lambda counts: counts[0] + counts[1] > 0 and counts[2] + counts[3] > 0
)


def table_of(counts: tuple[int, ...]) -> tuple[Any, Any]:
    """Wrong and right inside, wrong and right outside, as rows."""
    wrong = np.repeat([True, False, True, False], counts)
    return wrong, np.repeat([True, True, False, False], counts)


@settings(max_examples=40)
@given(counts=COUNTS)
def test_shares_of_independent_rows_are_tested_as_fisher_did(counts: tuple[int, ...]) -> None:
    wrong, inside = table_of(counts)
    expected = stats.fisher_exact(np.array(counts).reshape(2, 2), alternative="greater").pvalue
    found = higher_share_p(wrong, inside, None, None)
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-12)


def test_rows_that_stand_for_each_other_count_once() -> None:
    """Ten copies of each row, of one group each, say no more than the rows."""
    wrong, inside = table_of((14, 26, 30, 130))
    alone = stats.fisher_exact(np.array([(14, 26), (30, 130)]), alternative="greater").pvalue
    groups = np.repeat(np.arange(len(wrong)), 10)
    copied = higher_share_p(np.repeat(wrong, 10), np.repeat(inside, 10), groups, None)
    assert alone <= copied < 3 * alone
    # As independent rows they would say far more.
    assert higher_share_p(np.repeat(wrong, 10), np.repeat(inside, 10), None, None) < alone / 1e3


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), rows=st.integers(100, 400))
def test_means_are_tested_by_the_larger_of_two_variances(seed: int, rows: int) -> None:
    generator = np.random.default_rng(seed)
    values = generator.exponential(size=rows)
    inside = generator.random(rows) < 0.4
    values[inside] += 0.1
    found = higher_mean_p(values, inside, None, None)
    pair = values[inside], values[~inside]
    welch, pooled = (
        stats.ttest_ind(*pair, equal_var=equal, alternative="greater") for equal in (False, True)
    )
    # Fewer degrees of freedom, and divisors of n; so the p-values are alike, not the same.
    expected = max(welch.pvalue, pooled.pvalue)
    assert found == pytest.approx(expected, rel=0.15, abs=0.005)
    assert higher_mean_p(values, inside, None, np.full(rows, 3.0)) == pytest.approx(found)
    # Each row a group of its own.
    assert higher_mean_p(values, inside, np.arange(rows)[::-1], None) == pytest.approx(found)
    copies = np.repeat(values, 4), np.repeat(inside, 4), np.repeat(np.arange(rows), 4), None
    assert higher_mean_p(*copies) == pytest.approx(found)


@pytest.mark.parametrize("values", [np.zeros(40), np.ones(40)])
def test_equal_values_show_nothing(values: Any) -> None:
    inside = np.arange(40) < 10
    assert higher_mean_p(values, inside, None, None) == 1.0
    assert higher_share_p(values.astype(bool), inside, None, None) == 1.0
    assert higher_mean_p(np.arange(40.0), inside, np.zeros(40), None) == 1.0


@settings(max_examples=30)
@given(right=st.integers(0, 50), of=st.integers(1, 50), level=st.floats(1e-5, 0.2))
def test_bounds_of_shares_are_those_of_clopper_and_pearson(
    right: int, of: int, level: float
) -> None:
    right = min(right, of)
    found = share_at_level(np.arange(of) < right, None, None, level)
    expected = stats.binomtest(right, of).proportion_ci(1 - level, method="exact")
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-9)
    assert found.value == right / of


def test_bounds_of_grouped_and_weighted_shares_are_wider() -> None:
    right = np.arange(200) % 5 > 0
    plain = share_at_level(right, None, None, 0.001)
    groups = np.arange(200) // 20
    for own_groups, weights in (
        (groups, None),
        (None, np.linspace(1, 9, 200)),
        (groups, np.linspace(1, 9, 200)),
    ):
        found = share_at_level(right, own_groups, weights, 0.001)
        assert found.low < plain.low < plain.high < found.high
    one = share_at_level(right, np.zeros(200), None, 0.001)
    assert (one.low, one.high) == (0, 1)


def test_bounds_of_means_are_students() -> None:
    values = np.random.default_rng(1).exponential(size=50)
    found = mean_at_level(values, values, None, None, 0.01)
    low, high = stats.t.interval(0.99, 49, values.mean(), stats.sem(values))
    assert (found.value, found.low, found.high) == pytest.approx((values.mean(), low, high))
    assert mean_at_level(values, values, np.zeros(50), None, 0.01).high == np.inf


def test_without_a_mistake_a_mean_reckons_with_those_that_are_too_rare() -> None:
    """Of 40 rows without a success the share is at most 1 - 0.005 ** (1 / 40)."""
    found = mean_at_level(np.full(40, 0.01), np.full(40, 4.0), None, None, 0.01)
    share = stats.binomtest(0, 40).proportion_ci(0.99, method="exact").high
    assert found.high == pytest.approx((1 - share) * 0.01 + share * 4)
    assert found.low == pytest.approx(0.01)


def test_units() -> None:
    rows = np.array([True, True, True, False])
    assert units_in(rows, None, None) == 3
    assert units_in(rows, np.array([1, 1, 2, 3]), None) == 2
    # Kish: (1 + 1 + 2)^2 / 6, and with the first two in a group (2 + 2)^2 / 8.
    assert units_in(rows, None, np.array([1.0, 1.0, 2.0, 9.0])) == pytest.approx(16 / 6)
    assert units_in(rows, np.array([1, 1, 2, 3]), np.array([1.0, 1, 2, 9])) == pytest.approx(2)
