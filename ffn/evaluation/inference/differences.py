"""Paired differences between two models on the same rows, with 95 % intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.evaluation.inference.grouped_labels import count_grouped_labels
from ffn.evaluation.inference.paired import LabelCounts, count_labels, tango_score
from ffn.evaluation.inference.paired_losses import loss_bounds, row_losses
from ffn.evaluation.inference.statistics import Interval

__all__ = ["Difference", "accuracy_difference", "paired_difference"]

Array = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Metrics of the network minus those of another model, on the same rows.

    Attributes
    ----------
    accuracy
        Difference with Tango's score interval for paired proportions.
    log_loss
        Difference in nats per row, with the wider of the BCa bootstrap and Student's t intervals
        (Student's alone above 2,000 rows). Probabilities are clipped at 10⁻⁶.
    """

    accuracy: Interval
    log_loss: Interval

    @property
    def in_accuracy(self) -> int:
        """1 if the network is shown to be better, -1 if it is shown to be worse, else 0."""
        return (self.accuracy.low > 0) - (self.accuracy.high < 0)

    @property
    def in_log_loss(self) -> int:
        """The same for the log-loss, where lower is better."""
        return (self.log_loss.high < 0) - (self.log_loss.low > 0)


def paired_difference(
    ours: Array,
    other: Array,
    labels: Array,
    seed: int,
    groups: Array | None = None,
    weights: Array | None = None,
) -> Difference:
    """Return the paired differences of two models.

    Parameters
    ----------
    ours, other
        Predicted probabilities [n, C] of the network and of the other model.
    labels
        True classes, integers [n].
    seed
        Seed of the bootstrap: the same seed gives the same bounds.
    groups
        Identifiers of the rows' groups [n], which are then the unit; None, the default: rows are
        independent.
    weights
        Weights of the rows [n] in both differences; None, the default: rows count alike.
    """
    counts = count_labels(ours.argmax(axis=1), other.argmax(axis=1), labels)
    losses = loss_bounds(
        row_losses(ours, labels), row_losses(other, labels), 0.025, seed, groups, weights
    )
    if groups is None and weights is None:
        accuracy = accuracy_difference(counts)
    else:
        found = count_grouped_labels(
            ours.argmax(axis=1), other.argmax(axis=1), labels, groups, weights
        )
        accuracy = found.interval(accuracy_difference)
    return Difference(
        accuracy=accuracy,
        log_loss=Interval(losses.value, float(losses.low), float(losses.high)),
    )


def accuracy_difference(counts: LabelCounts) -> Interval:
    """Return the difference of two accuracies on the same rows, with a 95 % interval.

    The score interval of Tango 1998, "Equivalence test and confidence interval for the
    difference in proportions for the paired-sample design", consists of the differences that his
    test does not reject. It is valid even if few or no rows differ, and stays within -1 and 1.

    Parameters
    ----------
    counts
        Labels gained and lost.
    """
    from scipy import optimize, special

    z = float(special.ndtri(0.975))
    lost, gained, rows = np.array(counts.lost), np.array(counts.gained), counts.rows

    def bound(score: float) -> float:
        def excess(difference: float) -> float:
            return float(tango_score(lost, gained, rows, -difference)) - score

        # At -1 and 1 the statistic has no variance, and near them it may not reach the score.
        least, most = -1 + 1e-9, 1 - 1e-9
        if excess(least) * excess(most) > 0:
            return -1.0 if score < 0 else 1.0
        return float(optimize.brentq(excess, least, most, xtol=1e-12))

    return Interval(counts.difference, bound(-z), bound(z))
