"""The choice of a learning rate, cross-fitted over resamples."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ffn.training.rate_search import next_rate, search_rates, still_racing

RATES = (0.003, 0.01, 0.03)


def test_the_rate_of_a_resample_is_chosen_on_the_others() -> None:
    """By hand: on all three the second rate is best; without the first resample the third is."""
    losses = np.array([[0.9, 0.9, 0.9], [0.1, 0.5, 0.5], [0.8, 0.4, 0.4]])
    found = search_rates(RATES, losses, 0.25)
    assert found.rate == 0.01
    assert found.best == 1
    # Without resample 0: 0.5 against 0.4. Without 1: (0.1 + 0.5) / 2 against (0.8 + 0.4) / 2.
    assert found.chosen == (2, 1, 1)
    assert [line.rate for line in found.lines] == list(RATES)
    assert [line.finished for line in found.lines] == [3, 3, 3]
    assert found.edge == ""


def test_a_loss_never_decides_at_which_rate_it_is_judged() -> None:
    generator = np.random.default_rng(5)
    losses = generator.uniform(0.2, 0.4, (4, 8))
    before = search_rates((1, 2, 3, 4), losses, 0.25)
    for k in range(8):
        changed = losses.copy()
        changed[:, k] = generator.uniform(0, 9, 4)
        assert search_rates((1, 2, 3, 4), changed, 0.25).chosen[k] == before.chosen[k]


def test_equal_rates_seem_no_better_for_being_many() -> None:
    """The lowest of twenty equal means is too low; the cross-fitted loss is not."""
    generator = np.random.default_rng(11)
    naive, fitted = [], []
    for _ in range(400):
        losses = generator.normal(1.0, 0.1, (20, 8))
        found = search_rates(tuple(range(1, 21)), losses, 0.25)
        naive.append(losses.mean(axis=1).min())
        fitted.append(losses[list(found.chosen), np.arange(8)].mean())
    # The expected lowest of 20 normal means is 1.867 standard errors below (order statistics).
    assert np.mean(naive) == pytest.approx(1 - 1.867 * 0.1 / math.sqrt(8), abs=0.002)
    error = np.std(fitted, ddof=1) / math.sqrt(len(fitted))
    assert abs(np.mean(fitted) - 1) < 4 * error


def test_a_rate_at_which_networks_diverge_is_never_preferred() -> None:
    nan = math.nan
    found = search_rates(RATES, np.array([[0.5, 0.6], [0.1, nan], [nan, nan]]), 0.25)
    assert found.rate == 0.003
    assert [line.finished for line in found.lines] == [2, 1, 0]
    # Without resample 1 nothing is known to diverge at the second rate.
    assert found.chosen == (0, 1)
    assert math.isnan(found.lines[2].loss.value)


def test_of_equal_rates_the_lower_is_taken() -> None:
    assert search_rates(RATES, np.full((3, 4), 0.3), 0.25).chosen == (0, 0, 0, 0)


def test_a_single_resample_chooses_for_itself() -> None:
    found = search_rates(RATES, np.array([[0.3], [0.2], [0.4]]), 0.25)
    assert found.chosen == (1,)
    assert found.rate == 0.01


def test_the_interval_is_the_corrected_one() -> None:
    values = np.array([0.31, 0.29, 0.35, 0.25])
    line = search_rates((0.01,), values[None], 0.25).lines[0]
    half = stats.t.ppf(0.975, 3) * values.std(ddof=1) * math.sqrt(1 / 4 + 0.25)
    assert line.loss.value == pytest.approx(0.30)
    assert (line.loss.low, line.loss.high) == pytest.approx((0.30 - half, 0.30 + half))


@pytest.mark.parametrize(
    ("rates", "best", "beyond"),
    [
        ((0.003, 0.01, 0.03), 0, 0.001),
        ((0.001, 0.003), 0, 0.0003),
        ((0.003, 0.01, 0.03), 2, 0.1),
        ((0.01, 0.1), 1, 0.3),
        ((1.0, 3.0), 1, 10.0),
        ((0.3, 1.0), 1, 3.0),
        ((1e-5, 3e-5), 0, 3e-6),
        ((0.003, 0.01, 0.03), 1, None),
        ((0.005,), 0, None),
    ],
)
def test_the_grid_grows_beyond_the_edge_at_which_the_best_lies(
    rates: tuple[float, ...], best: int, beyond: float | None
) -> None:
    losses = np.ones((len(rates), 4))
    losses[best] = 0.5
    found = search_rates(rates, losses, 0.25)
    assert next_rate(found) == beyond
    lowest, highest = best == 0, best == len(rates) - 1
    assert found.edge == (
        "" if beyond is None else "lowest" if lowest else "highest" if highest else ""
    )


def test_nothing_is_tried_beyond_a_rate_at_which_all_diverged() -> None:
    assert next_rate(search_rates(RATES, np.full((3, 2), np.nan), 0.25)) is None


@given(st.integers(-9, 6), st.booleans(), st.booleans())
def test_steps_of_the_grid_are_undone_by_their_opposite(
    decade: int, threefold: bool, up: bool
) -> None:
    rate = float(f"{3 if threefold else 1}e{decade}")
    other = rate / 100 if up else rate * 100
    pair = (other, rate) if up else (rate, other)
    losses = np.array([[1.0, 1.0], [0.5, 0.5]] if up else [[0.5, 0.5], [1.0, 1.0]])
    beyond = next_rate(search_rates(pair, losses, 0.25))
    assert beyond is not None
    factor = beyond / rate if up else rate / beyond
    assert factor == pytest.approx(10 / 3 if threefold == up else 3)
    back = (beyond, beyond * 100) if up else (beyond / 100, beyond)
    returned = next_rate(search_rates(back, losses[::-1], 0.25))
    assert returned == rate


def test_a_race_drops_what_the_corrected_test_tells_from_the_best() -> None:
    """By hand: three differences of mean 0.5 and deviation 0.12 against SciPy's t."""
    best = np.array([0.3, 0.4, 0.5])
    behind = best + np.array([0.38, 0.5, 0.62])
    t = 0.5 / (0.12 * math.sqrt(1 / 3 + 0.25))
    p = stats.t.sf(t, 2)
    assert 0.05 / 4 < p < 0.05 / 2
    level = best + np.array([0.01, -0.02, 0.015])
    losses = np.array([best, behind, level])
    # Two comparisons share 0.05 at one look, and half of it at each of two.
    assert still_racing(losses, 0.25, looks=1) == [0, 2]
    assert still_racing(losses, 0.25, looks=2) == [0, 1, 2]


