"""What is trained: rows, initial weights and batch orders, the same for every contestant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.nn import Network, spawn_generators

__all__ = ["Shape", "Work", "create_work"]

Array = npt.NDArray[Any]

_SEED = 20260101


@dataclass(frozen=True, kw_only=True)
class Shape:
    """A network, a table and how it is learnt.

    Attributes
    ----------
    name
        As in the tables.
    table
        Makes inputs [N, n_in] and labels [N], integers.
    hidden
        Widths of the hidden layers.
    batch_size, epochs, learning_rate
        As ``ffn.nn.train`` and Adam take them.
    networks
        K, trained on the same rows, with initial weights and batch orders of their own.
    """

    name: str
    table: Callable[[], tuple[Array, Array]]
    hidden: tuple[int, ...]
    batch_size: int
    epochs: int
    learning_rate: float
    networks: int = 1


@dataclass(frozen=True, kw_only=True)
class Work:
    """A shape with its rows, where each network starts, and in what order it sees the rows.

    Attributes
    ----------
    shape
        What it was made from.
    widths
        ``(n_in, *hidden, C)``.
    x, labels
        Inputs [N, n_in], float32, and integers [N]; those to train on come first.
    n_train
        How many those are.
    parameters
        Initial parameters [K, P], as ``ffn.nn.Network`` lays them out.
    generators
        State of each network's generator after its initialisation: from it ``ffn.nn.train``
        draws the batch orders.
    orders
        The very same orders [K, epochs, n_train], ready made.
    """

    shape: Shape
    widths: tuple[int, ...]
    x: Array
    labels: Array
    n_train: int
    parameters: Array
    generators: tuple[dict[str, Any], ...]
    orders: Array

    @property
    def train_part(self) -> tuple[Array, Array]:
        """Inputs and labels to train on."""
        return self.x[: self.n_train], self.labels[: self.n_train]

    @property
    def validation_part(self) -> tuple[Array, Array]:
        """Inputs and labels to watch."""
        return self.x[self.n_train :], self.labels[self.n_train :]

    @property
    def batch_sizes(self) -> list[int]:
        """Rows of each batch of an epoch; the last may be smaller."""
        full, rest = divmod(self.n_train, self.shape.batch_size)
        return [self.shape.batch_size] * full + [rest] * (rest > 0)

    @property
    def network_steps(self) -> int:
        """Optimizer steps of a training, those of all networks counted."""
        return self.shape.networks * self.shape.epochs * len(self.batch_sizes)

    def layers(self) -> list[tuple[Array, Array]]:
        """Return copies of each layer's initial weights [K, n_out, n_in] and biases [K, n_out]."""
        layers = Network(self.widths, self.parameters).layers
        return [(layer[..., :-1].copy(), layer[..., -1].copy()) for layer in layers]


def create_work(shape: Shape, *, most_rows: int | None = None) -> Work:
    """Return the work of a shape, of its first ``most_rows`` rows if given.

    A fifth of the rows, drawn by a fixed seed, is for validation. The others' means and
    deviations standardise all.
    """
    x, labels = (part[:most_rows] for part in shape.table())
    shuffled = np.random.default_rng(_SEED).permutation(len(x))
    x, labels, n_train = x[shuffled], labels[shuffled], len(x) - len(x) // 5
    spread = x[:n_train].std(axis=0)
    x = (x - x[:n_train].mean(axis=0)) / np.where(spread > 0, spread, 1)
    widths = (x.shape[1], *shape.hidden, int(labels.max()) + 1)
    generators = spawn_generators(_SEED, shape.networks)
    network = Network.create(widths, generators)
    states = tuple(generator.bit_generator.state for generator in generators)
    rows = np.arange(n_train)
    orders = [[g.permutation(rows) for _ in range(shape.epochs)] for g in generators]
    return Work(
        shape=shape,
        widths=widths,
        x=x.astype(np.float32),
        labels=labels,
        n_train=n_train,
        parameters=network.parameters,
        generators=states,
        orders=np.array(orders),
    )
