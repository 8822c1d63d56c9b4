"""Splits of the training rows for the audit: an ordinary one, and ones that keep values apart.

All are five-fold: network f trains on rows outside its fold and is judged on those in it. All
networks train on equally many rows, so that what differs is only which rows they know.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = [
    "FOLDS",
    "Arm",
    "connected",
    "forward_arm",
    "ordinary_arm",
    "separate_arm",
    "stretches",
    "trimmed",
]

Array = npt.NDArray[Any]

FOLDS = 5

# Stretches of the time that judges, each of which counts as one observation.
_STRETCHES = 20


@dataclass(frozen=True, kw_only=True)
class Arm:
    """The rows of each of the networks of a split.

    Attributes
    ----------
    train, judged
        Row numbers that network f trains on, and is judged on, ascending: a list of F arrays.
    """

    train: list[Array]
    judged: list[Array]

    @property
    def fewest(self) -> int:
        """Rows of the network that has the fewest to train on."""
        return min(map(len, self.train))


def ordinary_arm(
    units: Array, generator: np.random.Generator, times: Array | None = None, embargo: float = 0
) -> Arm:
    """Return the split of the settings, without any more columns kept apart.

    Parameters
    ----------
    units
        Identifiers [n] of rows that share a fold: those of the settings' groups, or of contents.
    generator
        Source of randomness.
    times
        Times [n] if the settings split by time: then every network trains on early rows, and is
        judged on all of the latest fifth. None, the default: rows have no order.
    embargo
        Rows less than this before the latest fifth are not trained on.
    """
    if times is not None:
        early, late = _cut(times, embargo)
        return Arm(train=[early] * FOLDS, judged=[late] * FOLDS)
    fold = _folds(units, generator)
    return Arm(
        train=[np.flatnonzero(fold != f) for f in range(FOLDS)],
        judged=[np.flatnonzero(fold == f) for f in range(FOLDS)],
    )


def separate_arm(
    groups: Array, generator: np.random.Generator, times: Array | None = None, embargo: float = 0
) -> Arm:
    """Return a split with no value of a column on both sides.

    Parameters
    ----------
    groups
        Identifiers of the column's values [n], joined with those of the settings (`connected`).
    generator, times, embargo
        As for `ordinary_arm`. With times, each network trains on the early rows of other groups
        and is judged on the late rows of its own.
    """
    fold = _folds(groups, generator)
    early, late = np.arange(len(groups)), np.arange(len(groups))
    if times is not None:
        early, late = _cut(times, embargo)
    return Arm(
        train=[early[fold[early] != f] for f in range(FOLDS)],
        judged=[late[fold[late] == f] for f in range(FOLDS)],
    )


def forward_arm(times: Array) -> Arm:
    """Return a split in which every network trains on early rows and is judged on the latest fifth.

    Parameters
    ----------
    times
        Times [n], or any numbers in the order of time.
    """
    early, late = _cut(times, 0)
    return Arm(train=[early] * FOLDS, judged=[late] * FOLDS)


def trimmed(arm: Arm, rows: int, generator: np.random.Generator) -> Array:
    """Return so many ``rows`` of each network of an ``arm`` to train on, int32 [F, rows].

    Parameters
    ----------
    arm
        The arm.
    rows
        Number of rows, not more than `Arm.fewest`.
    generator
        Draws them where there are more.
    """
    return np.array(
        [np.sort(generator.choice(own, rows, replace=False)) for own in arm.train], dtype=np.int32
    )


def stretches(times: Array, judged: Array) -> Array:
    """Return clusters [n]: of the judged rows, twenty stretches of time of about equally many.

    Parameters
    ----------
    times
        Times [n].
    judged
        Numbers of the judged rows; the cluster of all others is -1.
    """
    order = judged[np.argsort(times[judged], kind="stable")]
    clusters = np.full(len(times), -1)
    clusters[order] = np.arange(len(order)) * _STRETCHES // max(1, len(order))
    return clusters


def connected(columns: Sequence[Array]) -> Array:
    """Return identifiers [n], equal for rows that share a value in any column, directly or not.

    Parameters
    ----------
    columns
        At least one array of identifiers [n].
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    if len(columns) == 1:
        return columns[0]
    n, first = len(columns[0]), len(columns[0])
    places = []
    for column in columns:
        distinct, place = np.unique(column, return_inverse=True)
        places.append(first + place)
        first += len(distinct)
    rows, values = np.tile(np.arange(n), len(columns)), np.concatenate(places)
    graph = coo_matrix((np.ones(len(rows), dtype=bool), (rows, values)), shape=(first, first))
    found: Array = connected_components(graph, directed=False)[1][:n]
    return found


def _folds(units: Array, generator: np.random.Generator) -> Array:
    """Return a fold [n] for each row, equal for equal units, with about equally many rows each.

    Units in random order are dealt to the fold that has the fewest rows so far.
    """
    _, place, sizes = np.unique(units, return_inverse=True, return_counts=True)
    order = generator.permutation(len(sizes))
    fold = np.empty(len(sizes), dtype=np.int64)
    if sizes.max() == 1:
        fold[order] = np.arange(len(sizes)) % FOLDS
        return fold[place]
    filled = [0] * FOLDS
    for unit in order[np.argsort(-sizes[order], kind="stable")].tolist():
        fold[unit] = chosen = filled.index(min(filled))
        filled[chosen] += int(sizes[unit])
    return fold[place]


def _cut(times: Array, embargo: float) -> tuple[Array, Array]:
    """Return the rows before the latest fifth, less an embargo, and those of it."""
    values, counts = np.unique(times, return_counts=True)
    later = counts[::-1].cumsum()[::-1]
    # Equal times stay together; the first one always has something to train on.
    place = 1 + int(np.argmin(np.abs(later[1:] - len(times) / FOLDS)))
    cut = values[place]
    return np.flatnonzero(times < cut - times.dtype.type(embargo)), np.flatnonzero(times >= cut)
