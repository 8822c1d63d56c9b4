"""Shapley values of a game whose worth can be asked for any coalition of its players.

The Shapley value of a player is the mean, over all orders of the players, of what it adds to those
before it (Shapley 1953, "A value for n-person games"). With few players all coalitions are asked,
and the values are exact. With more, orders are drawn: Castro, Gomez and Tejada 2009, "Polynomial
calculation of the Shapley value based on sampling"; Strumbelj and Kononenko 2014, "Explaining
prediction models and individual predictions with feature contributions". Each drawn order is
followed by its reverse, which cancels much of the error (antithetic sampling: Lomeli, Rowland,
Gretton and Ghahramani 2019, "Antithetic and Monte Carlo kernel estimators for partial rankings";
Mitchell, Cooper, Frank and Holmes 2022, "Sampling permutations for Shapley value estimation").
What players add along an order telescopes, so the values add up to the worth of all players less
that of none, in both ways and whatever was drawn.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["EXACT_UP_TO", "SEED", "Coalitions", "all_coalitions", "coalitions", "drawn_coalitions"]

Array = npt.NDArray[Any]

EXACT_UP_TO = 10
"""Players up to which all coalitions are asked: 1,024 of them, about as many as are drawn else."""

SEED = 1953
"""Seed of the drawn orders. It is fixed, so that a row has the same values in every file."""

# Coalitions asked with more players: about so many, and at least so many pairs of orders, because
# a standard error from fewer would itself be hardly known.
_ASKED, _FEWEST_PAIRS = 2048, 16


@dataclass(frozen=True, eq=False)
class Coalitions:
    """The coalitions of k players to ask, and how values follow from what they are worth.

    Attributes
    ----------
    members
        Booleans [T, k]: who is in each coalition. The first is empty, the last has all players.
    exact
        Whether these are all coalitions.
    weights
        Float64 [T, k], if exact: the value is the weighted sum of the worths.
    orders, along
        If drawn: the players [M, 2, k] in each order and its reverse, and the coalitions
        [M, 2, k + 1] that they make up one after another.
    """

    members: Array
    exact: bool
    weights: Array
    orders: Array
    along: Array

    def values(self, worths: Array) -> tuple[Array, Array]:
        """Return the Shapley value of each player [n, k], and its standard error [n, k].

        Parameters
        ----------
        worths
            Worth of each coalition [n, T], in n games.
        """
        if self.exact:
            found: Array = worths @ self.weights
            return found, np.zeros_like(found)
        steps = np.diff(worths[:, self.along], axis=-1)
        # In the order of the players, not of their coming.
        own = np.take_along_axis(steps, np.argsort(self.orders, axis=-1)[np.newaxis], axis=-1)
        pairs = own.mean(axis=2)
        mean: Array = pairs.mean(axis=1)
        error: Array = pairs.std(axis=1, ddof=1) / math.sqrt(pairs.shape[1])
        return mean, error


def coalitions(k: int) -> Coalitions:
    """Return the coalitions to ask with ``k`` players, k > 0: all of them, or drawn ones."""
    if k <= EXACT_UP_TO:
        return all_coalitions(k)
    # The empty coalition and that of all players are asked once; the others once an order.
    return drawn_coalitions(k, max(_FEWEST_PAIRS, round(_ASKED / (2 * (k - 1)))), SEED)


@lru_cache(maxsize=EXACT_UP_TO + 1)
def all_coalitions(k: int) -> Coalitions:
    """Return all 2^k coalitions of ``k`` players, k > 0."""
    members = (np.arange(2**k)[:, np.newaxis] >> np.arange(k) & 1).astype(bool)
    sizes = members.sum(axis=1)
    # The share of the orders in which exactly these players come before, by their number.
    shares = np.array([1 / (k * math.comb(k - 1, before)) for before in range(k)])
    joining = shares[np.maximum(sizes - 1, 0)][:, np.newaxis]
    staying = shares[np.minimum(sizes, k - 1)][:, np.newaxis]
    weights = np.where(members, joining, -staying)
    none = np.zeros((0, 2, k), dtype=np.intp)
    return Coalitions(members, True, weights, none, none)


@lru_cache(maxsize=64)
def drawn_coalitions(k: int, pairs: int, seed: int) -> Coalitions:
    """Return the coalitions along drawn orders and their reverses.

    Parameters
    ----------
    k
        Number of players, from 2 up.
    pairs
        Number M of orders, from 2 up, each of which is also gone through backwards.
    seed
        Seed of the orders. They depend on it and on ``k`` alone.
    """
    generator = np.random.default_rng((seed, k))
    forward = np.stack([generator.permutation(k) for _ in range(pairs)])
    orders = np.stack((forward, forward[:, ::-1]), axis=1)
    places = np.argsort(orders, axis=-1)
    before = np.arange(k + 1)[:, np.newaxis]
    # A player is in the coalition after s steps if it came among the first s.
    visited = (places[:, :, np.newaxis, :] < before).reshape(-1, k)
    packed = np.packbits(visited, axis=1)
    _, first, along = np.unique(packed, axis=0, return_index=True, return_inverse=True)
    members = visited[first]
    # By size, so that the empty coalition is the first and that of all players the last.
    by_size = np.argsort(members.sum(axis=1), kind="stable")
    place = np.empty_like(by_size)
    place[by_size] = np.arange(len(by_size))
    return Coalitions(
        members[by_size],
        False,
        np.zeros((0, k)),
        orders,
        place[along.reshape(-1)].reshape(pairs, 2, k + 1),
    )
