"""A candidate of the selection: an optimizer at its best learning rate, trained on K resamples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.criteria.criterion import Criterion
from ffn.errors import TrainingError
from ffn.evaluation.inference.race import Dropped
from ffn.nn import History, Network, Optimizer
from ffn.training.rate_search import RateSearch
from ffn.training.temperature import ValidationAnswers

__all__ = ["Candidate", "judged_losses"]

Array = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One optimizer with its K networks, trained on K resamples.

    Attributes
    ----------
    optimizer
        Its name, a key of ``ffn.nn.OPTIMIZERS``.
    hyperparameters
        The optimizer itself, at the learning rate that was chosen on all resamples.
    search
        The learning rates that were tried, and which of them were chosen.
    history
        Losses and accuracies [epochs, K] by which the optimizer is compared: network k is the one
        at the rate that was chosen on all resamples but k.
    final
        Losses and accuracies [epochs, K] at the rate that was chosen on all resamples.
    ended
        How many of these networks the time budget ended.
    members
        The networks at that rate; None unless the model is made of them.
    validation_to_train
        Number of validation rows of a resample divided by the number of its training rows.
    seconds
        Wall time of the training.
    answers
        Predictions of the networks for their validation rows, or for a sample of them; None if
        they were not computed.
    taken
        Whether it was not trained now, but by a retraining that was interrupted.
    dropped
        Why a race dropped it; its K is then the number of resamples until that. None if it is
        trained on all of them.
    """

    optimizer: str
    hyperparameters: Optimizer
    search: RateSearch
    history: History
    final: History
    ended: int = 0
    members: Network | None = None
    validation_to_train: float
    seconds: float
    answers: ValidationAnswers | None = None
    taken: bool = False
    dropped: Dropped | None = None

    @property
    def validation_loss(self) -> Array:
        """Validation log-loss [K] of the kept parameters, nats per row."""
        return self.history.at_best("validation_loss")

    @property
    def validation_accuracy(self) -> Array:
        """Validation accuracy [K] of the kept parameters."""
        return self.history.at_best("validation_accuracy")


def judged_losses(candidate: Candidate, criterion: Criterion | None) -> Array:
    """Return by what a candidate is compared [K], the lower the better; NaN where it has nothing.

    Parameters
    ----------
    candidate
        The candidate.
    criterion
        The metric; None for the log-loss.

    Raises
    ------
    TrainingError
        No resample has a value of the metric.
    """
    if criterion is None:
        return candidate.validation_loss
    answers, k = candidate.answers, len(candidate.history.finished)
    found = np.full(k, np.nan)
    if answers is not None:
        found = criterion.of_networks(
            answers.probabilities(), answers.labels, answers.networks, answers.fingerprints, k
        )
    if not np.isfinite(found).any():
        raise TrainingError(
            f"decision.metric: no resample's validation rows give the {criterion.words} of "
            f"{candidate.optimizer}; they lack a class. Add rows of it, or raise "
            "training.validation_share."
        )
    return -found if criterion.higher else found
