"""Gradient-boosted trees that answer beside the networks from which a student learns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ffn.blas_threads import one_openmp_thread
from ffn.tabular.encodings.tree_inputs import TreeInputs

__all__ = ["BoostedTrees", "fit_boosted_trees", "most_iterations", "trees_each_iteration"]

Array = npt.NDArray[Any]

# scikit-learn's defaults, but for a rate at which trees are half as many, the half of the inputs
# that each split may use, which makes models differ more, and a small penalty; see docs/recipe.md.
_SETTINGS: dict[str, Any] = {
    "learning_rate": 0.2,
    "max_leaf_nodes": 31,
    "min_samples_leaf": 20,
    "l2_regularization": 1.0,
    "max_features": 0.5,
}
_PATIENCE = 10
_MOST_ITERATIONS, _MOST_TREES = 300, 1_000


class BoostedTrees(NamedTuple):
    """Boosted trees whose probabilities are averaged.

    Attributes
    ----------
    models
        scikit-learn's ``HistGradientBoostingClassifier``, fitted.
    inputs
        What they see of a network's inputs.
    n_classes
        C; a model may know fewer, if its rows had fewer.
    """

    models: tuple[Any, ...]
    inputs: TreeInputs
    n_classes: int

    @classmethod
    def together(cls, trees: Sequence[BoostedTrees]) -> BoostedTrees:
        """Return the models of some, one at least, which see the same inputs."""
        return trees[0]._replace(models=tuple(model for one in trees for model in one.models))

    @property
    def iterations(self) -> int:
        """The median number of iterations of the models."""
        return int(np.median([model.n_iter_ for model in self.models]))

    def predict_proba(self, x: Array) -> Array:
        """Return the mean of their probabilities, float64 [n, C], for inputs ``x`` [n, n_in]."""
        seen = self.inputs.take(x)
        total = np.zeros((len(x), self.n_classes))
        with one_openmp_thread():
            for model in self.models:
                total[:, model.classes_] += model.predict_proba(seen)
        return total / len(self.models)


def fit_boosted_trees(
    x: Array,
    labels: Array,
    inputs: TreeInputs,
    n_classes: int,
    seed: int,
    *,
    validation: tuple[Array, Array] | None,
    weights: Array | None = None,
    validation_weights: Array | None = None,
    iterations: int | None = None,
) -> BoostedTrees | None:
    """Fit one model; None if its rows have fewer than two classes.

    Friedman 2001, "Greedy function approximation"; Ke and others 2017, "LightGBM", for histograms.
    Both in scikit-learn.

    Parameters
    ----------
    x
        Inputs [n, n_in].
    labels
        Their classes, integers [n].
    inputs
        What trees see of them.
    n_classes
        C.
    seed
        Of the inputs that a split may use; from 0, below 2^32.
    validation
        Other rows, with their classes: no iterations follow once 10 have not lowered their
        log-loss. None: all ``iterations``.
    weights, validation_weights
        Of the rows; None, the default: they count alike.
    iterations
        How many; by default at most 300, and of many classes fewer.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    known = np.unique(labels)
    if len(known) < 2:
        return None
    stopping: dict[str, Any] = {}
    if validation is not None:
        others, theirs = validation
        # A class that is not among the rows to learn from has no probability to be judged by.
        judged = np.isin(theirs, known)
        if not judged.any():
            return None
        stopping = {
            "X_val": inputs.take(others[judged]),
            "y_val": theirs[judged],
            "sample_weight_val": None if validation_weights is None else validation_weights[judged],
        }
    model = HistGradientBoostingClassifier(
        max_iter=iterations or most_iterations(n_classes),
        early_stopping=validation is not None,
        n_iter_no_change=_PATIENCE,
        categorical_features=inputs.categorical if inputs.categories else None,
        random_state=seed,
        **_SETTINGS,
    )
    with one_openmp_thread():
        model.fit(inputs.take(x), labels, sample_weight=weights, **stopping)
    return BoostedTrees((model,), inputs, n_classes)


def most_iterations(n_classes: int) -> int:
    """Return after how many iterations a model ends at the latest."""
    return max(1, min(_MOST_ITERATIONS, _MOST_TREES // trees_each_iteration(n_classes)))


def trees_each_iteration(n_classes: int) -> int:
    """Return how many trees an iteration grows: one for each class, but of two classes one."""
    return n_classes if n_classes > 2 else 1
