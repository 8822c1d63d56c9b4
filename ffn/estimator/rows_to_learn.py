"""The set of rows that `FFNClassifier.fit` learns from, and how they become inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.errors import quote
from ffn.estimator.column_inputs import ColumnInputs, learn_columns, missing_texts
from ffn.estimator.given_columns import in_scikit_learns_terms
from ffn.estimator.number_inputs import NumberInputs, learn_numbers
from ffn.estimator.training_rows import distinct_rows
from ffn.tabular.memory.column_reader import ColumnChoice
from ffn.tabular.memory.labelled_columns import read_labelled_columns
from ffn.tabular.memory.memory_table import MemoryTable

__all__ = ["Learnt", "RowsToLearn", "refuse_other_inputs", "rows_of_array", "rows_of_columns"]

Array = npt.NDArray[Any]

Learnt = NumberInputs | ColumnInputs | None
"""What makes inputs of features; None if they are the inputs."""


@dataclass(frozen=True, kw_only=True)
class RowsToLearn:
    """Labelled rows [N], of which equal ones are told once.

    Attributes
    ----------
    labels
        Indices of the classes [N].
    rows
        Numbers [n] of the rows to learn from, in an order that depends on content alone.
    weights
        Weights [N], those of ``rows`` with a mean of 1.
    learn
        Given the numbers of the rows to train on, learns from these how features become inputs,
        and returns the inputs [N, n_in] of all rows, and what was learnt.
    """

    labels: Array
    rows: Array
    weights: Array
    learn: Callable[[Array], tuple[Array, Learnt]]


def rows_of_array(
    x: Array,
    labels: Array,
    weights: Array,
    parameters: Mapping[str, Any],
    *,
    going_on: bool,
    known: NumberInputs | None,
) -> RowsToLearn:
    """Return the distinct rows of an array.

    Parameters
    ----------
    x, labels, weights
        Features [N, n_features], finite; indices of the classes [N]; weights [N], changed in place.
    parameters
        All parameters of the estimator by name.
    going_on
        Whether ``known`` is what was learnt before, which is kept.
    known
        That.
    """
    rows, merged = distinct_rows(x, labels, weights)
    weights[rows] = merged / merged.mean()

    def learn(train_rows: Array) -> tuple[Array, Learnt]:
        learnt = known if going_on else learn_numbers(x, train_rows, parameters)
        return (x if learnt is None else learnt.transform(x)), learnt

    return RowsToLearn(labels=labels, rows=rows, weights=weights, learn=learn)


def rows_of_columns(
    table: MemoryTable,
    labels: Array,
    weights: Array,
    parameters: Mapping[str, Any],
    classes: Array,
    *,
    stacklevel: int = 2,
) -> RowsToLearn:
    """Return the distinct rows of a table with columns of any kind.

    Parameters
    ----------
    table
        The table, of N rows.
    labels, weights
        Indices of the classes [N], and weights [N].
    parameters
        All parameters of the estimator by name.
    classes
        Labels [C].
    stacklevel
        Number of calls up to which a warning points, as for ``warnings.warn``; 2 is the caller.

    Raises
    ------
    ValueError
        A column cannot be read, or is given a kind or format and does not exist.
    """
    kinds = parameters["kinds"] if isinstance(parameters["kinds"], Mapping) else {}
    choice = ColumnChoice(
        kinds=kinds,
        formats=parameters["formats"] or {},
        missing_values=missing_texts(parameters["missing_values"]),
    )
    present = np.flatnonzero(weights)
    with in_scikit_learns_terms():
        found = read_labelled_columns(
            table,
            choice,
            present,
            labels[present],
            tuple(map(str, classes.tolist())),
            stacklevel=stacklevel + 1,
        )
    # The content of a row is told by its fingerprint, in two halves that a float can hold.
    halves = found.fingerprints.view(np.uint32).reshape(-1, 2).astype(np.float64)
    rows, merged = distinct_rows(halves, labels[present], weights[present])
    # In the order of content, in which sums come out the same whatever order rows are given in.
    distinct = found.take(rows)
    learn = partial(
        learn_columns,
        distinct,
        dtype=parameters["dtype"],
        bins=parameters["bins"] if parameters["numbers"] == "piecewise" else None,
        most_categories=parameters["most_categories"],
        text_components=parameters["text_components"],
    )

    def learnt(train_rows: Array) -> tuple[Array, Learnt]:
        with in_scikit_learns_terms():
            return learn(train_rows)

    return RowsToLearn(
        labels=labels[present][rows],
        rows=np.arange(len(rows)),
        weights=merged / merged.mean(),
        learn=learnt,
    )


def refuse_other_inputs(numbers: str, before: Learnt) -> None:
    """Refuse to continue networks of features on inputs of another kind.

    Parameters
    ----------
    numbers
        The parameter of this name.
    before
        What the networks were trained with.

    Raises
    ------
    ValueError
        They were trained on inputs of another kind.
    """
    kind = "standardised" if before is None else "piecewise"
    now, then = f"numbers is {quote(numbers)}", f"with {quote(kind)}"
    if isinstance(before, ColumnInputs):
        now, then = "kinds is None", "on columns"
    elif numbers == kind:
        return
    raise ValueError(
        f"{now}; the networks to continue were trained {then}; fit again with warm_start=False"
    )
