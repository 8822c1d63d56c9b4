"""Splits by time: expectations are counted by hand, or properties that any such split must have."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffn.tabular.splitting.by_time import draw_forward_windows, hold_out_latest


def stacked(drawn: Iterable[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    train, validation = zip(*drawn, strict=True)
    return np.array(train), np.array(validation)


TIMES = st.lists(st.integers(0, 40), min_size=8, max_size=120).filter(lambda t: len({*t}) > 2)


def test_the_latest_share_is_held_out_and_equal_times_stay_together() -> None:
    times = np.array([5, 1, 2, 2, 3, 4, 4, 4, 1, 5])
    training, held_out, cut = hold_out_latest(times, 0.2)
    assert (cut, held_out.tolist()) == (5, (times == 5).tolist())
    assert training.tolist() == (times < 5).tolist()
    # Two rows have the time 5, and three the time 4: of 2 and 5 rows, 5 are nearer to 4.
    assert hold_out_latest(times, 0.4)[2] == 4


def test_an_embargo_leaves_a_gap_of_its_length() -> None:
    times = np.arange(100.0)
    training, held_out, cut = hold_out_latest(times, 0.25, embargo=7)
    assert cut == 75
    assert times[training].tolist() == list(range(68)), "67 is 8 before 75, and 68 is 7 before it"
    assert times[held_out].tolist() == list(range(75, 100))


@given(TIMES, st.floats(0.05, 0.6), st.integers(0, 5))
def test_what_judges_is_later_by_the_embargo(times: list[int], share: float, embargo: int) -> None:
    column = np.array(times)
    training, held_out, cut = hold_out_latest(column, share, embargo)
    assert held_out.any()
    assert not held_out.all()
    assert (column[held_out] >= cut).all()
    assert (column[training] < cut - embargo).all()
    assert (column[~held_out & ~training] >= cut - embargo).all()
    assert not (training & held_out).any()


@given(TIMES, st.floats(0.05, 0.45), st.integers(2, 9))
def test_windows_go_forward_and_are_equally_long(
    times: list[int], share: float, count: int
) -> None:
    column = np.array(times)
    train, validation = stacked(draw_forward_windows(column, share, count))
    assert (len(train), len(validation)) == (count, count)
    assert (train.dtype, validation.dtype) == (np.int32, np.int32)
    for own, judging in zip(train, validation, strict=True):
        assert column[own].max() < column[judging].min()
        assert len({*own.tolist()}) == len(own)


def test_the_cuts_are_spread_over_the_later_rows() -> None:
    """Of 100 rows, 20 validate: cuts from 60 to 80, and 60 rows before each to train on."""
    order = np.random.default_rng(0).permutation(100)
    train, validation = stacked(draw_forward_windows(order.astype(float), 0.2, 5))
    cuts = [60, 65, 70, 75, 80]
    assert [sorted(order[own].tolist()) for own in train] == [[*range(c - 60, c)] for c in cuts]
    assert [sorted(order[own].tolist()) for own in validation] == [
        [*range(c, c + 20)] for c in cuts
    ]


def test_windows_leave_the_embargo_out() -> None:
    train, validation = stacked(draw_forward_windows(np.arange(100), 0.2, 2, embargo=10))
    # Cuts at 60 and 80: rows below 50 and 70, as many as the first has.
    assert [(own.min(), own.max()) for own in train] == [(0, 49), (20, 69)]
    assert [own.min() for own in validation] == [60, 80]
    with pytest.raises(ValueError, match="the embargo leaves no row before the first cut"):
        next(draw_forward_windows(np.arange(100), 0.2, 2, embargo=60))
