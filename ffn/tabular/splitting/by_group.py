"""Splits by group: no group, such as a customer, has rows on both sides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.tabular.splitting.hashing import seeded_hash

__all__ = [
    "choose_groups",
    "draw_group_resamples",
    "drawn_rows",
    "hold_out_groups",
    "ranked_groups",
]

Array = npt.NDArray[Any]


def ranked_groups(groups: Array) -> tuple[Array, Array]:
    """Return the distinct groups, ascending [G], and each row's position among them, int64 [N].

    Parameters
    ----------
    groups
        Identifiers of the rows' groups [N].
    """
    values, place = np.unique(groups, return_inverse=True)
    return values, place.astype(np.int64, copy=False)


def hold_out_groups(groups: Array, share: float, seed: int) -> tuple[Array, int]:
    """Return a mask [N] of the rows of held-out groups, and the hash below which a group is one.

    Groups are ordered by a seeded hash of their identifier, and those from the front are held out
    whose rows are nearest to ``share`` of all rows. A group's position depends on nothing but its
    identifier, so as a table grows, groups change sides only near the boundary. A group that alone
    has more rows than that share is not held out: it would be most of what judges, or all of it.

    Parameters
    ----------
    groups
        Identifiers of the rows' groups, uint64 [N]; two or more different ones.
    share
        Share of the rows to hold out, between 0 and 1.
    seed
        Seed of the hash.

    Returns
    -------
    held_out
        Booleans [N]: at least one group is True, and at least one False.
    limit
        A group that is not too large is held out if its hash is below this number, up to 2**64.
    """
    values, place = ranked_groups(groups)
    sizes = np.bincount(place)
    hashes = seeded_hash(values, seed)
    order = np.argsort(hashes, kind="stable")
    chosen, limit = np.zeros(len(values), dtype=bool), 2**64
    quota = share * len(groups)
    small = sizes <= max(quota, sizes.min())
    # One group is left to train on, even where all are small.
    candidates = order[small[order]][: len(values) - 1]
    taken = _nearest(np.cumsum(sizes[candidates]), quota)
    chosen[candidates[:taken]] = True
    following = order[small[order]][taken : taken + 1]
    if len(following):
        limit = int(hashes[following[0]])
    held_out: Array = chosen[place]
    return held_out, limit


def draw_group_resamples(
    groups: Array, share: float, generators: Sequence[np.random.Generator]
) -> Iterator[tuple[Array, Array]]:
    """Yield K random splits by group as row numbers, ascending.

    Whole groups are drawn until their rows are about ``share`` of all. Groups differ in size, and
    the networks of a stack are trained together on equally many rows, so of the larger splits some
    rows, drawn at random, are in neither part: each side has as many rows as the smallest of the K.

    Parameters
    ----------
    groups
        Identifiers of the rows' groups [n]; two or more different ones.
    share
        Share of the rows for validation, between 0 and 1.
    generators
        Sources of randomness [K].

    Yields
    ------
    train, validation
        Row numbers, int32 [n'] and [m], equally many in each split.
    """
    _, place = ranked_groups(groups)
    sizes = np.bincount(place)
    quota = share * len(groups)
    validating = [choose_groups(sizes, quota, generator) for generator in generators]
    judged = [int(sizes[own].sum()) for own in validating]
    fewest, most = min(judged), max(judged)
    for own, generator in zip(validating, generators, strict=True):
        judges = own[place]
        yield (
            drawn_rows(np.flatnonzero(~judges), len(groups) - most, generator),
            drawn_rows(np.flatnonzero(judges), fewest, generator),
        )


def choose_groups(sizes: Array, quota: float, generator: np.random.Generator) -> Array:
    """Return booleans [G] of randomly drawn groups whose rows are at most about ``quota``.

    Groups are taken in random order, except those that no longer fit; the smallest one if none
    fits. At least one group is not chosen.

    Parameters
    ----------
    sizes
        Rows of each group [G]; two or more groups.
    quota
        Rows wanted.
    generator
        Source of randomness.
    """
    order = generator.permutation(len(sizes))
    chosen, left, count = np.zeros(len(sizes), dtype=bool), quota, 0
    # What the running total does not exceed is taken at once; the others one by one.
    whole = int(np.searchsorted(np.cumsum(sizes[order]), quota, side="right"))
    whole = min(whole, len(sizes) - 1)
    chosen[order[:whole]] = True
    left, count = quota - int(sizes[order[:whole]].sum()), whole
    rest = order[whole:]
    for group in rest[sizes[rest] <= left].tolist():
        if count == len(sizes) - 1 or left < 1:
            break
        if sizes[group] <= left:
            chosen[group] = True
            left, count = left - int(sizes[group]), count + 1
    if not count:
        chosen[int(np.argmin(sizes))] = True
    return chosen


def _nearest(totals: Array, quota: float) -> int:
    """Return how many groups to take so that their rows, ``totals`` [G], are nearest to a quota."""
    return 1 + int(np.argmin(np.abs(totals - quota)))


def drawn_rows(rows: Array, count: int, generator: np.random.Generator) -> Array:
    """Return some of the rows of one side, drawn at random, int32 [count], ascending.

    Parameters
    ----------
    rows
        Row numbers, ascending.
    count
        How many to keep; if it is all of them, nothing is drawn.
    generator
        Source of randomness.
    """
    if len(rows) != count:
        rows = np.sort(generator.choice(rows, count, replace=False))
    return rows.astype(np.int32)
