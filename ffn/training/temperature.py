"""How certain a network may be: one number, fitted on rows that the networks were not trained on.

The networks of a refit have no validation rows. Those of the winning candidate had: each was
trained, in the same way and for as many epochs, on a resample of the training part, and can be
asked about the rows left out of it. What they say there, all of them together, is what the
temperature is fitted on; the rows held out for the final figure are not touched.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.evaluation.statistics import Interval, resampled_mean
from ffn.nn import Network
from ffn.training.partition import TrainingPart

__all__ = ["Temperature", "ValidationAnswers", "ask_on_validation", "cool", "fit_temperature"]

Array = npt.NDArray[Any]

# Of a long table's validation rows, so many in all, spread evenly; and so many scores.
_MOST_ROWS, _MOST_SCORES = 2**15, 2**20
# A fold's rows are judged with a temperature that was fitted on the others'.
_FOLDS = 5
_RANGE = (0.05, 50.0)


@dataclass(frozen=True, kw_only=True)
class ValidationAnswers:
    """What K networks say of rows they were not trained on.

    Attributes
    ----------
    scores
        float64 [n, C]: logarithms of probabilities.
    labels, networks
        Integers [n]: the row's class, and which network was asked.
    fingerprints
        uint64 [n], of the rows' content.
    """

    scores: Array
    labels: Array
    networks: Array
    fingerprints: Array


@dataclass(frozen=True, kw_only=True)
class Temperature:
    """A temperature and what it is worth.

    Attributes
    ----------
    value
        What scores are divided by: above 1 the networks were too certain.
    rows
        Validation rows it was fitted on, each counted once for every network that was asked.
    change
        Of the validation log-loss, nats a row, each row judged with the temperature that the
        other rows gave; corrected resampled interval.
    applied
        Whether the kept network has it: where the whole interval is below zero.
    """

    value: float
    rows: int
    change: Interval
    applied: bool


def ask_on_validation(
    network: Network, finished: Array, part: TrainingPart, validation_rows: Array
) -> ValidationAnswers:
    """Ask each network that finished (booleans [K]) about its validation rows [K, m]."""
    x, labels, fingerprints = part.x, part.labels, part.fingerprints
    (k, m), c = validation_rows.shape, network.widths[-1]
    asked = max(1, min(m, _MOST_ROWS // k, _MOST_SCORES // (k * c)))
    places = np.linspace(0, m - 1, asked).round().astype(int)
    chosen = [np.asarray(validation_rows[member])[places] for member in range(k)]
    kept = [member for member in range(k) if finished[member]]
    scores = [_scores(network.select([member]), x[chosen[member]]) for member in kept]
    rows = np.concatenate([chosen[member] for member in kept] or [np.empty(0, dtype=int)])
    return ValidationAnswers(
        scores=np.concatenate([*scores, np.empty((0, c))]),
        labels=labels[rows],
        networks=np.repeat(kept, asked),
        fingerprints=fingerprints[rows],
    )


def fit_temperature(answers: ValidationAnswers, validation_to_train: float) -> Temperature:
    """Return the temperature with the lowest log-loss, and whether it is shown to lower it.

    Guo, Pleiss, Sun and Weinberger 2017, "On Calibration of Modern Neural Networks": scores are
    divided by one number, so no label changes. Every number lowers the loss on the rows it was
    fitted on. So rows are judged in five folds, equal ones in the same, each with the temperature
    of the other four, and the change is tested over the resamples as all else is.

    Parameters
    ----------
    validation_to_train
        Validation rows of a resample divided by its training rows.
    """
    folds = answers.fingerprints % np.uint64(_FOLDS)
    changes = np.zeros(len(folds))
    for fold in np.unique(folds):
        own = folds == fold
        value = _lowest(answers.scores[~own], answers.labels[~own])
        changes[own] = _losses(answers.scores[own], answers.labels[own], 1 / value)
    changes -= _losses(answers.scores, answers.labels, 1.0)
    of_network = np.array(
        [changes[answers.networks == k].mean() for k in np.unique(answers.networks)]
    )
    change = resampled_mean(of_network, validation_to_train)
    return Temperature(
        value=_lowest(answers.scores, answers.labels),
        rows=len(folds),
        change=change,
        applied=change.high < 0,
    )


def cool(network: Network, temperature: float) -> None:
    """Divide a stack's scores by ``temperature``, in place.

    Scores are linear in the last layer, so its weights and biases are divided: whatever reads
    the network afterwards needs to know nothing of it.
    """
    network.layers[-1][...] /= temperature


def _scores(network: Network, x: Array) -> Array:
    exact = Network(network.widths, network.parameters.astype(np.float64))
    # The least float64 above zero stands for a probability that underflowed.
    scores: Array = np.log(np.maximum(exact.predict_proba(x)[0], np.finfo(float).tiny))
    return scores


def _losses(scores: Array, labels: Array, sharpness: float) -> Array:
    """Return log-losses [n] of scores [n, C] multiplied by ``sharpness``."""
    from scipy import special

    scaled = scores * sharpness
    losses: Array = special.logsumexp(scaled, axis=1) - scaled[np.arange(len(labels)), labels]
    return losses


def _lowest(scores: Array, labels: Array) -> float:
    """Return the temperature of the lowest mean log-loss; 1 without rows.

    The loss is convex in the inverse temperature, so its slope there is zero at most once.
    """
    from scipy import optimize, special

    if not len(labels):
        return 1.0
    own = scores[np.arange(len(labels)), labels]

    def slope(sharpness: float) -> float:
        expected = (special.softmax(scores * sharpness, axis=1) * scores).sum(axis=1)
        return float((expected - own).mean())

    sharpest, dullest = 1 / _RANGE[0], 1 / _RANGE[1]
    if slope(dullest) >= 0:
        return _RANGE[1]
    if slope(sharpest) <= 0:
        return _RANGE[0]
    return 1 / float(optimize.brentq(slope, dullest, sharpest, rtol=1e-10))
