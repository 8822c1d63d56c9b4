"""Read tables in memory, of any library, as named Arrow columns.

pandas is read column by column, because its cells may be arbitrary objects. All other tables
(polars, pyarrow, DuckDB, narwhals, …) are read through Arrow's ``__arrow_c_stream__``.
"""

from __future__ import annotations

import contextlib
import datetime
import sys
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from ffn.errors import DataError, one_line, quote

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ColumnPart", "MemoryTable", "has_names", "open_table"]

_NO_PLAIN_VALUES = (bytearray, list, tuple, dict, set, frozenset, np.ndarray, np.timedelta64)


class ColumnPart(NamedTuple):
    """Cells of one column that have the same type.

    Attributes
    ----------
    rows
        Positions of the cells in the column, or a slice for all of them.
    cells
        ``pyarrow`` array, chunked or not.
    """

    rows: npt.NDArray[np.intp] | slice
    cells: Any


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
                if not _has_extension(cells.type):
                    yield ColumnPart(slice(None), cells)
                    return
        yield from _parts_of_objects(column.to_numpy(dtype=object), column.isna().to_numpy(), name)

    def _column(self, name: str) -> pd.Series[Any]:
        column = self._frame[name]
        if column.ndim != 1:
            raise DataError(f"the rows have the column {quote(name)} twice. Rename one.")
        return column


def _parts_of_objects(
    cells: npt.NDArray[np.object_], missing: npt.NDArray[np.bool_], name: str
) -> Iterator[ColumnPart]:
    """Yield cells by type, because 1, True and "1" in one column are different values."""
    present = np.flatnonzero(~missing)
    values = cells[present].tolist()
    for kind, places in _by_type(values).items():
        if issubclass(kind, _NO_PLAIN_VALUES):
            raise DataError(
                f"the rows, column {quote(name)}: cells of the type {kind.__name__} are not plain "
                "values. Give a column of numbers or texts."
            )
        # Times with and without a time zone have one type, but cannot be compared.
        may_be = hasattr(kind, "tzinfo")
        zoned = [place for place in places if may_be and values[place].tzinfo is not None]
        plain = sorted(set(places).difference(zoned)) if zoned else places
        for own in filter(len, (zoned, plain)):
            some = values if len(own) == len(values) else [values[place] for place in own]
            yield ColumnPart(present[own], _array_of(some, kind))


def _by_type(values: Sequence[Any]) -> dict[type, Sequence[int]]:
    """Return the positions of the values of each type."""
    kinds = set(map(type, values))
    if len(kinds) == 1:
        return {kinds.pop(): range(len(values))}
    found: dict[type, list[int]] = {}
    for place, value in enumerate(values):
        found.setdefault(type(value), []).append(place)
    return dict(found)


def _array_of(values: list[Any], kind: type) -> Any:
    """Return objects of one type as an Arrow array; as texts if Arrow lacks the type."""
    import pandas as pd
    import pyarrow as pa

    if issubclass(kind, np.datetime64 | pd.Timestamp):
        # Arrow would assume microseconds.
        values = [pd.Timestamp(value) for value in values]
        zone = None if values[0].tzinfo is None else "UTC"
        with contextlib.suppress(pa.ArrowException, ValueError, OverflowError):
            return pa.array(values, pa.timestamp("ns", zone))
    if issubclass(kind, datetime.time) and values[0].tzinfo is not None:
        # Arrow would drop the zone.
        values = list(map(str, values))
    try:
        array = pa.array(values)
    except OverflowError:
        array = pa.array([Decimal(value) for value in values])
    except (pa.ArrowException, TypeError, ValueError):
        array = None
    if array is None or _has_extension(array.type):
        # The texts of a CSV file of the same frame; a lone surrogate is refused as such bytes are.
        array = pa.array([str(value).encode("utf-8", "surrogatepass") for value in values])
    return array


def _has_extension(of: Any) -> bool:
    import pyarrow as pa

    of = of.value_type if pa.types.is_dictionary(of) else of
    return isinstance(of, pa.BaseExtensionType)


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
