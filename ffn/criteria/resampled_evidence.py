"""Two training recipes judged by their differences over K resamples."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.criteria.criterion import Criterion
from ffn.quantities import counted
from ffn.settings.gate_settings import GateSettings

__all__ = ["ResampledEvidence", "weigh_resamples"]

Array = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class ResampledEvidence:
    """Result of comparing two recipes on K resamples.

    Attributes
    ----------
    resamples
        K, the number of resamples on which both networks finished.
    look
        Number of this comparison on these rows, from 1.
    alpha
        Its one-sided level.
    log_loss, log_loss_low, log_loss_high
        Mean validation log-loss of the challenger's recipe minus production's, nats per row, and a
        bound on each side, each at the one-sided level ``alpha``.
    accuracy, accuracy_low
        The same for accuracy, with the lower bound.
    failures
        Criteria that were not met, a clause each; empty if the challenger may take over.
    gain, gain_low
        What the challenger's recipe gains by ``decision.metric``, which then decides alone, with
        the lower bound; None if that is the log-loss.
    """

    resamples: int
    look: int
    alpha: float
    log_loss: float
    log_loss_low: float
    log_loss_high: float
    accuracy: float
    accuracy_low: float
    failures: tuple[str, ...]
    gain: float | None = field(default=None, metadata={"omitted": True})
    gain_low: float | None = field(default=None, metadata={"omitted": True})

    @property
    def shown(self) -> bool:
        """Whether the challenger may take over."""
        return not self.failures


def weigh_resamples(
    losses: Array,
    accuracies: Array,
    validation_to_train: float,
    settings: GateSettings,
    *,
    look: int,
    alpha: float,
    gains: Array | None = None,
    criterion: Criterion | None = None,
) -> ResampledEvidence:
    """Judge the differences over K resamples by the corrected resampled t-test.

    Nadeau and Bengio 2003: resamples share rows, so the variance of a mean over K of them is
    ``(1/K + validation_to_train) s^2``, with K - 1 degrees of freedom.

    Parameters
    ----------
    losses, accuracies
        Challenger minus production [K]; NaN where the challenger's network diverged.
    validation_to_train
        Number of rows left out of a resample, divided by the number in it.
    settings
        Mode and margins of the gate.
    look
        Number of the comparison on these rows, from 1.
    alpha
        Its one-sided level.
    gains
        What the challenger gains by the metric [K]; None, the default, if there is none.
    criterion
        The metric that decides alone. None, the default: accuracy and log-loss.
    """
    finished = np.isfinite(losses)
    loss, loss_half = _mean_and_half(losses[finished], validation_to_train, alpha)
    accuracy, half = _mean_and_half(accuracies[finished], validation_to_train, alpha)
    failures = []
    if not finished.all():
        failures.append(f"{(~finished).sum():,} of {counted(len(losses), 'network')} diverged")
    gain, gain_low = None, None
    if criterion and gains is not None:
        gain, gain_half = _mean_and_half(gains[np.isfinite(gains)], validation_to_train, alpha)
        gain_low = gain - gain_half
        better = settings.mode == "better"
        if not gain_low > (0 if better else -settings.metric_margin):
            wanted = "higher" if criterion.higher else "lower"
            margin = f"within {settings.metric_margin:g} of production's"
            failures.append(f"{criterion.words} is not shown to be {wanted if better else margin}")
    elif settings.mode == "better":
        if not loss + loss_half < 0:
            failures.append("log-loss is not shown to be lower")
        if not accuracy >= 0:
            failures.append("accuracy is lower")
    else:
        if not accuracy - half > -settings.accuracy_margin:
            failures.append(
                f"accuracy is not shown to be within {settings.accuracy_margin:g} of production's"
            )
        if not loss + loss_half < settings.log_loss_margin:
            failures.append(
                f"log-loss is not shown to be within {settings.log_loss_margin:g} of production's"
            )
    return ResampledEvidence(
        resamples=int(finished.sum()),
        look=look,
        alpha=alpha,
        log_loss=loss,
        log_loss_low=loss - loss_half,
        log_loss_high=loss + loss_half,
        accuracy=accuracy,
        accuracy_low=accuracy - half,
        failures=tuple(failures),
        gain=gain,
        gain_low=gain_low,
    )


def _mean_and_half(
    differences: Array, validation_to_train: float, alpha: float
) -> tuple[float, float]:
    """Return the mean and its distance to a one-sided bound; infinite for a single difference."""
    from scipy import special

    k = len(differences)
    if k < 2:
        return float("nan"), float("inf")
    variance = (1 / k + validation_to_train) * np.var(differences, ddof=1)
    return float(differences.mean()), float(-special.stdtrit(k - 1, alpha) * np.sqrt(variance))
