"""Times count only of trainings that learnt the same."""

from __future__ import annotations

import numpy as np

from benchmarks.training.contestant import Outcome

__all__ = ["DisagreementError", "check_agreement"]


class DisagreementError(RuntimeError):
    """Two contestants did not learn the same; their times mean nothing."""


def check_agreement(
    name: str, ours: Outcome, theirs: Outcome, *, loss: float, accuracy: float
) -> None:
    """Refuse an outcome that is not ours.

    Parameters
    ----------
    name
        Whose ``theirs`` is, for the message.
    ours, theirs
        Of the same work. Where every epoch was evaluated on both sides, all epochs are compared,
        else the last.
    loss
        Relative difference of the losses allowed in each epoch, as the median over the K networks:
        rounding alone can send a single one along another path, when a unit's input is nearly 0.
    accuracy
        Difference allowed of the mean accuracies.

    Raises
    ------
    DisagreementError
        They differ by more.
    """
    epochs = min(len(ours.train_loss), len(theirs.train_loss))
    for part in ("train", "validation"):
        own, other = (getattr(outcome, f"{part}_loss")[-epochs:] for outcome in (ours, theirs))
        apart = float(np.median(abs(other / own - 1), axis=1).max())
        if not apart <= loss:
            raise DisagreementError(
                f"{name}: {part} loss differs from ours by {apart:.1e} of it, allowed is {loss:g}"
            )
        own, other = (getattr(outcome, f"{part}_accuracy")[-epochs:] for outcome in (ours, theirs))
        apart = float(abs(other.mean(axis=1) - own.mean(axis=1)).max())
        if not apart <= accuracy:
            raise DisagreementError(
                f"{name}: {part} accuracy differs from ours by {apart:.4f}, allowed is {accuracy:g}"
            )
