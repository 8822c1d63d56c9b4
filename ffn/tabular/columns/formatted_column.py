"""Vectorised parsing of a column of formatted numbers, dates, times or truth values.

Of numbers, the column's text is normalised by a few replacements (plain signs and spaces, one byte
for the unit), checked with one regular expression, and stripped of all but digits and the decimal
mark, which leaves plain numbers. Other cells, such as those with an exponent, are parsed one by
one.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.errors import DataError, quote
from ffn.tabular.cell_forms import CellForm
from ffn.tabular.cells import trim
from ffn.tabular.clock_form import ClockForm
from ffn.tabular.columns.decimals import plain_decimals
from ffn.tabular.csv.parsing.blocks import Block, endings_of
from ffn.tabular.date_form import DateForm
from ffn.tabular.dates.date_cells import date_numbers, numbers_of_bytes
from ffn.tabular.number_format import NumberFormat
from ffn.tabular.schema import Feature

__all__ = ["formatted_cells", "formatted_numbers", "refuse_bare_numbers"]

Floats = npt.NDArray[np.float64]

# Separates cells; no record contains it.
_END = "\0"
# Fewer cells are parsed one by one, without loading pyarrow.
_FEW = 2_000
_STRIPPED = b"\1 +-()',"


def formatted_numbers(
    cells: Sequence[str], form: CellForm, missing_values: Collection[str]
) -> tuple[Floats, list[int]]:
    """Convert cells to numbers, as `ffn.tabular.cells.numbers` does for plain numbers.

    Parameters
    ----------
    cells
        Cell texts [n].
    form
        Format of the column.
    missing_values
        Trimmed texts that mean "no value".

    Returns
    -------
    values
        Numbers [n]; NaN for missing and invalid cells.
    wrong
        Positions of invalid cells.
    """
    if isinstance(form, DateForm | ClockForm):
        return date_numbers(cells, form, missing_values)
    if len(cells) < _FEW or not isinstance(form, NumberFormat):
        values, sure = np.full(len(cells), np.nan), np.zeros(len(cells), dtype=bool)
    else:
        values, sure = _all_at_once(cells, form)
    # "-999" may mean "no value" while "-999.0" does not: such cells are compared as texts.
    missing = [form.number(text) for text in missing_values]
    sure &= ~np.isin(values, missing)
    wrong = []
    for i in np.flatnonzero(~sure).tolist():
        text = trim(cells[i])
        values[i] = math.nan if text in missing_values else form.number(text)
        if math.isnan(values[i]) and text not in missing_values:
            wrong.append(i)
    return values, wrong


def formatted_cells(
    block: Block, column: int, form: CellForm, missing_values: Collection[str]
) -> tuple[Floats, list[int]]:
    """Convert the cells of a column of records to numbers, as `formatted_numbers` does.

    Parameters
    ----------
    block
        The records.
    column
        Position of the column in a record.
    form, missing_values
        As for `formatted_numbers`.
    """
    if not isinstance(form, DateForm | ClockForm):
        return formatted_numbers(block.cells(column), form, missing_values)
    bounds = block.bounds(column)
    return numbers_of_bytes(block.data, block.text, *bounds, form, missing_values)


def refuse_bare_numbers(feature: Feature, where: str) -> None:
    """Refuse a typed column of numbers if training read texts with a percent sign.

    Parameters
    ----------
    feature
        The column in training.
    where
        Name of the column in errors.

    Raises
    ------
    DataError
        The feature's format needs its unit: without it, 0.12 may mean 12 % or 0.12 %.
    """
    form = feature.number_format
    if form is not None and form.needs_unit:
        unit = quote(form.unit)
        raise DataError(
            f"{where}: training had numbers with {unit}, but these are "
            f"numbers without it, so it is unclear whether 12 or 0.12 is twelve {unit}. Give "
            f"texts such as {quote(form.written('12'))}."
        )


def _all_at_once(cells: Sequence[str], form: NumberFormat) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Return numbers [n], and a mask [n] of the cells that could be parsed this way."""
    import pyarrow as pa
    import pyarrow.compute as pc

    text = form.masked(_END.join([*cells, ""])).encode()
    ends = np.flatnonzero(np.frombuffer(text, np.uint8) == 0)
    if len(ends) != len(cells):  # a cell contains a NUL
        return np.full(len(cells), np.nan), np.zeros(len(cells), dtype=bool)
    offsets = np.concatenate([[0], ends + 1])
    column: Any = pa.LargeBinaryArray.from_buffers(
        pa.large_binary(), len(cells), [None, pa.py_buffer(offsets), pa.py_buffer(text)]
    )
    fits = pc.match_substring_regex(column, rf"^ *{form.pattern} *\x00$")
    # The decimal mark is kept, even if it is among the stripped characters.
    stripped = text.translate(None, _STRIPPED.replace(form.decimal.encode(), b""))
    if form.thousands == ".":
        stripped = stripped.replace(b".", b"")
    ends = np.flatnonzero(np.frombuffer(stripped, np.uint8) == 0)
    starts = np.concatenate([[0], ends[:-1] + 1])
    values, plain = plain_decimals(endings_of(stripped), starts, ends, form.decimal)
    plain &= fits.to_numpy(zero_copy_only=False)
    if b"-" in text or b"(" in text:
        negated = pc.match_substring_regex(column, "[-(]").to_numpy(zero_copy_only=False)
        values[negated] = -values[negated]
    return values, plain
