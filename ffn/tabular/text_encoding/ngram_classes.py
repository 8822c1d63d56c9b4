"""Class statistics of n-grams: what each says of the classes, counted fold by fold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ffn.tabular.encodings.pooled_categories import class_statistics, statistics_width
from ffn.tabular.text_encoding.text_encoding import TextColumn

__all__ = [
    "MOST_CLASSES",
    "LabelledTexts",
    "count_ngram_classes",
    "cross_fitted",
    "ngram_statistics",
    "ngram_statistics_width",
]

Array = npt.NDArray[Any]

MOST_CLASSES = 50
"""With more classes there are no statistics: they would take more memory than all other inputs."""
# Rows that the shares of all classes count for: a text has many n-grams, whose statistics are
# averaged, so that each may be nearer to its own rows than that of a category.
_SMOOTHING = 1.0


class LabelledTexts(NamedTuple):
    """Texts of training rows [n].

    Attributes
    ----------
    cells
        Trimmed texts, without missing ones.
    labels, folds
        Integers [n]: class and fold of each row.
    """

    cells: Sequence[str]
    labels: Array
    folds: Array


def ngram_statistics_width(n_classes: int) -> int:
    """Return S, the number of class statistics of a text: as of a category, or none.

    Parameters
    ----------
    n_classes
        Number of classes.
    """
    return 0 if n_classes > MOST_CLASSES else statistics_width(n_classes)


def count_ngram_classes(
    column: TextColumn, pieces: Iterable[LabelledTexts], n_folds: int, n_classes: int
) -> Array:
    """Return in how many rows each n-gram occurs, int64 [folds, buckets, classes].

    Parameters
    ----------
    column
        Encoder of the column, of which the buckets are used.
    pieces
        The training rows.
    n_folds, n_classes
        Number of folds and of classes.
    """
    from scipy import sparse

    found = np.zeros((n_folds * n_classes, len(column.buckets)), dtype=np.int64)
    for cells, labels, folds in pieces:
        groups = folds * n_classes + labels
        for rows, weights in column.weights(cells):
            there = sparse.csr_array(weights.astype(bool), dtype=np.int64)
            own = groups[rows]
            ones = (np.ones(len(own), dtype=np.int64), (own, np.arange(len(own))))
            found += (sparse.csr_array(ones, shape=(len(found), len(own))) @ there).toarray()
    return found.reshape(n_folds, n_classes, -1).transpose(0, 2, 1)


def ngram_statistics(counts: Array, shares: Array) -> Array:
    """Return the class statistics of n-grams, float64 [..., buckets, S].

    A text's statistics are the sums of those of its n-grams, times their tf-idf weights: naive
    Bayes, but for the weights (Manning, Raghavan and Schuetze 2008, "Introduction to Information
    Retrieval", section 13.2).

    Parameters
    ----------
    counts
        Rows by n-gram and class, [..., buckets, C].
    shares
        Float64 [C]: share of each class among all training rows.
    """
    return class_statistics(counts, shares, _SMOOTHING)


def cross_fitted(
    column: TextColumn, statistics: Array, texts: LabelledTexts
) -> tuple[Array, Array]:
    """Return the statistics of training rows from the rows of the other folds, as they are.

    Parameters
    ----------
    column
        Encoder of the column.
    statistics
        For each fold those of all other folds, float64 [folds, buckets, S].
    texts
        The rows [n], of which the labels are not looked at.

    Returns
    -------
    values
        Float64 [n, S], not standardised.
    known
        Booleans [n]: whether a row has any n-gram that is used.
    """
    values = np.zeros((len(texts.cells), statistics.shape[-1]))
    known = np.zeros(len(texts.cells), dtype=bool)
    for rows, weights in column.weights(texts.cells):
        known[rows] = np.diff(weights.indptr) > 0
        own = texts.folds[rows]
        for fold, of_others in enumerate(statistics):
            places = np.flatnonzero(own == fold)
            values[rows.start + places] = weights[places] @ of_others
    return values, known
