"""Candidates made by hand, so that a selection's answer is known beforehand."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.nn import SGD, History
from ffn.training.rate_search import search_rates
from ffn.training.selection.candidate import Candidate


def candidate(
    optimizer: str,
    losses: npt.ArrayLike,
    *,
    accuracies: npt.ArrayLike | None = None,
    ratio: float = 0.25,
    diverged: Collection[int] = (),
) -> Candidate:
    """One epoch of figures: validation losses [K]; the networks in ``diverged`` have none."""
    figures: npt.NDArray[Any] = np.array(losses, dtype=float)
    history = History.empty(1, len(figures))
    history.best_epoch[:] = 0
    history.train_loss[0] = history.validation_loss[0] = figures
    history.train_accuracy[0] = history.validation_accuracy[0] = (
        np.full(len(figures), 0.9) if accuracies is None else accuracies
    )
    for k in diverged:
        history.diverged[k] = "loss not finite after epoch 1"
        history.best_epoch[k] = -1
        history.validation_loss[0, k] = np.nan
        history.validation_accuracy[0, k] = np.nan
    return Candidate(
        optimizer=optimizer,
        hyperparameters=SGD(),
        search=search_rates((SGD().learning_rate,), history.validation_loss, ratio),
        history=history,
        final=history,
        validation_to_train=ratio,
        seconds=0.5,
    )
