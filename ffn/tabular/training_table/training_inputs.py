"""Inputs of all rows of a table, with the class statistics of training rows cross-fitted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy.typing as npt

from ffn.tabular.schema import Schema
from ffn.tabular.training_table.class_counts import CrossFit, TextCrossFit
from ffn.tabular.training_table.preprocessing import Preparation
from ffn.tabular.training_table.typed_columns import TypedColumns

__all__ = ["inputs_to_learn_from"]

Array = npt.NDArray[Any]


def inputs_to_learn_from(
    table: TypedColumns,
    schema: Schema,
    preparation: Preparation,
    training: Array,
    units: Array,
    dtype: npt.DTypeLike,
    *,
    values_at_once: int = 2**22,
) -> Iterator[tuple[slice, Array, Array]]:
    """Yield some rows of a table after the other: which they are, their inputs and their numbers.

    The class statistics of training rows are cross-fitted (`CrossFit`), those of other rows are the
    preparation's, as in scoring.

    Parameters
    ----------
    table
        The table, N rows.
    schema, preparation
        Schema and preprocessing, learnt from the training part.
    training
        Booleans [N]: the training part.
    units
        Identifiers, uint64 [N], of rows that share a fold.
    dtype
        Floating-point type of the inputs.
    values_at_once
        Inputs that are computed at once; by default so many as take 16 MB as float32.

    Yields
    ------
    rows
        The rows of the table.
    x
        Their inputs [n, n_in]. A number may be too far from the training rows' to be finite.
    numeric
        Their numbers [n, F + T D].
    """
    pooled = preparation.inputs_of_statistics()
    cross_fit = CrossFit(table, schema, training, pooled, units) if pooled else None
    of_texts = None
    if preparation.texts is not None:
        places = preparation.inputs_of_features()[-len(schema.texts) :]
        of_texts = TextCrossFit(table, schema, preparation.texts, places, training, units)
    step = max(1, values_at_once // preparation.n_inputs)
    for rows, numeric, codes in table.pieces(schema):
        for start in range(0, len(numeric), step):
            some = slice(start, start + step)
            x = preparation.transform(numeric[some], codes[some], dtype)
            first = rows.start + start
            here = slice(first, first + len(x))
            if cross_fit:
                cross_fit.write(x, codes[some], units[here], training[here])
            if of_texts:
                of_texts.write(x, here)
            yield here, x, numeric[some]
