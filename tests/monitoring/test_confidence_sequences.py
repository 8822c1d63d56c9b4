"""Confidence sequences against closed forms, exact enumeration, SciPy and fixed intervals."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from ffn.evaluation.inference.statistics import wilson
from ffn.monitoring.confidence_sequences import (
    BoundedMean,
    falls_short,
    favours_first,
    log_evidence_above,
    log_evidence_of_sum,
    share_sequence,
)


@pytest.mark.parametrize("p", [0.1, 0.5, 0.93])
def test_the_expected_evidence_under_the_hypothesis_is_exactly_one(p: float) -> None:
    """A martingale that starts at 1, summed over all counts of a binomial distribution."""
    n = 12
    chances = stats.binom.pmf(range(n + 1), n, p)
    evidence = [math.exp(log_evidence_above(s, n, p)) for s in range(n + 1)]
    assert np.dot(chances, evidence) == pytest.approx(1.0, rel=1e-9)


def test_the_expected_evidence_of_changing_shares_is_at_most_one() -> None:
    """Every path of five rows with different shares, at their average: the claim under drift."""
    shares = [0.95, 0.2, 0.7, 0.99, 0.4]
    for n in range(1, 6):
        average = sum(shares[:n]) / n
        total = 0.0
        for path in itertools.product([0, 1], repeat=n):
            chance = math.prod(p if x else 1 - p for x, p in zip(path, shares, strict=False))
            total += chance * math.exp(log_evidence_above(sum(path), n, average))
        assert total <= 1.0 + 1e-12


def test_the_expected_evidence_of_a_sum_is_at_most_one() -> None:
    """Every path of numbers 0, 0.3 and 1, with the predictions that `BoundedMean` makes."""
    values, chances = (0.0, 0.3, 1.0), (0.5, 0.2, 0.3)
    expectation = 0.36
    for sign in (1, -1):
        total = 0.0
        for path in itertools.product(range(3), repeat=6):
            mean = BoundedMean()
            mean.add(np.array([values[k] for k in path]))
            above = sign * (mean.total - 6 * expectation)
            evidence = math.exp(log_evidence_of_sum(above, mean.variation))
            total += math.prod(chances[k] for k in path) * evidence
        assert total <= 1.0


def test_the_bounds_are_where_the_evidence_reaches_the_level() -> None:
    found = share_sequence(37, 50, alpha=0.1)
    assert log_evidence_above(37, 50, found.low) == pytest.approx(math.log(20), abs=1e-6)
    assert log_evidence_above(13, 50, 1 - found.high) == pytest.approx(math.log(20), abs=1e-6)
    assert found.value == 0.74


@settings(max_examples=40)
@given(st.integers(1, 3000), st.floats(0, 1))
def test_a_sequence_contains_the_share_and_the_interval_for_one_look(n: int, part: float) -> None:
    successes = round(part * n)
    found, fixed = share_sequence(successes, n), wilson(successes, n)
    assert 0 <= found.low <= found.value <= found.high <= 1
    if n >= 30:
        assert found.low <= fixed.low + 0.003
        assert found.high >= fixed.high - 0.003
    mirrored = share_sequence(n - successes, n)
    assert (1 - mirrored.high, 1 - mirrored.low) == pytest.approx((found.low, found.high), abs=1e-9)


def test_without_rows_nothing_is_known() -> None:
    found = share_sequence(0, 0)
    assert math.isnan(found.value)
    assert (found.low, found.high) == (0.0, 1.0)
    found = BoundedMean(-1.0, 1.0).interval()
    assert math.isnan(found.value)
    assert (found.low, found.high) == (-1.0, 1.0)


def test_a_test_for_a_shortfall_rejects_what_the_sequence_excludes() -> None:
    """Both are the same evidence, so the one-sided bound at 0.025 is the border of the test."""
    high = share_sequence(700, 1000).high
    assert falls_short(700, 1000, high + 1e-6) >= 40 > falls_short(700, 1000, high - 1e-6)


@pytest.mark.parametrize(("first", "second"), [(0, 0), (3, 1), (12, 4), (4, 12), (60, 20)])
def test_the_paired_evidence_is_the_integral_that_it_stands_for(first: int, second: int) -> None:
    expected, _ = integrate.quad(lambda x: (1 + x) ** first * (1 - x) ** second, 0, 1)
    assert favours_first(first, second) == pytest.approx(expected, rel=1e-9)


def test_the_expected_paired_evidence_of_equal_models_is_exactly_one() -> None:
    n = 14
    chances = stats.binom.pmf(range(n + 1), n, 0.5)
    evidence = [favours_first(k, n - k) for k in range(n + 1)]
    # 1 + lambda D has the mean 1 for each lambda if both win as often.
    assert np.dot(chances, evidence) == pytest.approx(1.0, rel=1e-9)


def test_extreme_counts_stay_finite() -> None:
    assert math.isfinite(falls_short(0, 10**7, 0.99))
    assert math.isfinite(favours_first(10**6, 0))
    assert favours_first(0, 10**6) == pytest.approx(0.0, abs=1e-5)


@given(st.lists(st.floats(0, 3), min_size=1, max_size=60), st.integers(0, 60))
def test_a_bounded_mean_does_not_depend_on_the_portions(values: list[float], cut: int) -> None:
    whole, parts = BoundedMean(0.0, 3.0), BoundedMean(0.0, 3.0)
    whole.add(np.array(values))
    parts.add(np.array(values[:cut]))
    parts.add(np.array(values[cut:]))
    one, other = whole.interval(), parts.interval()
    assert (one.low, one.high) == pytest.approx((other.low, other.high), abs=1e-9)
    assert one.value == pytest.approx(np.mean(values), abs=1e-9)
    assert 0 <= one.low <= one.value <= one.high <= 3


def test_a_bounded_mean_adapts_to_the_variance() -> None:
    generator = np.random.default_rng(0)
    wide, narrow = BoundedMean(), BoundedMean()
    wide.add(generator.integers(0, 2, 2000).astype(float))
    narrow.add(0.5 + 0.01 * generator.standard_normal(2000))
    assert wide.interval().high - wide.interval().low > 0.08
    assert narrow.interval().high - narrow.interval().low < 0.02


def test_a_number_outside_the_range_is_an_error() -> None:
    with pytest.raises(ValueError, match="outside the range"):
        BoundedMean(0.0, 1.0).add(np.array([0.5, 1.1]))
