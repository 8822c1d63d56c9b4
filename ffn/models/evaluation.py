"""How good the chosen model is on rows that nothing was fitted, tuned or chosen on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.models.statistics import Interval, wilson

__all__ = ["ClassFigures", "Evaluation", "evaluate_probabilities"]

Array = npt.NDArray[Any]

# Up to here the bias-corrected bootstrap costs nothing; beyond, the mean's distribution is
# normal for all that can be seen.
_BOOTSTRAP_ROWS = 2_000


@dataclass(frozen=True, kw_only=True)
class ClassFigures:
    """One class: recall (of its rows, found) and precision (of the rows called so, right)."""

    name: str
    rows: int
    recall: Interval
    precision: Interval


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Figures on the held-out rows, with intervals.

    Attributes
    ----------
    rows, correct
        Held-out rows, and those whose most probable class is their label.
    accuracy
        With Wilson's 95 % interval.
    log_loss
        Mean over rows, nats, with a bootstrap interval (BCa), or Student's t for many rows. It
        is approximate: losses are skewed, and no resampling knows of a confident mistake rarer
        than one in so many rows, so on a few dozen rows it covers less often than 95 %.
    confusion
        Counts: row = label, column = prediction, in the order of ``classes``.
    """

    rows: int
    correct: int
    accuracy: Interval
    log_loss: Interval
    classes: tuple[ClassFigures, ...]
    confusion: tuple[tuple[int, ...], ...]

    @property
    def baseline(self) -> Interval:
        """What always answering the most frequent class of these rows gets, with its interval."""
        return wilson(max(figures.rows for figures in self.classes), self.rows)


def evaluate_probabilities(
    probabilities: Array, labels: Array, classes: tuple[str, ...], seed: int
) -> Evaluation:
    """Compare predicted probabilities [n, C] with labels [n]; ``seed`` is the bootstrap's."""
    n, c = probabilities.shape
    predicted = probabilities.argmax(axis=1)
    confusion = np.zeros((c, c), dtype=np.int64)
    np.add.at(confusion, (labels, predicted), 1)
    # The least float64 above zero stands for a probability that underflowed.
    own = np.maximum(probabilities[np.arange(n), labels], np.finfo(float).tiny)
    correct = int(np.trace(confusion))
    return Evaluation(
        rows=n,
        correct=correct,
        accuracy=wilson(correct, n),
        log_loss=_mean_interval(-np.log(own), seed),
        classes=tuple(
            ClassFigures(
                name=name,
                rows=int(confusion[i].sum()),
                recall=wilson(int(confusion[i, i]), int(confusion[i].sum())),
                precision=wilson(int(confusion[i, i]), int(confusion[:, i].sum())),
            )
            for i, name in enumerate(classes)
        ),
        confusion=tuple(tuple(int(count) for count in row) for row in confusion),
    )


def _mean_interval(values: Array, seed: int) -> Interval:
    """Return the mean of independent losses [n], none below zero, with its interval."""
    from scipy import stats

    mean = float(values.mean())
    # One value, or values that differ by rounding alone, say nothing about others.
    if len(values) < 2 or np.ptp(values) <= 1e-12 * mean:
        return Interval(mean, 0.0, np.inf)
    if len(values) <= _BOOTSTRAP_ROWS:
        generator = np.random.default_rng(seed)
        result = stats.bootstrap(
            (values,), np.mean, n_resamples=4_999, method="BCa", vectorized=True, rng=generator
        )
        low, high = (float(bound) for bound in result.confidence_interval)
    else:
        error = float(values.std(ddof=1)) / np.sqrt(len(values))
        half = float(stats.t.ppf(0.975, len(values) - 1)) * error
        low, high = max(0.0, mean - half), mean + half
    return Interval(mean, low, high)