def test_a_race_drops_rates_at_which_more_networks_diverge() -> None:
    losses = np.array([[0.5, 0.6, 0.5], [0.1, math.nan, 0.1]])
    assert still_racing(losses, 0.25, looks=2) == [0]


def test_a_race_seldom_drops_an_equal_rate() -> None:
    """Six equal rates whose losses share what a resample is like: the best is dropped rarely."""
    generator = np.random.default_rng(2)
    dropped = 0
    for _ in range(500):
        losses = generator.normal(1, 0.3, 8) + generator.normal(0, 0.1, (6, 8))
        dropped += len(still_racing(losses[:, :4], 0.25, looks=2)) < 6
        dropped += len(still_racing(losses, 0.25, looks=2)) < 6
    assert dropped <= 0.05 * 500


def test_only_rates_that_finished_the_race_are_chosen() -> None:
    nan = math.nan
    losses = np.array([[0.1, 0.1, nan, nan], [0.5, 0.5, 0.5, 0.5], [0.4, 0.6, 0.4, 0.7]])
    found = search_rates(RATES, losses, 0.25, tried=[2, 4, 4])
    assert found.best == 1
    # Without the last resample the third rate is better (0.467 against 0.5).
    assert found.chosen == (1, 1, 1, 2)
    assert [line.resamples for line in found.lines] == [2, 4, 4]
    assert [line.finished for line in found.lines] == [2, 4, 4]
