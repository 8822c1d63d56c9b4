"""How good the chosen model is on rows that nothing was fitted, tuned or chosen on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.evaluation.calibration import Calibration, measure_calibration
from ffn.evaluation.statistics import Interval, mean_interval, wilson

__all__ = ["ClassFigures", "HeldOutEvaluation", "evaluate_probabilities", "macro_f1"]

Array = npt.NDArray[Any]

_DRAWS = 4_000
# Of the draws for the macro-F1: with hundreds of classes there are fewer.
_MOST_DRAWN, _FEWEST_DRAWS = 2**23, 400


@dataclass(frozen=True, kw_only=True)
class ClassFigures:
    """One class: recall (of its rows, found) and precision (of the rows called so, right)."""

    name: str
    rows: int
    recall: Interval
    precision: Interval


@dataclass(frozen=True, kw_only=True)
class HeldOutEvaluation:
    """Figures on the held-out rows, with intervals.

    Attributes
    ----------
    rows, correct
        Held-out rows, and those whose most probable class is their label.
    accuracy
        With Wilson's 95 % interval.
    macro_f1
        Mean over classes of the harmonic mean of precision and recall, with the interval of
        ``macro_f1``.
    log_loss
        Mean over rows, nats, with a bootstrap interval (BCa), or Student's t for many rows. It
        is approximate: losses are skewed, and no resampling knows of a confident mistake rarer
        than one in so many rows, so on a few dozen rows it covers less often than 95 %.
    brier
        Brier 1950: the squared distances between a row's probabilities and its label, summed
        over classes (0 to 2), mean over rows; its interval is made as the log-loss's.
    calibration
        The expected calibration error.
    confusions
        Label, prediction and how many rows, for every pair that was met, in order; the first two
        are places in ``classes``.
    usual
        Place in ``classes`` of the most frequent class of the training rows.
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
        """What always answering the most frequent class of training gets, with its interval."""
        return wilson(self.classes[self.usual].rows, self.rows)


def evaluate_probabilities(
    probabilities: Array, labels: Array, classes: tuple[str, ...], seed: int, *, usual: int
) -> HeldOutEvaluation:
    """Compare predicted probabilities [n, C] with labels [n].

    ``seed`` is that of the draws, ``usual`` the most frequent class of the training rows.
    """
    n, c = probabilities.shape
    predicted = probabilities.argmax(axis=1)
    confusion = np.zeros((c, c), dtype=np.int64)
    np.add.at(confusion, (labels, predicted), 1)
    own = probabilities[np.arange(n), labels]
    # The least float64 above zero stands for a probability that underflowed.
    losses = -np.log(np.maximum(own, np.finfo(float).tiny))
    # The sum of (p - y)^2 over classes, multiplied out.
    squares = np.einsum("nc,nc->n", probabilities, probabilities) - 2 * own + 1
    correct = int(np.trace(confusion))
    return HeldOutEvaluation(
        rows=n,
        correct=correct,
        accuracy=wilson(correct, n),
        macro_f1=macro_f1(confusion, seed),
        log_loss=mean_interval(losses, seed),
        brier=mean_interval(np.maximum(squares, 0), seed),
        calibration=measure_calibration(probabilities, labels, seed),
        classes=tuple(
            ClassFigures(
                name=name,
                rows=int(confusion[i].sum()),
                recall=wilson(int(confusion[i, i]), int(confusion[i].sum())),
                precision=wilson(int(confusion[i, i]), int(confusion[:, i].sum())),
            )
            for i, name in enumerate(classes)
        ),
        confusions=tuple(
            (label, prediction, int(confusion[label, prediction]))
            for label, prediction in np.argwhere(confusion).tolist()
        ),
        usual=usual,
    )


def macro_f1(confusion: Array, seed: int) -> Interval:
    """Return the macro-averaged F1 of counts [C, C] (row = label), with an interval.

    A class that has no row and is never predicted has no F1 and is left out.

    The interval holds the class sizes, which the split fixes, and lets the shares within a
    class vary as far as its counts leave them unknown: a Dirichlet distribution, after Goutte
    and Gaussier 2005, "A Probabilistic Interpretation of Precision, Recall and F-score". Beside
    the rows seen stand one that is right and one that is wrong, shared among the classes; with
    two classes that is the prior of Jeffreys. A bootstrap of the rows is certain of everything
    where there is no mistake. Simulated, the interval covers in 94 to 95 of 100 cases with few
    classes, and in 86 with thirty of five rows each.
    """
    value = float(_macro_f1(confusion, confusion.diagonal(), confusion.sum(axis=0)))
    generator = np.random.default_rng(seed)
    c = len(confusion)
    prior = 1 / c
    draws = max(_FEWEST_DRAWS, min(_DRAWS, _MOST_DRAWN // int((confusion > 0).sum())))
    right, called = np.zeros((draws, c)), np.zeros((draws, c))
    for label in np.flatnonzero(confusion.sum(axis=1)):
        row = confusion[label]
        wrong = np.flatnonzero(row)
        wrong = wrong[wrong != label]
        hits = generator.standard_gamma(row[label] + prior, draws)
        mistakes = generator.standard_gamma(row[wrong].astype(float), (draws, len(wrong)))
        # Wrong in a way that was not seen: any other class, all alike.
        other = generator.standard_gamma(prior, draws)
        share = row.sum() / (hits + mistakes.sum(axis=1) + other)
        right[:, label] = hits * share
        called += (other * share / max(1, c - 1))[:, None]
        called[:, label] += (hits - other / max(1, c - 1)) * share
        called[:, wrong] += mistakes * share[:, None]
    low, high = np.quantile(_macro_f1(confusion, right, called), (0.025, 0.975))
    return Interval(value, min(value, float(low)), max(value, float(high)))


def _macro_f1(confusion: Array, right: Array, called: Array) -> Array:
    """Return macro-F1 [...] of rows right and rows called so, both [..., C]."""
    rows = confusion.sum(axis=1)
    there = rows + confusion.sum(axis=0) > 0
    f1: Array = 2 * right[..., there] / (rows + called)[..., there]
    mean: Array = f1.mean(axis=-1)
    return mean
