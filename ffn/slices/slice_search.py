"""The search for groups of rows that a model serves worse than all others, on held-out rows.

Whoever looks at forty groups finds one that is worse. Each group is compared with all other rows,
in accuracy and in log-loss, and the p-values of all comparisons are adjusted together by Holm's
method (Holm 1979). So the chance that any group is named although all are served alike is at most
`ALPHA`, however many groups there are and however they overlap.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.evaluation.inference.statistics import Interval, holm
from ffn.slices.row_slices import RowSlice
from ffn.slices.slice_tests import (
    higher_mean_p,
    higher_share_p,
    mean_at_level,
    share_at_level,
    units_in,
)

__all__ = ["ALPHA", "LEAST_GROUPS", "LEAST_ROWS", "SliceFigures", "SliceSearch", "search_slices"]

Array = npt.NDArray[Any]

ALPHA = 0.05
"""Chance with which a report names a group although all are served alike."""

LEAST_ROWS = 30
"""Rows that a slice and the rest must have at least: with fewer hardly anything can be shown."""

LEAST_GROUPS = 10
"""The same for groups of rows, or for rows of equal weight that say as much."""

# With more slices only the very worst could be shown to be worse, and the time would grow.
_MOST_SLICES = 200
_KEPT = 20
_MOST_CLASSES = 20


@dataclass(frozen=True, kw_only=True)
class SliceFigures:
    """Figures of one slice.

    Attributes
    ----------
    column, value
        What its rows have in common, as in `RowSlice`.
    rows
        Number of its rows.
    accuracy, log_loss
        Of its rows. Their intervals hold for all slices together with a probability of 0.95.
    less_accurate, higher_loss
        Adjusted p-values of no worse figures than those of all other rows.
    recalls
        Rows that are labelled correctly, and all rows, by class; empty above twenty classes.
    """

    column: str
    value: str
    rows: int
    accuracy: Interval
    log_loss: Interval
    less_accurate: float
    higher_loss: float
    recalls: dict[str, tuple[int, int]]

    @property
    def worse(self) -> bool:
        """Whether the slice is shown to be served worse than all other rows."""
        return min(self.less_accurate, self.higher_loss) <= ALPHA


@dataclass(frozen=True, kw_only=True)
class SliceSearch:
    """Result of the search.

    Attributes
    ----------
    rows
        Number of held-out rows.
    searched
        Number of slices that were compared.
    too_small
        Number of slices with too few rows, or so many that too few are left.
    left_out
        Number of other slices: where there are more than 200, those with the fewest rows.
    slices
        The slices that are shown to be worse, and the worst of the others up to 20 in all: those of
        the lowest p-values first, and of these the least accurate.
    """

    rows: int
    searched: int
    too_small: int
    left_out: int
    slices: tuple[SliceFigures, ...]

    @property
    def worse(self) -> tuple[SliceFigures, ...]:
        """The slices that are shown to be served worse."""
        return tuple(one for one in self.slices if one.worse)


def search_slices(
    slices: Iterable[RowSlice],
    predicted: Array,
    labels: Array,
    losses: Array,
    worst: Array,
    classes: tuple[str, ...],
    *,
    groups: Array | None = None,
    weights: Array | None = None,
) -> SliceSearch:
    """Compare each slice with all rows outside it.

    Parameters
    ----------
    slices
        The slices, which may overlap. What they are must not depend on labels or predictions.
    predicted, labels
        Predicted and true classes [n].
    losses
        Log-losses of the rows [n].
    worst
        The log-losses that they would have with their least probable label [n].
    classes
        Names of the classes [C].
    groups
        Identifiers of the rows' groups [n]; None, the default: rows are independent.
    weights
        Weights of the rows [n]; None, the default: rows count alike.
    """
    n, wrong = len(labels), predicted != labels
    every = list(slices)
    enough = [one for one in every if LEAST_ROWS <= len(one.rows) <= n - LEAST_ROWS]
    too_small, left_out = len(every) - len(enough), 0
    kept: list[RowSlice] = []
    p_values: list[float] = []
    for one in sorted(enough, key=lambda one: -len(one.rows)):
        if len(kept) == _MOST_SLICES:
            left_out += 1
            continue
        inside = np.zeros(n, dtype=bool)
        inside[one.rows] = True
        if not all(_are_many(side, groups, weights) for side in (inside, ~inside)):
            too_small += 1
            continue
        kept.append(one)
        p_values.append(higher_share_p(wrong, inside, groups, weights))
        p_values.append(higher_mean_p(losses, inside, groups, weights))
    adjusted = holm(p_values)
    level = ALPHA / max(1, len(p_values))
    order = sorted(
        range(len(kept)),
        key=lambda i: (
            min(adjusted[2 * i], adjusted[2 * i + 1]),
            -float(wrong[kept[i].rows].mean()),
        ),
    )
    found: list[SliceFigures] = []
    for i in order:
        p_accuracy, p_loss = adjusted[2 * i], adjusted[2 * i + 1]
        if len(found) >= _KEPT and min(p_accuracy, p_loss) > ALPHA:
            break
        rows = kept[i].rows
        own_groups, own_weights = (None if of is None else of[rows] for of in (groups, weights))
        found.append(
            SliceFigures(
                column=kept[i].column,
                value=kept[i].value,
                rows=len(rows),
                accuracy=share_at_level(~wrong[rows], own_groups, own_weights, level),
                log_loss=mean_at_level(losses[rows], worst[rows], own_groups, own_weights, level),
                less_accurate=p_accuracy,
                higher_loss=p_loss,
                recalls=_recalls(labels[rows], wrong[rows], classes),
            )
        )
    return SliceSearch(
        rows=n,
        searched=len(kept),
        too_small=too_small,
        left_out=left_out,
        slices=tuple(found),
    )


def _are_many(rows: Array, groups: Array | None, weights: Array | None) -> bool:
    """Return whether these rows, of which there are enough, are of enough groups, too."""
    independent = groups is None and weights is None
    return independent or units_in(rows, groups, weights) >= LEAST_GROUPS


def _recalls(labels: Array, wrong: Array, classes: tuple[str, ...]) -> dict[str, tuple[int, int]]:
    if len(classes) > _MOST_CLASSES:
        return {}
    rows = np.bincount(labels, minlength=len(classes)).tolist()
    found = np.bincount(labels[~wrong], minlength=len(classes)).tolist()
    return {name: (right, of) for name, right, of in zip(classes, found, rows, strict=True) if of}
