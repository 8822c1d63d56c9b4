"""Read tables in memory, of any library, as named Arrow columns.

pandas is read column by column, because its cells may be arbitrary objects. All other tables
(polars, pyarrow, DuckDB, narwhals, …) are read through Arrow's ``__arrow_c_stream__``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from ffn.errors import DataError, one_line, quote
from ffn.tabular.memory.object_cells import ColumnPart, has_extension, parts_of_objects

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MemoryTable", "RenamedTable", "column_names", "has_names", "open_table"]


class MemoryTable(Protocol):
    """A table in memory, read column by column."""

    @property
    def names(self) -> Sequence[Any]:
        """Names of all columns, in order."""
        ...

    def __len__(self) -> int:
        """Return the number of rows n."""
        ...

    def floats(self, name: str) -> npt.NDArray[np.float64] | None:
        """Return the column ``name`` [n] if it is of NumPy numbers, NaN for no value; else None."""
        ...

    def parts(self, name: str) -> Iterator[ColumnPart]:
        """Yield the cells of the column ``name``; rows without a value may be in no part."""
        ...


def has_names(rows: Any) -> bool:
    """Return whether `open_table` takes ``rows`` as a table of named columns, not as an array."""
    return _is_pandas(rows) or _is_query(rows) or _is_narwhals(rows) or _speaks_arrow(rows)


def column_names(rows: Any) -> list[Any]:
    """Return the names of a table's columns, in order, of what `has_names` finds to have them.

    Raises ``DataError`` if there are none.
    """
    if _is_query(rows):
        return list(rows.collect_schema().names())
    # Of Arrow, the columns themselves are called ``columns``.
    of_arrow = getattr(getattr(rows, "schema", None), "names", None)
    names = of_arrow if isinstance(of_arrow, list) else getattr(rows, "columns", None)
    if names is None:
        raise DataError(f"the rows, a {_kind(rows)}, have no columns with names.")
    return list(names)


def open_table(rows: Any, features: Sequence[str]) -> MemoryTable:
    """Return a table as named columns.

    Parameters
    ----------
    rows
        A DataFrame of pandas or polars (a LazyFrame is computed); a table, batch, reader or
        data set of pyarrow; or any object with Arrow's C stream protocol.
    features
        Names of the columns that are needed.

    Raises
    ------
    DataError
        It is not a table, or cannot be read.
    """
    if _is_narwhals(rows):
        rows = rows.to_native()
    if _is_pandas(rows):
        return _PandasTable(rows)
    wanted = set(features)
    try:
        if _is_query(rows):
            # A lazy frame of polars: only the needed columns are computed.
            names = rows.collect_schema().names()
            rows = rows.select([name for name in names if name in wanted]).collect()
            return _ArrowTable(_with_arrow_types(rows), names)
        if _is_dataset(rows):
            names = rows.schema.names
            return _ArrowTable(rows.to_table([name for name in names if name in wanted]), names)
        if _is_polars(rows):
            # Other columns may have types that Arrow lacks.
            names, kept = rows.columns, [name for name in rows.columns if name in wanted]
            return _ArrowTable(_with_arrow_types(rows.select(kept)), names)
        if _speaks_arrow(rows):
            return _ArrowTable(rows)
    except Exception as error:
        # The other library may raise anything; the first line of its message gives the cause.
        first = next(iter(str(error).splitlines()), type(error).__name__)
        raise DataError(
            f"the rows, a {_kind(rows)}, cannot be read: {one_line(first).rstrip('.')}."
        ) from error
    raise DataError(
        f"rows are of the type {type(rows).__name__}; give a DataFrame of pandas or polars, or a "
        "table of Arrow, whose columns are found by name."
    )


class RenamedTable:
    """A table in memory whose columns have other names.

    Parameters
    ----------
    table
        The table.
    names
        A name for each of its columns.
    """

    def __init__(self, table: MemoryTable, names: Sequence[str]) -> None:
        self._table, self.names = table, list(names)
        self._own = dict(zip(names, table.names, strict=True))

    def __len__(self) -> int:
        return len(self._table)

    def floats(self, name: str) -> npt.NDArray[np.float64] | None:
        """Return the column ``name`` [n] if it is of NumPy numbers, NaN for no value; else None."""
        return self._table.floats(self._own[name])

    def parts(self, name: str) -> Iterator[ColumnPart]:
        """Yield the cells of the column ``name``; rows without a value may be in no part."""
        return self._table.parts(self._own[name])


class _ArrowTable:
    """A table read by Arrow's protocol; ``names`` if it has more columns than were read."""

    def __init__(self, rows: Any, names: Sequence[str] | None = None) -> None:
        import pyarrow as pa

        if hasattr(rows, "__arrow_c_stream__"):
            self._table = pa.RecordBatchReader.from_stream(rows).read_all()
        else:
            self._table = pa.Table.from_batches([pa.record_batch(rows)])
        self.names = self._table.schema.names if names is None else names
        self._rows = self._table.num_rows if self._table.num_columns else len(rows)

    def __len__(self) -> int:
        return int(self._rows)

    def floats(self, name: str) -> None:  # noqa: ARG002
        """Return None: Arrow's numbers are read as Arrow arrays."""
        return

    def parts(self, name: str) -> Iterator[ColumnPart]:
        """Yield the column."""
        yield ColumnPart(slice(None), self._table.column(self.names_kept.index(name)))

    @property
    def names_kept(self) -> list[str]:
        """Names of the columns that were read."""
        kept: list[str] = self._table.schema.names
        return kept


