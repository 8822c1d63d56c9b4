"""Splits by content, stratified: a held-out part that is stable as data grows, and resamples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.tabular.splitting.hashing import mixed, seeded_hash

__all__ = ["draw_resamples", "hold_out_stable", "resamples", "sampling_units"]

Array = npt.NDArray[Any]

# With more rows per content than this on average, repeats are not accidental duplicates: the table
# has a few answers or categories, and new rows will repeat them, too.
_MOST_REPEATS = 3


def sampling_units(labels: Array, fingerprints: Array) -> Array:
    """Return identifiers, uint64 [N], that are equal for rows that a split keeps together.

    If most contents occur once or twice, rows of equal content are kept together, so that no
    duplicate of a training row is held out. If contents occur more than three times on average,
    every row is its own unit: holding out all rows of a content would withhold whole categories
    from training, and test on them.

    Parameters
    ----------
    labels
        Class indices [N].
    fingerprints
        Content fingerprints, uint64 [N].
    """
    ordered = np.sort(fingerprints)
    contents = 1 + np.count_nonzero(ordered[1:] != ordered[:-1])
    del ordered
    if len(fingerprints) <= _MOST_REPEATS * contents:
        return fingerprints
    # The occurrence number within content and label does not change as a table grows.
    order = np.lexsort((fingerprints, labels))
    content = np.stack((labels[order], fingerprints[order].view(np.int64)))
    starts = np.flatnonzero(np.r_[True, (content[:, 1:] != content[:, :-1]).any(axis=0)])
    occurrence = np.empty(len(order), dtype=np.uint64)
    occurrence[order] = np.arange(len(order)) - np.repeat(
        starts, np.diff(starts, append=len(order))
    )
    return mixed(fingerprints + mixed(occurrence + np.uint64(1)))


def hold_out_stable(labels: Array, fingerprints: Array, share: float, seed: int) -> Array:
    """Return a mask [N] of the rows to hold out.

    Within each class, rows are ordered by a seeded hash of their content, and the first ``share``
    of them is held out. A row's position depends only on its content, so as a table grows, rows
    change sides only near the boundary. Rows of a class with the same content stay on one side.
    At least two contents of each class are left for training and validation, whatever the share.

    Parameters
    ----------
    labels
        Class indices [N]; each class has three distinct rows (see
        `ffn.tabular.training_table.class_sizes`).
    fingerprints
        Identifiers of rows to keep together, uint64 [N], from `sampling_units`.
    share
        Share of the rows to hold out, between 0 and 1.
    seed
        Seed of the hash.
    """
    # The hash is a bijection, so rows have equal hashes only if they have equal content.
    return _hold_out(labels, seeded_hash(fingerprints, seed), share)


def resamples(
    labels: Array, fingerprints: Array, share: float, generators: Sequence[np.random.Generator]
) -> tuple[Array, Array]:
    """Return the results of `draw_resamples` as two arrays, int32 [K, n - m] and [K, m].

    The parameters ``labels``, ``fingerprints``, ``share`` and ``generators`` are the same.
    """
    drawn = draw_resamples(labels, fingerprints, share, generators)
    train, validation = zip(*drawn, strict=True)
    return np.array(train), np.array(validation)


def draw_resamples(
    labels: Array, fingerprints: Array, share: float, generators: Sequence[np.random.Generator]
) -> Iterator[tuple[Array, Array]]:
    """Yield a stratified split for each generator.

    Rows of the same content stay on one side as far as the exact count allows.

    Parameters
    ----------
    labels
        Class indices [n].
    fingerprints
        Identifiers of rows to keep together, uint64 [n].
    share
        Share of the rows for validation, between 0 and 1.
    generators
        Sources of randomness [K].

    Yields
    ------
    train, validation
        Row numbers, int32 [n - m] and [m].
    """
    group, groups = _group(fingerprints)
    for generator in generators:
        # The same as `permutation`, in half the memory.
        order = np.arange(groups, dtype=np.int32)
        generator.shuffle(order)
        held_out = _hold_out(labels, order[group], share, exact=True)
        yield (
            np.flatnonzero(~held_out).astype(np.int32),
            np.flatnonzero(held_out).astype(np.int32),
        )


def _group(fingerprints: Array) -> tuple[Array, int]:
    """Return each row's rank among the distinct contents, int32 [N], and their number."""
    by_content = np.argsort(fingerprints, kind="stable")
    ordered = fingerprints[by_content]
    first = np.append(False, ordered[1:] != ordered[:-1])
    del ordered
    group = np.empty(len(first), dtype=np.int32)
    group[by_content] = np.cumsum(first, dtype=np.int32)
    return group, 1 + int(np.count_nonzero(first))


def _hold_out(labels: Array, order: Array, share: float, *, exact: bool = False) -> Array:
    """Return a mask [N] of the first rows of each class in ``order``, up to its share.

    Parameters
    ----------
    labels, order
        Class indices and ranks, integers [N]; rows of equal rank are kept together.
    share
        Share of all rows. Each class gives its part, rounded so that the total is exact, and at
        least one row.
    exact
        Divide a group of equal rows if the count cannot be met otherwise. Without it, such a
        class gives fewer rows, or its smallest group if none fits, and keeps two groups if it
        has three.
    """
    held_out = np.zeros(len(labels), dtype=bool)
    by_class = np.argsort(labels, kind="stable").astype(np.int32)
    sizes = np.bincount(labels)
    quotas = _quotas(sizes, share).tolist()
    for own, quota in zip(np.split(by_class, np.cumsum(sizes)[:-1]), quotas, strict=True):
        if quota:
            place = order[own]
            ranking = np.argsort(place, kind="stable")
            place = place[ranking]
            chosen = _choose(place[1:] != place[:-1], quota, exact)
            held_out[own[ranking[chosen]]] = True
    return held_out


def _choose(differs: Array, quota: int, exact: bool) -> Array:
    """Return a mask [n] of about ``quota`` rows from the front, keeping equal rows together.

    ``differs`` [n - 1] is True where a row differs from the one before it.
    """
    starts = np.flatnonzero(np.r_[True, differs])
    sizes = np.diff(starts, append=len(differs) + 1)
    most = len(sizes) if exact else max(1, len(sizes) - 2)
    whole = min(most, int(np.searchsorted(np.cumsum(sizes), quota, side="right")))
    groups = np.arange(len(sizes)) < whole
    left = quota - int(sizes[:whole].sum())
    # The next group does not fit; smaller ones after it may.
    for i in whole + np.flatnonzero(sizes[whole:] <= left):
        if not left:
            break
        if sizes[i] <= left and groups.sum() < most:
            groups[i] = True
            left -= int(sizes[i])
    if not groups.any() and not exact:
        groups[np.argmin(sizes)] = True
    chosen = np.repeat(groups, sizes)
    if exact:
        chosen[np.flatnonzero(~chosen)[:left]] = True
    return chosen


def _quotas(sizes: Array, share: float) -> Array:
    """Return the rows to take of each class: largest remainders, at least 1, never all."""
    wanted = sizes * share
    quota = np.floor(wanted).astype(int)
    missing = round(sizes.sum() * share) - quota.sum()
    quota[np.argsort(quota - wanted, kind="stable")[: max(0, missing)]] += 1
    clipped: Array = np.clip(quota, 1, np.maximum(1, sizes - 1)) * (sizes > 0)
    return clipped
