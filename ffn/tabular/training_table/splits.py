"""Who is trained on and who is held out: stratified, exact, and stable as data grows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.errors import DataError, quote
from ffn.quantities import more
from ffn.tabular.cells import DECIMALS, is_number
from ffn.tabular.training_table.label_reading import toml_remedy

__all__ = [
    "check_class_sizes",
    "draw_resamples",
    "hold_out_stable",
    "resamples",
    "sampling_units",
]

Array = npt.NDArray[Any]

# One distinct row of each class to test on, one to compare optimizers on, one to learn from.
_LEAST_DISTINCT_ROWS = 3
# With more rows a content than this, repeats are not slips but how the table is: a few answers,
# a few categories. New rows will repeat them too.
_MOST_REPEATS = 3
# With more classes of a row or two, all of them numbers, the column is a measurement or an amount.
_MOST_NUMBERS = 10


def sampling_units(labels: Array, fingerprints: Array) -> Array:
    """Return uint64 [N]: equal for the rows that a split keeps together.

    Where most contents are met once or twice, these are the rows of equal content, so that no
    duplicate of a training row is tested on. Where contents repeat more than three times on
    average, every row is a unit: to hold all rows of a content out would test on what was never
    shown, and hide from training whole categories.

    Parameters
    ----------
    labels, fingerprints
        Integers and uint64 [N].
    """
    ordered = np.sort(fingerprints)
    contents = 1 + np.count_nonzero(ordered[1:] != ordered[:-1])
    del ordered
    if len(fingerprints) <= _MOST_REPEATS * contents:
        return fingerprints
    # The first, second, … row of a content and label: as a table grows they stay what they were.
    order = np.lexsort((fingerprints, labels))
    content = np.stack((labels[order], fingerprints[order].view(np.int64)))
    starts = np.flatnonzero(np.r_[True, (content[:, 1:] != content[:, :-1]).any(axis=0)])
    occurrence = np.empty(len(order), dtype=np.uint64)
    occurrence[order] = np.arange(len(order)) - np.repeat(
        starts, np.diff(starts, append=len(order))
    )
    return _mixed(fingerprints + _mixed(occurrence + np.uint64(1)))


def check_class_sizes(
    labels: Array, fingerprints: Array, classes: Sequence[str], where: str
) -> None:
    """Refuse a table whose classes cannot be split; ``where`` begins the message.

    Raises
    ------
    DataError
        There is one class only, or a class with fewer than three distinct rows.
    """
    if len(classes) < 2:
        raise DataError(
            f"{where}: every row has the label {quote(classes[0])}; at least two classes are "
            "needed to learn to tell them apart. Add rows of another, or name another target."
        )
    order = np.lexsort((fingerprints, labels))
    own, content = labels[order], fingerprints[order]
    first = np.r_[True, (own[1:] != own[:-1]) | (content[1:] != content[:-1])]
    distinct = np.bincount(own[first], minlength=len(classes))
    rare = {name: n for name, n in zip(classes, distinct, strict=True) if n < _LEAST_DISTINCT_ROWS}
    few = [f"{quote(name)} has {n}" for name, n in rare.items()]
    if few:
        others = f" and {more(len(few) - 5, 'class', 'classes')}" if len(few) > 5 else ""
        remedy = (
            "Add rows of it, or leave its rows out: "
            f"{toml_remedy([(name, '') for name in list(rare)[:5]])}."
        )
        if len(few) > max(_MOST_NUMBERS, len(classes) // 2):
            remedy = (
                "The labels look like a number to predict, and this is a classifier: name a column "
                "of classes, or put ranges in the place of the numbers."
                if _are_numbers(classes)
                else "The labels look like ids, names or dates: name a column of classes."
            )
        raise DataError(
            f"{where}: too few distinct rows to split: class {', '.join(few[:5])}{others}; each "
            f"class needs {_LEAST_DISTINCT_ROWS}. {remedy}"
        )


def hold_out_stable(labels: Array, fingerprints: Array, share: float, seed: int) -> Array:
    """Return booleans [N]: True for the rows to test on.

    Within each class, rows stand in the order of a seeded hash of their content and the first
    ``share`` of them is held out. A row's place in that order depends on nothing but its
    content, so as a table grows it changes sides only where the exact share moves the cut.
    Rows of a class with the same content are kept on one side. Two contents of each class at
    least are left to train on and to compare candidates on, whatever the share.

    Parameters
    ----------
    labels
        Integers [N]; each class with three distinct rows, as `check_class_sizes` has it.
    fingerprints
        uint64 [N]: equal for the rows to keep together, as `sampling_units` has it.
    share, seed
        Part to hold out, and the hash's seed.
    """
    # One to one, so that rows share a place in the order only where they share their content.
    return _hold_out(labels, _seeded_hash(fingerprints, seed), share)


def resamples(
    labels: Array, fingerprints: Array, share: float, generators: Sequence[np.random.Generator]
) -> tuple[Array, Array]:
    """Return all that `draw_resamples` yields: int32 [K, n - m] and [K, m]."""
    drawn = draw_resamples(labels, fingerprints, share, generators)
    train, validation = zip(*drawn, strict=True)
    return np.array(train), np.array(validation)


def draw_resamples(
    labels: Array, fingerprints: Array, share: float, generators: Sequence[np.random.Generator]
) -> Iterator[tuple[Array, Array]]:
    """Yield row numbers to train on and to validate on, int32 [n - m] and [m], for each generator.

    Stratified. Rows of the same content are kept on one side as far as the exact count allows.
    """
    group, groups = _group(fingerprints)
    for generator in generators:
        # What `permutation` draws, in half its memory.
        order = np.arange(groups, dtype=np.int32)
        generator.shuffle(order)
        held_out = _hold_out(labels, order[group], share, exact=True)
        yield (
            np.flatnonzero(~held_out).astype(np.int32),
            np.flatnonzero(held_out).astype(np.int32),
        )


def _are_numbers(classes: Sequence[str]) -> bool:
    return any(all(is_number(label, decimal) for label in classes) for decimal in DECIMALS)


def _group(fingerprints: Array) -> tuple[Array, int]:
    """Return int32 [N], the place of each row's content among the sorted ones, and their count."""
    by_content = np.argsort(fingerprints, kind="stable")
    ordered = fingerprints[by_content]
    first = np.append(False, ordered[1:] != ordered[:-1])
    del ordered
    group = np.empty(len(first), dtype=np.int32)
    group[by_content] = np.cumsum(first, dtype=np.int32)
    return group, 1 + int(np.count_nonzero(first))


