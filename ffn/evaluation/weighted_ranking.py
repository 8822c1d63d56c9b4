"""Ranking metrics of weighted rows, with their intervals."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.evaluation.inference.groups_of_rows import hull, units_of
from ffn.evaluation.inference.statistics import NO_FIGURE, Interval, mean_of_shares
from ffn.evaluation.ranking_metrics import ROWS_OF_A_PAIR, Ranking

__all__ = ["rank_weighted"]

Array = npt.NDArray[Any]

# Parts of the delete-a-group jackknife, as in `ffn.evaluation.grouped_ranking`.
_PARTS, _FEWEST_PARTS, _MOST_SCORES = 40, 10, 2**23


def rank_weighted(
    probabilities: Array, labels: Array, weights: Array, groups: Array | None, parts: Array
) -> Ranking:
    """Return ranking metrics in which each row counts by its weight.

    The area under the ROC curve and average precision are those of `rank_rows`, with sums of
    weights for counts of rows: scikit-learn's ``sample_weight``.

    The variance is that of a delete-a-group jackknife (Kott 2001, "The Delete-a-Group Jackknife"):
    rows, or groups, are dealt to at most 40 parts, and the figures computed without each. The
    interval is Wilson's at the effective number of rows, ``value * (1 - value) / variance``, which
    is bounded as in `rank_rows`, with the effective rows of each side for its rows; it is widened
    by Student's t.

    Parameters
    ----------
    probabilities
        Predicted probabilities [n, C].
    labels
        True classes, integers [n].
    weights
        Weights of the rows [n], above 0.
    groups
        Identifiers of the rows' groups [n]; None if rows are independent.
    parts
        Numbers of the rows [n], or of their groups, from 0, in an order that is independent of what
        they hold.
    """
    c = probabilities.shape[1]
    most = min(_PARTS, max(_FEWEST_PARTS, _MOST_SCORES // probabilities.size))
    count = min(most, int(parts.max()) + 1)
    dealt = parts % count
    figures = np.full((count + 1, 2, c), np.nan)
    bounds: list[tuple[float, float]] = []
    for label in range(c):
        own = labels == label
        if own.any() and not own.all():
            sides = [_units(groups, weights, some) for some in (own, ~own)]
            bounds.append((sides[0], min(sides)))
            figures[:, :, label] = _one_class(probabilities[:, label], own, weights, dealt, count)
        else:
            bounds.append((0.0, 0.0))
    # A class whose rows are all in one part has no figure without it.
    left = np.ma.masked_invalid(figures[1:])
    units = min(float(count), units_of(groups, weights))
    told = np.flatnonzero(np.isfinite(figures[0, 0]))

    def interval(figure: int, classes: Array) -> Interval:
        if not len(classes):
            return NO_FIGURE
        values = figures[0, figure, classes]
        of_mean = left[:, figure, classes].mean(axis=1)
        spread = np.ma.filled(np.square(of_mean - of_mean.mean()).sum(), 0.0)
        variance = (count - 1) / count * float(spread)
        # With more than two classes a row is in the pairs of several.
        share = 0.5 if len(classes) > 1 and c > 2 else 1.0
        effective = np.array(
            [
                _effective(figure, value, bounds[label], share)
                for value, label in zip(values, classes.tolist(), strict=True)
            ]
        )
        found = mean_of_shares(values, effective, variance)
        wide = hull(found, found.value, float(np.sqrt(variance)), units)
        return Interval(found.value, max(0.0, wide.low), min(1.0, wide.high))

    by_class = [
        tuple(interval(figure, np.intersect1d(told, [label])) for label in range(c))
        for figure in (0, 1)
    ]
    return Ranking(
        auc=by_class[0],
        average_precision=by_class[1],
        mean_auc=interval(0, told),
        mean_average_precision=interval(1, told),
    )


def _units(groups: Array | None, weights: Array, rows: Array) -> float:
    return units_of(None if groups is None else groups[rows], weights[rows])


def _effective(figure: int, value: float, sides: tuple[float, float], share: float) -> float:
    """Return the most effective rows that a figure can have, as in `rank_rows`."""
    own, pairs = sides
    if not 0 < value < 1:
        return pairs * share
    return own if figure else ROWS_OF_A_PAIR * pairs * share


def _one_class(scores: Array, own: Array, weights: Array, dealt: Array, count: int) -> Array:
    """Return AUC and average precision of all rows, and without each part: [count + 1, 2]."""
    order = np.argsort(scores, kind="stable")
    ascending, own = scores[order], own[order]
    starts = np.flatnonzero(np.concatenate(([True], ascending[1:] != ascending[:-1])))
    each, part = weights[order], dealt[order]
    found = np.full((count + 1, 2), np.nan)
    for k in range(count + 1):
        now = each if k == 0 else np.where(part == k - 1, 0.0, each)
        inside = np.add.reduceat(np.where(own, now, 0.0), starts)
        others = np.add.reduceat(np.where(own, 0.0, now), starts)
        total, against = inside.sum(), others.sum()
        if not (total and against):
            continue
        below = np.cumsum(others) - others
        # From the highest score down, so that nothing is left by subtraction.
        hits, false_alarms = (np.cumsum(side[::-1])[::-1] for side in (inside, others))
        above = hits + false_alarms
        precision = hits / np.where(above > 0, above, 1.0)
        found[k] = (
            inside @ (below + others / 2) / (total * against),
            inside @ precision / total,
        )
    # Rounding must not lead out of the range.
    return found.clip(0, 1)
