"""Shapley values of games whose values are known: by definition, from a book, or from an axiom."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from ffn.attribution.coalitions import (
    EXACT_UP_TO,
    Coalitions,
    all_coalitions,
    coalitions,
    drawn_coalitions,
)

SEEDS = st.integers(0, 2**32 - 1)


def worth_of(game: Any, asked: Coalitions) -> Any:
    """Ask a game, a function of the set of players, for every coalition: [1, T]."""
    return np.array([[game(set(np.flatnonzero(row).tolist())) for row in asked.members]])


def by_orders(game: Any, k: int) -> list[float]:
    """The definition of Shapley 1953."""
    found = np.zeros(k)
    orders = list(permutations(range(k)))
    for order in orders:
        for place, player in enumerate(order):
            before = set(order[:place])
            found[player] += (game(before | {player}) - game(before)) / len(orders)
    return list(found)


def random_game(k: int, seed: int) -> Any:
    worths = np.random.default_rng(seed).normal(size=2**k)
    return lambda players: float(worths[sum(2**player for player in players)])


@settings(max_examples=20)
@given(k=st.integers(1, 5), seed=SEEDS)
def test_all_coalitions_give_the_mean_over_all_orders(k: int, seed: int) -> None:
    game, asked = random_game(k, seed), all_coalitions(k)
    values, errors = asked.values(worth_of(game, asked))
    assert_allclose(values[0], by_orders(game, k), atol=1e-12)
    assert not errors.any()


def test_the_gloves() -> None:
    """One has a left glove, two have a right one, a pair is worth 1: 2/3, 1/6 and 1/6."""
    asked = all_coalitions(3)
    values, _ = asked.values(worth_of(lambda who: float(0 in who and len(who) > 1), asked))
    assert_allclose(values[0], [2 / 3, 1 / 6, 1 / 6], atol=1e-12)


def test_the_united_nations_security_council_in_small() -> None:
    """A veto of player 0 among ten: with nine others of whom one must agree, 1 - 1/10."""
    asked = coalitions(10)
    assert asked.exact
    values, _ = asked.values(worth_of(lambda who: float(0 in who and len(who) > 1), asked))
    assert_allclose(values[0], [0.9, *[0.1 / 9] * 9], atol=1e-12)


@settings(max_examples=20)
@given(k=st.integers(2, 7), pairs=st.integers(2, 5), seed=SEEDS)
def test_drawn_orders_keep_the_sum_and_what_adds_nothing(k: int, pairs: int, seed: int) -> None:
    game, asked = random_game(k, seed), drawn_coalitions(k, pairs, seed)
    worths = worth_of(game, asked)
    values, errors = asked.values(worths)
    assert values.sum() == pytest.approx(worths[0, -1] - worths[0, 0], abs=1e-12)
    assert (errors >= 0).all()
    # The last player is a dummy.
    values, errors = asked.values(worth_of(lambda who: game(who - {k - 1}), asked))
    assert (values[0, -1], errors[0, -1]) == (0, 0)
    # Without interactions every order tells the whole.
    weights = np.random.default_rng(seed).normal(size=k)
    values, errors = asked.values(worth_of(lambda who: float(weights[list(who)].sum()), asked))
    assert_allclose(values[0], weights, atol=1e-12)
    assert_allclose(errors, 0, atol=1e-12)


@given(k=st.integers(2, 12), seed=SEEDS)
def test_drawn_coalitions_are_those_of_the_orders(k: int, seed: int) -> None:
    asked = drawn_coalitions(k, 3, seed)
    assert not asked.members[0].any()
    assert asked.members[-1].all()
    assert len({row.tobytes() for row in asked.members}) == len(asked.members)
    for (forward, backward), (there, back) in zip(asked.orders, asked.along, strict=True):
        assert_array_equal(forward[::-1], backward)
        for order, along in ((forward, there), (backward, back)):
            for step, place in enumerate(along.tolist()):
                assert set(np.flatnonzero(asked.members[place])) == set(order[:step].tolist())


def test_the_error_is_as_large_as_it_says() -> None:
    """Over many draws the estimates are centred on the exact value, and scatter by the error."""
    k, runs = 6, 300
    game, every = random_game(k, 5), all_coalitions(k)
    exact = every.values(worth_of(game, every))[0][0]
    found = [
        asked.values(worth_of(game, asked))
        for asked in (drawn_coalitions(k, 16, seed) for seed in range(runs))
    ]
    off = np.array([values[0] - exact for values, _ in found])
    said = np.array([errors[0] for _, errors in found])
    true_error = off.std(axis=0)
    assert (np.abs(off.mean(axis=0)) < 4 * true_error / np.sqrt(runs)).all()
    # The root of a mean variance with 15 degrees of freedom, over 300 runs: within 10 %.
    assert_allclose(np.sqrt(np.square(said).mean(axis=0)), true_error, rtol=0.12)


def test_orders_follow_from_the_number_of_players_alone() -> None:
    one, other = drawn_coalitions(11, 4, 1), drawn_coalitions(11, 4, 2)
    assert (one.orders != other.orders).any()
    assert coalitions(EXACT_UP_TO + 1) is coalitions(EXACT_UP_TO + 1)
    assert not coalitions(EXACT_UP_TO + 1).exact
    # About as many are asked as there are of ten players, and 16 pairs at least.
    assert 1_000 < len(coalitions(11).members) <= 2_048
    assert len(coalitions(300).orders) == 16
