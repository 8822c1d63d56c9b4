"""The figures by which models are selected and gated, ``decision.metric``, as sums over rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.evaluation.decision_evaluation import row_costs
from ffn.evaluation.inference.class_wise_gain import MetricGain, class_wise_gain
from ffn.evaluation.ranking_metrics import precision_parts

__all__ = ["METRIC_WORDS", "MetricParts", "higher_is_better", "metric_gain", "metric_parts"]

Array = npt.NDArray[Any]

METRIC_WORDS = {
    "log_loss": "log-loss",
    "average_precision": "average precision",
    "balanced_accuracy": "balanced accuracy",
    "expected_cost": "mean cost",
    "f1": "F1",
}
"""How a metric is called in sentences."""


@dataclass(frozen=True, kw_only=True)
class MetricParts:
    """A metric of one model on some rows.

    Attributes
    ----------
    value
        The metric; NaN if no row has a class that it needs.
    parts
        Contribution of each row [n]. Differences between rows of a class are what the variance of
        the metric comes from; the parts need not add up to it.
    worst, best
        Lowest and highest part that labels could give a row of each class [C]; None for average
        precision, which does not depend on labels.
    """

    value: float
    parts: Array
    worst: Array | None = None
    best: Array | None = None


def higher_is_better(metric: str) -> bool:
    """Return whether a model is the better, the higher this metric.

    Parameters
    ----------
    metric
        One of `METRIC_WORDS`.
    """
    return metric not in ("log_loss", "expected_cost")


def metric_parts(
    metric: str, probabilities: Array, predicted: Array, labels: Array, costs: Array
) -> MetricParts:
    """Return a metric of predictions, and what each row contributes to it.

    Average precision is that of the rarer one of two classes, or the mean over more; so is F1 that
    of the rarer of two. Class sizes are taken as they are.

    Parameters
    ----------
    metric
        ``average_precision``, ``balanced_accuracy``, ``expected_cost`` or ``f1``.
    probabilities
        Predicted probabilities [n, C].
    predicted
        Labels by the model's rule, integers [n]; -1 for one that is none of the C classes.
    labels
        True classes, integers [n].
    costs
        Cost of each label [C, C], by true class and label.
    """
    n, c = probabilities.shape
    sizes = np.bincount(labels, minlength=c)
    positive = 0 if sizes[0] < sizes[-1] else c - 1
    hit = predicted == labels
    if metric == "average_precision":
        value, parts = precision_parts(probabilities, labels, [positive] if c == 2 else range(c))
        return MetricParts(value=value, parts=parts)
    if metric == "balanced_accuracy":
        there = sizes > 0
        share = np.where(there, 1 / (max(1, there.sum()) * np.maximum(sizes, 1)), 0.0)
        value = float((hit * share[labels]).sum()) if n else float("nan")
        return MetricParts(value=value, parts=hit * share[labels], worst=np.zeros(c), best=share)
    if metric == "expected_cost":
        parts = row_costs(predicted, labels, costs) / max(1, n)
        value = float(parts.sum()) if n else float("nan")
        worst, best = costs.max(axis=1) / max(1, n), costs.min(axis=1) / max(1, n)
        return MetricParts(value=value, parts=parts, worst=worst, best=best)
    own, called = labels == positive, predicted == positive
    found, alarms = int((own & called).sum()), int((~own & called).sum())
    rows = int(own.sum())
    if not rows:
        return MetricParts(value=float("nan"), parts=np.zeros(n))
    all_of = rows + found + alarms
    # Derivatives of 2 found / (rows + found + alarms) by both counts.
    of_found, of_alarm = 2 * (rows + alarms) / all_of**2, -2 * found / all_of**2
    parts = np.where(own, hit * of_found, called * of_alarm)
    is_own = np.arange(c) == positive
    return MetricParts(
        value=2 * found / all_of,
        parts=parts,
        worst=np.where(is_own, 0.0, of_alarm),
        best=np.where(is_own, of_found, 0.0),
    )


def metric_gain(
    metric: str,
    challenger: MetricParts,
    production: MetricParts,
    labels: Array,
    alpha: float,
    groups: Array | None = None,
) -> MetricGain:
    """Return what a challenger gains over production, with one-sided bounds; positive is better.

    Parameters
    ----------
    metric
        Which metric it is.
    challenger, production
        The metric of both on the same rows.
    labels
        True classes, integers [n].
    alpha
        One-sided level of each bound.
    groups
        Identifiers of the rows' groups [n]. None, the default: rows are independent.
    """
    sign = 1.0 if higher_is_better(metric) else -1.0
    if not np.isfinite(challenger.value - production.value):
        return MetricGain(value=float("nan"), low=-np.inf, high=np.inf, p_value=1.0, alpha=alpha)
    worst = None
    if challenger.worst is not None and production.best is not None:
        worst = sign * (challenger.worst - production.best)
    return class_wise_gain(
        sign * (challenger.parts - production.parts),
        labels,
        worst,
        alpha,
        groups,
        value=sign * (challenger.value - production.value),
    )
