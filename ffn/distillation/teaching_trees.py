"""Boosted trees that teach a student beside networks, and their share of the answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ffn.distillation.boosted_trees import BoostedTrees, fit_boosted_trees
from ffn.tabular.encodings.tree_inputs import TreeInputs

__all__ = ["Beside", "Fold", "fit_beside", "mean_by_row", "share_of_trees", "thinned"]

Array = npt.NDArray[Any]


class Beside(NamedTuple):
    """Trees that teach beside the networks.

    Attributes
    ----------
    trees
        The trees.
    share
        That of their average in the answer, from 0 to 1; the rest is that of the networks.
    """

    trees: BoostedTrees
    share: float


class Fold(NamedTuple):
    """What one model of trees is fitted with.

    Attributes
    ----------
    rows, validation
        Numbers of the rows to learn from, and of those to be stopped and judged by.
    seed
        From 0, below 2^32.
    """

    rows: Array
    validation: Array
    seed: int


def fit_beside(
    x: Array,
    labels: Array,
    inputs: TreeInputs,
    n_classes: int,
    folds: Iterable[Fold],
    networks: Array,
    *,
    weights: Array | None = None,
    judging_weights: Array | None = None,
) -> Beside | None:
    """Fit a model of trees for each fold, and find their share beside networks.

    It is that of lowest log-loss on the validation rows, where the average of the networks that did
    not learn from a row is mixed with that of such trees. None if no fold has rows of two classes,
    and rows of these to stop by.

    Parameters
    ----------
    x
        Inputs [N, n_in].
    labels
        Classes, integers [N].
    inputs
        What trees see of the inputs.
    n_classes
        C.
    folds
        One for each model.
    networks
        Mean probabilities of the true class [N], of the networks that did not learn from the row;
        NaN where there are none.
    weights, judging_weights
        Of all rows [N] while trees are fitted, and while their share is found; None, the default:
        rows count alike.
    """
    fitted, answers = [], []
    for fold in folds:
        rows, others = thinned(fold.rows, inputs), thinned(fold.validation, inputs)
        trees = fit_boosted_trees(
            x[rows],
            labels[rows],
            inputs,
            n_classes,
            fold.seed,
            validation=(x[others], labels[others]),
            weights=None if weights is None else weights[rows],
            validation_weights=None if weights is None else weights[others],
        )
        if trees is not None:
            fitted.append(trees)
            true = trees.predict_proba(x[others])[np.arange(len(others)), labels[others]]
            answers.append((others, true))
    if not fitted:
        return None
    of_trees = mean_by_row(len(labels), answers)
    judged = np.flatnonzero(~np.isnan(of_trees) & ~np.isnan(networks))
    share = share_of_trees(
        networks[judged],
        of_trees[judged],
        None if judging_weights is None else judging_weights[judged],
    )
    return Beside(BoostedTrees.together(fitted), share)


def mean_by_row(n: int, answers: Iterable[tuple[Array, Array]]) -> Array:
    """Return for each of n rows the mean of its answers; NaN where it has none.

    Parameters
    ----------
    n
        Number of rows.
    answers
        Row numbers [m], each once, and an answer for each [m].
    """
    counts, sums = np.zeros(n), np.zeros(n)
    for rows, own in answers:
        counts[rows] += 1
        sums[rows] += own
    with np.errstate(invalid="ignore"):
        means: Array = sums / counts
    return means


def thinned(rows: Array, inputs: TreeInputs, most_values: int = 4_000_000) -> Array:
    """Return row numbers at even distances among ``rows`` [n], all if they are few.

    Parameters
    ----------
    rows
        Row numbers.
    inputs
        What trees see of a row.
    most_values
        How many values they see at most of all rows together.
    """
    most = max(1, most_values // max(1, len(inputs.categorical)))
    return np.asarray(rows[:: max(1, -(-len(rows) // most))])


def share_of_trees(networks: Array, trees: Array, weights: Array | None = None) -> float:
    """Return the share of the trees in the mixture of lowest log-loss, from 0 to 1.

    A convex combination as in Breiman 1996, "Stacked regressions", by likelihood: the log-loss is
    convex in the share.

    Parameters
    ----------
    networks, trees
        What either says of the true class of each of n rows that it did not learn from: arrays [n].
    weights
        Of the rows [n]; None, the default: they count alike.
    """
    from scipy.optimize import minimize_scalar

    def loss(share: float) -> float:
        mixed = (1 - share) * networks + share * trees
        logarithms = np.log(np.maximum(mixed, np.finfo(float).tiny))
        return -float(np.average(logarithms, weights=weights))

    return float(minimize_scalar(loss, bounds=(0, 1), method="bounded").x)
