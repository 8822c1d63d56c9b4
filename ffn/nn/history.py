"""Record of a training: loss and accuracy of each network after each epoch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["History"]

Array = npt.NDArray[Any]


@dataclass(kw_only=True)
class History:
    """Loss (nats a row) and accuracy (share of rows) after each epoch.

    Attributes
    ----------
    train_loss, train_accuracy, validation_loss, validation_accuracy
        Arrays [epochs, K], float64. NaN after a network stopped, and for validation when no
        validation rows were given.
    best_epoch
        Integers [K]: the epoch, from 0, whose parameters each network was left with. -1 for a
        network that diverged.
    diverged
        For each network None, or what stopped being finite, and after which epoch.
    """

    train_loss: Array
    train_accuracy: Array
    validation_loss: Array
    validation_accuracy: Array
    best_epoch: Array
    diverged: list[str | None] = field(default_factory=list)

    @classmethod
    def empty(cls, epochs: int, k: int) -> History:
        """Return a history with nothing recorded yet.

        Parameters
        ----------
        epochs
            How many epochs it has room for.
        k
            Number of networks.
        """
        unknown = np.full((4, epochs, k), np.nan)
        return cls(
            train_loss=unknown[0],
            train_accuracy=unknown[1],
            validation_loss=unknown[2],
            validation_accuracy=unknown[3],
            best_epoch=np.full(k, -1),
            diverged=[None] * k,
        )

    @classmethod
    def side_by_side(cls, histories: Sequence[History]) -> History:
        """Return one history of the networks of several stacks.

        Parameters
        ----------
        histories
            With room for the same number of epochs.
        """
        names = [f.name for f in fields(cls) if f.name != "diverged"]
        arrays = {name: [getattr(history, name) for history in histories] for name in names}
        return cls(
            **{name: np.concatenate(parts, axis=-1) for name, parts in arrays.items()},
            diverged=[reason for history in histories for reason in history.diverged],
        )

    def select(self, networks: Sequence[int]) -> History:
        """Return the history of the networks at these positions, from 0."""
        names = [f.name for f in fields(self) if f.name != "diverged"]
        return History(
            **{name: getattr(self, name)[..., list(networks)] for name in names},
            diverged=[self.diverged[k] for k in networks],
        )

    def at_best(self, figure: str) -> Array:
        """Return a figure [K] at the epoch kept of each network; NaN for one that diverged.

        Parameters
        ----------
        figure
            Name of one of the arrays, such as ``"validation_loss"``.
        """
        values = np.take_along_axis(
            getattr(self, figure), np.maximum(self.best_epoch, 0)[None], axis=0
        )[0]
        return np.where(self.best_epoch < 0, np.nan, values)

    @property
    def finished(self) -> Array:
        """Booleans [K]: the networks that did not diverge."""
        return np.array([reason is None for reason in self.diverged])

    @property
    def epochs_run(self) -> Array:
        """Integers [K]: epochs recorded for each network."""
        epochs: Array = np.isfinite(self.train_loss).sum(axis=0)
        return epochs
