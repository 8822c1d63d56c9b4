"""What ``verbose`` prints while an estimator is fitted."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from ffn.nn import History, Network

__all__ = ["epoch_lines"]

_LINES = 10

Observer = Callable[[int, Network, Sequence[int], History], None]


def epoch_lines(epochs: int) -> Observer:
    """Return an ``observe`` of `ffn.nn.train` that prints the losses about ten times.

    Parameters
    ----------
    epochs
        Number of epochs that were asked for.
    """
    told = 0

    def observe(done: int, _network: Network, _members: Sequence[int], history: History) -> None:
        nonlocal told
        due = done * _LINES // epochs
        if due == told:
            return
        told = due
        line = f"epoch {done:,} of {epochs:,}: training loss {_mean(history.train_loss, done)}"
        if not np.isnan(history.validation_loss[:done]).all():
            line += f", validation loss {_mean(history.validation_loss, done)}"
        sys.stdout.write(f"{line}\n")

    return observe


def _mean(losses: npt.NDArray[np.floating], done: int) -> str:
    """Return the mean over the networks that trained in the last of ``done`` epochs."""
    running = losses[done - 1][~np.isnan(losses[done - 1])]
    return f"{running.mean():.6f}" if running.size else "none, all networks have stopped"
