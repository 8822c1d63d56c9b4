"""What to expect of later rows, against a calculation by hand, and how often it comes true."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ffn.evaluation.later_periods import expect_later


def test_the_interval_is_that_of_one_more_value_of_a_normal_sample():
    """Four periods of 100 rows with 80, 90, 70 and 85 right."""
    right = np.concatenate([np.arange(100) < hits for hits in (80, 90, 70, 85)])
    losses = np.repeat([0.5, 0.3, 0.7, 0.4], 100)
    times = np.repeat([1, 2, 3, 4], 100)
    found = expect_later(times, right, losses)
    assert found is not None
    assert found.periods == 4
    for figure, values, back in (
        (found.accuracy, [np.log((h + 0.5) / (100.5 - h)) for h in (80, 90, 70, 85)], logistic),
        (found.log_loss, np.log([0.5, 0.3, 0.7, 0.4]), np.exp),
    ):
        half = stats.t.ppf(0.975, 3) * np.std(values, ddof=1) * np.sqrt(1 + 1 / 4)
        mean = np.mean(values)
        assert figure.value == pytest.approx(back(mean))
        assert figure.low == pytest.approx(back(mean - half))
        assert figure.high == pytest.approx(back(mean + half))


def logistic(z):
    return 1 / (1 + np.exp(-z))


def test_rows_of_one_time_are_in_one_period_and_their_order_does_not_matter():
    generator = np.random.default_rng(0)
    times = np.repeat(np.arange(8), 30)
    right, losses = generator.random(240) < 0.7, generator.random(240)
    found = expect_later(times, right, losses)
    assert found is not None
    assert found.periods == 8
    order = generator.permutation(240)
    other = expect_later(times[order], right[order], losses[order])
    assert other is not None
    for name in ("accuracy", "log_loss"):
        mine, its = getattr(found, name), getattr(other, name)
        assert (mine.low, mine.value, mine.high) == pytest.approx((its.low, its.value, its.high))


@pytest.mark.parametrize(("rows", "times"), [(99, 99), (400, 3), (0, 0)])
def test_without_four_periods_there_is_nothing_to_expect(rows, times):
    when = np.arange(rows) * times // max(1, rows)
    assert expect_later(when, np.ones(rows, dtype=bool), np.ones(rows)) is None


@given(st.integers(100, 400), st.integers(0, 2**32 - 1))
def test_bounds_are_in_order_and_within_range(rows, seed):
    generator = np.random.default_rng(seed)
    right = generator.random(rows) < generator.random()
    found = expect_later(np.arange(rows), right, generator.exponential(size=rows))
    assert found is not None
    assert 0 <= found.accuracy.low <= found.accuracy.value <= found.accuracy.high <= 1
    assert 0 <= found.log_loss.low <= found.log_loss.value <= found.log_loss.high


def test_it_holds_the_next_period_as_often_as_stated_where_rows_alone_would_not():
    """Periods differ by more than chance: log-odds of accuracy have a spread of 0.4."""
    generator = np.random.default_rng(1)
    held = naive = 0
    for _ in range(400):
        accuracy = logistic(1 + 0.4 * generator.normal(size=9))
        right = generator.random((9, 200)) < accuracy[:, None]
        found = expect_later(np.repeat(np.arange(8), 200), right[:8].ravel(), np.ones(1600))
        assert found is not None
        held += found.accuracy.low <= right[8].mean() <= found.accuracy.high
        low, high = stats.binomtest(int(right[7].sum()), 200).proportion_ci(method="wilson")
        naive += low <= right[8].mean() <= high
    # Of 400 trials at 95 %, 380 are expected; fewer than 366 happen once in a thousand times.
    assert held >= stats.binom.ppf(0.001, 400, 0.95)
    assert naive < 300
