"""Paired tests of two models' labels on rows that come in groups: the group is the unit.

``better``: under the null hypothesis the labels that a group gains, less those it loses, have
either sign with equal probability, so that all signs can be flipped at random, group by group:
Canay, Romano and Shaikh 2017, "Randomization tests under an approximate symmetry assumption". With
one row in each group this is McNemar's exact test. ``not_worse``: the larger of two p-values, of
Student's t over groups, and of the exact test for independent rows on counts divided by the design
effect (Rao and Scott 1992, "A simple method for the analysis of clustered binary data"), since the
first of them collapses where no label changes.

Where rows are weighted, what is tested is the weighted accuracy, and the row is the group if there
are none. Signs of sums of unequal weight are no fair coins unless gains and losses are of equal
weights, so both hypotheses are tested by the larger of the two p-values: of Student's t, with the
linearised variance (`ffn.evaluation.inference.groups_of_rows`), and of the exact test on counts
divided by the design effect, which contains that of the weights.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.evaluation.inference.groups_of_rows import (
    design_effect,
    hull,
    mean_of_rows,
    units_of,
)
from ffn.evaluation.inference.paired import (
    LabelCounts,
    accuracy_bound,
    count_labels,
    p_better,
    p_not_worse,
)
from ffn.evaluation.inference.statistics import Interval
from ffn.tabular.weighting.effective_rows import effective_rows

__all__ = [
    "GroupedLabels",
    "count_grouped_labels",
    "grouped_accuracy_bound",
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
        Labels gained minus labels lost of each group, integers [G]; weighted sums, floats, if rows
        are weighted.
    effective
        The counts divided by the design effect, rounded to the challenger's disadvantage.
    difference, error
        Accuracy of the challenger minus production's, and its standard error.
    units
        Number of groups; if rows are weighted, that of groups of equal weight, or rows, which say
        as much.
    weighted
        Whether rows are weighted.
    """

    counts: LabelCounts
    net: Array
    effective: LabelCounts
    difference: float
    error: float
    units: float
    weighted: bool = False

    @property
    def groups(self) -> int:
        """Number of groups, G."""
        return len(self.net)

    @property
    def p_better(self) -> float:
        """One-sided p-value of "the challenger is not more accurate"."""
        return self._p_above(1)

    @property
    def p_two_sided(self) -> float:
        """P-value of equal accuracy: twice the smaller of the one-sided ones, at most 1."""
        return min(1.0, 2 * min(self._p_above(1), self._p_above(-1)))

    def _p_above(self, sign: int) -> float:
        """Return the p-value of "the difference times ``sign`` is not above zero"."""
        if not self.weighted:
            return sign_flip_p(sign * self.net)
        ahead, behind = (self.effective.gained, self.effective.lost)[::sign]
        return max(p_better(ahead, behind), self.p_by_t(sign * self.difference))

    def p_by_t(self, distance: float) -> float:
        """Return the one-sided p-value of Student's t for an estimate so far above its limit."""
        from scipy import special

        if self.units < 2:
            return 1.0
        if not self.error:
            return 0.0 if distance > 0 else 1.0
        return float(special.stdtr(self.units - 1, -distance / self.error))

    def interval(self, of_counts: Callable[[LabelCounts], Interval]) -> Interval:
        """Return the difference of the accuracies with a 95 % interval.

        It is the wider of Student's t over groups and of an interval for independent rows,
        ``of_counts``, for the effective counts: the first has no width if no label changes.
        """
        wide = hull(of_counts(self.effective), self.difference, self.error, self.units)
        return Interval(self.difference, max(-1.0, wide.low), min(1.0, wide.high))


def count_grouped_labels(
    challenger: Array,
    production: Array,
    labels: Array,
    groups: Array | None,
    weights: Array | None = None,
) -> GroupedLabels:
    """Count the rows that only one of two models labels correctly, of each group.

    Parameters
    ----------
    challenger, production
        Predicted classes, integers [n], n > 0.
    labels
        True classes, integers [n].
    groups
        Identifiers of the rows' groups [n]; None, which needs weights: each row is one.
    weights
        Weights of the rows [n]; None, the default: they count alike.
    """
    counts = count_labels(challenger, production, labels)
    net = (challenger == labels).astype(float) - (production == labels)
    if weights is not None or groups is None:
        each = np.ones(len(net)) if weights is None else weights
        return _weighted_labels(counts, net, production != labels, groups, each)
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
        units=len(np.unique(groups)),
    )


def _weighted_labels(
    counts: LabelCounts, net: Array, wrong: Array, groups: Array | None, weights: Array
) -> GroupedLabels:
    difference, error, _ = mean_of_rows(net, groups, weights)
    units, most = units_of(groups, weights), effective_rows(weights)
    spread = float(np.average((net - difference) ** 2, weights=weights))
    rows = float(np.clip(spread / error**2, 1.0, most)) if spread > 1e-24 else units
    gained, lost, production_wrong = (
        float(np.average(own, weights=weights)) * rows for own in (net > 0, net < 0, wrong)
    )
    place = np.arange(len(net)) if groups is None else np.unique(groups, return_inverse=True)[1]
    # A share of exactly so many rows must not be rounded past it.
    below, above = math.floor(gained + 1e-9), math.ceil(lost - 1e-9)
    return GroupedLabels(
        counts=counts,
        net=np.bincount(place, net * weights),
        effective=LabelCounts(
            rows=max(1, math.floor(rows + 1e-9), below + above),
            gained=below,
            lost=above,
            production_wrong=math.floor(production_wrong + 1e-9),
        ),
        difference=difference,
        error=error,
        units=units,
        weighted=True,
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
    exact = p_not_worse(found.effective, margin, alpha)
    return max(exact, found.p_by_t(found.difference + margin))


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

    if found.units < 2:
        return 1.0
    by_t = -found.difference - float(special.stdtrit(found.units - 1, alpha)) * found.error
    return float(np.clip(max(accuracy_bound(found.effective, alpha), by_t), 0.0, 1.0))
