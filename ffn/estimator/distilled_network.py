"""The one network of a distilled `FFNClassifier`, from the networks and trees that teach it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.distillation.student import averaged, distil
from ffn.distillation.teaching_trees import Beside, Fold, fit_beside
from ffn.errors import TrainingError
from ffn.estimator.parameters import layer_sizes
from ffn.estimator.rows_to_learn import Learnt, RowsToLearn
from ffn.nn import Network
from ffn.tabular.encodings.tree_inputs import TreeInputs

__all__ = ["distilled_network"]

Array = npt.NDArray[Any]


def distilled_network(
    networks: Network,
    x: Array,
    found: RowsToLearn,
    train_rows: Array,
    held_out: Array | None,
    learnt: Learnt,
    generators: tuple[np.random.Generator, np.random.Generator],
    parameters: Mapping[str, Any],
) -> Network:
    """Return one network that learnt the average of those that did not diverge.

    It learns from boosted trees as well if the parameters want some. They are fitted on the same
    rows as the networks, and stopped and weighted by the rows held out.

    Parameters
    ----------
    networks
        Trained networks. If all of them diverged, they are returned.
    x
        Inputs [N, n_in].
    found
        Labels and weights of their rows.
    train_rows, held_out
        Numbers of the rows that the networks learnt from, and were stopped by.
    learnt
        What made the inputs of features.
    generators
        Sources of randomness, of the student and of the trees.
    parameters
        All parameters of the estimator by name.

    Raises
    ------
    TrainingError
        The student diverged.
    """
    usable = np.flatnonzero(np.isfinite(networks.parameters).all(axis=1))
    if not len(usable):
        return networks
    teachers, (own, of_trees) = networks.select(usable.tolist()), generators
    beside = None
    if parameters["boosted_teachers"] and held_out is not None:
        seeds = of_trees.integers(2**32, size=parameters["boosted_teachers"]).tolist()
        folds = [Fold(train_rows, held_out, seed) for seed in seeds]
        beside = _beside(teachers, x, found, held_out, learnt, folds)
    sizes = parameters["student_layer_sizes"]
    student = distil(
        teachers,
        x[found.rows],
        [[i] for i in range(x.shape[1])] if learnt is None else learnt.inputs_of_features(),
        layer_sizes(parameters["hidden_layer_sizes"] if sizes is None else sizes),
        np.random.SeedSequence(own.integers(2**63, size=4).tolist()),
        batch_size=parameters["batch_size"],
        beside=beside,
    )
    if not student.history.finished.all():
        raise TrainingError(
            f"the student diverged ({student.history.diverged[0]}), although those that it "
            "learnt from did not; scale the features, or set distilled=False"
        )
    return student.network


def _beside(
    teachers: Network,
    x: Array,
    found: RowsToLearn,
    held_out: Array,
    learnt: Learnt,
    folds: list[Fold],
) -> Beside | None:
    answers = averaged(teachers, x[held_out])
    of_true = np.full(len(x), np.nan)
    of_true[held_out] = answers[np.arange(len(held_out)), found.labels[held_out]]
    return fit_beside(
        x,
        found.labels,
        TreeInputs.of(range(x.shape[1]), []) if learnt is None else learnt.tree_inputs(),
        teachers.widths[-1],
        folds,
        of_true,
        weights=found.weights,
        judging_weights=found.weights,
    )
