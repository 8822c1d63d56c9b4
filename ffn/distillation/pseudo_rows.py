"""Rows that could have been in a table: each takes some of its features from a row near it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["nearest_rows", "pseudo_rows"]

Array = npt.NDArray[Any]

# Probability with which a feature comes from the neighbour.
_EXCHANGED = 0.5
# Rows among which a neighbour is looked for, so that time does not grow with the square of a table.
_MOST_OTHERS = 2048
_ROWS_AT_ONCE = 1024


def pseudo_rows(
    x: Array, groups: Sequence[Sequence[int]], copies: int, generator: np.random.Generator
) -> Array:
    """Return rows [copies * n, n_in] with the same kinds of dependence as the table's.

    A copy of each row takes each feature from a near row with probability 1/2. This is MUNGE of
    Bucila, Caruana and Niculescu-Mizil 2006, "Model Compression", algorithm 1, with a difference:
    a number is exchanged like a category, and not drawn around its neighbour's. So every feature of
    a pseudo-row is one that occurred, and all inputs that encode it stay together: bins, one-hot
    inputs, indicators of missing values and class statistics remain what they are in real rows.

    The near row is the nearest of half of the rows, which are drawn anew for each copy, so that
    copies have different neighbours.

    Parameters
    ----------
    x
        Inputs [n, n_in], n from 2 up.
    groups
        Positions of the inputs of each feature.
    copies
        Pseudo-rows made of each row.
    generator
        Source of randomness.
    """
    n = len(x)
    feature_of = np.empty(x.shape[1], dtype=int)
    for feature, own in enumerate(groups):
        feature_of[list(own)] = feature
    scaled = _features_alike(x, groups)
    made = np.empty((copies * n, x.shape[1]), x.dtype)
    for start in range(0, copies * n, n):
        others = generator.permutation(n)[: min(_MOST_OTHERS, max(2, n // 2))]
        near = nearest_rows(scaled, others)
        exchanged = generator.random((n, len(groups))) < _EXCHANGED
        made[start : start + n] = np.where(exchanged[:, feature_of], x[near], x)
    return made


def nearest_rows(x: Array, others: Array) -> Array:
    """Return for each row [n] the number of the nearest of the other rows, never its own.

    Parameters
    ----------
    x
        Coordinates [n, d].
    others
        Different row numbers [m] to choose from, m from 2 up.
    """
    among = x[others]
    half_squares = np.square(among).sum(axis=1) / 2
    found = np.empty(len(x), dtype=np.intp)
    for start in range(0, len(x), _ROWS_AT_ONCE):
        rows = np.arange(start, min(start + _ROWS_AT_ONCE, len(x)))
        # Half the squared distance, without the row's own square, which is the same for all.
        distances = half_squares - x[rows] @ among.T
        distances[rows[:, None] == others] = np.inf
        found[rows] = others[distances.argmin(axis=1)]
    return found


def _features_alike(x: Array, groups: Sequence[Sequence[int]]) -> Array:
    """Return the inputs centred and scaled, so that each feature has the same total variance."""
    centred = x - x.mean(axis=0)
    for own in groups:
        places = list(own)
        total = float(np.square(centred[:, places]).mean(axis=0).sum())
        if total > 0:
            centred[:, places] /= np.sqrt(total)
    alike: Array = centred
    return alike
