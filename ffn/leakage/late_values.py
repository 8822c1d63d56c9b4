"""Values that occur with one label only, as those of columns filled in after the label do.

A column that is known only after the label often shows it in one of these ways: it is empty
exactly where the label is another one (a reason for leaving), one of its categories occurs with
one label only ("written off"), or it has one and the same number for one label and various ones
for another (days until the first default).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.leakage.sampled_columns import SampledColumn

__all__ = ["OneLabelValue", "find_one_label_value"]

Array = npt.NDArray[Any]

# Share of the rows with the value that have the label, and of the rows of the label that have the
# value.
_PURE, _MOST_OF_A_CLASS = 0.995, 0.5
# Probability of so pure a value if it had nothing to do with the label. Tables have hundreds of
# columns with hundreds of values, so it is low.
_CHANCE = 1e-9
_FREQUENT = 0.01
_MOST_VALUES = 50


@dataclass(frozen=True, kw_only=True)
class OneLabelValue:
    """What rows of one label have in common, and rows of all others have not.

    Attributes
    ----------
    what
        ``filled`` or ``missing``: the cell has a value or none. ``value`` or ``other``: it has one
        value, or another than that.
    value
        The value; NaN if only its presence matters.
    label
        The class.
    rows
        Mask [n] of the rows of which that is true.
    """

    what: str
    value: float
    label: int
    rows: Array


def find_one_label_value(
    column: SampledColumn, labels: Array, n_classes: int
) -> OneLabelValue | None:
    """Return what occurs with one label only, for most rows of that label; None if nothing does.

    Of several, the one that covers most rows of its label is returned.

    Parameters
    ----------
    column
        The column in n rows.
    labels
        Class indices [n].
    n_classes
        Number of classes.
    """
    best, most = None, 0.0
    sizes = np.bincount(labels, minlength=n_classes)
    for what, value, rows in _events(column):
        counts = np.bincount(labels[rows], minlength=n_classes)
        label, total = int(counts.argmax()), int(counts.sum())
        covered = counts[label] / sizes[label]
        if (
            counts[label] >= _PURE * total
            and covered >= _MOST_OF_A_CLASS
            and covered > most
            and _by_chance(int(counts[label]), total, sizes[label] / len(labels)) < _CHANCE
        ):
            best, most = OneLabelValue(what=what, value=value, label=label, rows=rows), covered
    return best


def _events(column: SampledColumn) -> Iterator[tuple[str, float, Array]]:
    gaps = np.isnan(column.values)
    n = len(gaps)
    if 0 < gaps.sum() < n:
        yield "filled", np.nan, ~gaps
        yield "missing", np.nan, gaps
    distinct, places = column.codes
    counts = np.bincount(places)
    frequent = [
        place
        for place in np.argsort(-counts, kind="stable")[:_MOST_VALUES].tolist()
        if counts[place] >= _FREQUENT * n and not np.isnan(distinct[place])
    ]
    for position, place in enumerate(frequent):
        own = places == place
        if own.all():
            continue
        # Of a number, only the most frequent one can stand for "nothing happened".
        if column.numeric and position:
            break
        yield "value", float(distinct[place]), own
        if not position:
            yield "other", float(distinct[place]), ~own & ~gaps


def _by_chance(own: int, total: int, share: float) -> float:
    """Return the probability of ``own`` rows of a class or more among ``total`` random rows."""
    from scipy import stats

    return float(stats.binom.sf(own - 1, total, share))
