"""How well probabilities rank rows: the area under the ROC curve, and average precision.

Neither depends on the threshold from which a class is predicted, so they tell a model that knows
something about a rare class from one that knows nothing, even where both never predict it. With
more than two classes each class is told from all others, and the classes count equally.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.evaluation.inference.statistics import NO_FIGURE, Interval, mean_of_shares

__all__ = ["ROWS_OF_A_PAIR", "Ranking", "precision_parts", "rank_rows"]

Array = npt.NDArray[Any]

ROWS_OF_A_PAIR = 3
"""Effective rows for each disjoint pair, at most: a score without skill has so many where the other
side is large, since its variance is (1/m + 1/n) / 12."""


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """How well the rows of each class are ranked above the others, with 95 % intervals.

    Attributes
    ----------
    auc, average_precision
        Of each class against all others, in the order of the classes; NaN for a class without
        rows, or without others.
    mean_auc, mean_average_precision
        Their unweighted means over the classes that have a value.
    """

    auc: tuple[Interval, ...]
    average_precision: tuple[Interval, ...]
    mean_auc: Interval
    mean_average_precision: Interval


def rank_rows(probabilities: Array, labels: Array) -> Ranking:
    """Return both ranking metrics of predicted probabilities, by class and as means.

    The area under the ROC curve is the probability that a row of the class has a higher
    probability of it than another row, ties counted as one half. Average precision is the mean,
    over the rows of the class, of the precision among all rows with at least as high a probability
    (scikit-learn's definition, without interpolation).

    Class sizes are taken as fixed, as the split fixes them. Each figure is to first order a sum of
    one contribution a row: of the AUC these are the placement values of DeLong, DeLong and
    Clarke-Pearson 1988, of average precision its derivatives by the two distributions of scores.
    The variance is that of the contributions within each class. For the AUC of one class this is
    DeLong's variance, computed from ranks as by Sun and Xu 2014. For a mean over classes a row's
    contributions are added first, so that what the classes share is counted.

    The interval is Wilson's at the effective number of rows, value * (1 - value) / variance (as
    Korn and Graubard 1998 do for surveys), which stays in [0, 1]. The estimated variance of a few
    nearly perfectly ranked rows is far too low, so the effective number is bounded
    (`mean_of_shares`): for average precision by the rows of the class (Boyd, Eng and Page 2013),
    for the AUC by three times the number of disjoint pairs, the size of the smaller side. If every
    row of the class is ranked above all others it is, for both, the number of pairs: all of them
    are ordered with a probability of at most AUC to that power, whatever the distributions. In a
    mean over more than two classes half as many pairs are counted, as a row is in the pairs of
    several.

    Each class takes one sort of the rows, so the time grows with C n log n.

    Parameters
    ----------
    probabilities
        Predicted probabilities [n, C].
    labels
        True classes, integers [n].
    """
    n, c = probabilities.shape
    own = np.bincount(labels, minlength=c)
    told = np.flatnonzero((own > 0) & (own < n))
    areas, precisions = _Total(n, len(told)), _Total(n, len(told))
    for label in told.tolist():
        area, precision, order, is_own = _one_class(probabilities[:, label], labels == label)
        pairs = float(min(own[label], n - own[label]))
        # With more than two classes a row is in the pairs of several.
        shared = pairs if c == 2 else pairs / 2
        if 0 < area[0] < 1:
            most = (ROWS_OF_A_PAIR * pairs, ROWS_OF_A_PAIR * shared)
            areas.add(label, *area, order, is_own, most)
            precisions.add(label, *precision, order, is_own, (float(own[label]),) * 2)
        else:
            areas.add(label, *area, order, is_own, (pairs, shared))
            precisions.add(label, *precision, order, is_own, (pairs, shared))
    return Ranking(
        auc=areas.by_class(c),
        average_precision=precisions.by_class(c),
        mean_auc=areas.mean(labels),
        mean_average_precision=precisions.mean(labels),
    )


def precision_parts(
    probabilities: Array, labels: Array, classes: Iterable[int]
) -> tuple[float, Array]:
    """Return the mean average precision of some classes, and what each row contributes to it.

    Parameters
    ----------
    probabilities
        Predicted probabilities [n, C].
    labels
        True classes, integers [n].
    classes
        The classes; those that no row has, or every row, are left out of the mean.

    Returns
    -------
    mean, parts
        The mean, NaN of no class, and the contributions [n] of `rank_rows`.
    """
    own = np.bincount(labels, minlength=probabilities.shape[1])
    told = [label for label in classes if 0 < own[label] < len(labels)]
    total, parts = 0.0, np.zeros(len(labels))
    for label in told:
        _, (value, given), order, _ = _one_class(probabilities[:, label], labels == label)
        total += value / len(told)
        parts[order] += given / len(told)
    return total if told else float("nan"), parts


def _one_class(
    scores: Array, own: Array
) -> tuple[tuple[float, Array], tuple[float, Array], Array, Array]:
    """Return AUC and average precision of one class, each with the rows' contributions.

    Parameters
    ----------
    scores
        Probability of the class [n].
    own
        Booleans [n]: rows of the class.

    Returns
    -------
    tuple
        AUC and contributions [n] in ascending order of the scores, the same of average precision,
        the order, and ``own`` in this order.
    """
    n = len(scores)
    order = np.argsort(scores, kind="stable")
    ascending, own = scores[order], own[order]
    # Rows with equal scores form a group, and so share their contributions.
    starts = np.flatnonzero(np.concatenate(([True], ascending[1:] != ascending[:-1])))
    ends = np.append(starts[1:], n)
    below = np.concatenate(([0], np.cumsum(own)))
    m = int(below[-1])
    inside = below[ends] - below[starts]
    others_below, others_inside = starts - below[starts], ends - starts - inside
    over = (others_below + others_inside / 2) / (n - m)
    under = (m - below[ends] + inside / 2) / m
    above = n - starts
    precision = (m - below[starts]) / above
    gained = np.cumsum(inside * (1 - precision) / above)
    lost = np.cumsum(inside * precision / above)
    sizes = ends - starts

    def spread(of_own: Array, of_others: Array) -> Array:
        return np.where(own, np.repeat(of_own, sizes), np.repeat(of_others, sizes))

    return (
        (float(inside @ over) / m, spread(over / m, under / (n - m))),
        (float(inside @ precision) / m, spread((precision + gained) / m, -lost / m)),
        order,
        own,
    )


class _Total:
    """One figure of several classes: values, variances, and the contributions of all together."""

    def __init__(self, rows: int, classes: int) -> None:
        self._contributions = np.zeros(rows)
        self._share = 1 / max(1, classes)
        self._by_class: dict[int, Interval] = {}
        self._values: list[float] = []
        self._most: list[float] = []

    def add(
        self,
        label: int,
        value: float,
        parts: Array,
        order: Array,
        own: Array,
        most: tuple[float, float],
    ) -> None:
        """Add the value of a class, and the contributions to it in ``order``.

        The most effective rows are given for the class alone, and as a part of the mean.
        """
        alone, in_mean = most
        variance = _within(parts[own]) + _within(parts[~own])
        self._by_class[label] = mean_of_shares(np.array([value]), np.array([alone]), variance)
        self._contributions[order] += parts * self._share
        self._values.append(value)
        self._most.append(in_mean)

    def by_class(self, classes: int) -> tuple[Interval, ...]:
        """Return the interval of each class, NaN for one that was not added."""
        return tuple(self._by_class.get(label, NO_FIGURE) for label in range(classes))

    def mean(self, labels: Array) -> Interval:
        """Return the mean over the classes with its interval."""
        if not self._values:
            return NO_FIGURE
        order = np.argsort(labels, kind="stable")
        starts = np.flatnonzero(np.diff(labels[order])) + 1
        parts = np.split(self._contributions[order], starts)
        variance = sum(map(_within, parts))
        return mean_of_shares(np.array(self._values), np.array(self._most), variance)


def _within(parts: Array) -> float:
    """Return the variance of a sum of contributions of one class; 0 if it cannot be estimated."""
    return float(len(parts) * parts.var(ddof=1)) if len(parts) > 1 else 0.0
