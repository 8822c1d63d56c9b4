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
from ffn.evaluation.class_means import (
    CountsWithout,
    balanced_accuracy,
    f1_of,
    macro_f1,
    recall_of,
)
from ffn.evaluation.decision_evaluation import DecisionEvaluation, evaluate_rule
from ffn.evaluation.grouped_ranking import rank_groups
from ffn.evaluation.inference.groups_of_rows import grouped_share, values_of_groups
from ffn.evaluation.inference.statistics import NO_FIGURE, Interval, mean_interval, wilson
from ffn.evaluation.later_periods import LaterPeriods
from ffn.evaluation.ranking_metrics import rank_rows
from ffn.quantities import counted

__all__ = ["ClassFigures", "HeldOutEvaluation", "evaluate_probabilities"]

Array = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class ClassFigures:
    """Figures of one class, with 95 % intervals.

    Attributes
    ----------
    name
        Name of the class.
    rows
        Number of its held-out rows.
    recall
        Share of its rows that are predicted as it; NaN if it has none. Wilson's interval.
    precision
        Share of the rows predicted as it that belong to it; NaN if there are none.
    auc, average_precision
        How well its probability ranks its rows above all others (`rank_rows`); NaN if there are
        none of either, and in records of versions from before these figures existed.
    """

    name: str
    rows: int
    recall: Interval
    precision: Interval
    auc: Interval = NO_FIGURE
    average_precision: Interval = NO_FIGURE


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
        Share of that class with its interval, if rows come in groups; otherwise None.
    later
        What to expect of later rows, under a split by time; otherwise None.
    decision
        The decision rule beside the most probable class; None if it is that class.
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

    @property
    def judges(self) -> str:
        """Of how many held-out rows, and of how many groups, these figures are; for sentences."""
        rows = counted(self.rows, "held-out row")
        return f"{rows} of {counted(self.groups, 'group')}" if self.groups else rows

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
    ranking = rank_rows(probabilities, labels)
    if groups is not None:
        ranking = rank_groups(ranking, probabilities, labels, groups)
    means = CountsWithout(predicted, labels, c, groups)
    rarer = 1 - usual if c == 2 else None
    return HeldOutEvaluation(
        rows=n,
        correct=correct,
        accuracy=_share(right, groups),
        macro_f1=means.widen(macro_f1(confusion, seed), f1_of),
        log_loss=mean_interval(values_of_groups(losses, groups), seed),
        brier=mean_interval(values_of_groups(np.maximum(squares, 0), groups), seed),
        calibration=measure_calibration(probabilities, labels, seed, groups),
        classes=tuple(
            ClassFigures(
                name=name,
                rows=int(confusion[i].sum()),
                recall=_share(right, groups, labels == i),
                precision=_share(right, groups, predicted == i),
                auc=ranking.auc[i],
                average_precision=ranking.average_precision[i],
            )
            for i, name in enumerate(classes)
        ),
        confusions=tuple(
            (label, prediction, int(confusion[label, prediction]))
            for label, prediction in np.argwhere(confusion).tolist()
        ),
        usual=usual,
        groups=0 if groups is None else int(groups.max()) + 1,
        usual_share=None if groups is None else grouped_share(labels == usual, groups),
        balanced_accuracy=means.widen(
            balanced_accuracy(confusion.diagonal(), confusion.sum(axis=1)), recall_of
        ),
        auc=ranking.mean_auc if rarer is None else ranking.auc[rarer],
        average_precision=(
            ranking.mean_average_precision if rarer is None else ranking.average_precision[rarer]
        ),
        positive="" if rarer is None else classes[rarer],
        decision=(
            None
            if costs is None
            else evaluate_rule(probabilities, np.asarray(labels), rule, costs, seed, groups)
        ),
    )


def _share(right: Array, groups: Array | None, rows: Array | None = None) -> Interval:
    """Return the share of the ``rows`` [n] that are ``right`` [n], with its interval."""
    own = right if rows is None else right[rows]
    if groups is None:
        return wilson(int(own.sum()), len(own))
    return grouped_share(own, groups if rows is None else groups[rows])
