"""The networks of a stack that are still in training, with all that a step of theirs needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.nn.engine.batches import Batch, Batches
from ffn.nn.engine.evaluation import Evaluation, Watched, snapshots_at_once
from ffn.nn.engine.random_bits import RandomBits
from ffn.nn.hyperparameters import Hyperparameter
from ffn.nn.layers import Dropout
from ffn.nn.network import Network
from ffn.nn.optimizers import OptimizerState
from ffn.nn.propagation import Activations, Propagation

__all__ = ["Lesson", "StackInTraining"]

Array = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """What the K networks of a stack learn from, in the terms of ``ffn.nn.train``.

    ``weigh_recorded`` says whether the recorded training loss is weighted by ``row_weights``.
    """

    x: Array
    labels: Array
    rows: Array | None
    validation_rows: Array | None
    row_weights: Array | None
    validation_weights: Array | None
    batch_size: int
    epochs: int
    weigh_recorded: bool = True
    figure_rows: int | None = None

    def select(self, networks: Sequence[int]) -> Lesson:
        """Return the lesson of the networks at these positions, from 0."""
        return replace(
            self,
            rows=_own(self.rows, networks),
            validation_rows=_own(self.validation_rows, networks),
        )


class StackInTraining:
    """Networks in training: batches, forward and backward, the optimizer, and their evaluation.

    Parameters
    ----------
    lesson
        What they learn from.
    state
        The optimizer at work on the networks.
    generators
        One for each network, which draws its batch order and, once, spawns one for its masks.
    dropout, label_smoothing
        As for ``ffn.nn.train``.
    masks
        What the masks of dropout are drawn from. None, the default, for new streams.

    Attributes
    ----------
    network
        The stack, K networks.
    batches
        Their batches, epoch by epoch.
    snapshots
        Parameters after each of the last epochs, [S, K, P], to be filled.
    evaluation
        Computes loss and accuracy of all snapshots.
    """

    def __init__(
        self,
        lesson: Lesson,
        state: OptimizerState,
        generators: Sequence[np.random.Generator],
        dropout: Hyperparameter,
        label_smoothing: Hyperparameter,
        masks: RandomBits | None = None,
    ) -> None:
        self.network = network = state.network
        self._lesson, self._state, self._generators = lesson, state, generators
        self._dropout, self._label_smoothing = dropout, label_smoothing
        self._masks = masks or _new_masks(dropout, generators)
        x, labels, rows, dtype = lesson.x, lesson.labels, lesson.rows, network.parameters.dtype
        n_rows = len(x) if rows is None else rows.shape[1]
        batch_size = min(lesson.batch_size, n_rows)
        self.batches = Batches(
            x,
            labels,
            rows,
            lesson.row_weights,
            generators=generators,
            n_classes=network.widths[-1],
            batch_size=batch_size,
            dtype=dtype,
            label_smoothing=label_smoothing,
        )
        self._propagations = {
            size: self._propagation(size) for size in {batch_size, n_rows % batch_size} - {0}
        }
        blocks = -(-lesson.epochs // snapshots_at_once(network))
        self.epochs_at_once = -(-lesson.epochs // blocks)
        self.snapshots = np.zeros((self.epochs_at_once, *network.parameters.shape), dtype)
        watched = [_watched(n_rows, rows, lesson)]
        if lesson.validation_rows is not None:
            n_validation = lesson.validation_rows.shape[1]
            weights = lesson.validation_weights
            weigh_hits = weights is not None
            watched.append(Watched(n_validation, lesson.validation_rows, weights, weigh_hits))
        self.evaluation = Evaluation(Network(network.widths, self.snapshots), x, labels, watched)

    def learn(self, batch: Batch, factor: float) -> None:
        """Take one step on a batch; ``factor`` is that of the learning rate's schedule."""
        propagation = self._propagations[batch.inputs.shape[-1]]
        logits = propagation.forward(batch.inputs)
        propagation.backward(logits, batch.targets, batch.row_weights)
        self._state.step(factor)

    def select(self, networks: Sequence[int]) -> StackInTraining:
        """Return the networks at these positions, from 0, which go on as if nothing had happened.

        Between two blocks of epochs only: batches that were drawn ahead would be lost.
        """
        return StackInTraining(
            self._lesson.select(networks),
            self._state.select(networks),
            [self._generators[k] for k in networks],
            _own_value(self._dropout, networks),
            _own_value(self._label_smoothing, networks),
            self._masks and self._masks.select(networks),
        )

    def _propagation(self, n_rows: int) -> Propagation:
        layers, state, masks = self.network.layers, self._state, self._masks
        activations = Activations(layers, n_rows)
        dropping = (
            [Dropout(self._dropout, masks.take, a) for a in activations.hidden] if masks else []
        )
        gradients = self.network.layer_views(state.gradients)
        return Propagation(layers, activations, gradients, state.frozen_layers, dropping)


def _watched(n_rows: int, rows: Array | None, lesson: Lesson) -> Watched:
    """Return the training rows whose loss and accuracy are recorded: all, or some of many.

    At even distances, since tables are often sorted. They are those of the finished epoch and of
    whole networks, as on validation rows; the losses of the batches would be with dropout, and of
    networks that still change.
    """
    most = lesson.figure_rows
    weights = lesson.row_weights if lesson.weigh_recorded else None
    if most is None or n_rows <= most:
        return Watched(n_rows, rows, weights)
    places = np.linspace(0, n_rows - 1, most).round().astype(np.int64)
    some = places[None] if rows is None else np.asarray(rows[:, places])
    return Watched(most, some, weights)


def _own(rows: Array | None, networks: Sequence[int]) -> Array | None:
    """Return the row numbers of some networks; those that all share stay as they are."""
    return rows if rows is None or len(rows) == 1 else rows[list(networks)]


def _own_value(value: Hyperparameter, networks: Sequence[int]) -> Hyperparameter:
    return tuple(value[k] for k in networks) if isinstance(value, tuple) else value


def _new_masks(
    dropout: Hyperparameter, generators: Sequence[np.random.Generator]
) -> RandomBits | None:
    """Return what the masks of dropout are drawn from, or None without dropout.

    A network's masks have a generator of their own, so that its batch order stays as it is without
    dropout. None is spawned for a network without dropout: what it does later depends on how often
    its generator has spawned, which must not depend on its neighbours.
    """
    each = dropout if isinstance(dropout, tuple) else (dropout,) * len(generators)
    if not any(each):
        return None
    return RandomBits(
        [own.spawn(1)[0] if p else None for own, p in zip(generators, each, strict=True)]
    )
