"""Class counts of categories by fold, and the cross-fitted statistics of training rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.tabular.encodings.pooled_categories import class_statistics
from ffn.tabular.schema import Schema
from ffn.tabular.training_table.dataset import Dataset

__all__ = ["FOLDS", "CrossFit", "class_shares", "count_classes", "fold_of_rows"]

Array = npt.NDArray[Any]

FOLDS = 5
"""Number of folds, as in scikit-learn's ``TargetEncoder``."""


def fold_of_rows(fingerprints: Array) -> Array:
    """Return the fold [n] of rows from their ``fingerprints`` or groups, uint64 [n].

    Fingerprints are digests of the content, so folds are random, the same in whatever order rows
    are, and the same for equal rows: otherwise a row could be recognised by its copies. Identifiers
    of groups are digests as well.
    """
    folds: Array = (fingerprints % np.uint64(FOLDS)).astype(np.int64)
    return folds


def count_classes(
    dataset: Dataset,
    schema: Schema,
    rows: Array,
    columns: list[int],
    units: Array | None = None,
) -> list[Array]:
    """Return the number of rows by fold, category and class, int64 [FOLDS, categories, C] each.

    Parameters
    ----------
    dataset
        The table, N rows.
    schema
        Its schema.
    rows
        Booleans [N]: the training part.
    columns
        Positions of the columns to count among the categorical features.
    units
        Identifiers, uint64 [N], of which equal ones share a fold; None, the default, for the
        fingerprints.
    """
    n_classes = len(schema.classes)
    sizes = [len(schema.categorical[g].categories) for g in columns]
    counts = [np.zeros(FOLDS * size * n_classes, dtype=np.int64) for size in sizes]
    labels, units = dataset.labels, dataset.fingerprints if units is None else units
    for part, _, codes in dataset.pieces(schema.without_encoder()) if columns else ():
        own, folds = rows[part], fold_of_rows(units[part])
        for count, size, g in zip(counts, sizes, columns, strict=True):
            some = own & (codes[:, g] >= 0)
            cell = (folds[some] * size + codes[some, g]) * n_classes + labels[part][some]
            count += np.bincount(cell, minlength=len(count))
    return [
        count.reshape(FOLDS, size, n_classes) for count, size in zip(counts, sizes, strict=True)
    ]


def class_shares(dataset: Dataset, rows: Array) -> Array:
    """Return the share of each class, float64 [C], among ``rows``, booleans [N]."""
    counts = np.bincount(dataset.labels[rows], minlength=len(dataset.classes))
    shares: Array = counts / counts.sum()
    return shares


class CrossFit:
    """Class statistics of each training row, from the training rows of the other folds.

    A statistic from all rows would contain the label of its own row. In a category of few rows a
    network could read the label from it, and would rely on it for rows whose label it does not
    contain (Micci-Barreca 2001; scikit-learn's ``TargetEncoder.fit_transform``).

    The class shares towards which statistics are shrunk are those of the whole training part. They
    are the same for every row, so they tell no row from another.

    Parameters
    ----------
    dataset
        The table, N rows.
    schema
        Its schema.
    rows
        Booleans [N]: the training part.
    columns
        The inputs of the statistics of each pooled column, by position among the categorical
        features.
    units
        Identifiers, uint64 [N], of which equal ones share a fold, such as groups: the labels of a
        row's own group are as good as its own. None, the default, for the fingerprints.
    """

    def __init__(
        self,
        dataset: Dataset,
        schema: Schema,
        rows: Array,
        columns: dict[int, list[int]],
        units: Array | None = None,
    ) -> None:
        self._inputs = columns
        shares = class_shares(dataset, rows)
        self._statistics = [
            class_statistics(counts.sum(axis=0) - counts, shares)
            for counts in count_classes(dataset, schema, rows, list(columns), units)
        ]

    def write(self, x: Array, codes: Array, units: Array, rows: Array) -> None:
        """Replace the statistics among inputs by cross-fitted ones.

        Parameters
        ----------
        x
            Inputs [n, n_in], changed in place.
        codes
            Category codes [n, G].
        units
            Identifiers of the rows that determine their folds, uint64 [n].
        rows
            Booleans [n]: the training rows among them, which are the only ones changed.
        """
        folds = fold_of_rows(units)
        for (g, inputs), statistics in zip(self._inputs.items(), self._statistics, strict=True):
            own = np.flatnonzero(rows & (codes[:, g] >= 0))
            x[own[:, np.newaxis], inputs] = statistics[folds[own], codes[own, g]]