def _hold_out(labels: Array, order: Array, share: float, *, exact: bool = False) -> Array:
    """Return booleans [N]: within each class, the rows first by ``order`` up to its share.

    Parameters
    ----------
    labels, order
        Integers [N]; rows of one place in the order are kept together.
    share
        Part of all rows; each class gives its part, rounded so that the sum is right, and
        at least one row.
    exact
        Cut through a group of equal rows where the count cannot be met otherwise. Without
        it such a class gives fewer rows, or its smallest group where none fits, and keeps
        two groups if it has three.
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
    """Return booleans [n]: ``quota`` rows, or nearly, from the front; equal neighbours together.

    ``differs`` [n - 1] says where a row is not equal to the one before it.
    """
    starts = np.flatnonzero(np.r_[True, differs])
    sizes = np.diff(starts, append=len(differs) + 1)
    most = len(sizes) if exact else max(1, len(sizes) - 2)
    whole = min(most, int(np.searchsorted(np.cumsum(sizes), quota, side="right")))
    groups = np.arange(len(sizes)) < whole
    left = quota - int(sizes[:whole].sum())
    # The next group does not fit; smaller ones further on may.
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
    """Return how many rows each class gives: largest remainders, at least 1, never all."""
    wanted = sizes * share
    quota = np.floor(wanted).astype(int)
    missing = round(sizes.sum() * share) - quota.sum()
    quota[np.argsort(quota - wanted, kind="stable")[: max(0, missing)]] += 1
    clipped: Array = np.clip(quota, 1, np.maximum(1, sizes - 1)) * (sizes > 0)
    return clipped


def _seeded_hash(fingerprints: Array, seed: int) -> Array:
    """Return uint64 [N], a fresh mixing of the fingerprints for every seed."""
    return _mixed(fingerprints + np.uint64(seed * 0x9E3779B97F4A7C15 % 2**64))


def _mixed(z: Array) -> Array:
    """Return uint64 [N], every bit of each depending on every bit of ``z``.

    The finaliser of SplitMix64: Steele, Lea and Flood 2014, "Fast Splittable Pseudorandom
    Number Generators", figure 6 (variant 13 of Stafford's mixers).
    """
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: Array = z ^ (z >> np.uint64(31))
    return mixed
