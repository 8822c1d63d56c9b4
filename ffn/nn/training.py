"""Epochs and batches: a stack of networks learns, and a History keeps what happened."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.nn.batches import Batches
from ffn.nn.evaluation import Evaluation, Watched, snapshots_at_once
from ffn.nn.history import History
from ffn.nn.network import Network
from ffn.nn.optimizers import Optimizer
from ffn.nn.propagation import Propagation
from ffn.nn.schedules import Schedule, constant

__all__ = ["train"]

Array = npt.NDArray[Any]


def train(
    network: Network,
    optimizer: Optimizer,
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
    k = len(network.parameters)
    if all(i in frozen_layers for i in range(len(network.layers))):
        raise ValueError("all layers are frozen; there is nothing to train")
    if patience is not None and validation_rows is None:
        raise ValueError("early stopping watches the validation loss and needs validation rows")
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
        dtype=network.parameters.dtype,
    )
    sizes = {batch_size, n_rows % batch_size} - {0}
    propagations = {
        size: Propagation(network, optimizer.gradients, size, frozen_layers) for size in sizes
    }
    history = History.empty(epochs, k)
    watch = _Watch(network, history, patience, min_delta)
    blocks = -(-epochs // snapshots_at_once(network))
    snapshots = np.zeros((-(-epochs // blocks), *network.parameters.shape), batches.inputs.dtype)
    watched = [Watched(n_rows, rows, row_weights)]
    if validation_rows is not None:
        watched.append(Watched(validation_rows.shape[1], validation_rows, validation_weights))
    evaluation = Evaluation(Network(network.widths, snapshots), x, labels, watched)
    step = taken = 0
    # A diverging network overflows; ``_Watch`` finds it by its values, not by a warning.
    with np.errstate(over="ignore", invalid="ignore", divide="ignore", under="ignore"):
        for epoch, batches_of_epoch in enumerate(batches.epochs(epochs)):
            for inputs, targets, weights in batches_of_epoch:
                propagation = propagations[targets.shape[-1]]
                propagation.forward(inputs)
                propagation.backward(inputs, targets, weights)
                optimizer.step(schedule(step))
                step += 1
            snapshots[taken] = network.parameters
            taken += 1
            if taken == len(snapshots) or epoch == epochs - 1:
                watch.record(epoch + 1 - taken, snapshots[:taken], evaluation()[:, :, :taken])
                taken = 0
                if on_epoch is not None:
                    on_epoch(epoch + 1)
                if not watch.running.any():
                    break
    watch.settle()
    return history


class _Watch:
    """Writes the history, stops networks that diverged or no longer improve."""

    def __init__(
        self, network: Network, history: History, patience: int | None, min_delta: float
    ) -> None:
        k = len(network.parameters)
        self.network, self.history = network, history
        self.patience, self.min_delta = patience, min_delta
        self.running = np.ones(k, dtype=bool)
        self.best_loss = np.full(k, np.inf)
        self.best_parameters = network.parameters.copy()

    def record(self, first_epoch: int, snapshots: Array, figures: Array) -> None:
        """Take in loss and accuracy of training and validation, [1 or 2, 2, S, K], of S epochs."""
        h = self.history
        losses = figures[:, 0]
        finite_loss: Array = np.logical_and.reduce(np.isfinite(losses), axis=0)
        finite: Array = np.logical_and(finite_loss, np.isfinite(snapshots).all(axis=-1))
        if self.patience is None:
            # Every epoch counts as an improvement, so the last one is kept.
            alive = np.logical_and.accumulate(np.vstack([self.running, finite]))
            ran, better, self.running = alive[:-1], alive[1:], alive[-1].copy()
        else:
            ran, better = self._improvements(first_epoch, losses[-1], finite, self.patience)
        targets = [h.train_loss, h.train_accuracy, h.validation_loss, h.validation_accuracy]
        for target, values in zip(targets, figures.reshape(-1, *losses.shape[1:]), strict=False):
            np.copyto(target[first_epoch : first_epoch + len(values)], values, where=ran)
        improved = np.flatnonzero(better.any(axis=0))
        best = len(better) - 1 - better[::-1, improved].argmax(axis=0)
        h.best_epoch[improved] = first_epoch + best
        self.best_parameters[improved] = snapshots[best, improved]
        for s, k in np.argwhere(ran & ~finite):
            what = "parameters" if finite_loss[s, k] else "loss"
            h.diverged[k] = f"{what} not finite after epoch {first_epoch + s + 1}"
            h.best_epoch[k] = -1

    def _improvements(
        self, first_epoch: int, losses: Array, finite: Array, patience: int
    ) -> tuple[Array, Array]:
        """Return booleans [S, K] each: whether a network ran, and whether it improved."""
        ran, better = np.empty_like(finite), np.empty_like(finite)
        for s, loss in enumerate(losses):
            ran[s] = self.running
            self.running &= finite[s]
            better[s] = self.running & (loss < self.best_loss - self.min_delta)
            self.best_loss[better[s]] = loss[better[s]]
            self.history.best_epoch[better[s]] = first_epoch + s
            self.running &= first_epoch + s - self.history.best_epoch < patience
        return ran, better

    def settle(self) -> None:
        """Give each network the parameters it is to have now."""
        self.network.parameters[:] = self.best_parameters
        gone = ~self.history.finished
        self.network.parameters[gone] = np.nan
