"""Paired tests of two models' labels on rows that come in groups: the group is the unit.

``better``: under the null hypothesis the labels that a group gains, less those it loses, have
either sign with equal probability, so that all signs can be flipped at random, group by group:
Canay, Romano and Shaikh 2017, "Randomization tests under an approximate symmetry assumption". With
one row in each group this is McNemar's exact test. ``not_worse``: the larger of two p-values, of
Student's t over groups, and of the exact test for independent rows on counts divided by the design
effect (Rao and Scott 1992, "A simple method for the analysis of clustered binary data"), since the
first of them collapses where no label changes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.evaluation.inference.groups_of_rows import design_effect, hull, mean_of_rows
from ffn.evaluation.inference.paired import (
    ClassLoss,
    LabelCounts,
    accuracy_bound,
    count_labels,
    p_not_worse,
)
from ffn.evaluation.inference.statistics import Interval, holm

__all__ = [
    "GroupedLabels",
    "count_grouped_labels",
    "grouped_accuracy_bound",
    "grouped_class_losses",
    "grouped_p_not_worse",
    "sign_flip_p",
]

Array = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class GroupedLabels:
    """Labels that a challenger gains and loses, by group.

    Attributes
    ----------
    counts
        Of all rows.
    net
        Labels gained minus labels lost of each group, integers [G].
    effective
        The counts divided by the design effect, rounded to the challenger's disadvantage.
    difference, error
        Accuracy of the challenger minus production's, and its standard error.
    """

    counts: LabelCounts
    net: Array
    effective: LabelCounts
    difference: float
    error: float

    @property
    def groups(self) -> int:
        """Number of groups, G."""
        return len(self.net)

    @property
    def p_better(self) -> float:
        """One-sided p-value of "the challenger is not more accurate"."""
        return sign_flip_p(self.net)

    @property
    def p_two_sided(self) -> float:
        """P-value of equal accuracy: twice the smaller of the one-sided ones, at most 1."""
        return min(1.0, 2 * min(sign_flip_p(self.net), sign_flip_p(-self.net)))

    def interval(self, of_counts: Callable[[LabelCounts], Interval]) -> Interval:
        """Return the difference of the accuracies with a 95 % interval.

        It is the wider of Student's t over groups and of an interval for independent rows,
        ``of_counts``, for the effective counts: the first has no width if no label changes.
        """
        wide = hull(of_counts(self.effective), self.difference, self.error, self.groups)
        return Interval(self.difference, max(-1.0, wide.low), min(1.0, wide.high))


def count_grouped_labels(
    challenger: Array, production: Array, labels: Array, groups: Array
) -> GroupedLabels:
    """Count the rows that only one of two models labels correctly, of each group.

    Parameters
    ----------
    challenger, production
        Predicted classes, integers [n], n > 0.
    labels
        True classes, integers [n].
    groups
        Identifiers of the rows' groups [n].
    """
    counts = count_labels(challenger, production, labels)
    net = (challenger == labels).astype(float) - (production == labels)
    _, place = np.unique(groups, return_inverse=True)
    effect = design_effect(net, groups)
    gained, lost = math.floor(counts.gained / effect), math.ceil(counts.lost / effect)
    difference, error, _ = mean_of_rows(net, groups)
    return GroupedLabels(
        counts=counts,
        net=np.bincount(place, net).round().astype(np.int64),
        effective=LabelCounts(
            rows=max(1, math.floor(counts.rows / effect), gained + lost),
            gained=gained,
            lost=lost,
            production_wrong=math.floor(counts.production_wrong / effect),
        ),
        difference=difference,
        error=error,
    )


def sign_flip_p(net: Array) -> float:
    """Return the probability that the sum of ``net`` with random signs is at least what it is.

    The distribution of the sum of all ``|net|`` with positive sign is that of independent coins
    worth so much; its probabilities are the Fourier transform of the product of their
    characteristic functions. It is exact but for rounding, some 1e-15.

    Parameters
    ----------
    net
        Integers [G].
    """
    worth, times = np.unique(np.abs(net[net != 0]), return_counts=True)
    total = int((worth * times).sum())
    if not total:
        return 1.0
    # Values of the characteristic function at the total + 1 roots of unity.
    turns = np.arange(total // 2 + 1) / (total + 1)
    product = np.ones(len(turns), dtype=complex)
    for value, count in zip(worth.tolist(), times.tolist(), strict=True):
        product *= ((1 + np.exp(-2j * np.pi * ((value * turns) % 1))) / 2) ** count
    probabilities = np.fft.irfft(product, total + 1).clip(0, 1)
    # The sum is twice the positive part minus the total.
    positive = (int(net.sum()) + total) // 2
    # No p-value can be lower than that of the one outcome in which all signs are positive.
    least = 0.5 ** int(times.sum())
    return float(np.clip(probabilities[positive:].sum(), least, 1.0))


def grouped_p_not_worse(found: GroupedLabels, margin: float, alpha: float) -> float:
    """Return the p-value of "the challenger's accuracy is lower by ``margin`` or more".

    Parameters
    ----------
    found
        Labels gained and lost, by group.
    margin
        Loss of accuracy that is not acceptable, 0 to 1.
    alpha
        One-sided level with which the result will be compared.
    """
    from scipy import special

    exact = p_not_worse(found.effective, margin, alpha)
    distance = found.difference + margin
    if found.groups < 2:
        return 1.0
    if not found.error:
        return exact if distance > 0 else 1.0
    return max(exact, float(special.stdtr(found.groups - 1, -distance / found.error)))


def grouped_accuracy_bound(found: GroupedLabels, alpha: float) -> float:
    """Return an upper confidence bound of the accuracy that the challenger loses.

    Parameters
    ----------
    found
        Labels gained and lost, by group.
    alpha
        One-sided level.
    """
    from scipy import special

    if found.groups < 2:
        return 1.0
    by_t = -found.difference - float(special.stdtrit(found.groups - 1, alpha)) * found.error
    return float(np.clip(max(accuracy_bound(found.effective, alpha), by_t), 0.0, 1.0))


def grouped_class_losses(
    challenger: Array, production: Array, labels: Array, classes: tuple[str, ...], groups: Array
) -> tuple[ClassLoss, ...]:
    """Test each class for lower recall: one-sided tests by sign flips, adjusted by Holm.

    Parameters
    ----------
    challenger, production
        Predicted classes, integers [n].
    labels
        True classes, integers [n].
    classes
        Names of the classes [C].
    groups
        Identifiers of the rows' groups [n].
    """
    counts, p_values = [], []
    for own in (labels == c for c in range(len(classes))):
        counts.append(count_labels(challenger[own], production[own], labels[own]))
        net = (challenger[own] == labels[own]).astype(float) - (production[own] == labels[own])
        _, place = np.unique(groups[own], return_inverse=True)
        sums = np.bincount(place, net) if len(net) else np.zeros(0)
        p_values.append(sign_flip_p(-sums.round().astype(np.int64)))
    return tuple(
        ClassLoss(name=name, rows=one.rows, gained=one.gained, lost=one.lost, p_worse=p)
        for name, one, p in zip(classes, counts, holm(p_values), strict=True)
    )
