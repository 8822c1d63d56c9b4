"""Held-out metrics of the selected model: labels, ranking, log-loss, Brier score, calibration.

Nothing was fitted, tuned or chosen on the rows on which they are measured.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.decision_rules.rule import ARGMAX, DecisionRule
from ffn.evaluation.calibration import Calibration, measure_calibration
from ffn.evaluation.class_figures import ClassFigures
from ffn.evaluation.class_means import (
    CountsWithout,
    balanced_accuracy,
    f1_of,
    macro_f1,
    recall_of,
)
from ffn.evaluation.decision_evaluation import DecisionEvaluation, evaluate_rule
from ffn.evaluation.grouped_ranking import rank_groups
from ffn.evaluation.inference.groups_of_rows import units_of, values_of_groups
from ffn.evaluation.inference.shares import share_of_rows
from ffn.evaluation.inference.statistics import NO_FIGURE, Interval, mean_interval, wilson
from ffn.evaluation.later_periods import LaterPeriods
from ffn.evaluation.ranking_metrics import rank_rows
from ffn.evaluation.weighted_ranking import rank_weighted
from ffn.quantities import counted
from ffn.tabular.weighting.effective_rows import effective_rows

__all__ = ["HeldOutEvaluation", "evaluate_probabilities"]

Array = npt.NDArray[Any]

# Parts of weighted rows for the jackknife of means over classes.
_MOST_PARTS = 400


@dataclass(frozen=True, kw_only=True)
class HeldOutEvaluation:
    """Metrics on the held-out rows, with 95 % intervals.

    Attributes
    ----------
    rows, correct
        Number of held-out rows, and of those that get the right label.
    accuracy
        Share of correct rows, with Wilson's interval.
    macro_f1
        Unweighted mean of the classes' F1, with the interval described at `macro_f1`.
    balanced_accuracy
        Unweighted mean of the classes' recalls, with the interval of `mean_of_shares`.
    auc
        Area under the ROC curve: with two classes the probability that a row of one has a higher
        probability of it than a row of the other, otherwise the unweighted mean over the classes,
        each against all others. Interval as described at `rank_rows`.
    average_precision
        Of ``positive``, or the unweighted mean over the classes if that is empty; interval as for
        the AUC. Without any skill it is the share of the class.
    positive
        Of two classes the rarer one among the training rows; empty if there are more.
    log_loss
        Mean over rows, in nats, with a BCa bootstrap interval, or Student's t for many rows. The
        interval is approximate: losses are skewed, and no resampling can represent confident
        mistakes that are rarer than one in the number of rows, so on a few dozen rows its
        coverage is below 95 %.
    brier
        Brier score (Brier 1950): the squared differences between a row's probabilities and its
        one-hot label, summed over classes (0 to 2), mean over rows; interval as for the log-loss.
    calibration
        Expected calibration error.
    classes
        Recall and precision of each class, in the order of the schema.
    confusions
        Label, prediction and number of rows, for every pair that occurs, in order; the first two
        are indices into ``classes``.
    usual
        Index into ``classes`` of the most frequent class of the training rows.
    groups
        Number of groups that the rows are of, which all intervals then take for the unit
        (`ffn.evaluation.inference.groups_of_rows`); 0 if rows are independent.
    usual_share
        Share of that class with its interval, if rows come in groups or are weighted; otherwise
        None.
    later
        What to expect of later rows, under a split by time; otherwise None.
    decision
        The decision rule beside the most probable class; None if it is that class.
    effective_rows
        Number of rows of equal weight that would say as much (`effective_rows`), if rows are
        weighted; otherwise 0. Numbers of rows count each row once, all other figures by its weight.
    """

    rows: int
    correct: int
    accuracy: Interval
    macro_f1: Interval
    log_loss: Interval
    brier: Interval
    calibration: Calibration
    classes: tuple[ClassFigures, ...]
    confusions: tuple[tuple[int, int, int], ...]
    usual: int
    balanced_accuracy: Interval = NO_FIGURE
    auc: Interval = NO_FIGURE
    average_precision: Interval = NO_FIGURE
    positive: str = ""
    groups: int = field(default=0, metadata={"omitted": True})
    usual_share: Interval | None = field(default=None, metadata={"omitted": True})
    later: LaterPeriods | None = field(default=None, metadata={"omitted": True})
    decision: DecisionEvaluation | None = field(default=None, metadata={"omitted": True})
    effective_rows: float = field(default=0.0, metadata={"omitted": True})

    @property
    def judges(self) -> str:
        """Of how many held-out rows, and of how many groups, these figures are; for sentences."""
        rows = counted(self.rows, "held-out row")
        told = f"{rows} of {counted(self.groups, 'group')}" if self.groups else rows
        if self.effective_rows:
            return f"{told} (by weight as many as {self.effective_rows:,.1f} equal ones)"
        return told

    @property
    def confusion(self) -> Array:
        """Counts, int64 [C, C]: row = label, column = prediction, in the order of ``classes``."""
        counts = np.zeros((len(self.classes),) * 2, dtype=np.int64)
        for label, prediction, rows in self.confusions:
            counts[label, prediction] = rows
        return counts

    @property
    def predicted(self) -> tuple[int, ...]:
        """Rows by predicted class."""
        counts = [0] * len(self.classes)
        for _, prediction, rows in self.confusions:
            counts[prediction] += rows
        return tuple(counts)

    @property
    def baseline(self) -> Interval:
        """Accuracy of always predicting the most frequent training class, with its interval."""
        return self.usual_share or wilson(self.classes[self.usual].rows, self.rows)


def evaluate_probabilities(
    probabilities: Array,
    labels: Array,
    classes: tuple[str, ...],
    seed: int,
    *,
    usual: int,
    groups: Array | None = None,
    rule: DecisionRule = ARGMAX,
    costs: Array | None = None,
    weights: Array | None = None,
) -> HeldOutEvaluation:
    """Return all metrics of predicted probabilities.

    Parameters
    ----------
    probabilities
        Predicted probabilities [n, C].
    labels
        True classes, integers [n].
    classes
        Names of the classes [C].
    seed
        Seed of the random draws from which intervals are computed.
    usual
        Index of the most frequent class of the training rows.
    groups
        Identifiers of the rows' groups [n]; None, the default: rows are independent.
    rule
        How labels follow from the probabilities; by default the most probable class. Rows for
        which it abstains count with the label that they would have.
    costs
        Cost of each label [C, C], by true class and label, to compare the rule with the most
        probable class; None, the default: no comparison.
    weights
        Weights of the rows [n], above 0, in all means and shares; None, the default: rows count
        alike. Intervals are those of `ffn.evaluation.inference.groups_of_rows` then.
    """
    n, c = probabilities.shape
    predicted = rule.labels(probabilities)
    confusion = np.zeros((c, c), dtype=np.int64)
    np.add.at(confusion, (labels, predicted), 1)
    own = probabilities[np.arange(n), labels]
    # A probability that underflowed to zero is replaced by the smallest normal float64.
    losses = -np.log(np.maximum(own, np.finfo(float).tiny))
    # The sum of (p - y)^2 over classes, multiplied out.
    squares = np.einsum("nc,nc->n", probabilities, probabilities) - 2 * own + 1
    correct = int(np.trace(confusion))
    right = predicted == labels
    groups = None if groups is None else np.unique(groups, return_inverse=True)[1]
    if weights is None:
        ranking = rank_rows(probabilities, labels)
        if groups is not None:
            ranking = rank_groups(ranking, probabilities, labels, groups)
        means = CountsWithout(predicted, labels, c, groups)
        f1, recalls = confusion, (confusion.diagonal(), confusion.sum(axis=1))
    else:
        parts = np.random.default_rng(seed).permutation(n) if groups is None else groups
        ranking = rank_weighted(probabilities, labels, weights, groups, parts)
        units = units_of(groups, weights)
        dealt = parts if groups is not None else parts % _MOST_PARTS
        means = CountsWithout(predicted, labels, c, dealt, weights, units)
        f1, recalls = _weighted_counts(predicted, labels, c, weights)
    rarer = 1 - usual if c == 2 else None
    return HeldOutEvaluation(
        rows=n,
        correct=correct,
        accuracy=share_of_rows(right, groups, weights),
        macro_f1=means.widen(macro_f1(f1, seed), f1_of),
        log_loss=mean_interval(values_of_groups(losses, groups, weights), seed),
        brier=mean_interval(values_of_groups(np.maximum(squares, 0), groups, weights), seed),
        calibration=measure_calibration(probabilities, labels, seed, groups, weights),
        classes=tuple(
            ClassFigures(
                name=name,
                rows=int(confusion[i].sum()),
                recall=share_of_rows(right, groups, weights, labels == i),
                precision=share_of_rows(right, groups, weights, predicted == i),
                auc=ranking.auc[i],
                average_precision=ranking.average_precision[i],
                weighted_share=(
                    None if weights is None else float(np.average(labels == i, weights=weights))
                ),
            )
            for i, name in enumerate(classes)
        ),
        confusions=tuple(
            (label, prediction, int(confusion[label, prediction]))
            for label, prediction in np.argwhere(confusion).tolist()
        ),
        usual=usual,
        groups=0 if groups is None else int(groups.max()) + 1,
        usual_share=(
            None
            if groups is None and weights is None
            else share_of_rows(labels == usual, groups, weights)
        ),
        balanced_accuracy=means.widen(balanced_accuracy(*recalls), recall_of),
        auc=ranking.mean_auc if rarer is None else ranking.auc[rarer],
        average_precision=(
            ranking.mean_average_precision if rarer is None else ranking.average_precision[rarer]
        ),
        positive="" if rarer is None else classes[rarer],
        decision=(
            None
            if costs is None
            else evaluate_rule(
                probabilities, np.asarray(labels), rule, costs, seed, groups, weights
            )
        ),
        effective_rows=0.0 if weights is None else effective_rows(weights),
    )


def _weighted_counts(
    predicted: Array, labels: Array, c: int, weights: Array
) -> tuple[Array, tuple[Array, Array]]:
    """Return the confusions in effective rows [C, C], and right and all effective rows by class."""
    pairs = np.bincount(labels * c + predicted, weights, minlength=c * c).reshape(c, c)
    of_class = [weights[labels == i] for i in range(c)]
    rows = np.array([effective_rows(own) if len(own) else 0.0 for own in of_class])
    totals = pairs.sum(axis=1)
    recalls = pairs.diagonal() / np.where(totals > 0, totals, 1)
    return pairs * (effective_rows(weights) / weights.sum()), (recalls * rows, rows)
