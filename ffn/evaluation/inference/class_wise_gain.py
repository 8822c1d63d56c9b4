"""Paired test of a metric that is a sum of one part for each row, with class sizes as they are.

Balanced accuracy, F1, the mean cost and, to first order, average precision are of this kind. What
one model gains over another is the sum of the differences of their parts, and its variance is that
of the differences within each class.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.evaluation.inference.grouped_labels import sign_flip_p

__all__ = ["MetricGain", "class_wise_gain"]

Array = npt.NDArray[Any]

# Sums of rounded parts are whole numbers up to this: their distribution takes milliseconds, and
# rounding moves a sum by a thousandth of itself at most.
_GRID = 2**16


@dataclass(frozen=True, kw_only=True)
class MetricGain:
    """What a challenger gains over production by a metric; positive if it is better.

    Attributes
    ----------
    value, low, high
        The gain, with a one-sided confidence bound on each side, each at the level ``alpha``.
    p_value
        One-sided p-value of "the challenger gains nothing".
    alpha
        One-sided level of each bound.
    """

    value: float
    low: float
    high: float
    p_value: float
    alpha: float


def class_wise_gain(
    gains: Array,
    labels: Array,
    worst: Array | None,
    alpha: float,
    groups: Array | None = None,
    *,
    value: float | None = None,
) -> MetricGain:
    """Return the sum of the rows' gains with one-sided bounds, and the p-value of no gain.

    The bounds are Student's t with the variance within classes and the degrees of freedom of
    Satterthwaite 1946, "An approximate distribution of estimates of variance components". With
    groups, deviations from the class means are added within each group first (linearisation: Binder
    1983, "On the variances of asymptotically normal estimators from complex surveys"), a class has
    no more degrees of freedom than groups with rows of it, and the wider of the two is taken.

    Where labels decide, two things are added, since the variance of few changed labels is
    estimated too low. The p-value is also at least that of the exact test by sign flips, which for
    equal parts is McNemar's. The lower bound is also at most that of the same rows with one more in
    each class, which is lost: without it, rows of which no label changes would show anything.

    Parameters
    ----------
    gains
        Part of the challenger minus that of production, by row [n].
    labels
        True classes, integers [n].
    worst
        The lowest gain that a row of each class could have [C]; None where labels do not decide.
    alpha
        One-sided level of each bound, above 0 and below 0.5.
    groups
        Identifiers of the rows' groups [n]. None, the default: rows are independent.
    value
        The gain itself, where parts only tell its variance. By default the sum of the parts.
    """
    from scipy import stats

    value = float(gains.sum()) if value is None else value
    sizes = np.bincount(labels)
    variance, freedom = _within_classes(gains, labels, sizes)
    errors = [(value, variance, freedom)]
    if groups is not None:
        errors.append((value, *_between_groups(gains, labels, sizes, groups)))
    low, high, p_value = value, value, 0.0
    for centre, own, degrees in errors:
        if degrees < 1:
            return MetricGain(value=value, low=-np.inf, high=np.inf, p_value=1.0, alpha=alpha)
        half = float(stats.t.isf(alpha, degrees)) * np.sqrt(own)
        low, high = min(low, centre - half), max(high, centre + half)
        p_value = max(p_value, _tail(centre, own, degrees))
    if worst is None and not variance:
        # Nothing differs in m rows: that is likely as long as a share alpha^(1/m) stays as it is.
        low = min(low, value - (1 - alpha ** (1 / sizes[sizes > 0].min())))
    if worst is not None:
        places = np.flatnonzero(sizes)
        more = np.concatenate([gains, worst[places]])
        more_labels = np.concatenate([labels, places])
        scaled = more * (sizes / (sizes + 1))[more_labels]
        variance, freedom = _within_classes(scaled, more_labels, sizes + (sizes > 0))
        half = float(stats.t.isf(alpha, freedom)) * np.sqrt(variance)
        low = min(low, float(scaled.sum()) - half)
        p_value = max(p_value, _by_sign_flips(gains, groups))
    return MetricGain(
        value=value, low=float(low), high=float(high), p_value=float(p_value), alpha=alpha
    )


def _within_classes(gains: Array, labels: Array, sizes: Array) -> tuple[float, float]:
    """Return the variance of the sum, and its degrees of freedom; 0 of these if unknown."""
    several = sizes > 1
    if not several.any() or (sizes == 1).any():
        # Nothing can be said of how a class varies that has a single row.
        return 0.0, 0.0
    totals = np.bincount(labels, gains, minlength=len(sizes))
    means = totals / np.maximum(sizes, 1)
    squares = np.bincount(labels, (gains - means[labels]) ** 2, minlength=len(sizes))
    own = np.where(several, sizes * squares / np.maximum(sizes - 1, 1), 0.0)
    variance = float(own.sum())
    if variance <= 1e-24:
        return 0.0, float(sizes.sum() - several.sum())
    freedom = variance**2 / float((own[several] ** 2 / (sizes[several] - 1)).sum())
    return variance, freedom


def _between_groups(
    gains: Array, labels: Array, sizes: Array, groups: Array
) -> tuple[float, float]:
    """Return what `_within_classes` does, of deviations that are added within each group.

    A class has no more degrees of freedom than groups with rows of it.
    """
    means = np.bincount(labels, gains, minlength=len(sizes)) / np.maximum(sizes, 1)
    names, place = np.unique(groups, return_inverse=True)
    deviations, count = gains - means[labels], len(names)
    if count < 2:
        return 0.0, 0.0
    together = np.bincount(place, deviations)
    variance = float((together**2).sum()) * count / (count - 1)
    of_classes, squares = 0.0, 0.0
    for label in np.flatnonzero(sizes):
        own = labels == label
        totals = np.bincount(place[own], deviations[own], minlength=count)
        there = len(np.unique(place[own]))
        if there < 2:
            return 0.0, 0.0
        part = float((totals**2).sum()) * there / (there - 1)
        of_classes += part
        squares += part**2 / (there - 1)
    if of_classes <= 1e-24:
        return 0.0, float(count - 1)
    return max(variance, of_classes), min(float(count - 1), of_classes**2 / squares)


def _tail(value: float, variance: float, freedom: float) -> float:
    from scipy import special

    if variance <= 0:
        return 1.0 if value <= 0 else 0.0
    return float(special.stdtr(freedom, -value / np.sqrt(variance)))


def _by_sign_flips(gains: Array, groups: Array | None) -> float:
    """Return the p-value of no gain if each row's, or group's, gain had either sign equally."""
    if groups is not None:
        _, place = np.unique(groups, return_inverse=True)
        gains = np.bincount(place, gains)
    total = float(np.abs(gains).sum())
    if total <= 1e-12:
        return 1.0
    # Rounding is symmetric, so the test of rounded gains is as exact.
    return sign_flip_p(np.rint(gains * (_GRID / total)).astype(np.int64))
