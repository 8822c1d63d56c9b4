"""Two models compared by the metric of ``[decision]`` on rows that neither was trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from ffn.criteria.criterion import Criterion
from ffn.criteria.decision_metrics import metric_gain, metric_parts

__all__ = ["MetricEvidence", "weigh_metric"]

Array = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class MetricEvidence:
    """Result of a comparison by a metric.

    Attributes
    ----------
    metric
        Its name in the settings.
    words
        Its name in a sentence.
    challenger, production
        The metric of both.
    gain, gain_low, gain_high
        How much better the challenger is, with a one-sided bound on each side: the difference, or
        for costs what is saved.
    p_value
        One-sided p-value of no gain.
    margin
        Loss that is not acceptable in the mode ``not_worse``.
    failures
        What was not shown, a clause each; empty if the challenger may take over.
    """

    metric: str
    words: str
    challenger: float
    production: float
    gain: float
    gain_low: float
    gain_high: float
    p_value: float
    margin: float
    failures: tuple[str, ...]


def weigh_metric(
    criterion: Criterion,
    challenger: tuple[Array, Array],
    production: tuple[Array, Array],
    labels: Array,
    *,
    better: bool,
    margin: float,
    alpha: float,
    groups: Array | None = None,
) -> MetricEvidence:
    """Compare two models by the metric on the same rows.

    Parameters
    ----------
    criterion
        The metric.
    challenger, production
        Probabilities [n, C] and labels by rule [n] of both; -1 for a label that is no class.
    labels
        True classes, integers [n].
    better
        Whether a gain has to be shown; otherwise, that the loss is within the margin.
    margin
        Loss that is not acceptable.
    alpha
        One-sided level.
    groups
        Identifiers of the rows' groups [n]. None, the default: rows are independent.
    """
    one, other = (
        metric_parts(criterion.metric, *answers, labels, criterion.costs)
        for answers in (challenger, production)
    )
    found = metric_gain(criterion.metric, one, other, labels, alpha, groups)
    failures: tuple[str, ...] = ()
    if better and found.p_value > alpha:
        failures = (f"{criterion.words} is not shown to be {_better(criterion)}",)
    if not better and not found.low > -margin:
        failures = (f"{criterion.words} is not shown to be within {margin:g} of production's",)
    return MetricEvidence(
        metric=criterion.metric,
        words=criterion.words,
        challenger=one.value,
        production=other.value,
        gain=found.value,
        gain_low=found.low,
        gain_high=found.high,
        p_value=found.p_value,
        margin=margin,
        failures=failures,
    )


def _better(criterion: Criterion) -> str:
    return "higher" if criterion.higher else "lower"
