"""Who is dropped from a race, and what is expected of who is left: by hand, and by SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import stats

from ffn.evaluation.inference.crossfitting import crossfitted
from ffn.evaluation.inference.race import best_of, dropped_at, race_looks

WOBBLE = np.array([0.01, -0.02, 0.0, 0.01])


@pytest.mark.parametrize(
    ("networks", "looks"),
    [(1, ()), (7, ()), (8, (4,)), (12, (6,)), (16, (4, 8)), (32, (8, 16)), (17, (4, 8))],
)
def test_after_a_quarter_and_half_of_the_resamples(networks: int, looks: tuple[int, ...]) -> None:
    assert race_looks(networks) == looks


def test_who_is_shown_to_be_worse_is_dropped_with_the_figures() -> None:
    worse = 0.5 + WOBBLE
    values = np.array([np.zeros(4), worse, 0.01 + WOBBLE])
    found = dropped_at(values, ["a", "b", "c"], 0.25, 2, 16)
    assert list(found) == ["b"]
    t = worse.mean() / np.sqrt((1 / 4 + 0.25) * worse.var(ddof=1))
    assert_allclose(found["b"].p_value, stats.t.sf(t, 3) * 2 * 2)
    assert (found["b"].resamples, found["b"].of, found["b"].best) == (4, 16, "a")
    assert_allclose(found["b"].behind, 0.5)


def test_the_level_is_divided_by_those_who_began() -> None:
    values = np.array([np.zeros(4), 0.1 + WOBBLE])
    assert list(dropped_at(values, ["a", "b"], 0.25, 1, 16)) == ["b"]
    assert not dropped_at(values, ["a", "b"], 0.25, 100, 16)


def test_who_diverged_wholly_is_dropped_and_who_did_in_part_is_compared() -> None:
    gone, half = np.full(4, np.nan), np.array([np.nan, 0.51, 0.5, 0.52])
    found = dropped_at(np.array([gone, half, WOBBLE]), ["a", "b", "c"], 0.25, 2, 8)
    assert list(found) == ["a", "b"]
    assert found["a"].best == ""
    every = dropped_at(np.array([gone, gone]), ["a", "b"], 0.25, 1, 8)
    assert list(every) == ["a", "b"]


@given(st.lists(st.lists(st.floats(0, 5), min_size=4, max_size=4), min_size=1, max_size=6))
def test_the_best_so_far_is_never_dropped(losses: list[list[float]]) -> None:
    values = np.array(losses)
    names = [str(c) for c in range(len(values))]
    assert str(best_of(values)) not in dropped_at(values, names, 0.25, len(values) - 1, 8)


def test_the_best_has_the_fewest_that_diverged_then_the_lowest_mean_then_comes_first() -> None:
    nan = np.nan
    assert best_of(np.array([[0.1, nan], [0.9, 0.9], [0.8, 0.9], [0.9, 0.8]])) == 2
    # On the resamples on which neither diverged, not on all of each.
    assert best_of(np.array([[9.0, 0.2, nan], [nan, 0.3, 0.1]])) == 0


def test_only_resamples_after_the_race_judge() -> None:
    values = np.array([[0.0, 0.0, 0.5, 0.1], [0.2, 0.2, 0.0, 0.3]])
    # Without the third the first is best (0.033 and 0.233), without the fourth the second.
    assert crossfitted(values, 2).tolist() == [0.5, 0.3]
    assert len(crossfitted(values, 0)) == 4
