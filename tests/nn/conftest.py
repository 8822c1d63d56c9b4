"""A small labelled table and a stack to go with it, the same every time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from ffn.nn import OPTIMIZERS, History, Network, spawn_generators, train


@dataclass
class Table:
    """Rows [N, 4] and labels [N] of three classes that overlap."""

    x: np.ndarray
    labels: np.ndarray


@pytest.fixture(scope="session")
def table() -> Table:
    generator = np.random.default_rng(11)
    labels = np.repeat([0, 1, 2], [40, 30, 27])
    centres = np.array([[0.0, 1, 0, -1], [1, 0, 1, 0], [-1, 0.5, 1, 1]])
    x = centres[labels] + generator.normal(scale=0.9, size=(97, 4))
    order = generator.permutation(97)
    return Table(x[order], labels[order])


Trained = tuple[Network, History]


@pytest.fixture(scope="session")
def run(table: Table) -> Callable[..., Trained]:
    """Return a function that trains 4-6-5-3 in float64 and gives back network and history."""

    def _run(
        seeds: Sequence[int] = (0,),
        optimizer: str = "adam",
        learning_rate: float = 0.02,
        epochs: int = 5,
        batch_size: int = 16,
        start: Callable[[Network], None] | None = None,
        on: Table = table,
        **settings: object,
    ) -> Trained:
        children = [spawn_generators(99, seed + 1)[seed] for seed in seeds]
        network = Network.create((4, 6, 5, 3), children, np.float64)
        if start is not None:
            start(network)
        history = train(
            network,
            OPTIMIZERS[optimizer](learning_rate=learning_rate),
            on.x,
            on.labels,
            epochs=epochs,
            batch_size=batch_size,
            generators=children,
            **settings,
        )
        return network, history

    return _run
