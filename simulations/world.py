"""A world in which every model's true accuracy is known: a finite one, all of it looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.evaluation.inference.paired_losses import row_losses
from ffn.nn import Adam, Network, spawn_generators, train

__all__ = ["Bank", "draw_rows", "overconfident", "train_bank", "with_difference"]

Array = npt.NDArray[Any]

N_CLASSES = 3
_WIDTHS = (4, 16, 3)
_POPULATION = 20_000
_ROWS, _EPOCHS = 600, 40


@dataclass(frozen=True)
class Bank:
    """Trained networks, and what each says of every row that there is.

    Attributes
    ----------
    labels
        Integers [N] of the whole population.
    probabilities
        float64 [M, N, C] of M networks, each trained on other rows from other initial weights.
    """

    labels: Array
    probabilities: Array


def draw_rows(n: int, generator: np.random.Generator) -> tuple[Array, Array]:
    """Return features [n, 4] and labels [n] of three overlapping classes, one of two clusters."""
    labels = generator.integers(N_CLASSES, size=n)
    centres = np.array([[0, 0, 0, 0], [2.2, 0, 0.6, 0], [0, 2.2, 0, 0.6], [2.4, 2.4, 0, 0]])
    cluster = np.where((labels == 2) & (generator.random(n) < 0.5), 3, labels)
    x = centres[cluster] + generator.normal(size=(n, 4)) * [0.8, 0.8, 1, 1]
    return x.astype(np.float32), labels


def train_bank(networks: int, seed: int) -> Bank:
    """Train networks, each on 600 rows of its own, and ask them about everything."""
    generator = np.random.default_rng(seed)
    x, labels = draw_rows(_POPULATION, generator)
    own_x, own_labels = draw_rows(networks * _ROWS, generator)
    generators = spawn_generators(np.random.SeedSequence(seed), networks)
    network = Network.create(_WIDTHS, generators, np.dtype(np.float32))
    train(
        network,
        Adam(learning_rate=0.005),
        own_x,
        own_labels,
        epochs=_EPOCHS,
        batch_size=32,
        generators=generators,
        rows=np.arange(networks * _ROWS).reshape(networks, _ROWS),
    )
    return Bank(labels, network.predict_proba(x).astype(np.float64))


def with_difference(
    challenger: Array, production: Array, labels: Array, difference: float
) -> tuple[Array, Array]:
    """Return two models whose true accuracies differ by ``difference``, to a row.

    The one that is too good gets the two most probable classes exchanged on rows that it has
    right, from the least certain on, until the difference is met. So losses hardly change.

    Parameters
    ----------
    challenger, production
        Probabilities [N, C] of the whole population.
    labels
        Integers [N].
    difference
        Accuracy of the challenger minus production's.
    """
    right = challenger.argmax(axis=1) == labels
    was_right = production.argmax(axis=1) == labels
    excess = int(right.sum()) - int(was_right.sum()) - round(difference * len(labels))
    if excess > 0:
        return _spoil(challenger, np.flatnonzero(right), excess), production
    return challenger, _spoil(production, np.flatnonzero(was_right), -excess)


def overconfident(challenger: Array, production: Array, labels: Array, difference: float) -> Array:
    """Return the challenger [N, C], sharpened until its true log-loss is higher by so much."""
    from scipy import optimize

    wanted = float(row_losses(production, labels).mean()) + difference

    def sharpened(power: float) -> Array:
        raised: Array = challenger**power
        return raised / raised.sum(axis=1, keepdims=True)

    def excess(power: float) -> float:
        return float(row_losses(sharpened(power), labels).mean()) - wanted

    return sharpened(float(optimize.brentq(excess, 1.0, 50.0))) if excess(1.0) < 0 else challenger


def _spoil(probabilities: Array, rows: Array, count: int) -> Array:
    """Return [N, C] with ``count`` of ``rows`` labelled otherwise."""
    order = np.argsort(probabilities[rows], axis=1)
    lead = np.take_along_axis(probabilities[rows], order[:, -2:], axis=1)
    least_certain = np.argsort(lead[:, 1] - lead[:, 0], kind="stable")[:count]
    chosen, first, second = rows[least_certain], *order[least_certain, :-3:-1].T
    spoilt = probabilities.copy()
    spoilt[chosen, first], spoilt[chosen, second] = (
        probabilities[chosen, second],
        probabilities[chosen, first],
    )
    return spoilt
