"""Comparison of the training recipes of production and challenger on the same resamples.

If too few rows are held out to compare two models, the recipes by which they were made can still
be compared. Each recipe (settings, and rows to learn from) trains K networks, network k of both on
the same resample of the training part, and both are evaluated on the rows left out of it. This
shows which recipe makes better models, not which of two given models is better; with few rows,
nothing can show the latter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ffn.criteria.criterion import Criterion, criterion_of
from ffn.errors import DataError, SettingsError, quote
from ffn.promotion.champion import Opponent
from ffn.quantities import counted
from ffn.search.combinations import combinations, with_combination
from ffn.settings.decision_settings import DecisionSettings
from ffn.settings.pipeline import Pipeline
from ffn.training.fit import train_stack
from ffn.training.partition import TrainingPart
from ffn.training.resampling import generators, resamples_of
from ffn.training.steps import Prepared, Refitted
from ffn.training.temperature import ask_on_validation

__all__ = ["RecipeDifferences", "cross_validate"]

Array = npt.NDArray[Any]

# Branches of the pipeline's seed; ``ffn.training.steps`` has the others.
_RESAMPLES, _NETWORKS, _THINNING = 3, 4, 5
# Smallest share of production's training rows that has to be in the table still.
_ROWS_LEFT = 0.9


class RecipeDifferences(NamedTuple):
    """Challenger minus production, one value for each of K resamples.

    Attributes
    ----------
    losses, accuracies
        After the last epoch, on the resamples on which production's network finished [K]; NaN where
        the challenger's diverged.
    validation_to_train
        Number of rows left out of a resample, divided by the number in it.
    gains
        What the challenger gains by ``decision.metric`` [K]; None if that is the log-loss.
    """

    losses: Array
    accuracies: Array
    validation_to_train: float
    gains: Array | None = None


def cross_validate(
    prepared: Prepared,
    pipeline: Pipeline,
    refitted: Refitted,
    opponent: Opponent,
    known: Array,
    encode: Callable[[Pipeline], TrainingPart] | None = None,
) -> RecipeDifferences | str:
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
    """
    settings, bundle = opponent.settings, opponent.bundle
    candidates = combinations(settings) if settings else {}
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
    # Before the seed is changed, with which production's candidates may have been drawn.
    production, search = with_combination(replace(pipeline, settings=settings), bundle.optimizer)
    production = replace(
        production,
        settings=production.settings.model_copy(
            update={"training": production.settings.training.model_copy(update=same_draws)}
        ),
    )
    part = prepared.training
    if encode and settings.features != pipeline.settings.features:
        try:
            part = encode(production)
        except (DataError, SettingsError) as error:
            return f"production's inputs cannot be made from this table: {error}"
    criterion = criterion_of(pipeline.settings.decision, prepared.schema.classes)
    figures, judged = [], []
    for own_part, (recipe, own_search), own_rate, epochs, own_rows in (
        (
            prepared.training,
            with_combination(pipeline, refitted.bundle.optimizer),
            refitted.learning_rate,
            refitted.epochs,
            rows,
        ),
        (
            part,
            (production, search),
            rate,
            opponent.epochs,
            _thinned(rows, known, pipeline),
        ),
    ):
        network, history = train_stack(
            own_part,
            recipe,
            own_search,
            [own_rate],
            branch=_NETWORKS,
            epochs=epochs,
            rows=own_rows,
            validation_rows=validation_rows,
        )
        lost = ~history.finished
        if criterion:
            answers = ask_on_validation(network, history.finished, own_part, validation_rows)
            judged.append(
                criterion.of_networks(
                    answers.probabilities(),
                    answers.labels,
                    answers.networks,
                    answers.fingerprints,
                    len(lost),
                    _decides(recipe, criterion),
                )
            )
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
    gains = None
    if criterion:
        sign = 1.0 if criterion.higher else -1.0
        gains = sign * (judged[0] - judged[1])[finished]
    return RecipeDifferences(losses, accuracies, validation_rows.shape[1] / rows.shape[1], gains)


def _decides(recipe: Pipeline, criterion: Criterion) -> DecisionSettings:
    """Return what the labels of a recipe follow from: its own settings, if they fit the classes."""
    own, known = recipe.settings.decision, set(criterion.classes)
    named = {*own.costs, *(label for row in own.costs.values() for label in row)}
    if own.thresholds != "auto":
        named |= set(own.thresholds)
    return own if named <= known else criterion.settings


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
