"""Gradient-boosted trees that teach the student of an ensemble, beside its networks."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.distillation.boosted_trees import (
    BoostedTrees,
    boosted_until,
    fit_boosted_trees,
    share_of_trees,
    thinned,
)
from ffn.distillation.student import Beside
from ffn.errors import FFNError, TrainingError, one_line
from ffn.settings.pipeline import Pipeline
from ffn.training.partition import TrainingPart
from ffn.training.resampling import candidate_resamples
from ffn.training.selection.candidate import Candidate
from ffn.training.temperature import asked_rows

__all__ = ["fit_boosted_teachers"]

Array = npt.NDArray[Any]

# Branch of the pipeline's seed; ``ffn.training.steps`` has the others.
_TREES = 9


def fit_boosted_teachers(
    part: TrainingPart, pipeline: Pipeline, winner: Candidate
) -> Beside | None:
    """Fit trees on as many resamples as the settings say, and find their share of the answer.

    They are treated like the networks. Each learns from the rows of a resample, is stopped by its
    validation rows, and the average of all is taken; under a split by time, where networks are
    refitted on all rows, so are they, for the median number of iterations. Their share is that of
    lowest log-loss on the validation rows of these resamples, where the average of the networks
    that did not learn from a row is mixed with that of such trees.

    Of the resamples whose networks finished, the last are taken, which under a split by time are
    the newest.

    Parameters
    ----------
    part
        The training part.
    pipeline
        Settings.
    winner
        The candidate whose networks teach, with their predictions for validation rows.

    Returns
    -------
    Beside or None
        None if the settings want no trees, or no resample has rows to fit or to stop them by.

    Raises
    ------
    TrainingError
        scikit-learn could not fit them.
    """
    try:
        return _fit(part, pipeline, winner)
    except FFNError:
        raise
    except Exception as error:
        raise TrainingError(
            f"the boosted trees could not be fitted "
            f"({one_line(f'{type(error).__name__}: {error}').rstrip('.')}). Set "
            "training.boosted_teachers = 0 to do without them."
        ) from error


def _fit(part: TrainingPart, pipeline: Pipeline, winner: Candidate) -> Beside | None:
    settings, answers = pipeline.settings, winner.answers
    if not settings.training.boosted_teachers or answers is None:
        return None
    n_classes, inputs = len(part.schema.classes), part.preparation.tree_inputs()
    x, labels, weights = part.x, np.asarray(part.labels), part.weights
    own_weights = None if settings.data.weight is None else weights
    train_rows, validation_rows = candidate_resamples(part, settings.training)
    asked = asked_rows(validation_rows, n_classes)
    seeds = np.random.SeedSequence(settings.training.seed, spawn_key=(_TREES,)).generate_state(
        len(train_rows)
    )
    finished = np.unique(answers.networks)
    of_networks = _TrueClass(part.rows)
    of_networks.add(
        np.concatenate([asked[k] for k in finished]), answers.probabilities(), answers.labels
    )
    fitted: list[BoostedTrees] = []
    of_trees = _TrueClass(part.rows)
    for k in finished[-settings.training.boosted_teachers :].tolist():
        rows, others = thinned(train_rows[k], inputs), thinned(validation_rows[k], inputs)
        trees = fit_boosted_trees(
            x[rows],
            labels[rows],
            inputs,
            n_classes,
            int(seeds[k]),
            validation=(x[others], labels[others]),
            weights=None if own_weights is None else own_weights[rows],
            validation_weights=None if own_weights is None else own_weights[others],
        )
        if trees is not None:
            fitted.append(trees)
            of_trees.add(asked[k], trees.predict_proba(x[asked[k]]), labels[asked[k]])
    if not fitted:
        return None
    judged = np.flatnonzero(of_trees.answers)
    share = share_of_trees(
        of_networks.means(judged),
        of_trees.means(judged),
        None if weights is None else weights[judged],
    )
    if settings.ensemble == "refitted":
        fitted = _refitted(fitted, x, labels, own_weights, seeds)
    models = tuple(model for own in fitted for model in own.models)
    return Beside(BoostedTrees(models, inputs, n_classes), share)


class _TrueClass:
    """Probabilities of the true class of n rows, averaged over those that answered for a row."""

    def __init__(self, n: int) -> None:
        self.answers = np.zeros(n, dtype=np.intp)
        self._sums = np.zeros(n)

    def add(self, rows: Array, probabilities: Array, labels: Array) -> None:
        """Add answers [m, C] for rows of these classes [m]; a row may occur several times."""
        np.add.at(self.answers, rows, 1)
        np.add.at(self._sums, rows, probabilities[np.arange(len(rows)), labels])

    def means(self, rows: Array) -> Array:
        """Return the averages for some rows, each of which has an answer."""
        found: Array = self._sums[rows] / self.answers[rows]
        return found


def _refitted(
    fitted: list[BoostedTrees], x: Array, labels: Array, weights: Array | None, seeds: Array
) -> list[BoostedTrees]:
    """Return models of all rows, as many as there were."""
    iterations, rows = boosted_until(fitted), thinned(np.arange(len(x)), fitted[0].inputs)
    again = [
        fit_boosted_trees(
            x[rows],
            labels[rows],
            one.inputs,
            one.n_classes,
            int(seed),
            validation=None,
            weights=None if weights is None else weights[rows],
            iterations=iterations,
        )
        for one, seed in zip(fitted, seeds, strict=False)
    ]
    return [one for one in again if one is not None]
