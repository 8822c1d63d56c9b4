"""Columns of any kind to inputs, as a pipeline reads them, learnt from the rows trained on."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.errors import DataError, quote
from ffn.machine_memory import memory_limit
from ffn.quantities import counted, size
from ffn.tabular.csv.cell_reasons import reject_detail
from ffn.tabular.csv.parsing.rejects import DETAILS, Reason
from ffn.tabular.encodings.tree_inputs import TreeInputs
from ffn.tabular.memory.frames import read_columns
from ffn.tabular.memory.labelled_columns import LabelledColumns
from ffn.tabular.memory.memory_table import MemoryTable
from ffn.tabular.schema import Feature, Schema
from ffn.tabular.training_table.preparation_fit import fit_preparation
from ffn.tabular.training_table.preprocessing import Preparation
from ffn.tabular.training_table.training_inputs import inputs_to_learn_from

__all__ = ["ColumnInputs", "learn_columns", "missing_texts"]

Array = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class ColumnInputs:
    """How columns become inputs.

    Attributes
    ----------
    schema
        Names, kinds, formats and categories of the columns that tell anything in the rows trained
        on; the others are left out.
    preparation
        What is learnt of them, as `ffn.tabular.training_table.preprocessing.Preparation`.
    """

    schema: Schema
    preparation: Preparation

    def inputs_of_features(self) -> list[list[int]]:
        """Return the positions of the inputs of each feature."""
        return self.preparation.inputs_of_features()

    def tree_inputs(self) -> TreeInputs:
        """Return what decision trees see of the inputs."""
        return self.preparation.tree_inputs()

    def transform(self, table: MemoryTable, dtype: npt.DTypeLike, *, stacklevel: int = 2) -> Array:
        """Return inputs [n, n_in].

        Parameters
        ----------
        table
            Rows [n] with the columns of the schema.
        dtype
            Floating-point type of the inputs.
        stacklevel
            Number of calls up to which a warning points, as for ``warnings.warn``; 2 is the caller.

        Raises
        ------
        DataError
            A cell is no value of its column.

        Warns
        -----
        UnknownCategoryWarning
            Training saw none of the categories in a column.
        UserWarning
            A column has missing cells, and had none in training: it is filled in, without an input
            that says so.
        """
        gaps: list[tuple[Feature, int]] = []

        def refuse(bad: Array, feature: Feature, reason: Reason) -> None:
            if not bad.any():
                return
            if reason is not Reason.MISSING_VALUE:
                why = reject_detail(reason, feature)
                raise DataError(f"row {bad.argmax() + 1}, column {quote(feature.name)}: {why}.")
            gaps.append((feature, int(bad.sum())))

        numeric, codes = read_columns(table, self.schema, refuse, stacklevel=stacklevel + 1)
        for feature, cells in gaps:
            read = "its median" if feature.kind == "numeric" else "none of its texts"
            warnings.warn(
                f"the rows, column {quote(feature.name)}: {counted(cells, 'missing cell')}, and "
                f"the rows trained on had none; read as {read}.",
                UserWarning,
                stacklevel=stacklevel,
            )
        x = self.preparation.transform(numeric, codes, dtype)
        finite = np.isfinite(x).all(axis=1)
        if not finite.all():
            raise DataError(f"row {finite.argmin() + 1}: {DETAILS[Reason.NOT_FINITE]}.")
        return x


def learn_columns(
    table: LabelledColumns,
    rows: Array,
    dtype: npt.DTypeLike,
    *,
    bins: int | None,
    most_categories: int | None,
    text_components: int,
) -> tuple[Array, ColumnInputs]:
    """Learn schema and preparation from some rows of a table, and return inputs of all.

    The class statistics of the rows learnt from are cross-fitted, as in a pipeline.

    Parameters
    ----------
    table
        The table, N rows.
    rows
        Row numbers [n] to learn from.
    dtype
        Floating-point type of the inputs.
    bins, most_categories, text_components
        As for `fit_preparation`.

    Returns
    -------
    x
        Inputs [N, n_in].
    learnt
        What gives the inputs of other rows.

    Raises
    ------
    DataError
        No column tells anything, a number is too large, or the inputs do not fit into memory.
    """
    training = np.zeros(table.rows, dtype=bool)
    training[rows] = True
    try:
        schema, _ = table.learn_schema(training)
    except DataError as error:
        told = f"Learnt from: {counted(len(rows), 'sample')}, equal ones counted once."
        raise DataError(f"{error} {told}") from None
    preparation = fit_preparation(
        table,
        schema,
        training,
        bins=bins,
        most_categories=most_categories,
        text_components=text_components,
    )
    schema = replace(schema, encoder=preparation.texts)
    _require_memory(table.rows, schema, preparation, np.dtype(dtype).itemsize)
    x = np.empty((table.rows, preparation.n_inputs), dtype)
    for here, inputs, _ in inputs_to_learn_from(
        table, schema, preparation, training, table.fingerprints, dtype
    ):
        if not np.isfinite(inputs).all():
            raise DataError(
                "a number is too far from those of other rows to be an input. Correct the cell, or "
                'give numbers="piecewise".'
            )
        x[here] = inputs
    return x, ColumnInputs(schema=schema, preparation=preparation)


def _require_memory(rows: int, schema: Schema, preparation: Preparation, itemsize: int) -> None:
    needed, there = rows * preparation.n_inputs * itemsize, memory_limit()
    if needed <= there:
        return
    inputs = preparation.inputs_of_features()
    features = (*schema.numeric, *schema.categorical, *schema.texts)
    widest = max(range(len(inputs)), key=lambda place: len(inputs[place]))
    raise DataError(
        f"{rows:,} rows of {preparation.n_inputs:,} inputs would take {size(needed)}, of "
        f"{size(there)} of memory; column {quote(features[widest].name)} alone has "
        f"{len(inputs[widest]):,} inputs. Give a lower most_categories or bins, or leave it out."
    )


def missing_texts(given: Sequence[str] | None) -> tuple[str, ...]:
    """Return the texts that mean "no value"; None for those of a pipeline without settings."""
    # Imported here, because arrays of numbers do not need pydantic, a large library.
    from ffn.settings.data_settings import DEFAULT_MISSING

    return DEFAULT_MISSING if given is None else tuple(given)
