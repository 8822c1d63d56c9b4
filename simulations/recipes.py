"""The comparison on resamples, of two recipes that are one and the same."""

from __future__ import annotations

import numpy as np

from ffn.models.promotion.recipes import weigh_resamples
from ffn.models.settings.gate import GateSettings
from ffn.models.versions.looks import alpha_of_look
from ffn.nn import History, Network, create_optimizer, spawn_generators, train
from ffn.tabular.splits import resamples
from simulations.world import draw_rows

__all__ = ["equal_recipes"]

_ROWS, _NETWORKS, _EPOCHS = 120, 16, 40


def equal_recipes(seed: int) -> bool:
    """Say whether the gate finds one of two equal recipes better on 120 rows.

    They differ in nothing but initial weights and batch orders, so neither is.
    """
    generator = np.random.default_rng(seed)
    x, labels = draw_rows(_ROWS, generator)
    draws = spawn_generators(np.random.SeedSequence(seed, spawn_key=(0,)), _NETWORKS)
    ids = np.arange(_ROWS, dtype=np.uint64)
    rows, validation_rows = resamples(labels, ids, 0.2, draws)

    def recipe(branch: int) -> History:
        own = spawn_generators(np.random.SeedSequence(seed, spawn_key=(branch,)), _NETWORKS)
        network = Network.create((4, 16, 3), own, np.dtype(np.float32))
        return train(
            network,
            create_optimizer("adam", network, learning_rate=0.005),
            x,
            labels,
            epochs=_EPOCHS,
            batch_size=32,
            generators=own,
            rows=rows,
            validation_rows=validation_rows,
        )

    challenger, production = recipe(1), recipe(2)
    settings = GateSettings(mode="better")
    return weigh_resamples(
        challenger.validation_loss[-1] - production.validation_loss[-1],
        challenger.validation_accuracy[-1] - production.validation_accuracy[-1],
        validation_rows.shape[1] / rows.shape[1],
        settings,
        look=1,
        alpha=alpha_of_look(settings.alpha, 1),
    ).shown
