"""Paired comparison of a challenger with production on held-out rows."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ffn.criteria.criterion import Criterion
from ffn.criteria.metric_evidence import MetricEvidence, weigh_metric
from ffn.evaluation.inference.grouped_classes import grouped_class_losses
from ffn.evaluation.inference.grouped_labels import (
    GroupedLabels,
    count_grouped_labels,
    grouped_accuracy_bound,
    grouped_p_not_worse,
)
from ffn.evaluation.inference.paired import (
    ClassLoss,
    LabelCounts,
    accuracy_bound,
    class_losses,
    count_labels,
    p_better,
    p_not_worse,
)
from ffn.evaluation.inference.paired_losses import LossBounds, loss_bounds, row_losses
from ffn.promotion.shared_rows import Contest, SharedAnswers
from ffn.registry.alpha_spending import PlannedComparison
from ffn.settings.gate_settings import GateSettings

__all__ = ["HeldOutEvidence", "can_suffice", "label_p_value", "weigh"]


@dataclass(frozen=True, kw_only=True)
class HeldOutEvidence:
    """Result of a paired comparison on held-out rows.

    Attributes
    ----------
    look
        Number of this comparison on these rows, from 1.
    alpha
        Its one-sided level.
    labels
        Numbers of rows that only one of the two models labels correctly.
    p_value
        P-value of the labels. In the mode ``better`` the null hypothesis is that the challenger
        is no more accurate, otherwise that its accuracy is lower by the margin or more.
    accuracy_bound
        Upper bound of the accuracy that the challenger loses, at this level.
    log_loss
        Mean log-loss of the challenger minus production's, nats per row, with its bounds.
    classes
        Labels lost and gained by class.
    failures
        Criteria that were not met, a clause each; empty if the challenger may take over.
    groups
        Number of groups that the rows are of, which all tests then take for the unit; 0 if rows are
        independent.
    accuracy
        Accuracy of the challenger minus production's where rows are weighted, by which both count
        the rows; otherwise None, as it follows from the labels.
    metric
        Comparison by ``decision.metric``, which then decides alone; None if that is the log-loss.
    """

    look: int
    alpha: float
    labels: LabelCounts
    p_value: float
    accuracy_bound: float
    log_loss: LossBounds
    classes: tuple[ClassLoss, ...]
    failures: tuple[str, ...]
    groups: int = field(default=0, metadata={"omitted": True})
    accuracy: float | None = field(default=None, metadata={"omitted": True})
    metric: MetricEvidence | None = field(default=None, metadata={"omitted": True})

    @property
    def shown(self) -> bool:
        """Whether the challenger may take over."""
        return not self.failures


def can_suffice(
    contest: Contest, settings: GateSettings, alpha: float, criterion: Criterion | None = None
) -> bool:
    """Return whether a challenger that makes no mistake would pass on these rows.

    This uses production's predictions and not the challenger's, so it does not count as a
    comparison.

    Parameters
    ----------
    contest
        Rows and predictions.
    settings
        Mode and margins of the gate.
    alpha
        One-sided level of the comparison.
    criterion
        The metric that decides; None, the default: accuracy and log-loss.
    """
    if not len(contest.labels):
        return False
    if criterion:
        perfect = SharedAnswers(
            predicted=contest.labels, probabilities=np.eye(len(contest.classes))[contest.labels]
        )
        return not _by_metric(criterion, contest, perfect, settings, alpha).failures
    production = contest.production.predicted
    if contest.groups is not None or contest.weights is not None:
        best = count_grouped_labels(
            contest.labels, production, contest.labels, contest.groups, contest.weights
        )
        return _grouped_p_value(best, settings, alpha) <= alpha
    at_best = count_labels(production, production, contest.labels).at_best
    return label_p_value(at_best, settings, alpha) <= alpha


def weigh(
    contest: Contest,
    settings: GateSettings,
    look: PlannedComparison,
    seed: int,
    criterion: Criterion | None = None,
) -> HeldOutEvidence:
    """Compare the two models on the rows of a contest.

    Labels and losses both have to pass, each at the full level: an error requires both to pass
    wrongly (an intersection-union test, Berger 1982). In the mode ``better`` the exact test of the
    labels has to show a gain, and the losses must not show the reverse. The test of single classes
    can only keep production in place, so it uses the whole ``alpha`` in every comparison. It has a
    margin of its own because on many rows any two models differ in some class.

    Parameters
    ----------
    contest
        Rows and predictions; at least one row.
    settings
        Mode and margins of the gate.
    look
        Number of the comparison, and its one-sided level.
    seed
        Seed of the bootstrap.
    criterion
        The metric that decides alone, with labels by each model's rule; what is lost of one class
        for another is then what the metric weighs. None, the default: accuracy and log-loss.
    """
    challenger, production, labels = contest.challenger, contest.production, contest.labels
    groups, both = contest.groups, (challenger.predicted, production.predicted, labels)
    counts, weights, accuracy = count_labels(*both), contest.weights, None
    if groups is None and weights is None:
        p_value = label_p_value(counts, settings, look.alpha)
        bound = accuracy_bound(counts, look.alpha)
        classes = class_losses(*both, contest.classes)
    else:
        grouped = count_grouped_labels(*both, groups, weights)
        accuracy = None if weights is None else grouped.difference
        p_value = _grouped_p_value(grouped, settings, look.alpha)
        bound = grouped_accuracy_bound(grouped, look.alpha)
        classes = grouped_class_losses(*both, contest.classes, groups, weights)
    losses = loss_bounds(
        row_losses(challenger.probabilities, labels),
        row_losses(production.probabilities, labels),
        look.alpha,
        seed,
        groups,
        weights,
    )
    better = settings.mode == "better"
    failures = []
    if p_value > look.alpha:
        margin = f"within {settings.accuracy_margin:g} of production's"
        failures.append(f"accuracy is not shown to be {'higher' if better else margin}")
    if better and losses.low > 0:
        failures.append("log-loss is shown to be higher")
    if not better and losses.high >= settings.log_loss_margin:
        failures.append(
            f"log-loss is not shown to be within {settings.log_loss_margin:g} of production's"
        )
    failures += [
        f"the recall of {found.name} is shown to be lower"
        for found in classes
        if found.p_worse <= settings.alpha and found.drop > settings.class_margin
    ]
    metric = None
    if criterion:
        metric = _by_metric(criterion, contest, challenger, settings, look.alpha)
        failures = [*metric.failures]
    return HeldOutEvidence(
        look=look.number,
        alpha=look.alpha,
        labels=counts,
        p_value=p_value,
        accuracy_bound=bound,
        log_loss=losses,
        classes=classes,
        failures=tuple(failures),
        groups=0 if groups is None else len(np.unique(groups)),
        accuracy=accuracy,
        metric=metric,
    )


def _by_metric(
    criterion: Criterion,
    contest: Contest,
    challenger: SharedAnswers,
    settings: GateSettings,
    alpha: float,
) -> MetricEvidence:
    one, other = (
        (model.probabilities, model.by_rule) for model in (challenger, contest.production)
    )
    return weigh_metric(
        criterion,
        one,
        other,
        contest.labels,
        better=settings.mode == "better",
        margin=settings.metric_margin,
        alpha=alpha,
        groups=contest.groups,
    )


def _grouped_p_value(found: GroupedLabels, settings: GateSettings, alpha: float) -> float:
    """Return what `label_p_value` does, with the group as the unit."""
    if settings.mode == "better":
        return found.p_better
    return grouped_p_not_worse(found, settings.accuracy_margin, alpha)


def label_p_value(counts: LabelCounts, settings: GateSettings, alpha: float) -> float:
    """Return the p-value of the labels in the gate's mode.

    Parameters
    ----------
    counts
        Labels gained and lost.
    settings
        Mode and accuracy margin of the gate.
    alpha
        One-sided level with which the result will be compared.
    """
    if settings.mode == "better":
        return p_better(counts.gained, counts.lost)
    return p_not_worse(counts, settings.accuracy_margin, alpha)
