"""Fit the preprocessing of columns to the training part of a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.tabular.cells import MISSING
from ffn.tabular.encodings.date_parts import CLOCK_PARTS, DatePart, telling_parts
from ffn.tabular.encodings.derived_columns import DerivedColumns, derive
from ffn.tabular.encodings.piecewise_encoding import learn_piecewise
from ffn.tabular.encodings.pooled_categories import (
    PooledCategories,
    class_statistics,
    frequent,
)
from ffn.tabular.schema import Schema, is_constant
from ffn.tabular.text_encoding.text_fit import learn_texts
from ffn.tabular.training_table.class_counts import (
    class_shares,
    count_classes,
    with_class_statistics,
)
from ffn.tabular.training_table.preprocessing import Preparation
from ffn.tabular.training_table.typed_columns import TypedColumns

__all__ = ["fit_preparation"]

Array = npt.NDArray[Any]

# Scale of features with a single value in training: no weight was learned for other values, and
# divided by this, every input is practically 0.
_LARGEST = np.finfo(np.float64).max


def fit_preparation(
    dataset: TypedColumns,
    schema: Schema,
    rows: Array,
    *,
    bins: int | None = None,
    most_categories: int | None = None,
    text_components: int = 30,
) -> Preparation:
    """Fit the preprocessing to the training part, one row group at a time.

    Parameters
    ----------
    dataset
        The table.
    schema
        Schema inferred from these rows: no numeric feature is missing in all of them, and one
        that is constant has missing cells.
    rows
        Row numbers [n], or a mask [N], of the training part.
    bins
        Bins of a column in the piecewise encoding; None, the default, for standardised numbers.
    most_categories
        Largest number of categories of a column that get an input of their own; None, the default,
        for all of them.
    text_components
        Components of each column of texts. The default is that of the settings.
    """
    from sklearn.preprocessing import StandardScaler

    chosen = np.zeros(dataset.rows, dtype=bool)
    chosen[rows] = True
    schema = schema.without_encoder()
    numbers = dataset.numeric
    derived = _derive(dataset, numbers, schema, chosen)

    def columns() -> Iterator[Array]:
        """Yield each column that is encoded, in the training rows, NaN for missing."""
        for f, feature in enumerate(schema.numeric):
            column = numbers[feature.name][chosen]
            yield from (column,) if derived is None else derived.columns_of(f, column)

    found = [_median_and_range(column) for column in columns()]
    fill = np.array([median for median, *_ in found])
    has_missing = np.zeros(len(schema.categorical), dtype=bool)
    numeric_missing = np.zeros(len(schema.numeric), dtype=bool)
    scaler = StandardScaler()
    for part, numeric, codes in dataset.pieces(schema):
        own = chosen[part]
        has_missing |= (codes[own] == MISSING).any(axis=0)
        numeric_missing |= np.isnan(numeric[own]).any(axis=0)
        if own.any() and len(fill):
            known = np.ascontiguousarray(numeric[own])
            if derived is not None:
                known = np.ascontiguousarray(derived.expand(known.T).T)
            scaler.partial_fit(np.where(np.isnan(known), fill, known))
    # The scaler's own scale is 1 if the spread is small relative to the mean, so it is not used.
    deviation = np.sqrt(scaler.var_) if len(fill) else np.ones(0)
    scale = np.where(deviation > 0, deviation, 1.0)
    scale[[is_constant(low, high) for _, low, high in found]] = _LARGEST
    mean = scaler.mean_ if len(fill) else np.zeros(0)

    def known_numbers() -> Iterator[Array]:
        for column in columns():
            yield column[~np.isnan(column)]

    return Preparation(
        fill=fill,
        mean=mean,
        scale=scale,
        categories=np.array([len(f.categories) for f in schema.categorical], dtype=np.int64),
        has_missing=has_missing,
        numeric_missing=numeric_missing if numeric_missing.any() else None,
        piecewise=None if bins is None else learn_piecewise(known_numbers(), mean, scale, bins),
        pooled=_pool(dataset, schema, chosen, most_categories),
        derived=derived,
        texts=with_class_statistics(
            dataset,
            schema,
            chosen,
            learn_texts(*dataset.different_texts(schema, chosen), text_components),
        ),
    )


def _derive(
    dataset: TypedColumns, numbers: Mapping[str, Array], schema: Schema, rows: Array
) -> DerivedColumns | None:
    """Return the parts of dates that vary in the training rows, booleans [N], and those of times.

    None if there are neither dates nor times of day.

    A column of one date and of gaps has its first part, which is constant: the gaps tell.
    """
    parts: list[tuple[Sequence[DatePart], float]] = []
    for feature in schema.numeric:
        if feature.clock_form is not None:
            parts.append((CLOCK_PARTS, 0.0))
            continue
        if feature.date_form is None:
            parts.append(([DatePart.NUMBER], 0.0))
            continue
        own = numbers[feature.name][rows]
        told = telling_parts(own, trend=dataset.has_trend(feature.name, rows))
        parts.append((told or [DatePart.ELAPSED], float(np.nanmin(own))))
    return derive(parts)


def _pool(
    dataset: TypedColumns, schema: Schema, rows: Array, most: int | None
) -> PooledCategories | None:
    """Return the rare categories of columns with more than ``most``; None if there are none.

    Parameters
    ----------
    rows
        Booleans [N]: the training part.
    """
    sizes = [len(feature.categories) for feature in schema.categorical]
    wide = [g for g, size in enumerate(sizes) if most is not None and size > most]
    if most is None or not wide:
        return None
    own_inputs = [np.ones(size, dtype=bool) for size in sizes]
    statistics = []
    shares = class_shares(dataset, rows)
    for g, counts in zip(wide, count_classes(dataset, schema, rows, wide), strict=True):
        by_class = counts.sum(axis=0)
        own_inputs[g] = frequent(by_class.sum(axis=1), most)
        statistics.append(class_statistics(by_class, shares))
    return PooledCategories(
        own_inputs=np.concatenate(own_inputs), statistics=np.concatenate(statistics)
    )


def _median_and_range(column: Array) -> tuple[float, float, float]:
    """Return the median, the lowest and the highest of a column's numbers, NaN for missing."""
    known = column[~np.isnan(column)]
    low, high = float(known.min()), float(known.max())
    return float(np.median(known, overwrite_input=True)), low, high
