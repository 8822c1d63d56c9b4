"""K networks for one optimizer, trained in groups that fit into a bounded memory."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.nn import History, Network, Optimizer, constant, cosine, train
from ffn.nn.schedules import Schedule
from ffn.settings.document import TrainingSettings
from ffn.settings.pipeline import Pipeline
from ffn.training.partition import TrainingPart
from ffn.training.resampling import generators

__all__ = ["networks_at_once", "train_stack"]

Array = npt.NDArray[Any]

# What the networks trained together may take, beside the rows themselves. Parallel training
# tasks have this much each.
_STACK_BYTES = 256 * 1024 * 1024


def networks_at_once(widths: tuple[int, ...], batch_size: int, dtype: npt.DTypeLike) -> int:
    """Return how many networks of these widths train together within the memory allowed.

    Counted are ten arrays of the parameters' size (gradients, an optimizer's moments and
    scratch, the last and the best epoch, a snapshot), and six activations for each unit and
    row of a batch.
    """
    floats = 10 * Network.count(widths) + 6 * batch_size * sum(widths)
    return max(1, _STACK_BYTES // (floats * np.dtype(dtype).itemsize))


def train_stack(
    part: TrainingPart,
    pipeline: Pipeline,
    optimizer: Optimizer,
    *,
    branch: int,
    epochs: int,
    rows: Array | None = None,
    validation_rows: Array | None = None,
    patience: int | None = None,
    on_epoch: Callable[[int], None] | None = None,
) -> tuple[Network, History]:
    """Train K fresh networks on the training part, or network k on its rows of it.

    Every network goes its own way, so the groups they are trained in change nothing.

    Parameters
    ----------
    branch
        Of the pipeline's seed: where initial weights and batch orders come from.
    epochs
        At most.
    rows, validation_rows
        Row numbers [K, n]; default: all rows for every network, and none to watch.
    patience, on_epoch
        As in ``ffn.nn.train``; the epochs told are those done by all groups on average.
    """
    training = pipeline.settings.training
    dtype = np.dtype(training.dtype)
    hidden = pipeline.settings.network.hidden_layers
    widths = (part.preparation.n_inputs, *hidden, len(part.schema.classes))
    own_generators = generators(training, branch)
    n_rows = part.rows if rows is None else rows.shape[1]
    x, labels = part.x, part.labels
    row_weights = _row_weights(part, training)
    at_once = networks_at_once(widths, min(training.batch_size, n_rows), dtype)
    groups = _groups(training.networks, at_once)
    networks, histories = [], []
    for number, members in enumerate(groups):
        network = Network.create(widths, own_generators[members], dtype)
        histories.append(
            train(
                network,
                optimizer,
                x,
                labels,
                epochs=epochs,
                batch_size=training.batch_size,
                generators=own_generators[members],
                rows=None if rows is None else rows[members],
                validation_rows=None if validation_rows is None else validation_rows[members],
                row_weights=row_weights,
                schedule=_schedule(training, n_rows),
                patience=patience,
                on_epoch=_on_average(on_epoch, number, len(groups), epochs),
            )
        )
        networks.append(network.parameters)
    return Network(widths, np.concatenate(networks)), History.side_by_side(histories)


def _groups(networks: int, at_once: int) -> list[slice]:
    """Return the members of groups of about equal size, ``at_once`` networks or fewer.

    A network alone may differ in the last bits from the same network in a stack, because NumPy
    may add in another order. So where two fit, none is left alone, and a group of two may take
    in a third.
    """
    count = -(-networks // at_once)
    if at_once > 1:
        count = max(1, min(count, networks // 2))
    ends = [networks * i // count for i in range(count + 1)]
    return [slice(*pair) for pair in pairwise(ends)]


def _on_average(
    on_epoch: Callable[[int], None] | None, group: int, groups: int, epochs: int
) -> Callable[[int], None] | None:
    if on_epoch is None:
        return None
    return lambda done: on_epoch((group * epochs + done) // groups)


def _row_weights(part: TrainingPart, training: TrainingSettings) -> Array | None:
    """Return weights [n] of mean 1 that give every class the same sum, or None."""
    if training.class_weight == "none":
        return None
    labels = part.labels
    counts = np.bincount(labels)
    weights: Array = (part.rows / (len(counts) * counts)).astype(training.dtype)
    return weights[labels]


def _schedule(training: TrainingSettings, n_rows: int) -> Schedule:
    """Return the schedule over the configured epochs, also where fewer will be run."""
    steps = -(-n_rows // training.batch_size)
    warmup = training.warmup_epochs * steps
    if training.schedule == "cosine":
        return cosine(training.epochs * steps, warmup)
    return constant(warmup)
