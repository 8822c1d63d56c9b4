"""Comparison of the training recipes of production and challenger on the same resamples.

If too few rows are held out to compare two models, the recipes by which they were made can still
be compared. Each recipe (settings, and rows to learn from) trains K networks, network k of both on
the same resample of the training part, and both are evaluated on the rows left out of it. This
shows which recipe makes better models, not which of two given models is better; with few rows,
nothing can show the latter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.errors import DataError, SettingsError, quote
from ffn.promotion.champion import Opponent
from ffn.quantities import counted
from ffn.settings.gate_settings import GateSettings
from ffn.settings.pipeline import Pipeline
from ffn.training.fit import train_stack
from ffn.training.partition import TrainingPart
from ffn.training.resampling import generators, resamples_of
from ffn.training.steps import Prepared, Refitted

__all__ = ["ResampledEvidence", "cross_validate", "weigh_resamples"]

Array = npt.NDArray[Any]

# Branches of the pipeline's seed; ``ffn.training.steps`` has the others.
_RESAMPLES, _NETWORKS, _THINNING = 3, 4, 5
# Smallest share of production's training rows that has to be in the table still.
_ROWS_LEFT = 0.9


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

    @property
    def shown(self) -> bool:
        """Whether the challenger may take over."""
        return not self.failures


def cross_validate(
    prepared: Prepared,
    pipeline: Pipeline,
    refitted: Refitted,
    opponent: Opponent,
    known: Array,
    encode: Callable[[Pipeline], TrainingPart] | None = None,
) -> tuple[Array, Array, float] | str:
    """Train both recipes on the same resamples of the training part; or return why not.

    Parameters
    ----------
    prepared
        Inputs of the training part, n rows.
    pipeline
        Settings of the challenger's recipe.
    refitted
        The challenger.
    opponent
        The version in production, with its recipe.
    known
        Booleans [n]: rows of the training part that production was trained on.
    encode
        Returns the training part as inputs by the ``[features]`` of a pipeline; called if those of
        production differ. None, the default: production's recipe has the same.

    Returns
    -------
    losses, accuracies
        Challenger minus production after the last epoch, one value for each resample on which
        production's network finished; NaN where the challenger's diverged.
    validation_to_train
        Number of rows left out of a resample, divided by the number in it.
    """
    settings, bundle = opponent.settings, opponent.bundle
    candidates = settings.optimizers.candidates() if settings else {}
    rate = opponent.learning_rate
    if (
        settings is None
        or opponent.epochs is None
        or rate is None
        or bundle.optimizer not in candidates
    ):
        return "how production was trained is not recorded"
    if known.sum() < _ROWS_LEFT * len(bundle.fingerprints):
        return (
            f"of the {len(bundle.fingerprints):,} rows that production was trained on, only "
            f"{known.sum():,} are in the training part now"
        )
    weighted = pipeline.settings.data.weight
    if settings.data.weight not in (None, weighted):
        return (
            f"production was trained with the weights of {quote(settings.data.weight)}, which is "
            "not the column of weights now"
        )
    training = pipeline.settings.training
    # Not the resamples of the candidates: the winner was selected on those.
    drawn = resamples_of(prepared.training, training, _RESAMPLES)
    rows, validation_rows = map(np.array, zip(*drawn, strict=True))
    same_draws = {"networks": training.networks, "seed": training.seed, "dtype": training.dtype}
    production = replace(
        pipeline,
        settings=settings.model_copy(
            update={"training": settings.training.model_copy(update=same_draws)}
        ),
    )
    part = prepared.training
    if encode and settings.features != pipeline.settings.features:
        try:
            part = encode(production)
        except (DataError, SettingsError) as error:
            return f"production's inputs cannot be made from this table: {error}"
    figures = []
    for own_part, recipe, optimizer, own_rate, epochs, own_rows in (
        (
            prepared.training,
            pipeline,
            refitted.bundle.optimizer,
            refitted.learning_rate,
            refitted.epochs,
            rows,
        ),
        (
            part,
            production,
            bundle.optimizer,
            rate,
            opponent.epochs,
            _thinned(rows, known, pipeline),
        ),
    ):
        _, history = train_stack(
            own_part,
            recipe,
            recipe.settings.optimizers.candidates()[optimizer],
            [own_rate],
            branch=_NETWORKS,
            epochs=epochs,
            rows=own_rows,
            validation_rows=validation_rows,
        )
        lost = ~history.finished
        figures.append(
            tuple(
                np.where(lost, np.nan, curve[-1])
                for curve in (history.validation_loss, history.validation_accuracy)
            )
        )
    challenger, of_production = np.array(figures)
    # A resample on which production's network diverged is left out, to production's advantage:
    # counting it could only help the challenger.
    finished = np.isfinite(of_production).all(axis=0)
    if finished.sum() < 2:
        return (
            f"{(~finished).sum():,} of {counted(len(finished), 'network')} of production's recipe "
            "diverged"
        )
    losses, accuracies = (challenger - of_production)[:, finished]
    return losses, accuracies, validation_rows.shape[1] / rows.shape[1]


def weigh_resamples(
    losses: Array,
    accuracies: Array,
    validation_to_train: float,
    settings: GateSettings,
    *,
    look: int,
    alpha: float,
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
    """
    finished = np.isfinite(losses)
    loss, loss_half = _mean_and_half(losses[finished], validation_to_train, alpha)
    accuracy, half = _mean_and_half(accuracies[finished], validation_to_train, alpha)
    failures = []
    if not finished.all():
        failures.append(f"{(~finished).sum():,} of {counted(len(losses), 'network')} diverged")
    if settings.mode == "better":
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


def _thinned(rows: Array, known: Array, pipeline: Pipeline) -> Array:
    """Return the rows of each resample [K, n] that production knew, equally many of each."""
    kept = [own[known[own]] for own in rows]
    fewest = min(map(len, kept))
    return np.array(
        [
            np.sort(generator.permutation(own)[:fewest])
            for own, generator in zip(
                kept, generators(pipeline.settings.training, _THINNING), strict=True
            )
        ]
    )
