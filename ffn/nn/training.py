"""Epochs and batches: a stack of networks learns, and a History keeps what happened."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.nn.engine.batches import Batches
from ffn.nn.engine.early_stopping import EarlyStopping
from ffn.nn.engine.evaluation import Evaluation, Watched, snapshots_at_once
from ffn.nn.history import History
from ffn.nn.network import Network
from ffn.nn.optimizers import Optimizer, OptimizerState
from ffn.nn.propagation import Activations, Propagation
from ffn.nn.schedules import Schedule, constant

__all__ = ["train"]

Array = npt.NDArray[Any]


def train(
    network: Network,
    optimizer: Optimizer | OptimizerState,
    x: Array,
    labels: Array,
    *,
    epochs: int,
    batch_size: int,
    generators: Sequence[np.random.Generator],
    rows: Array | None = None,
    validation_rows: Array | None = None,
    row_weights: Array | None = None,
    validation_weights: Array | None = None,
    schedule: Schedule | None = None,
    patience: int | None = None,
    min_delta: float = 0.0,
    frozen_layers: Collection[int] = (),
    on_epoch: Callable[[int], None] | None = None,
) -> History:
    """Train the K networks of a stack in place, each on its own rows in its own order.

    Parameters
    ----------
    network
        Stack [K, P]; its parameters are the starting point (a warm start, if trained before).
    optimizer
        Made for this network's parameters.
    x, labels
        Table [N, n_in] and integers [N] below C.
    epochs, batch_size
        Passes over the rows, and rows a step; a batch size above the row count means one
        step an epoch.
    generators
        One a network; each draws its network's batch order, epoch by epoch.
    rows, validation_rows
        Row numbers [K, n] (or [1, n], shared) to train on and to watch; default: all, none.
    row_weights
        Factors [N] of the rows' losses, of mean 1 if the learning rate is to mean the same. The
        recorded training loss is their weighted mean.
    validation_weights
        Weights [N] for the mean in the recorded validation loss; default: equal ones.
    schedule
        Factor of the learning rate for each step; default: constant.
    patience
        Stop a network after this many epochs without a validation loss lower by more than
        ``min_delta``, and give it back its best epoch's parameters. None: never.
    frozen_layers
        Layers to leave as they are. ``create_optimizer`` must be told too: AdamW would decay
        their weights.
    on_epoch
        Called with the number of epochs done, after each evaluated block of epochs. An
        exception from it ends the training.

    Returns
    -------
    History
        A network whose loss or parameters stop being finite is stopped, named in
        ``history.diverged``, and its parameters are NaN, so that nothing can use them.

    Raises
    ------
    ValueError
        No trainable layer, or ``patience`` without validation rows.
    """
    k, dtype = len(network.parameters), network.parameters.dtype
    if all(i in frozen_layers for i in range(len(network.layers))):
        raise ValueError("all layers are frozen; there is nothing to train")
    if patience is not None and validation_rows is None:
        raise ValueError("early stopping watches the validation loss and needs validation rows")
    state = optimizer
    if not isinstance(state, OptimizerState):
        state = OptimizerState(state, network, frozen_layers)
    elif state.frozen_layers != frozenset(frozen_layers):
        raise ValueError(
            f"the optimizer's state is for frozen layers {sorted(state.frozen_layers)}; "
            f"frozen_layers is {sorted(frozen_layers)}"
        )
    schedule = schedule or constant()
    # A table mapped from a file becomes a plain view of it: memmap's own slices are slow.
    x, labels = np.asarray(x), np.asarray(labels)
    n_rows = len(x) if rows is None else rows.shape[1]
    batch_size = min(batch_size, n_rows)
    batches = Batches(
        x,
        labels,
        rows,
        row_weights,
        generators=generators,
        n_classes=network.widths[-1],
        batch_size=batch_size,
        dtype=dtype,
    )
    gradients = network.layer_views(state.gradients)
    propagations = {
        size: Propagation(
            network.layers, Activations(network.layers, size), gradients, frozen_layers
        )
        for size in {batch_size, n_rows % batch_size} - {0}
    }
    history = History.empty(epochs, k)
    early_stopping = EarlyStopping(network, history, patience, min_delta)
    blocks = -(-epochs // snapshots_at_once(network))
    snapshots = np.zeros((-(-epochs // blocks), *network.parameters.shape), dtype)
    watched = [Watched(n_rows, rows, row_weights)]
    if validation_rows is not None:
        watched.append(Watched(validation_rows.shape[1], validation_rows, validation_weights))
    evaluation = Evaluation(Network(network.widths, snapshots), x, labels, watched)
    step = taken = 0
    # A diverging network overflows; it is found by its values, not by a warning.
    with np.errstate(over="ignore", invalid="ignore", divide="ignore", under="ignore"):
        for epoch, batches_of_epoch in enumerate(batches.epochs(epochs)):
            for inputs, targets, weights in batches_of_epoch:
                propagation = propagations[inputs.shape[-1]]
                logits = propagation.forward(inputs)
                propagation.backward(logits, targets, weights)
                state.step(schedule(step))
                step += 1
            snapshots[taken] = network.parameters
            taken += 1
            if taken == len(snapshots) or epoch == epochs - 1:
                figures = evaluation()[:, :, :taken]
                early_stopping.record(epoch + 1 - taken, snapshots[:taken], figures)
                taken = 0
                if on_epoch is not None:
                    on_epoch(epoch + 1)
                if not early_stopping.running.any():
                    break
    early_stopping.restore_best()
    return history
