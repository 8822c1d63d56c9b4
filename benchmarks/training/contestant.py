"""What the measuring loop asks of those who train."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from benchmarks.training.work import Work

__all__ = ["Contestant", "Ours", "Outcome", "Products"]

Array = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Loss (nats a row) and accuracy after each evaluated epoch, the last one among them.

    Attributes
    ----------
    train_loss, train_accuracy, validation_loss, validation_accuracy
        Arrays [epochs, K].
    """

    train_loss: Array
    train_accuracy: Array
    validation_loss: Array
    validation_accuracy: Array

    @classmethod
    def of(cls, figures: Any) -> Outcome:
        """Return figures [epochs, 4] or [epochs, 4, K], in the order of the attributes."""
        table = np.asarray(figures, dtype=np.float64)
        table = table[..., None] if table.ndim == 2 else table
        return cls(
            train_loss=table[:, 0],
            train_accuracy=table[:, 1],
            validation_loss=table[:, 2],
            validation_accuracy=table[:, 3],
        )


class Contestant(Protocol):
    """Somebody who does a work: conversion of the table is done when it is made, all else in run.

    Attributes
    ----------
    name
        As in the tables.
    """

    name: str

    def run(self) -> Outcome | None:
        """Train from the initial parameters to the end; None if nothing is learnt."""


class Ours:
    """``ffn.nn.train``, as a retraining calls it."""

    name = "ours"

    def __init__(self, work: Work) -> None:
        self.work = work
        self.rows = np.arange(work.n_train)[None]
        self.validation_rows = np.arange(work.n_train, len(work.x))[None]

    def run(self) -> Outcome:
        """Draw the batch orders, train and evaluate after each epoch."""
        from ffn.nn import Adam, Network, train

        work, shape = self.work, self.work.shape
        network = Network(work.widths, work.parameters.copy())
        history = train(
            network,
            Adam(learning_rate=shape.learning_rate),
            work.x,
            work.labels,
            epochs=shape.epochs,
            batch_size=shape.batch_size,
            generators=[_generator(state) for state in work.generators],
            rows=self.rows,
            validation_rows=self.validation_rows,
        )
        return Outcome(
            train_loss=history.train_loss,
            train_accuracy=history.train_accuracy,
            validation_loss=history.validation_loss,
            validation_accuracy=history.validation_accuracy,
        )


def _generator(state: dict[str, Any]) -> np.random.Generator:
    bits = np.random.PCG64()
    bits.state = state
    return np.random.Generator(bits)


class Products:
    """The matrix products of a training with its evaluation, and nothing else: the limit.

    No bias, no activation, no loss, no optimizer; the same arrays again and again, so nothing
    is read from far away.
    """

    name = "matrix products alone"
    # Fastest here, by a little, for wide layers and narrow ones alike.
    evaluated_at_once = 512

    def __init__(self, work: Work) -> None:
        self.work = work
        if work.shape.networks > 1:
            raise ValueError("the limit is that of a single network")
        self.weights = [weights[0] for weights, _ in work.layers()]
        self.transposed = [weights.T for weights in self.weights]
        self.gradients = [np.empty_like(weights) for weights in self.weights]
        sizes = {*work.batch_sizes, *self._chunks(work.n_train)}
        sizes |= {*self._chunks(len(work.x) - work.n_train)}
        self.activations = {
            size: [np.ones((width, size), np.float32) for width in work.widths] for size in sizes
        }
        self.deltas = {
            size: [np.ones((width, size), np.float32) for width in work.widths] for size in sizes
        }

    def run(self) -> None:
        """Multiply."""
        for _ in range(self.work.shape.epochs):
            for size in self.work.batch_sizes:
                self._forward(size)
                self._backward(size)
            for rows in (self.work.n_train, len(self.work.x) - self.work.n_train):
                for size in self._chunks(rows):
                    self._forward(size)

    def _chunks(self, rows: int) -> list[int]:
        full, rest = divmod(rows, self.evaluated_at_once)
        return [self.evaluated_at_once] * full + [rest] * (rest > 0)

    def _forward(self, size: int) -> None:
        a = self.activations[size]
        for i, weights in enumerate(self.weights):
            weights.dot(a[i], a[i + 1])

    def _backward(self, size: int) -> None:
        a, deltas = self.activations[size], self.deltas[size]
        for i in reversed(range(len(self.weights))):
            deltas[i + 1].dot(a[i].T, self.gradients[i])
            if i:
                self.transposed[i].dot(deltas[i + 1], deltas[i])
