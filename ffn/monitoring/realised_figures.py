"""Figures of rows whose labels have come: accuracy, log-loss, calibration.

Every interval is a 95 % confidence sequence, so it may be looked at after each row.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.evaluation.inference.statistics import Interval
from ffn.monitoring.confidence_sequences import BoundedMean, share_sequence
from ffn.scoring.rows.suffixes import UNITS

__all__ = [
    "LARGEST_LOSS",
    "CalibrationBin",
    "RealisedFigures",
    "calibration_bins",
    "realised_figures_of",
]

Array = npt.NDArray[Any]

LARGEST_LOSS = math.log(2 * UNITS)
"""Log-loss of a probability written as 0.0000, which stands for at most half a unit of 0.0001."""

_BINS = 10


@dataclass(frozen=True, kw_only=True)
class CalibrationBin:
    """Rows whose stated confidence is in one tenth of the range.

    Attributes
    ----------
    low, high
        Bounds of the confidence.
    rows
        Number of rows.
    stated
        Mean confidence.
    realised
        Share of correct rows, with its confidence sequence.
    """

    low: float
    high: float
    rows: int
    stated: float
    realised: Interval


@dataclass(frozen=True, kw_only=True)
class RealisedFigures:
    """Figures of rows with label and prediction.

    Attributes
    ----------
    rows, correct
        Number of rows, and of those labelled correctly.
    accuracy
        Share of correct rows, with its confidence sequence.
    log_loss
        Mean log-loss in nats per row, each at most `LARGEST_LOSS`, with its confidence sequence;
        None if it is not known of every row.
    without_loss
        Rows of which it is not known, because only the confidence of a wrong label was written.
    overconfidence
        Mean confidence minus accuracy, with its confidence sequence.
    """

    rows: int
    correct: int
    accuracy: Interval
    log_loss: Interval | None
    without_loss: int
    overconfidence: Interval


def realised_figures_of(correct: Array, confidence: Array, truth: Array) -> RealisedFigures:
    """Return the figures of rows, in the order in which they became known.

    Parameters
    ----------
    correct
        Booleans [n].
    confidence
        Probability of the predicted class [n].
    truth
        Probability of the true label [n]; NaN where it is not known.
    """
    n, right = len(correct), int(correct.sum())
    unknown = int(np.isnan(truth).sum())
    loss = None
    if not unknown:
        mean = BoundedMean(0.0, LARGEST_LOSS)
        mean.add(-np.log(np.maximum(truth, 0.5 / UNITS)))
        loss = mean.interval()
    gap = BoundedMean(-1.0, 1.0)
    gap.add(confidence - correct)
    return RealisedFigures(
        rows=n,
        correct=right,
        accuracy=share_sequence(right, n),
        log_loss=loss,
        without_loss=unknown,
        overconfidence=gap.interval(),
    )


def calibration_bins(correct: Array, confidence: Array) -> tuple[CalibrationBin, ...]:
    """Return the rows by tenths of the confidence, without empty ones.

    Parameters
    ----------
    correct, confidence
        As for `realised_figures_of`.
    """
    which = np.minimum((confidence * _BINS + 1e-9).astype(int), _BINS - 1)
    found = []
    for place in range(_BINS):
        own = which == place
        n = int(own.sum())
        if n:
            found.append(
                CalibrationBin(
                    low=place / _BINS,
                    high=(place + 1) / _BINS,
                    rows=n,
                    stated=float(confidence[own].mean()),
                    realised=share_sequence(int(correct[own].sum()), n),
                )
            )
    return tuple(found)
