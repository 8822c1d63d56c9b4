"""The comparison on resamples, of two recipes: one and the same, or one that trains for less."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ffn.criteria.resampled_evidence import weigh_resamples
from ffn.nn import Adam, History, Network, spawn_generators, train
from ffn.registry.alpha_spending import alpha_of_look
from ffn.settings.gate_settings import GateSettings
from ffn.tabular.splitting.by_content import resamples
from simulations.world import draw_rows

__all__ = ["EPOCHS", "Compared", "compare_recipes"]

EPOCHS = 40
"""Of the challenger's recipe."""

_ROWS, _NETWORKS, _TRUTH = 120, 16, 2_000


class Compared(NamedTuple):
    """What the gate says of a challenger's recipe, and what is true; or the means of several.

    Attributes
    ----------
    better
        Whether it is found better: 1 or 0.
    accuracy, log_loss
        The challenger's networks minus production's, in the mean, on rows that are no one's.
    """

    better: float
    accuracy: float
    log_loss: float


def compare_recipes(epochs: int, seed: int) -> Compared:
    """Compare two recipes on 120 rows, of which production's trains for so many epochs.

    If it is as many as the challenger's, they differ in nothing but initial weights and batch
    orders, and neither is better.
    """
    generator = np.random.default_rng(seed)
    x, labels = draw_rows(_ROWS, generator)
    draws = spawn_generators(np.random.SeedSequence(seed, spawn_key=(0,)), _NETWORKS)
    ids = np.arange(_ROWS, dtype=np.uint64)
    rows, validation_rows = resamples(labels, ids, 0.2, draws)
    true_x, true_labels = draw_rows(_TRUTH, generator)

    def recipe(branch: int, epochs: int) -> tuple[History, float, float]:
        own = spawn_generators(np.random.SeedSequence(seed, spawn_key=(branch,)), _NETWORKS)
        network = Network.create((4, 16, 3), own, np.dtype(np.float32))
        history = train(
            network,
            Adam(learning_rate=0.005),
            x,
            labels,
            epochs=epochs,
            batch_size=32,
            generators=own,
            rows=rows,
            validation_rows=validation_rows,
        )
        probabilities = network.predict_proba(true_x)
        accuracy = (probabilities.argmax(axis=-1) == true_labels).mean()
        own = np.take_along_axis(probabilities, true_labels[None, :, None], axis=-1)
        return history, float(accuracy), float(-np.log(own).mean())

    challenger, accuracy, log_loss = recipe(1, EPOCHS)
    production, accuracy_before, log_loss_before = recipe(2, epochs)
    settings = GateSettings(mode="better")
    better = weigh_resamples(
        challenger.validation_loss[-1] - production.validation_loss[-1],
        challenger.validation_accuracy[-1] - production.validation_accuracy[-1],
        validation_rows.shape[1] / rows.shape[1],
        settings,
        look=1,
        alpha=alpha_of_look(settings.alpha, 1),
    ).shown
    return Compared(better, accuracy - accuracy_before, log_loss - log_loss_before)
