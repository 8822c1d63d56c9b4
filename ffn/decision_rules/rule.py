"""The rule by which a label follows from class probabilities.

This is the only place where a model's label is decided: files, tables in memory, the export for
notebooks, the canary, the figures on held-out rows and the gate all ask `DecisionRule`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["ARGMAX", "CONFIDENCE_UNITS", "DecisionRule", "most_probable"]

Array = npt.NDArray[Any]

# Confidences are written in units of 1/10,000, and are compared with ``abstain_below`` as they are
# written, so that a label and the confidence beside it never contradict each other.
CONFIDENCE_UNITS = 10_000


@dataclass(frozen=True, kw_only=True)
class DecisionRule:
    """How a label follows from the probabilities p of C classes. At most one of the first three.

    Without any of them the label is the most probable class, the first one among equals.

    Attributes
    ----------
    costs
        Cost [C][C] of a mistake: row = true class, column = predicted class. The label is the
        class j of the lowest expected cost, the sum of ``p_i costs[i][j]`` over i (Elkan 2001,
        "The foundations of cost-sensitive learning", equation 1). None: no costs.
    thresholds
        Probability [C] from which on a class is the label, None for a class without one. Of
        several classes that reach theirs, the one with the largest ratio of probability and
        threshold is the label. If none does, it is the most probable class without a threshold,
        or the largest of these ratios if every class has one. None: no thresholds.
    weights
        Factors [C] of the probabilities: the label is the class with the largest product. None:
        no weights.
    abstain_below
        Confidence, from 0 to below 1, below which a row gets no label. The confidence is the
        probability of the label, rounded to four decimals as it is written. 0: every row has one.
    set_limits
        Probability [C] from which on a class is in a row's label set; the label always is. None: no
        label sets.
    """

    costs: tuple[tuple[float, ...], ...] | None = None
    thresholds: tuple[float | None, ...] | None = None
    weights: tuple[float, ...] | None = None
    abstain_below: float = 0.0
    set_limits: tuple[float, ...] | None = None

    @property
    def by_probability(self) -> bool:
        """Whether the label is simply the most probable class."""
        return self.costs is None and self.thresholds is None and self.weights is None

    def labels(self, probabilities: Array) -> npt.NDArray[np.intp]:
        """Return the index of the label of each row [n], abstentions not considered.

        Each row is decided by itself: its label does not depend on the other rows.

        Parameters
        ----------
        probabilities
            Class probabilities [n, C].
        """
        if self.costs is not None:
            return self._cheapest(probabilities, self.costs)
        if self.thresholds is not None:
            return _by_thresholds(probabilities, self.thresholds)
        if self.weights is not None:
            return most_probable(probabilities * np.asarray(self.weights))
        return most_probable(probabilities)

    def confidences(self, probabilities: Array, labels: Array) -> Array:
        """Return the probability of each row's label [n].

        Parameters
        ----------
        probabilities
            Class probabilities [n, C].
        labels
            Indices of the labels [n], as from `labels`.
        """
        if self.by_probability:
            # The label's own probability is the maximum, which is faster than indexing.
            highest: Array = probabilities.max(axis=1)
            return highest
        own: Array = probabilities[np.arange(len(labels)), labels]
        return own

    def abstains(self, confidences: Array) -> npt.NDArray[np.bool_]:
        """Return for which rows [n] of these ``confidences`` [n] there is no label."""
        if not self.abstain_below:
            return np.zeros(len(confidences), dtype=bool)
        written = np.rint(confidences * CONFIDENCE_UNITS) / CONFIDENCE_UNITS
        fewer: npt.NDArray[np.bool_] = written < self.abstain_below
        return fewer

    def label_sets(self, probabilities: Array, labels: Array) -> npt.NDArray[np.bool_]:
        """Return which classes are in each row's label set [n, C].

        Parameters
        ----------
        probabilities
            Class probabilities [n, C].
        labels
            Indices of the labels [n], as from `labels`, abstentions not considered.

        Raises
        ------
        ValueError
            The rule has no label sets.
        """
        if self.set_limits is None:
            raise ValueError("the decision rule has no label sets")
        members: npt.NDArray[np.bool_] = probabilities >= np.asarray(self.set_limits)
        members[np.arange(len(labels)), labels] = True
        return members

    def answers(self, probabilities: Array, classes: Array) -> Array:
        """Return the labels [n] themselves.

        Parameters
        ----------
        probabilities
            Class probabilities [n, C].
        classes
            Labels [C], integers or texts.

        Returns
        -------
        labels
            An array of the type of ``classes``. If the rule can abstain, an array of objects,
            with None for each row without a label.
        """
        labels = self.labels(probabilities)
        found: Array = classes[labels]
        if self.abstain_below:
            found = found.astype(object)
            found[self.abstains(self.confidences(probabilities, labels))] = None
        return found

    def reordered(self, order: Sequence[int]) -> DecisionRule:
        """Return the same rule for classes in another order.

        Parameters
        ----------
        order
            For each place in the new order, the place of its class in the old one, [C].
        """
        costs, thresholds, weights = self.costs, self.thresholds, self.weights
        return replace(
            self,
            costs=None
            if costs is None
            else tuple(tuple(costs[i][j] for j in order) for i in order),
            thresholds=thresholds and tuple(thresholds[i] for i in order),
            weights=weights and tuple(weights[i] for i in order),
            set_limits=self.set_limits and tuple(self.set_limits[i] for i in order),
        )

    def to_json(self) -> dict[str, Any]:
        """Return the rule as a JSON object; what is not used is absent."""
        found: dict[str, Any] = {}
        if self.costs is not None:
            found["costs"] = [list(row) for row in self.costs]
        if self.thresholds is not None:
            found["thresholds"] = list(self.thresholds)
        if self.weights is not None:
            found["weights"] = list(self.weights)
        if self.abstain_below:
            found["abstain_below"] = self.abstain_below
        if self.set_limits is not None:
            found["set_limits"] = list(self.set_limits)
        return found

    @classmethod
    def from_json(cls, value: Any, n_classes: int) -> DecisionRule:
        """Return the rule that ``to_json`` gave.

        Parameters
        ----------
        value
            The JSON value, of any content.
        n_classes
            Number of classes C of the model.

        Raises
        ------
        ValueError
            The value is not a rule for C classes.
        """
        known = {"costs", "thresholds", "weights", "abstain_below", "set_limits"}
        if not isinstance(value, dict) or not value or set(value) - known:
            raise ValueError("the decision rule has other fields")
        if len({"costs", "thresholds", "weights"} & set(value)) > 1:
            raise ValueError("the decision rule decides twice")

        def each(found: Any, sound: Callable[[Any], bool]) -> tuple[Any, ...]:
            if not isinstance(found, list) or len(found) != n_classes or not all(map(sound, found)):
                raise ValueError("the decision rule does not fit the classes")
            return tuple(found)

        rule = cls()
        if "costs" in value:
            rows = each(value["costs"], lambda row: isinstance(row, list))
            rule = replace(rule, costs=tuple(each(row, _is_cost) for row in rows))
        if "thresholds" in value:
            limits = each(value["thresholds"], lambda t: t is None or (_is_cost(t) and 0 < t < 1))
            rule = replace(rule, thresholds=limits)
        if "weights" in value:
            weights = each(value["weights"], lambda weight: _is_cost(weight) and weight > 0)
            rule = replace(rule, weights=weights)
        if "abstain_below" in value:
            below = value["abstain_below"]
            if not _is_cost(below) or not 0 < below < 1:
                raise ValueError("the decision rule abstains below no probability")
            rule = replace(rule, abstain_below=below)
        if "set_limits" in value:
            limits = each(value["set_limits"], lambda limit: _is_cost(limit) and limit <= 1)
            rule = replace(rule, set_limits=limits)
        return rule

    def _cheapest(
        self, probabilities: Array, costs: tuple[tuple[float, ...], ...]
    ) -> npt.NDArray[np.intp]:
        # Added class by class: a matrix product may round a row otherwise in another batch.
        expected = np.zeros(probabilities.shape)
        for shares, of_class in zip(probabilities.T, costs, strict=True):
            expected += shares[:, None] * np.asarray(of_class)
        return most_probable(-expected)


ARGMAX = DecisionRule()


def most_probable(probabilities: Array) -> npt.NDArray[np.intp]:
    """Return the first most probable class [n]: ``argmax``, in a quarter of its time.

    Parameters
    ----------
    probabilities
        Class probabilities, or other numbers to be compared, [n, C].
    """
    highest = probabilities.max(axis=1)
    labels = np.zeros(len(highest), dtype=np.intp)
    below = np.ones(len(highest), dtype=bool)
    for shares in probabilities.T[:-1]:
        below &= shares < highest
        labels += below
    return labels


def _by_thresholds(
    probabilities: Array, thresholds: tuple[float | None, ...]
) -> npt.NDArray[np.intp]:
    limits = np.array([np.inf if limit is None else limit for limit in thresholds])
    free = np.isinf(limits)
    ratios = probabilities / limits
    reached = probabilities >= limits
    first = most_probable(np.where(reached, ratios, -1.0))
    rest = np.where(free, probabilities, -1.0) if free.any() else ratios
    chosen: npt.NDArray[np.intp] = np.where(reached.any(axis=1), first, most_probable(rest))
    return chosen


def _is_cost(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value) and value >= 0
