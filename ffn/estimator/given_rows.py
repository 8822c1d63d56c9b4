"""What ``fit`` and ``predict`` of `FFNClassifier` are given, checked: arrays, or columns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_consistent_length, validate_data

from ffn.estimator.column_inputs import ColumnInputs
from ffn.estimator.given_columns import given_columns, in_scikit_learns_terms
from ffn.estimator.labels import check_weights
from ffn.estimator.plain_numbers import dense, dense_parts, refuse_other_kinds
from ffn.estimator.rows_to_learn import Learnt

__all__ = ["inputs_of", "labelled_rows"]

Array = npt.NDArray[Any]


def labelled_rows(
    estimator: BaseEstimator, x: Any, y: Any, sample_weight: Any, *, reset: bool
) -> tuple[Any, Array, Array]:
    """Return the features, labels and weights to learn from.

    Parameters
    ----------
    estimator
        The estimator, whose ``n_features_in_`` and ``feature_names_in_`` are set or compared.
    x, y, sample_weight
        Arguments of ``fit``.
    reset
        Whether these are the first rows, which decide on the features.

    Returns
    -------
    x
        Features: an array [N, n_in] in the dtype of training, or a `MemoryTable` of columns.
    y
        Labels [N].
    weights
        Weights [N].

    Raises
    ------
    ValueError
        They are invalid, or not of one length.
    """
    if estimator.kinds is not None:
        y = validate_data(estimator, y=y)
        with in_scikit_learns_terms():
            x = given_columns(estimator, x, reset=reset)
        check_consistent_length(x, y)
    else:
        refuse_other_kinds(x)
        taken = {"dtype": np.dtype(estimator.dtype), "accept_sparse": "csr"}
        with np.errstate(over="ignore"):  # validate_data refuses infinite values
            x, y = validate_data(estimator, x, y, reset=reset, **taken)
    check_classification_targets(y)
    weights = check_weights(sample_weight, len(y))
    return (x if estimator.kinds is not None else dense(x)), y, weights


def inputs_of(estimator: BaseEstimator, x: Any) -> Iterator[Array]:
    """Yield the network's inputs [n, n_in] of all rows, or of a sparse matrix some at a time.

    Parameters
    ----------
    estimator
        The fitted estimator.
    x
        Features to predict from.

    Raises
    ------
    ValueError
        They are invalid, or not those of ``fit``.
    """
    dtype = estimator.network_.parameters.dtype
    learnt: Learnt = estimator.column_inputs_ or estimator.number_inputs_
    if isinstance(learnt, ColumnInputs):
        with in_scikit_learns_terms():
            table = given_columns(estimator, x, reset=False)
            yield learnt.transform(table, dtype, stacklevel=4)
        return
    refuse_other_kinds(x)
    with np.errstate(over="ignore"):  # validate_data refuses infinite values
        x = validate_data(estimator, x, dtype=dtype, accept_sparse="csr", reset=False)
    for part in dense_parts(x):
        yield part if learnt is None else learnt.transform(part)
