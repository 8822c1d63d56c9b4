"""Read one column of a table in memory: its numbers, or the texts of a CSV file of the table."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from ffn.errors import quote
from ffn.tabular.columns.formatted_column import refuse_bare_numbers
from ffn.tabular.csv.cell_reasons import reason_of_cell
from ffn.tabular.csv.parsing.rejects import Reason
from ffn.tabular.memory.memory_table import MemoryTable
from ffn.tabular.schema import Feature

__all__ = ["Refuse", "named_column", "numbers_of", "texts_of", "with_nul"]

Refuse = Callable[[npt.NDArray[np.bool_], Feature, Reason], None]


def numbers_of(
    table: MemoryTable,
    feature: Feature,
    missing_values: Sequence[str],
    absent: npt.NDArray[np.float64],
    refuse: Refuse,
) -> npt.NDArray[np.float64]:
    """Return the numbers [n] of a numeric column, NaN for no value, and tell its invalid cells.

    Parameters
    ----------
    table
        The table, of n rows.
    feature
        The column.
    missing_values
        Cell texts that mean "no value".
    absent
        Numbers that mean it: those among ``missing_values``.
    refuse
        Called with a mask [n] of cells, their column, and why they are invalid. It may raise.
    """
    plain = feature.form is None or feature.number_format is not None
    values = table.floats(feature.name) if plain else None
    if values is not None:
        refuse_bare_numbers(feature, named_column(feature))
        wrong = np.isinf(values)
        # A number in memory has no text, so its value is compared with those of the texts that
        # mean "no value".
        if len(absent):
            values = np.where(np.isin(values, absent), np.nan, values)
    else:
        # Imported here, because NumPy's numbers do not need pyarrow, a large library.
        from ffn.tabular.columns.arrow_columns import numbers_of_column

        values, wrong = np.full(len(table), np.nan), np.zeros(len(table), dtype=bool)
        for part in table.parts(feature.name):
            values[part.rows], wrong[part.rows] = numbers_of_column(
                part.cells, feature, missing_values, named_column(feature)
            )
    if "" not in missing_values:
        # A gap is an empty cell in a CSV file, which then is no value of the column.
        wrong |= _gaps(table, feature)
    if wrong.any():
        refuse(with_nul(table, feature), feature, Reason.NUL_BYTE)
    refuse(wrong, feature, reason_of_cell(feature))
    if not feature.missing:
        refuse(np.isnan(values), feature, Reason.MISSING_VALUE)
    return values


def texts_of(table: MemoryTable, feature: Feature) -> list[str]:
    """Return the texts [n] of a column that a CSV file of the same table has."""
    from ffn.tabular.columns.arrow_texts import decoded, plain_column, plain_texts

    found = np.full(len(table), "", dtype=object)
    for part in table.parts(feature.name):
        cells = plain_texts(
            plain_column(part.cells, named_column(feature)), named_column(feature), "."
        )
        found[part.rows] = [text or "" for text in decoded(cells, named_column(feature))]
    texts: list[str] = found.tolist()
    return texts


def with_nul(table: MemoryTable, feature: Feature) -> npt.NDArray[np.bool_]:
    """Return a mask [n] of the texts with a NUL, with which a CSV file's record is refused."""
    from ffn.tabular.columns.arrow_texts import texts_with_nul

    found = np.zeros(len(table), dtype=bool)
    if table.floats(feature.name) is None:
        for part in table.parts(feature.name):
            found[part.rows] = texts_with_nul(part.cells, named_column(feature))
    return found


def _gaps(table: MemoryTable, feature: Feature) -> npt.NDArray[np.bool_]:
    """Return a mask [n] of the cells without a value: null, NaN, and whatever means the same."""
    values = table.floats(feature.name)
    if values is not None:
        return np.isnan(values)
    import pyarrow.compute as pc

    from ffn.tabular.columns.arrow_texts import plain_column

    found = np.ones(len(table), dtype=bool)
    for part in table.parts(feature.name):
        cells = plain_column(part.cells, named_column(feature))
        found[part.rows] = pc.is_null(cells, nan_is_null=True).to_numpy(zero_copy_only=False)
    return found


def named_column(feature: Feature) -> str:
    """Return what errors call a column of a table in memory."""
    return f"the rows, column {quote(feature.name)}"
