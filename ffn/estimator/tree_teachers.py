"""Boosted trees that teach a distilled `FFNClassifier`, beside its networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.distillation.boosted_trees import (
    BoostedTrees,
    fit_boosted_trees,
    share_of_trees,
    thinned,
)
from ffn.distillation.student import Beside, averaged
from ffn.estimator.rows_to_learn import Learnt, RowsToLearn
from ffn.nn import Network
from ffn.tabular.encodings.tree_inputs import TreeInputs

__all__ = ["trees_beside"]

Array = npt.NDArray[Any]


def trees_beside(
    network: Network,
    x: Array,
    found: RowsToLearn,
    train_rows: Array,
    held_out: Array | None,
    learnt: Learnt,
    generator: np.random.Generator,
    parameters: Mapping[str, Any],
) -> Beside | None:
    """Fit trees on the rows that the networks learnt from, and find their share of the answer.

    It is that of lowest log-loss on the rows held out, by which all of them stopped.

    Parameters
    ----------
    network
        Trained networks; those that diverged are left out.
    x
        Inputs [N, n_in].
    found
        Labels and weights of their rows.
    train_rows, held_out
        Numbers of the rows to learn from and to stop by.
    learnt
        What made the inputs of features.
    generator
        Source of randomness.
    parameters
        All parameters of the estimator by name.

    Returns
    -------
    Beside or None
        None if the parameters want no trees, there is nothing to fit or to stop them by, or all
        networks diverged.
    """
    usable = np.flatnonzero(np.isfinite(network.parameters).all(axis=1))
    if not parameters["boosted_teachers"] or held_out is None or not len(usable):
        return None
    inputs = TreeInputs.of(range(x.shape[1]), []) if learnt is None else learnt.tree_inputs()
    rows, judged = thinned(train_rows, inputs), thinned(held_out, inputs)
    n_classes, labels, weights = network.widths[-1], found.labels, found.weights
    fitted = [
        fit_boosted_trees(
            x[rows],
            labels[rows],
            inputs,
            n_classes,
            int(seed),
            validation=(x[judged], labels[judged]),
            weights=weights[rows],
            validation_weights=weights[judged],
        )
        for seed in generator.integers(2**32, size=parameters["boosted_teachers"])
    ]
    models = tuple(model for one in fitted if one is not None for model in one.models)
    if not models:
        return None
    trees = BoostedTrees(models, inputs, n_classes)
    truth = np.arange(len(judged)), labels[judged]
    share = share_of_trees(
        averaged(network.select(usable.tolist()), x[judged])[truth].astype(float),
        trees.predict_proba(x[judged])[truth],
        weights[judged],
    )
    return Beside(trees, share)
