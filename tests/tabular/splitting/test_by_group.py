"""Splits by group: no group on both sides, of a stable choice, in parts of equal size."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from ffn.nn import spawn_generators
from ffn.tabular.splitting.by_group import (
    choose_groups,
    draw_group_resamples,
    hold_out_groups,
)
from ffn.tabular.splitting.by_time_and_group import draw_later_groups, hold_out_later_groups
from ffn.tabular.splitting.hashing import seeded_hash, value_digests
from tests.tabular.splitting.test_by_time import stacked

GROUPS = st.lists(st.integers(0, 15), min_size=6, max_size=150).filter(lambda g: len({*g}) > 2)


def generators(count: int) -> list[np.random.Generator]:
    return spawn_generators(np.random.SeedSequence(3), count)


@given(GROUPS, st.floats(0.05, 0.7), st.integers(0, 99))
def test_no_group_is_on_both_sides(groups: list[int], share: float, seed: int) -> None:
    ids = value_digests(groups)
    held_out, limit = hold_out_groups(ids, share, seed)
    inside, outside = {*ids[held_out].tolist()}, {*ids[~held_out].tolist()}
    assert inside
    assert outside
    assert not inside & outside
    assert all(hashed < limit for hashed in seeded_hash(ids[held_out], seed).tolist())


def test_groups_of_equal_size_are_held_out_to_the_share() -> None:
    ids = value_digests(np.repeat([f"C{i}" for i in range(100)], 7))
    held_out, _ = hold_out_groups(ids, 0.2, 42)
    assert held_out.sum() == 140


def test_a_table_that_grows_keeps_the_sides_but_near_the_boundary() -> None:
    names = np.repeat([f"C{i}" for i in range(1000)], 5)
    before, _ = hold_out_groups(value_digests(names[:4000]), 0.2, 1)
    after, _ = hold_out_groups(value_digests(names), 0.2, 1)
    moved = (before != after[:4000]).sum() / 4000
    # The boundary is a quantile of 800 or 1,000 uniform numbers: it moves by about a 100th.
    assert moved < 0.05
    order = np.random.default_rng(0).permutation(len(names))
    again, _ = hold_out_groups(value_digests(names[order]), 0.2, 1)
    assert_array_equal(again, after[order])
    other, _ = hold_out_groups(value_digests(names), 0.2, 2)
    assert 0.1 < (other & after).sum() / after.sum() < 0.35, "seeds choose independently"


def test_a_group_larger_than_the_share_does_not_judge() -> None:
    names = ["large"] * 60 + [f"C{i}" for i in range(40)]
    for seed in range(20):
        held_out, _ = hold_out_groups(value_digests(names), 0.2, seed)
        assert not held_out[:60].any()
        assert held_out.sum() == 20


@given(GROUPS, st.floats(0.05, 0.6))
def test_resamples_by_group_are_equally_large(groups: list[int], share: float) -> None:
    ids = value_digests(groups)
    train, validation = stacked(draw_group_resamples(ids, share, generators(5)))
    for own, judging in zip(train, validation, strict=True):
        assert not {*ids[own].tolist()} & {*ids[judging].tolist()}
        assert (np.diff(own) > 0).all()
        assert (np.diff(judging) > 0).all()
    assert train.shape[1] + validation.shape[1] <= len(groups)
    assert train.shape[1] > 0
    assert validation.shape[1] > 0


def test_resamples_of_equal_groups_drop_no_row() -> None:
    train, validation = stacked(
        draw_group_resamples(np.repeat(np.arange(50), 4), 0.2, generators(6))
    )
    assert (train.shape, validation.shape) == ((6, 160), (6, 40))
    assert len({tuple(own) for own in validation.tolist()}) == 6


def test_groups_are_chosen_up_to_the_quota() -> None:
    sizes = np.array([3, 50, 4, 2, 6])
    for seed in range(30):
        chosen = choose_groups(sizes, 10, np.random.default_rng(seed))
        assert 0 < sizes[chosen].sum() <= 10
        left = 10 - sizes[chosen].sum()
        assert (sizes[~chosen] > left).all(), "no other group fits"
    assert choose_groups(np.array([5, 9]), 2, np.random.default_rng(0)).tolist() == [True, False]


def test_later_rows_of_other_groups_judge() -> None:
    """Ten groups with a row on each of a hundred days; one more appears after the cut."""
    days = np.r_[np.tile(np.arange(100), 10), 95, 96]
    groups = value_digests([*np.repeat(np.arange(10), 100), "new", "new"])
    training, held_out, cut, _ = hold_out_later_groups(days, groups, 0.2, 7, embargo=5)
    assert cut == 80
    assert held_out[-2:].all(), "what is new after the cut judges"
    chosen = np.unique(groups[:1000][held_out[:1000]])
    assert len(chosen) == 2, "a fifth of the groups"
    assert held_out[:1000].sum() == 2 * 20
    assert training.sum() == 8 * 75
    assert days[training].max() == 74
    assert not {*groups[training].tolist()} & {*groups[held_out].tolist()}


@given(GROUPS, st.floats(0.05, 0.45), st.data())
def test_windows_by_time_and_group_keep_both_apart(
    groups: list[int], share: float, data: st.DataObject
) -> None:
    days = data.draw(st.lists(st.integers(0, 30), min_size=len(groups), max_size=len(groups)))
    times, ids = np.array(days), value_digests(groups)
    if len({*days}) < 3:
        return
    try:
        train, validation = stacked(draw_later_groups(times, ids, share, generators(4)))
    except ValueError:
        # All earlier rows are of groups that judge.
        return
    assert validation.shape[1] > 0
    for own, judging in zip(train, validation, strict=True):
        assert times[own].max() < times[judging].min()
        assert not {*ids[own].tolist()} & {*ids[judging].tolist()}
