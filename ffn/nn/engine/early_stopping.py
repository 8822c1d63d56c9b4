"""After each epoch: write the history, keep the best parameters, stop who is done or diverged."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.nn.history import History
from ffn.nn.network import Network

__all__ = ["EarlyStopping"]

Array = npt.NDArray[Any]


class EarlyStopping:
    """Decides epoch by epoch which networks of a stack go on, and which parameters they keep.

    Parameters
    ----------
    network
        Stack of K networks in training.
    history
        Written to; its length is the number of epochs.
    patience
        Stop a network after this many epochs without an improvement, and keep the parameters of
        its best epoch. None: never stop one that has not diverged, and keep its last epoch.
    min_delta
        By more than this, in nats a row, the validation loss must fall to be an improvement.

    Attributes
    ----------
    running
        Booleans [K]: the networks that have neither stopped nor diverged.
    best_loss
        Lowest validation loss of each network so far, [K]; infinite before the first epoch.
    """

    def __init__(
        self, network: Network, history: History, patience: int | None, min_delta: float
    ) -> None:
        k = len(network.parameters)
        self.network, self.history = network, history
        self.patience, self.min_delta = patience, min_delta
        self.running = np.ones(k, dtype=bool)
        self.best_loss = np.full(k, np.inf)
        self.best_parameters = network.parameters.copy()

    def record(
        self, first_epoch: int, snapshots: Array, figures: Array, members: Array | None = None
    ) -> None:
        """Take in S epochs at once.

        Parameters
        ----------
        first_epoch
            Number of the first of them, from 0.
        snapshots
            Parameters after each epoch, [S, k, P].
        figures
            Loss and accuracy on training rows and, if there are any, on validation rows:
            [1 or 2, 2, S, k].
        members
            Positions [k] in the stack of the networks that these are of. None, the default, for
            all.
        """
        h = self.history
        if members is None:
            members = np.arange(len(self.running))
        losses = figures[:, 0]
        finite_loss: Array = np.logical_and.reduce(np.isfinite(losses), axis=0)
        finite: Array = np.logical_and(finite_loss, np.isfinite(snapshots).all(axis=-1))
        if self.patience is None:
            # Every epoch counts as an improvement, so the last one is kept.
            alive = np.logical_and.accumulate(np.vstack([self.running[members], finite]))
            ran, better, self.running[members] = alive[:-1], alive[1:], alive[-1]
        else:
            ran, better = self._improvements(
                first_epoch, losses[-1], finite, members, self.patience
            )
        targets = [h.train_loss, h.train_accuracy, h.validation_loss, h.validation_accuracy]
        for target, values in zip(targets, figures.reshape(-1, *losses.shape[1:]), strict=False):
            epochs = slice(first_epoch, first_epoch + len(values))
            target[epochs, members] = np.where(ran, values, np.nan)
        improved = np.flatnonzero(better.any(axis=0))
        best = len(better) - 1 - better[::-1, improved].argmax(axis=0)
        h.best_epoch[members[improved]] = first_epoch + best
        self.best_parameters[members[improved]] = snapshots[best, improved]
        for s, i in np.argwhere(ran & ~finite):
            what = "parameters" if finite_loss[s, i] else "loss"
            h.diverged[members[i]] = f"{what} not finite after epoch {first_epoch + s + 1}"
            h.best_epoch[members[i]] = -1

    def _improvements(
        self, first_epoch: int, losses: Array, finite: Array, members: Array, patience: int
    ) -> tuple[Array, Array]:
        """Return booleans [S, k] each: whether a network ran, and whether it improved."""
        ran, better = np.empty_like(finite), np.empty_like(finite)
        running, lowest = self.running[members], self.best_loss[members]
        best_epoch = self.history.best_epoch[members]
        for s, loss in enumerate(losses):
            ran[s] = running
            running &= finite[s]
            better[s] = running & (loss < lowest - self.min_delta)
            lowest[better[s]] = loss[better[s]]
            best_epoch[better[s]] = first_epoch + s
            running &= first_epoch + s - best_epoch < patience
        self.running[members], self.best_loss[members] = running, lowest
        self.history.best_epoch[members] = best_epoch
        return ran, better

    def restore_best(self) -> None:
        """Give each network the parameters of its best epoch, and NaN to those that diverged."""
        self.network.parameters[:] = self.best_parameters
        self.network.parameters[~self.history.finished] = np.nan
