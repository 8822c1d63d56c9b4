"""Class counts of categories by fold, and the cross-fitted statistics of training rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.tabular.cells import present_texts
from ffn.tabular.encodings.pooled_categories import class_statistics
from ffn.tabular.schema import Schema
from ffn.tabular.text_encoding.ngram_classes import (
    LabelledTexts,
    count_ngram_classes,
    cross_fitted,
    ngram_statistics,
    ngram_statistics_width,
)
from ffn.tabular.text_encoding.text_encoding import TextEncoding
from ffn.tabular.training_table.typed_columns import TypedColumns

__all__ = [
    "FOLDS",
    "CrossFit",
    "TextCrossFit",
    "class_shares",
    "count_classes",
    "fold_of_rows",
    "with_class_statistics",
]

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
    dataset: TypedColumns,
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


def class_shares(dataset: TypedColumns, rows: Array) -> Array:
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
        dataset: TypedColumns,
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


def with_class_statistics(
    dataset: TypedColumns, schema: Schema, rows: Array, encoding: TextEncoding | None
) -> TextEncoding | None:
    """Return the encoding of texts with class statistics as further components.

    They are standardised by the mean and the deviation that their cross-fitted values have: what a
    network is trained on, and what it meets in rows that it was not trained on.

    Parameters
    ----------
    dataset
        The table, N rows.
    schema
        Its schema.
    rows
        Booleans [N]: the training part.
    encoding
        Encoding without class statistics; None if there are no texts, and for None.
    """
    if encoding is None or not ngram_statistics_width(len(schema.classes)):
        return encoding
    shares, found = class_shares(dataset, rows), []
    for t, column in enumerate(encoding.columns):
        pieces = _LabelledRows(dataset, schema, rows, t)
        counts = count_ngram_classes(column, pieces, FOLDS, len(schema.classes))
        statistics = ngram_statistics(counts.sum(axis=0), shares)
        of_others = ngram_statistics(counts.sum(axis=0) - counts, shares)
        values = [own[known] for own, known in (cross_fitted(column, of_others, p) for p in pieces)]
        own = np.concatenate([np.zeros((0, statistics.shape[1])), *values])
        centre, deviation = (
            (own.mean(axis=0), own.std(axis=0)) if len(own) else np.zeros((2, statistics.shape[1]))
        )
        found.append((statistics, centre, np.where(deviation > 0, deviation, 1.0)))
    statistics, centres, scales = zip(*found, strict=True)
    return replace(
        encoding,
        text_directions=np.concatenate(
            [encoding.text_directions, np.concatenate(statistics).astype(np.float32)], axis=1
        ),
        text_centres=np.concatenate([encoding.text_centres, np.array(centres)], axis=1),
        text_scales=np.concatenate([encoding.text_scales, np.array(scales)], axis=1),
    )


class TextCrossFit:
    """Class statistics of the texts of each training row, from the other folds: see `CrossFit`.

    Parameters
    ----------
    dataset
        The table, N rows.
    schema
        Its schema, with an encoder that has class statistics.
    encoding
        That encoder.
    places
        The inputs of each column of texts [T], of which the class statistics are the last but for
        "missing".
    rows
        Booleans [N]: the training part.
    units
        Identifiers, uint64 [N], of rows that share a fold.
    """

    def __init__(
        self,
        dataset: TypedColumns,
        schema: Schema,
        encoding: TextEncoding,
        places: list[list[int]],
        rows: Array,
        units: Array,
    ) -> None:
        self._encoding = encoding
        self._width = ngram_statistics_width(len(schema.classes))
        first = encoding.width - self._width
        self._inputs = [own[first : encoding.width] for own in places]
        self._texts, self._statistics = [], []
        shares = class_shares(dataset, rows)
        for t, column in enumerate(encoding.columns if self._width else ()):
            pieces = _LabelledRows(dataset, schema, rows, t, units)
            counts = count_ngram_classes(column, pieces, FOLDS, len(schema.classes))
            self._texts.append(pieces)
            self._statistics.append(ngram_statistics(counts.sum(axis=0) - counts, shares))

    def write(self, x: Array, here: slice) -> None:
        """Replace the class statistics of training rows among inputs by cross-fitted ones.

        Parameters
        ----------
        x
            Inputs [n, n_in], changed in place.
        here
            The rows of the table that they belong to.
        """
        for t, (texts, statistics) in enumerate(zip(self._texts, self._statistics, strict=True)):
            places, own = texts.read(here)
            values, known = cross_fitted(self._encoding.columns[t], statistics, own)
            centre, scale = (
                moments[t, -self._width :]
                for moments in (self._encoding.text_centres, self._encoding.text_scales)
            )
            x[places[known][:, np.newaxis], self._inputs[t]] = (values[known] - centre) / scale


class _LabelledRows:
    """The training rows that have a text in one column, which can be read again and again."""

    _AT_ONCE = 2**14

    def __init__(
        self, dataset: TypedColumns, schema: Schema, rows: Array, t: int, units: Array | None = None
    ) -> None:
        self._texts, self._rows = dataset.categorical[schema.texts[t].name], rows
        self._labels, self._missing = dataset.labels, dataset.missing_values
        self._folds = fold_of_rows(dataset.fingerprints if units is None else units)

    def read(self, here: slice) -> tuple[Array, LabelledTexts]:
        """Return the places of those among the rows ``here`` of the table, and the rows."""
        cells = present_texts(self._texts[here], self._missing)
        present = np.array([cell is not None for cell in cells], dtype=bool)
        places = np.flatnonzero(self._rows[here] & present)
        return places, LabelledTexts(
            [cells[place] or "" for place in places.tolist()],
            self._labels[here][places],
            self._folds[here][places],
        )

    def __iter__(self) -> Iterator[LabelledTexts]:
        for start in range(0, len(self._rows), self._AT_ONCE):
            yield self.read(slice(start, start + self._AT_ONCE))[1]
