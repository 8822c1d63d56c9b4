"""Which schedule is recommended, and that intervals are those of SciPy's paired t-test."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ffn.backtesting.frequencies import read_frequencies
from ffn.backtesting.schedules_compared import (
    ScheduleComparison,
    compare_schedules,
    mean_of_periods,
    recommend,
)
from ffn.evaluation.inference.statistics import Interval

LOSSES = st.lists(st.floats(0, 5).map(lambda x: round(x, 3)), min_size=4, max_size=20)


@given(LOSSES)
def test_the_interval_is_that_of_scipy(values: list[float]) -> None:
    differences = np.array([0.0, 1.0, *values])
    found = mean_of_periods(differences)
    expected = stats.ttest_1samp(differences, 0).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert found.value == pytest.approx(differences.mean())


def test_it_is_the_test_of_harvey_leybourne_and_newbold_at_one_period() -> None:
    """Their statistic, equation 9 with h = 1: DM times the root of (n - 1) / n, and t of n - 1."""
    d = np.array([-0.31, -0.12, 0.05, -0.22, -0.40, 0.02, -0.18])
    n, h = len(d), 1
    dm = d.mean() / np.sqrt(d.var() / n)
    corrected = dm * np.sqrt((n + 1 - 2 * h + h * (h - 1) / n) / n)
    p = 2 * stats.t.sf(abs(corrected), n - 1)
    at_p = mean_of_periods(d, p)
    assert at_p.high == pytest.approx(0, abs=1e-12)


def test_all_pairs_are_compared_at_a_share_of_the_level() -> None:
    rng = np.random.default_rng(3)
    losses = {name: rng.gamma(2, 0.2, 9) for name in ("1mo", "3mo", "never")}
    found = compare_schedules(["1mo", "3mo", "never"], losses, losses)
    assert [(one.first, one.second) for one in found] == [
        ("1mo", "3mo"),
        ("1mo", "never"),
        ("3mo", "never"),
    ]
    expected = stats.ttest_rel(losses["1mo"], losses["never"]).confidence_interval(1 - 0.05 / 3)
    assert (found[1].log_loss.low, found[1].log_loss.high) == pytest.approx(
        (expected.low, expected.high)
    )


def test_of_schedules_that_do_not_differ_one_is_shown_better_in_a_twentieth() -> None:
    """Exchangeable losses of four schedules on six periods, five hundred times."""
    rng, names = np.random.default_rng(0), ["1d", "1w", "1mo", "never"]
    wrong = 0
    for _ in range(500):
        common = rng.normal(size=6)
        losses = {name: common + rng.normal(size=6) for name in names}
        wrong += any(one.better for one in compare_schedules(names, losses, losses))
    # Bonferroni is conservative; 0.073 is 0.05 and its margin at 500 trials.
    assert 0.02 < wrong / 500 < 0.073


def pair(first: str, second: str, low: float, high: float) -> ScheduleComparison:
    figure = Interval((low + high) / 2, low, high)
    return ScheduleComparison(first=first, second=second, accuracy=figure, log_loss=figure)


def test_never_is_recommended_where_nothing_is_shown() -> None:
    found = recommend(read_frequencies("1mo", "date"), [pair("1mo", "never", -0.05, 0.03)], 6)
    assert (found.every, found.shown) == ("never", False)
    assert found.sentence == (
        "No difference is shown, so never retraining is recommended, which costs nothing: over 6 "
        "periods, log-loss of retraining every month less that of never retraining -0.0100 "
        "[-0.0500, +0.0300]. By retraining every month, up to 0.0500 nats per row might still be "
        "gained."
    )


def test_equal_models_are_said_to_be_equal() -> None:
    found = recommend(read_frequencies("2w", "date"), [pair("2w", "never", 0, 0)], 5)
    assert (found.every, found.shown) == ("never", False)
    assert "over 5 periods, all schedules would have had the same models" in found.sentence


def test_what_is_shown_to_be_better_is_recommended() -> None:
    found = recommend(read_frequencies("1mo", "date"), [pair("1mo", "never", -0.3, -0.1)], 6)
    assert (found.every, found.shown) == ("1mo", True)
    assert found.sentence == (
        "Retraining every month is recommended: over 6 periods, never retraining is shown to be "
        "worse than retraining every month, log-loss of retraining every month less that of never "
        "retraining -0.2000 [-0.3000, -0.1000]."
    )


def test_retraining_that_is_worse_is_not_recommended() -> None:
    found = recommend(read_frequencies("1mo", "date"), [pair("1mo", "never", 0.1, 0.3)], 6)
    assert (found.every, found.shown) == ("never", True)
    assert "retraining every month is shown to be worse than never retraining" in found.sentence


@pytest.mark.parametrize(("of_three", "expected"), [((-0.3, -0.05), "3mo"), ((-0.3, 0.05), "1mo")])
def test_the_rarest_that_beats_never_is_recommended(
    of_three: tuple[float, float], expected: str
) -> None:
    pairs = [
        pair("1mo", "3mo", -0.2, 0.1),
        pair("1mo", "never", -0.4, -0.1),
        pair("3mo", "never", *of_three),
    ]
    found = recommend(read_frequencies("1mo,3mo", "date"), pairs, 9)
    assert (found.every, found.shown) == (expected, True)
    other = {"3mo": "every month", "1mo": "every 3 months"}[expected]
    assert f"It is not shown to differ from retraining {other}." in found.sentence


def test_a_rare_schedule_that_is_worse_than_a_frequent_one_is_not() -> None:
    pairs = [
        pair("1mo", "3mo", -0.2, -0.1),
        pair("1mo", "never", -0.4, -0.1),
        pair("3mo", "never", -0.3, -0.1),
    ]
    assert recommend(read_frequencies("1mo,3mo", "date"), pairs, 9).every == "1mo"
