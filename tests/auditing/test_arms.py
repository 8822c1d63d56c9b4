"""What is kept apart is apart, and every row is judged as often as is said."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ffn.auditing.arms import (
    FOLDS,
    connected,
    forward_arm,
    ordinary_arm,
    separate_arm,
    trimmed,
)

GROUPS = st.lists(st.integers(0, 12), min_size=30, max_size=120).filter(lambda g: len(set(g)) > 5)


@given(GROUPS, st.integers(0, 5))
def test_no_group_is_on_both_sides_and_every_row_is_judged_once(values, seed) -> None:
    groups = np.array(values)
    arm = separate_arm(groups, np.random.default_rng(seed))
    for train, judged in zip(arm.train, arm.judged, strict=True):
        assert not set(groups[train]) & set(groups[judged])
        assert len(train) + len(judged) == len(groups)
    assert sorted(np.concatenate(arm.judged).tolist()) == list(range(len(groups)))


def test_folds_have_as_many_rows_as_their_groups_allow() -> None:
    groups = np.repeat(np.arange(100), 7)
    arm = separate_arm(groups, np.random.default_rng(0))
    assert [len(judged) for judged in arm.judged] == [140] * FOLDS
    single = ordinary_arm(np.arange(103), np.random.default_rng(0))
    assert sorted(len(judged) for judged in single.judged) == [20, 20, 21, 21, 21]


@given(GROUPS, st.lists(st.integers(0, 40), min_size=120, max_size=120), st.integers(0, 5))
def test_with_times_what_judges_is_later_and_of_other_groups(values, when, embargo) -> None:
    groups = np.array(values)
    times = np.array(when[: len(groups)], dtype=float)
    times[:2] = 0, 50
    arm = separate_arm(groups, np.random.default_rng(1), times, embargo)
    usual = ordinary_arm(groups, np.random.default_rng(1), times, embargo)
    late = set(usual.judged[0].tolist())
    assert set(np.concatenate(arm.judged).tolist()) == late
    for train, judged in zip(arm.train, arm.judged, strict=True):
        assert not set(groups[train]) & set(groups[judged])
        if len(train) and late:
            assert times[train].max() < times[list(late)].min() - embargo


@given(st.lists(st.integers(0, 60), min_size=20, max_size=100).filter(lambda t: len(set(t)) > 1))
def test_forward_is_by_time_and_judges_about_a_fifth(when) -> None:
    times = np.array(when, dtype=float)
    arm = forward_arm(times)
    early, late = arm.train[0], arm.judged[0]
    assert times[early].max() < times[late].min()
    assert len(early) + len(late) == len(times)
    # No other cut between two different times is nearer to a fifth.
    cuts = [int((times >= cut).sum()) for cut in sorted(set(when))[1:]]
    assert abs(len(late) - len(times) / FOLDS) == min(abs(c - len(times) / FOLDS) for c in cuts)


def test_rows_are_connected_through_either_column() -> None:
    """1-2 share a, 2-3 share b, 4 is alone, 5-6 share b."""
    a = np.array([1, 1, 2, 3, 4, 5])
    b = np.array([1, 2, 2, 3, 4, 4])
    found = connected([a, b])
    assert [len(set(found[own])) for own in ([0, 1, 2], [4, 5])] == [1, 1]
    assert len(set(found)) == 3
    assert connected([a]) is a


def test_trimmed_rows_are_so_many_of_each_networks() -> None:
    arm = separate_arm(np.repeat(np.arange(20), 5), np.random.default_rng(0))
    rows = trimmed(arm, 33, np.random.default_rng(0))
    assert rows.shape == (FOLDS, 33)
    for own, every in zip(rows, arm.train, strict=True):
        assert (np.diff(own) > 0).all()
        assert np.isin(own, every).all()
