"""How well the columns without the suspicious ones predict the label, for comparison."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.leakage.sampled_columns import SampledColumn

__all__ = ["predict_by_others"]

Array = npt.NDArray[Any]

_TREES, _MOST_CATEGORIES = 40, 20
_ITERATIONS = 200


def predict_by_others(
    columns: Sequence[SampledColumn], labels: Array, folds: Array
) -> Iterator[Array]:
    """Yield out-of-fold predictions [n] by a linear model, and then by a random forest.

    The settings are fixed. Whoever asks stops at the first model that explains what is suspicious,
    which flatters the other columns a little and so makes an alarm rarer.

    Parameters
    ----------
    columns
        At least one column, in n rows.
    labels
        Class indices [n].
    folds
        Fold of each row [n].
    """
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression

    yield _out_of_fold(LogisticRegression(max_iter=_ITERATIONS), _scaled(columns), labels, folds)
    forest = RandomForestClassifier(_TREES, random_state=0, n_jobs=1)
    yield _out_of_fold(forest, _plain(columns), labels, folds)


def _out_of_fold(model: Any, x: Array, labels: Array, folds: Array) -> Array:
    from threadpoolctl import threadpool_limits

    predicted = np.empty(len(labels), dtype=np.int64)
    with threadpool_limits(1), warnings.catch_warnings():
        # A linear model that has not converged is judged as it is.
        warnings.simplefilter("ignore")
        for fold in np.unique(folds):
            own = folds == fold
            predicted[own] = model.fit(x[~own], labels[~own]).predict(x[own])
    return predicted


def _plain(columns: Sequence[SampledColumn]) -> Array:
    """Return ranks and codes [n, F], -1 for missing; a forest only asks for their order."""
    x = np.stack([column.codes[1] for column in columns], axis=1).astype(np.float32)
    x[np.stack([np.isnan(column.values) for column in columns], axis=1)] = -1
    return x


def _scaled(columns: Sequence[SampledColumn]) -> Array:
    """Return standardised numbers, and an input for each of the most frequent categories."""
    parts = []
    for column in columns:
        gaps = np.isnan(column.values)
        if column.numeric:
            filled = np.where(
                gaps, np.nanmedian(column.values) if not gaps.all() else 0.0, column.values
            )
            parts += [(filled - filled.mean()) / (filled.std() or 1.0)]
        else:
            places = column.codes[1]
            frequent = np.argsort(-np.bincount(places), kind="stable")[:_MOST_CATEGORIES]
            parts += [(places == place).astype(float) for place in frequent]
        if gaps.any():
            parts.append(gaps.astype(float))
    return np.stack(parts, axis=1)
