"""Gradient-boosted trees that teach the student of an ensemble, beside its networks."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.distillation.boosted_trees import BoostedTrees, fit_boosted_trees
from ffn.distillation.teaching_trees import Beside, Fold, fit_beside, mean_by_row, thinned
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
    labels, n_classes = np.asarray(part.labels), len(part.schema.classes)
    weights = None if settings.data.weight is None else part.weights
    train_rows, validation_rows = candidate_resamples(part, settings.training)
    sequence = np.random.SeedSequence(settings.training.seed, spawn_key=(_TREES,))
    seeds = sequence.generate_state(len(train_rows)).tolist()
    finished = np.unique(answers.networks).tolist()
    asked = asked_rows(validation_rows, n_classes)
    of_true = answers.probabilities()[np.arange(len(answers.labels)), answers.labels]
    networks = mean_by_row(
        part.rows, [(asked[k], of_true[answers.networks == k]) for k in finished]
    )
    beside = fit_beside(
        part.x,
        labels,
        part.preparation.tree_inputs(),
        n_classes,
        [
            Fold(train_rows[k], validation_rows[k], seeds[k])
            for k in finished[-settings.training.boosted_teachers :]
        ],
        networks,
        weights=weights,
        judging_weights=part.weights,
    )
    if beside is None or settings.ensemble != "refitted":
        return beside
    return beside._replace(trees=_refitted(beside.trees, part.x, labels, weights, seeds))


def _refitted(
    trees: BoostedTrees, x: Array, labels: Array, weights: Array | None, seeds: list[int]
) -> BoostedTrees:
    """Return as many models of all rows."""
    rows = thinned(np.arange(len(x)), trees.inputs)
    again = [
        fit_boosted_trees(
            x[rows],
            labels[rows],
            trees.inputs,
            trees.n_classes,
            seed,
            validation=None,
            weights=None if weights is None else weights[rows],
            iterations=trees.iterations,
        )
        for seed in seeds[: len(trees.models)]
    ]
    return BoostedTrees.together([one for one in again if one is not None])
