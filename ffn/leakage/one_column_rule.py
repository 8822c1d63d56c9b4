"""How well a rule on one column alone predicts the label, on rows that the rule was not made from.

Two rules are tried: the most frequent label of each value, and a small decision tree on the order
of the values. Both are judged out of fold, so that a column of ids predicts nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.leakage.sampled_columns import SampledColumn

__all__ = ["draw_folds", "predict_alone", "skill"]

Array = npt.NDArray[Any]

_FOLDS = 5
# A value has to occur so often on average before the most frequent label of each is a rule.
_ROWS_OF_A_VALUE = 5
_MOST_COUNTS = 2_000_000
_FEWEST_LEAVES, _LEAVES_OF_A_CLASS, _ROWS_OF_A_LEAF = 8, 2, 3


def draw_folds(labels: Array, seed: int) -> Array:
    """Return a fold for each row, integers [n] from 0 to 4, with the shares of classes alike.

    Parameters
    ----------
    labels
        Class indices [n].
    seed
        Seed of the draw.
    """
    order = np.random.default_rng(seed).permutation(len(labels))
    by_class = order[np.argsort(labels[order], kind="stable")]
    folds = np.empty(len(labels), dtype=np.int64)
    folds[by_class] = np.arange(len(labels)) % _FOLDS
    return folds


def skill(right: float, usual: float) -> float:
    """Return the share of the mistakes of always naming one class that a rule avoids.

    1 is a perfect rule, 0 one that is no better than the most frequent class.

    Parameters
    ----------
    right
        Share of the rows for which the rule is right.
    usual
        Share of the most frequent class, below 1.
    """
    return 1 - (1 - right) / (1 - usual)


def predict_alone(
    column: SampledColumn, labels: Array, n_classes: int, folds: Array, least_skill: float
) -> Array | None:
    """Return out-of-fold predictions of the better of two rules on one column; None if hopeless.

    Parameters
    ----------
    column
        The column in n rows.
    labels
        Class indices [n].
    n_classes
        Number of classes.
    folds
        Fold of each row [n], as `draw_folds` gives them.
    least_skill
        A tree that does not even reach this `skill` on its own rows is not cross-validated, which
        saves nearly all of the time.
    """
    found = []
    distinct = column.distinct
    if distinct * _ROWS_OF_A_VALUE <= len(labels) and distinct * n_classes <= _MOST_COUNTS:
        found.append(_by_value(column.codes[1], distinct, labels, n_classes, folds))
    if column.numeric:
        found += _by_tree(column.values, labels, n_classes, folds, least_skill)
    right = [int((predicted == labels).sum()) for predicted in found]
    return found[int(np.argmax(right))] if found else None


def _by_value(places: Array, distinct: int, labels: Array, n_classes: int, folds: Array) -> Array:
    """Predict the most frequent label of each value in the other folds."""
    predicted = np.empty(len(labels), dtype=np.int64)
    cells = places * n_classes + labels
    every = np.bincount(cells, minlength=distinct * n_classes)
    for fold in range(_FOLDS):
        own = folds == fold
        others = every - np.bincount(cells[own], minlength=len(every))
        counts = others.reshape(distinct, n_classes)
        usual = counts.sum(axis=0).argmax()
        answer = np.where(counts.any(axis=1), counts.argmax(axis=1), usual)
        predicted[own] = answer[places[own]]
    return predicted


def _by_tree(
    values: Array, labels: Array, n_classes: int, folds: Array, least_skill: float
) -> list[Array]:
    from sklearn.tree import DecisionTreeClassifier

    def fitted(rows: Array) -> Any:
        tree = DecisionTreeClassifier(
            max_leaf_nodes=max(_FEWEST_LEAVES, _LEAVES_OF_A_CLASS * n_classes),
            min_samples_leaf=_ROWS_OF_A_LEAF,
            random_state=0,
        )
        return tree.fit(x[rows], labels[rows])

    # scikit-learn reads float32; ranks keep the order of numbers that would become equal.
    x = np.unique(values, return_inverse=True)[1].astype(np.float32)[:, np.newaxis]
    x[np.isnan(values)] = -1
    every = np.arange(len(labels))
    usual = np.bincount(labels).max() / len(labels)
    if skill(float(fitted(every).score(x, labels)), usual) < least_skill:
        return []
    predicted = np.empty(len(labels), dtype=np.int64)
    for fold in range(_FOLDS):
        own = folds == fold
        predicted[own] = fitted(every[~own]).predict(x[own])
    return [predicted]
