"""Formulas against hand calculation, SciPy, and figures from the literature."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

from ffn.evaluation.inference.statistics import (
    Z_95,
    corrected_t,
    holm,
    resampled_mean,
    wilson,
)

FIGURES = np.array([0.30, 0.34, 0.29, 0.41, 0.36])


def test_the_normal_quantile_is_scipys() -> None:
    assert special.ndtri(0.975) == Z_95


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [
        # Newcombe 1998, Statistics in Medicine 17, table I, method 3 (score without correction).
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_the_published_intervals(
    successes: int, n: int, low: float, high: float
) -> None:
    interval = wilson(successes, n)
    assert interval.value == successes / n
    assert (round(interval.low, 4), round(interval.high, 4)) == (low, high)


@given(st.integers(1, 100_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_solves_the_equation_of_the_score_test(counts: tuple[int, int]) -> None:
    """At its bounds p, the observed share is 1.96 standard errors of p itself away from p."""
    successes, n = counts
    interval = wilson(successes, n)
    z = stats.norm.ppf(0.975)
    for bound in {interval.low, interval.high} - {0.0, 1.0}:
        squared = n * (successes / n - bound) ** 2 / (bound * (1 - bound))
        assert squared == pytest.approx(z**2, rel=1e-6)
    assert 0 <= interval.low <= interval.value <= interval.high <= 1


def test_without_trials_nothing_is_known() -> None:
    interval = wilson(0, 0)
    assert math.isnan(interval.value)
    assert (interval.low, interval.high) == (0, 1)


def test_the_corrected_interval_by_hand() -> None:
    # Mean 0.34; squared deviations sum to 0.0094, so s^2 = 0.00235 and the corrected
    # variance of the mean is (1/5 + 1/4) 0.00235 = 0.0010575. Student's t, 4 degrees: 2.7764.
    interval = resampled_mean(FIGURES, 0.25)
    half = 2.776445 * math.sqrt(0.0010575)
    assert interval.value == pytest.approx(0.34)
    assert interval.low == pytest.approx(0.34 - half, abs=1e-7)
    assert interval.high == pytest.approx(0.34 + half, abs=1e-7)


def test_the_corrected_p_value_by_hand() -> None:
    # With 2 degrees of freedom, P(|T| > t) = 1 - t / sqrt(2 + t^2).
    # Mean 2, s^2 = 1, variance of the mean (1/3 + 2/3) 1 = 1, so t = 2.
    assert corrected_t(np.array([1.0, 2.0, 3.0]), 2 / 3) == pytest.approx(1 - 2 / math.sqrt(6))


samples = st.lists(st.floats(-100, 100), min_size=2, max_size=40).filter(
    lambda values: np.var(values) > 1e-6
)


@given(samples)
def test_without_overlap_both_are_the_textbooks_t(values: list[float]) -> None:
    figures = np.array(values)
    expected = stats.ttest_1samp(figures, 0.0)
    low, high = expected.confidence_interval(0.95)
    interval = resampled_mean(figures, 0.0)
    assert corrected_t(figures, 0.0) == pytest.approx(expected.pvalue, rel=1e-6, abs=1e-12)
    assert (interval.low, interval.high) == pytest.approx((low, high), rel=1e-6, abs=1e-6)


@given(samples, st.floats(0.01, 1))
def test_overlap_only_ever_makes_us_less_sure(values: list[float], ratio: float) -> None:
    figures = np.array(values)
    assert corrected_t(figures, ratio) >= corrected_t(figures, 0.0)
    assert corrected_t(figures, ratio) == pytest.approx(corrected_t(-figures, ratio))
    sure, unsure = resampled_mean(figures, 0.0), resampled_mean(figures, ratio)
    assert unsure.high - unsure.low > sure.high - sure.low


@given(samples, st.floats(0, 1))
def test_interval_and_test_agree_on_zero(values: list[float], ratio: float) -> None:
    figures = np.array(values)
    interval, p = resampled_mean(figures, ratio), corrected_t(figures, ratio)
    if abs(p - 0.05) > 1e-6:
        assert (interval.low <= 0 <= interval.high) == (p > 0.05)


@pytest.mark.parametrize(
    ("differences", "p"),
    [([], 1.0), ([0.2], 1.0), ([0.0, 0.0, 0.0], 1.0), ([0.5, 0.5], 0.0)],
)
def test_p_values_where_there_is_no_variance(differences: list[float], p: float) -> None:
    assert corrected_t(np.array(differences), 0.25) == p


def test_few_figures_bound_nothing() -> None:
    one, none = resampled_mean(np.array([0.4]), 0.25), resampled_mean(np.array([]), 0.25)
    assert (one.value, one.low, one.high) == (0.4, -math.inf, math.inf)
    assert math.isnan(none.value)
    assert (none.low, none.high) == (-math.inf, math.inf)


def test_holm_by_hand() -> None:
    # Sorted 0.005, 0.01, 0.03, 0.04; times 4, 3, 2, 1: 0.02, 0.03, 0.06, 0.04 -> 0.06.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([0.03]) == [0.03]
    assert holm([]) == []


p_values = st.lists(st.floats(0, 1), min_size=1, max_size=12)


@given(p_values)
def test_holm_rejects_what_its_step_down_procedure_rejects(p: list[float]) -> None:
    """Holm 1979: go up the sorted p-values and stop at the first above alpha / (m - i)."""
    alpha, rejected = 0.05, set()
    for i, position in enumerate(sorted(range(len(p)), key=p.__getitem__)):
        if p[position] * (len(p) - i) > alpha:
            break
        rejected.add(position)
    assert {i for i, value in enumerate(holm(p)) if value <= alpha} == rejected


@given(p_values, st.randoms())
def test_holm_keeps_the_order_and_lies_between_the_raw_and_bonferroni(p, random) -> None:
    adjusted = holm(p)
    for raw, value in zip(p, adjusted, strict=True):
        assert raw <= value <= min(1, raw * len(p)) + 1e-15
    for i in range(len(p)):
        for j in range(len(p)):
            assert adjusted[i] <= adjusted[j] or p[i] > p[j]
    shuffled = random.sample(range(len(p)), len(p))
    assert holm([p[i] for i in shuffled]) == [adjusted[i] for i in shuffled]
