"""Name the cell of a batch that is no value of its column's type."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from ffn.errors import DataError, quote

__all__ = ["check_cells"]

_DAY = {"s": 86_400, "ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}
_NAMES = {"us": "µs"}


def check_cells(batch: Any, name: str, before: int) -> None:
    """Refuse a batch with a cell that is no value of its type, such as bytes that are no text.

    The reader of files checks no cells, so one of these would be found only when it is used.

    Parameters
    ----------
    batch
        ``pyarrow`` record batch [n].
    name
        Name of the file in errors.
    before
        Number of rows of the file before the batch.

    Raises
    ------
    DataError
        A cell is no value of its column's type.
    """
    for field, column in zip(batch.schema, batch.columns, strict=True):
        try:
            column.validate(full=True)
        except pa.ArrowInvalid as error:
            where = f"column {quote(field.name)}"
            if pa.types.is_time(column.type):
                raise _no_time_of_day(column, f"{name} row", where, before) from None
            first = next(iter(str(error).splitlines()), "")
            raise DataError(
                f"{name} is a Parquet file that cannot be read: {where}: {first}. Write it again."
            ) from None


def _no_time_of_day(column: Any, name: str, where: str, before: int) -> DataError:
    unit = column.type.unit
    width = pa.int32() if pa.types.is_time32(column.type) else pa.int64()
    known = column.view(width).fill_null(0).to_numpy()
    place = int(np.flatnonzero((known < 0) | (known >= _DAY[unit]))[0])
    return DataError(
        f"{name} {before + place + 1:,}, {where}: {known[place]:,} {_NAMES.get(unit, unit)} after "
        "midnight is no time of day before 24:00. Give a value that is one, or none."
    )