class _PandasTable:
    """A DataFrame of pandas."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame

    @property
    def names(self) -> list[Any]:
        columns = self._frame.columns
        # With several levels, the first level's name stands for all columns below it.
        return list(columns if columns.nlevels == 1 else columns.get_level_values(0))

    def __len__(self) -> int:
        return len(self._frame)

    def floats(self, name: str) -> npt.NDArray[np.float64] | None:
        """Return a column of NumPy integers or float64 as float64; None for other types."""
        column = self._column(name)
        of = column.dtype
        if of.kind in "iu" or (of.kind == "f" and getattr(of, "itemsize", 0) == 8):
            return column.to_numpy(dtype=np.float64, na_value=np.nan)
        return None

    def parts(self, name: str) -> Iterator[ColumnPart]:
        """Yield the cells; those of an object column by type."""
        import pandas as pd
        import pyarrow as pa

        column = self._column(name)
        if isinstance(column.dtype, pd.SparseDtype):
            column = column.astype(column.dtype.subtype)
        if not isinstance(column.dtype, pd.IntervalDtype | pd.PeriodDtype) and column.dtype != "O":
            try:
                cells = pa.array(column, from_pandas=True)
            except pa.ArrowException:
                pass
            else:
                if not has_extension(cells.type):
                    yield ColumnPart(slice(None), cells)
                    return
        yield from parts_of_objects(column.to_numpy(dtype=object), column.isna().to_numpy(), name)

    def _column(self, name: str) -> pd.Series[Any]:
        column = self._frame[name]
        if column.ndim != 1:
            raise DataError(f"the rows have the column {quote(name)} twice. Rename one.")
        return column


def _with_arrow_types(frame: Any) -> Any:
    """Return a frame of polars with 128-bit integers as decimals: Arrow's have 64 bits."""
    import polars as pl

    wide = [name for name, of in frame.schema.items() if str(of) in ("Int128", "UInt128")]
    return frame.with_columns(pl.col(wide).cast(pl.Decimal(38, 0))) if wide else frame


def _is_pandas(rows: Any) -> bool:
    # If there is such a frame, the library has been imported.
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(rows, pandas.DataFrame)


def _is_polars(rows: Any) -> bool:
    polars = sys.modules.get("polars")
    return polars is not None and isinstance(rows, polars.DataFrame)


def _is_query(rows: Any) -> bool:
    return hasattr(rows, "collect_schema") and hasattr(rows, "collect")


def _is_narwhals(rows: Any) -> bool:
    return type(rows).__module__.partition(".")[0] == "narwhals"


def _is_dataset(rows: Any) -> bool:
    return hasattr(rows, "to_table") and hasattr(rows, "scanner")


def _speaks_arrow(rows: Any) -> bool:  # so does a Series, which is one column
    names = ("__arrow_c_stream__", "__arrow_c_array__") if type(rows).__name__ != "Series" else ()
    return _is_dataset(rows) or any(hasattr(rows, name) for name in names)


def _kind(rows: Any) -> str:
    return f"{type(rows).__module__.partition('.')[0]} {type(rows).__name__}"
