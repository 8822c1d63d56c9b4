"""Temperature scaling, fitted on validation rows.

The networks of a refit have no validation rows, but those of the winning candidate have: each was
trained in the same way, for as many epochs, on a resample of the training part, and can predict
the rows left out of it. The temperature is fitted to all of these predictions together. The
held-out rows are not used.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.evaluation.inference.statistics import Interval, resampled_mean
from ffn.nn import Network
from ffn.training.partition import TrainingPart

__all__ = [
    "Temperature",
    "ValidationAnswers",
    "ask_on_validation",
    "asked_rows",
    "cool",
    "fit_temperature",
]

Array = npt.NDArray[Any]

# Limits for a long table: validation rows in all, taken at even distances, and scores.
_MOST_ROWS, _MOST_SCORES = 2**15, 2**20
# Folds of the cross-validation that decides whether the temperature helps.
_FOLDS = 5
_RANGE = (0.05, 50.0)


@dataclass(frozen=True, kw_only=True)
class ValidationAnswers:
    """Predictions of K networks for rows that they were not trained on.

    Attributes
    ----------
    scores
        Logarithms of the predicted probabilities, float64 [n, C].
    labels
        True classes, integers [n].
    networks
        Index of the network that made each prediction, integers [n].
    fingerprints
        Fingerprints of the rows' contents, or identifiers of their groups, uint64 [n]: equal ones
        share a fold.
    times
        Times of the rows [n]; None if they are split without times.
    weights
        Weights of the rows [n]; None if all count alike.
    """

    scores: Array
    labels: Array
    networks: Array
    fingerprints: Array
    times: Array | None = None
    weights: Array | None = None

    def probabilities(self, temperature: float = 1.0) -> Array:
        """Return the predicted probabilities [n, C].

        Parameters
        ----------
        temperature
            A positive number by which the scores are divided first; by default 1.
        """
        from scipy import special

        found: Array = special.softmax(self.scores / temperature, axis=1)
        return found


@dataclass(frozen=True, kw_only=True)
class Temperature:
    """A fitted temperature, and its cross-validated effect.

    Attributes
    ----------
    value
        The number by which logits are divided; above 1 if the networks were overconfident.
    rows
        Number of validation rows it was fitted on, counted once for each network.
    change
        Cross-validated change of the validation log-loss, nats per row, with the corrected
        resampled 95 % interval.
    applied
        Whether the model uses it: only if the whole interval is below zero.
    """

    value: float
    rows: int
    change: Interval
    applied: bool


def ask_on_validation(
    network: Network, finished: Array, part: TrainingPart, validation_rows: Array
) -> ValidationAnswers:
    """Return the predictions of each network for its own validation rows.

    Parameters
    ----------
    network
        A stack of K networks.
    finished
        Booleans [K]: networks that did not diverge; the others are skipped.
    part
        The training part.
    validation_rows
        Row numbers [K, m] of each network's validation rows.
    """
    x, labels, units, times, weights = part.x, part.labels, part.units, part.times, part.weights
    k, c = len(validation_rows), network.widths[-1]
    chosen = asked_rows(validation_rows, c)
    kept = [member for member in range(k) if finished[member]]
    scores = [_scores(network.select([member]), x[chosen[member]]) for member in kept]
    rows = np.concatenate([chosen[member] for member in kept] or [np.empty(0, dtype=int)])
    return ValidationAnswers(
        scores=np.concatenate([*scores, np.empty((0, c))]),
        labels=labels[rows],
        networks=np.repeat(kept, len(chosen[0])),
        fingerprints=units[rows],
        times=None if times is None else times[rows],
        weights=None if weights is None else weights[rows],
    )


def asked_rows(validation_rows: Array, n_classes: int) -> list[Array]:
    """Return the row numbers for which each network answers: its own, or some at even distances.

    Parameters
    ----------
    validation_rows
        Row numbers [K, m] of each network's validation rows.
    n_classes
        C.
    """
    k, m = validation_rows.shape
    asked = max(1, min(m, _MOST_ROWS // k, _MOST_SCORES // (k * n_classes)))
    places = np.linspace(0, m - 1, asked).round().astype(int)
    return [np.asarray(own)[places] for own in validation_rows]


def fit_temperature(answers: ValidationAnswers, validation_to_train: float) -> Temperature:
    """Fit the temperature of lowest log-loss, and test whether it lowers the loss on other rows.

    Guo, Pleiss, Sun and Weinberger 2017, "On Calibration of Modern Neural Networks": logits are
    divided by one number, which changes no predicted label. A fitted temperature always lowers the
    loss on the rows it was fitted on, so its effect is cross-validated: each of five folds (equal
    rows share a fold) is evaluated with the temperature of the other four, and the change is tested
    by the corrected resampled t-test. Means over rows are weighted where the rows are.

    Parameters
    ----------
    answers
        Predictions for validation rows.
    validation_to_train
        Number of validation rows of a resample divided by the number of its training rows.
    """
    weights = answers.weights
    folds = answers.fingerprints % np.uint64(_FOLDS)
    changes = np.zeros(len(folds))
    for fold in np.unique(folds):
        own = folds == fold
        value = _lowest(answers.scores[~own], answers.labels[~own], _some(weights, ~own))
        changes[own] = _losses(answers.scores[own], answers.labels[own], 1 / value)
    changes -= _losses(answers.scores, answers.labels, 1.0)
    of_network = np.array(
        [
            _mean(changes[own], _some(weights, own))
            for own in (answers.networks == k for k in np.unique(answers.networks))
        ]
    )
    change = resampled_mean(of_network, validation_to_train)
    return Temperature(
        value=_lowest(answers.scores, answers.labels, weights),
        rows=len(folds),
        change=change,
        applied=change.high < 0,
    )


def cool(network: Network, temperature: float) -> None:
    """Divide the logits of a stack of networks by a temperature, in place.

    Logits are linear in the last layer, so its weights and biases are divided, and users of the
    network need not know about the temperature.

    Parameters
    ----------
    network
        The stack to change.
    temperature
        A positive number.
    """
    network.layers[-1][...] /= temperature


def _scores(network: Network, x: Array) -> Array:
    exact = Network(network.widths, network.parameters.astype(np.float64))
    # A probability that underflowed to zero is replaced by the smallest normal float64.
    scores: Array = np.log(np.maximum(exact.predict_proba(x)[0], np.finfo(float).tiny))
    return scores


def _losses(scores: Array, labels: Array, sharpness: float) -> Array:
    """Return log-losses [n] of scores [n, C] multiplied by ``sharpness``."""
    from scipy import special

    scaled = scores * sharpness
    losses: Array = special.logsumexp(scaled, axis=1) - scaled[np.arange(len(labels)), labels]
    return losses


def _some(weights: Array | None, rows: Array) -> Array | None:
    return None if weights is None else weights[rows]


def _mean(values: Array, weights: Array | None) -> float:
    return float(values.mean() if weights is None else np.average(values, weights=weights))


def _lowest(scores: Array, labels: Array, weights: Array | None) -> float:
    """Return the temperature with the lowest mean log-loss; 1 if there are no rows.

    The loss is convex in the inverse temperature, so its slope has at most one root.
    """
    from scipy import optimize, special

    if not len(labels):
        return 1.0
    own = scores[np.arange(len(labels)), labels]

    def slope(sharpness: float) -> float:
        expected = (special.softmax(scores * sharpness, axis=1) * scores).sum(axis=1)
        return _mean(expected - own, weights)

    sharpest, dullest = 1 / _RANGE[0], 1 / _RANGE[1]
    if slope(dullest) >= 0:
        return _RANGE[1]
    if slope(sharpest) <= 0:
        return _RANGE[0]
    return 1 / float(optimize.brentq(slope, dullest, sharpest, rtol=1e-10))
