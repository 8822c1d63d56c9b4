"""What a decision rule costs on held-out rows, and what abstaining would gain."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.decision_rules.rule import ARGMAX, DecisionRule
from ffn.evaluation.inference.groups_of_rows import values_of_groups
from ffn.evaluation.inference.paired_losses import loss_bounds
from ffn.evaluation.inference.shares import share_of_rows
from ffn.evaluation.inference.statistics import Interval, mean_interval
from ffn.evaluation.label_set_evaluation import LabelSetEvaluation, evaluate_label_sets

__all__ = ["CoveragePoint", "DecisionEvaluation", "coverage_curve", "evaluate_rule", "row_costs"]

Array = npt.NDArray[Any]

# Fixed before any row is seen, so that no point of the curve was chosen for its figures.
_CONFIDENCES = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
# Two bounds make a 95 % interval.
_ALPHA = 0.025


@dataclass(frozen=True, kw_only=True)
class CoveragePoint:
    """What is labelled, and how well, if rows below a confidence get no label.

    Attributes
    ----------
    below
        That confidence.
    rows
        Number of rows with a label.
    coverage
        Share of rows with a label, with its interval.
    accuracy
        Share of right labels among these, with its interval; NaN if there are none.
    """

    below: float
    rows: int
    coverage: Interval
    accuracy: Interval


@dataclass(frozen=True, kw_only=True)
class DecisionEvaluation:
    """A rule on held-out rows, beside the most probable class. Abstentions count as labelled.

    Attributes
    ----------
    cost, argmax_cost
        Mean cost of a row by the rule, and if its label were the most probable class, with
        intervals.
    difference
        The former minus the latter, on the same rows.
    recalls, argmax_recalls
        Recall of each class by the rule, and by the most probable class.
    argmax_accuracy
        Accuracy of the most probable class.
    curve
        Coverage and accuracy of the rule by confidence, ascending.
    label_sets
        How often label sets hold the true class; None if there are none.
    """

    cost: Interval
    argmax_cost: Interval
    difference: Interval
    recalls: tuple[Interval, ...]
    argmax_recalls: tuple[Interval, ...]
    argmax_accuracy: Interval
    curve: tuple[CoveragePoint, ...]
    label_sets: LabelSetEvaluation | None = field(default=None, metadata={"omitted": True})


def evaluate_rule(
    probabilities: Array,
    labels: Array,
    rule: DecisionRule,
    costs: Array,
    seed: int,
    groups: Array | None = None,
    weights: Array | None = None,
) -> DecisionEvaluation:
    """Compare a rule with the most probable class on held-out rows.

    Parameters
    ----------
    probabilities
        Predicted probabilities [n, C].
    labels
        True classes, integers [n].
    rule
        The rule.
    costs
        Cost of each label [C, C], by true class and label.
    seed
        Seed of the bootstraps.
    groups
        Identifiers of the rows' groups [n], which are then the unit of all intervals; None, the
        default: rows are independent.
    weights
        Weights of the rows [n] in all means and shares; None, the default: rows count alike.
    """
    by_rule, by_argmax = rule.labels(probabilities), ARGMAX.labels(probabilities)
    own, other = row_costs(by_rule, labels, costs), row_costs(by_argmax, labels, costs)
    own, other = (values_of_groups(each, groups, weights) for each in (own, other))
    bounds = loss_bounds(own, other, _ALPHA, seed)
    n_classes = probabilities.shape[1]
    return DecisionEvaluation(
        cost=mean_interval(own, seed),
        argmax_cost=mean_interval(other, seed),
        difference=Interval(bounds.value, bounds.low, bounds.high),
        recalls=_recalls(by_rule, labels, n_classes, groups, weights),
        argmax_recalls=_recalls(by_argmax, labels, n_classes, groups, weights),
        argmax_accuracy=share_of_rows(by_argmax == labels, groups, weights),
        curve=coverage_curve(probabilities, labels, rule, groups, weights),
        label_sets=None
        if rule.set_limits is None
        else evaluate_label_sets(rule.label_sets(probabilities, by_rule), labels, groups),
    )


def row_costs(predicted: Array, labels: Array, costs: Array) -> Array:
    """Return the cost of each row's label [n].

    Parameters
    ----------
    predicted
        Labels, integers [n]; -1 for a class that is not among the C, which costs as much as the
        most expensive label of the row's true class.
    labels
        True classes, integers [n].
    costs
        Cost of each label [C, C], by true class and label.
    """
    found: Array = np.where(predicted < 0, costs.max(axis=1)[labels], costs[labels, predicted])
    return found


def coverage_curve(
    probabilities: Array,
    labels: Array,
    rule: DecisionRule,
    groups: Array | None = None,
    weights: Array | None = None,
) -> tuple[CoveragePoint, ...]:
    """Return coverage and accuracy if rows below each of some confidences get no label.

    A classifier that abstains where its confidence is low is that of Chow 1970, "On optimum
    recognition error and reject tradeoff"; El-Yaniv and Wiener 2010 call the curve the
    risk-coverage trade-off.

    Parameters
    ----------
    probabilities
        Predicted probabilities [n, C].
    labels
        True classes, integers [n].
    rule
        The rule, whose own limit is one of the points.
    groups, weights
        As for `evaluate_rule`.
    """
    predicted = rule.labels(probabilities)
    confidences = rule.confidences(probabilities, predicted)
    right = predicted == labels
    points = []
    for below in sorted({*_CONFIDENCES, rule.abstain_below}):
        kept = ~DecisionRule(abstain_below=below).abstains(confidences)
        rows = int(kept.sum())
        points.append(
            CoveragePoint(
                below=below,
                rows=rows,
                coverage=share_of_rows(kept, groups, weights),
                accuracy=share_of_rows(right, groups, weights, kept),
            )
        )
    return tuple(points)


def _recalls(
    predicted: Array,
    labels: Array,
    n_classes: int,
    groups: Array | None,
    weights: Array | None,
) -> tuple[Interval, ...]:
    right = predicted == labels
    return tuple(share_of_rows(right, groups, weights, labels == c) for c in range(n_classes))
