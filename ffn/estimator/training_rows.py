"""Distinct training rows in an order that depends only on their content, and a validation split."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["distinct_rows", "hashes_of_rows", "hold_out"]

Array = npt.NDArray[Any]

_VALUES_AT_ONCE = 2**16


def hashes_of_rows(x: Array, labels: Array, rows: Array, seed: int, step: int) -> Array:
    """Return 64 bits [n] made of the content of each row, hardly ever equal for different rows.

    Parameters
    ----------
    x, labels
        Features [N, n_in], float32 or float64, and integers [N].
    rows
        Numbers [n] of the rows.
    seed
        Of the factors that the bits are mixed with.
    step
        Rows that are worked on together.
    """
    generator = np.random.default_rng(seed)
    factors = generator.integers(2**63, size=x.shape[1] + 2, dtype=np.uint64) * 2 + 1
    bits_of_a_value = np.dtype(f"u{x.itemsize}")
    result: Array = labels[rows].astype(np.uint64) * factors[-1]
    for start in range(0, len(rows), step):
        part = x[rows[start : start + step]]
        part += 0.0  # turns -0.0 into 0.0, which is equal but has other bits
        mixed = part.view(bits_of_a_value).astype(np.uint64)
        # Small integers as floats differ only in high bits, and multiplication carries upwards.
        mixed ^= mixed >> 32
        mixed *= factors[:-2]
        mixed ^= mixed >> 32
        mixed *= factors[-2]
        mixed ^= mixed >> 32
        result[start : start + step] += mixed.sum(axis=1, dtype=np.uint64)
    return result


def distinct_rows(
    x: Array,
    labels: Array,
    weights: Array,
    *,
    values_at_once: int = _VALUES_AT_ONCE,
    fingerprints_of: Callable[[Array, Array, Array, int, int], Array] = hashes_of_rows,
) -> tuple[Array, Array]:
    """Return one row number for each different labelled row, in an order of content.

    Rows of weight zero are dropped. Rows with equal features and label are merged, and their
    weights added. A shuffled table gives the same sequence of rows.

    Parameters
    ----------
    x
        Features [N, n_in], float32 or float64, finite; not copied.
    labels
        Integers [N].
    weights
        Weights [N], not negative.
    values_at_once
        Values that are worked on together; by default as many as stay in the processor's cache.
    fingerprints_of
        Gives rows of equal content equal bits, as `hashes_of_rows`, the default, does. Where
        two different rows have the same, it is asked again with the next seed.

    Returns
    -------
    rows
        Number of one row [n] for each distinct row.
    weights
        Total weight of each distinct row [n], float64.
    """
    present = np.flatnonzero(weights)
    rows_at_once = max(1, values_at_once // x.shape[1])
    for seed in count():
        fingerprints = fingerprints_of(x, labels, present, seed, rows_at_once)
        # By weight too: a sum of floats depends on their order.
        order = np.lexsort((weights[present], fingerprints))
        rows, ordered = present[order], fingerprints[order]
        first = np.append(True, ordered[1:] != ordered[:-1])
        starts = np.flatnonzero(first)
        repeated = np.flatnonzero(~first)
        originals = starts[np.cumsum(first)[repeated] - 1]
        # Different rows practically never have the same fingerprint; if so, use another seed.
        if _equal(x, labels, rows[repeated], rows[originals], rows_at_once):
            break
    return rows[starts], np.add.reduceat(weights[rows], starts, dtype=np.float64)


def _equal(x: Array, labels: Array, rows: Array, others: Array, step: int) -> bool:
    """Return whether two sequences of row numbers [n] have equal features and labels."""
    return all(
        np.array_equal(x[rows[i : i + step]], x[others[i : i + step]])
        and np.array_equal(labels[rows[i : i + step]], labels[others[i : i + step]])
        for i in range(0, len(rows), step)
    )


def hold_out(
    rows: Array, labels: Array, share: float, generator: np.random.Generator
) -> tuple[Array, Array]:
    """Split rows into a training and a validation part, stratified by class.

    Every class keeps at least one training row, and at least one row in total is held out.

    Parameters
    ----------
    rows
        Row numbers [n].
    labels
        Integers [N] by row number.
    share
        Share of the rows to hold out, between 0 and 1.
    generator
        Source of randomness.

    Returns
    -------
    train, held_out
        Row numbers of the two parts.

    Raises
    ------
    ValueError
        No class has two rows.
    """
    shuffled = generator.permutation(rows)
    rows = shuffled[np.argsort(labels[shuffled], kind="stable")]
    _, sizes = np.unique(labels[rows], return_counts=True)
    if sizes.max() < 2:
        raise ValueError(
            "early stopping holds out rows, but no class has more than one sample (equal rows "
            "count once); give more rows or set early_stopping=False"
        )
    wanted = sizes * share
    held = np.floor(wanted).astype(int)
    # Largest remainders, so that the total is as close to the share as possible.
    missing = max(1, round(wanted.sum())) - held.sum()
    held[np.argsort(held - wanted, kind="stable")[:missing]] += 1
    held = np.minimum(held, sizes - 1)
    place_in_class = np.arange(len(rows)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    is_held = place_in_class < np.repeat(held, sizes)
    return rows[~is_held], rows[is_held]
