"""PSI against hand calculation, and its limit against SciPy and against chance itself."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ffn.scoring.drift.psi import chance_limit, chi2_quantile, distribution_distance, psi

COUNTS = st.lists(st.integers(0, 1_000), min_size=2, max_size=15).filter(any)


def test_psi_by_hand() -> None:
    """Two bins alike, so q is 1/2, and p = (found + q) / (n + 1): 30.5 / 101 and 70.5 / 101."""
    p = (30.5 / 101, 70.5 / 101)
    by_hand = sum((x - 0.5) * math.log(x / 0.5) for x in p)
    assert psi(np.array([30, 70]), np.array([99, 99])) == pytest.approx(by_hand, rel=1e-12)
    assert by_hand == pytest.approx(0.166, abs=0.0005)


def test_an_empty_bin_is_finite_and_all_rows_in_one_bin_by_hand() -> None:
    """q = 10.5 / 105 of ten bins alike; p = (90 + 0.5) / 95 and 0.5 / 95."""
    found = psi(np.array([90] + [0] * 9), np.array([10] * 10))
    q, first, other = 0.1, 90.5 / 95, 0.5 / 95
    by_hand = (first - q) * math.log(first / q) + 9 * (other - q) * math.log(other / q)
    assert found == pytest.approx(by_hand, rel=1e-12)


@given(COUNTS, st.integers(1, 50))
def test_equal_shares_are_no_distance(counts: list[int], times: int) -> None:
    found = distribution_distance([c * times for c in counts], counts, 0.01)
    assert found.total_variation == pytest.approx(0, abs=1e-12)
    assert 0 <= found.psi < found.limit


@given(COUNTS, st.randoms())
def test_psi_is_not_negative_and_does_not_know_the_order_of_bins(counts, random) -> None:
    expected = [random.randrange(1, 1_000) for _ in counts]
    pairs = list(zip(counts, expected, strict=True))
    one = psi(*np.array(pairs).T)
    random.shuffle(pairs)
    assert one >= 0
    assert psi(*np.array(pairs).T) == pytest.approx(one, rel=1e-9, abs=1e-12)


def test_total_variation_by_hand() -> None:
    assert distribution_distance([8, 2], [5, 5], 0.01).total_variation == pytest.approx(0.3)
    assert distribution_distance([5, 0], [0, 5], 0.01).total_variation == pytest.approx(1)


def test_nothing_found_is_nothing_said() -> None:
    assert distribution_distance([0, 0], [3, 4], 0.01).limit == math.inf


@pytest.mark.parametrize("degrees", [1, 2, 5, 10, 20])
@pytest.mark.parametrize("alpha", [0.01, 1e-3, 1e-4, 1e-5])
def test_quantiles_are_scipys(degrees: int, alpha: float) -> None:
    exact = stats.chi2.ppf(1 - alpha, degrees)
    # Where it errs it asks for more.
    assert 0.99 < chi2_quantile(1 - alpha, degrees) / exact < 1.12


@pytest.mark.parametrize(("n", "m"), [(200, 1_000), (2_000, 500)])
def test_chance_exceeds_its_limit_as_often_as_it_says(n: int, m: int) -> None:
    """Ten bins alike: of 4,000 pairs of samples 200 are expected beyond the limit of 0.05."""
    generator = np.random.default_rng(1)
    shares = np.full(10, 0.1)
    pairs = zip(
        generator.multinomial(n, shares, size=4_000),
        generator.multinomial(m, shares, size=4_000),
        strict=True,
    )
    beyond = sum(psi(one, other) > chance_limit(n, other, 0.05) for one, other in pairs)
    assert 130 <= beyond <= 270


def test_rare_categories_are_counted_together() -> None:
    """Forty categories, of which the last thirty have a row each: twenty bins at most."""
    expected = [100] * 10 + [1] * 30
    found = distribution_distance(expected, expected, 0.01)
    assert found.limit == pytest.approx(2 / 1_030 * stats.chi2.ppf(0.99, 19), rel=0.01)
