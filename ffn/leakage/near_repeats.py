"""Rows that repeat each other in all but a few columns: rows of one case under different ids.

A split by rows puts one of them into the training part and the other into the held-out part.
Whole repeats are kept together anyway (`ffn.tabular.training_table.splits`); these are not.

Rows of rounded numbers agree by chance, too. How often is measured on the table itself: where
agreement is chance, about as many rows agree with the *next* value of a column as with the same
value. Rows of one case agree with the same value only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.leakage.sampled_columns import SampledColumn

__all__ = ["RowRepeats", "find_near_repeats"]

Array = npt.NDArray[Any]

# So many columns may differ, and at least so many have to agree.
_MOST_DIFFERING, _FEWEST_AGREEING = 3, 3
# A column by which chance is measured has so many values, and none in more than so many rows.
_FINE_VALUES, _MOST_OFTEN = 10, 0.2
_MOST_FINE = 8
# Rows that have a partner: at least so many, and so large a share of the rows.
_FEWEST_ROWS, _LEAST_SHARE = 20, 0.02
# How many times more frequent than by chance the agreement has to be.
_EXCESS = 20


@dataclass(frozen=True, kw_only=True)
class RowRepeats:
    """Rows that agree with another row in all columns but a few.

    Attributes
    ----------
    differing
        Names of the columns that are not compared.
    partners
        Identifiers [n], equal for rows that agree.
    rows
        How many rows agree with another one from which they differ elsewhere.
    same_label, by_chance
        Share of the pairs of such rows with one label, and of any two rows.
    """

    differing: tuple[str, ...]
    partners: Array
    rows: int
    same_label: float
    by_chance: float


def find_near_repeats(
    columns: Sequence[SampledColumn], labels: Array, seed: int
) -> RowRepeats | None:
    """Return the rows that repeat others in all but one to three columns; None if there are none.

    Columns are left out greedily, each time the one without which most rows agree.

    Parameters
    ----------
    columns
        The features in n rows.
    labels
        Class indices [n].
    seed
        Seed of the hashes.
    """
    generator = np.random.default_rng(seed)
    hashes = {column.name: _hashed(column, generator) for column in columns}
    fine = [column for column in columns if _is_fine(column)]
    whole = _total(hashes.values(), len(labels))
    exact = _pairs(whole)
    left, dropped = whole, []
    for _ in range(min(_MOST_DIFFERING, len(columns) - _FEWEST_AGREEING)):
        candidates = [name for name in hashes if name not in dropped]
        counts = [_pairs(left - hashes[name]) for name in candidates]
        dropped.append(candidates[int(np.argmax(counts))])
        left = left - hashes[dropped[-1]]
        near = max(counts) - exact
        kept = [column for column in fine if column.name not in dropped]
        if not kept or not near:
            continue
        # Ordered pairs of neighbours, of which there are two for each unordered one.
        shifted = max(
            _matches(left - hashes[c.name] + _hashed_next(c, hashes[c.name]), left) / 2
            for c in kept[:_MOST_FINE]
        )
        rows = _rows_with_partner(left, whole)
        if near < _EXCESS * max(1.0, shifted) or rows < _FEWEST_ROWS:
            continue
        if rows < _LEAST_SHARE * len(labels):
            continue
        own = generator.integers(2**64, size=labels.max() + 1, dtype=np.uint64)[labels]
        same = (_pairs(left + own) - _pairs(whole + own)) / near
        chance = float(((np.bincount(labels) / len(labels)) ** 2).sum())
        # Labels that agree no more often than those of any two rows give nothing away.
        if same < (1 + chance) / 2:
            continue
        return RowRepeats(
            differing=tuple(dropped),
            partners=left,
            rows=rows,
            same_label=same,
            by_chance=chance,
        )
    return None


def _hashed(column: SampledColumn, generator: np.random.Generator) -> Array:
    """Return random uint64 [n], equal for equal values; their sum over columns hashes a row."""
    return generator.integers(2**64, size=column.distinct, dtype=np.uint64)[column.codes[1]]


def _hashed_next(column: SampledColumn, hashes: Array) -> Array:
    """Return for each row [n] the hash of the next larger value; of the largest, the smallest's."""
    by_place = np.empty(column.distinct, dtype=np.uint64)
    by_place[column.codes[1]] = hashes
    return np.roll(by_place, -1)[column.codes[1]]


def _is_fine(column: SampledColumn) -> bool:
    counts = np.bincount(column.codes[1])
    return (
        column.numeric
        and column.distinct >= _FINE_VALUES
        and counts.max() <= _MOST_OFTEN * len(column.values)
    )


def _total(hashes: Any, n: int) -> Array:
    total = np.zeros(n, dtype=np.uint64)
    for own in hashes:
        total += own
    return total


def _pairs(keys: Array) -> int:
    """Return the number of pairs of equal keys."""
    sizes = np.unique(keys, return_counts=True)[1]
    return int((sizes * (sizes - 1) // 2).sum())


def _matches(keys: Array, others: Array) -> int:
    """Return how many pairs of one of ``keys`` and one of ``others`` are equal."""
    ordered = np.sort(others)
    first, last = (np.searchsorted(ordered, keys, side=side) for side in ("left", "right"))
    return int((last - first).sum())


def _rows_with_partner(keys: Array, whole: Array) -> int:
    """Return how many rows share their key with a row that is not equal altogether."""
    _, place, sizes = np.unique(keys, return_inverse=True, return_counts=True)
    _, same, equal = np.unique(whole, return_inverse=True, return_counts=True)
    return int((sizes[place] > equal[same]).sum())
