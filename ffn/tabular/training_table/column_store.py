"""Columnar file format in row groups, fast to read by column and by rows.

A row group holds the values of all columns for some thousand consecutive rows, contiguous as
``[F, n]``; a file is a sequence of row groups. Writing takes one pass and the memory of one group.
Reading a column takes one contiguous read for each group, reading some rows of all columns one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.storage.npy import ArrayFile, open_array

__all__ = ["Columns", "ColumnsByName", "ColumnsFile", "rows_of_a_group"]

Array = npt.NDArray[Any]

# Values of a group: 16 MB as float64.
_GROUP_VALUES = 2**21
_FEWEST_ROWS = 64


def rows_of_a_group(columns: int) -> int:
    """Return the number of rows in a row group of a table with so many columns."""
    return max(_FEWEST_ROWS, _GROUP_VALUES // max(1, columns))


class ColumnsFile:
    """Writer of a new column file.

    Parameters
    ----------
    path
        Path of the file, which must not exist.
    dtype
        Data type of all values.
    columns, group_rows
        Number of columns F, and of rows in each group but the last.
    """

    def __init__(self, path: Path, dtype: npt.DTypeLike, columns: int, group_rows: int) -> None:
        self._group = np.empty((columns, group_rows), dtype)
        self._filled = 0
        self._file = ArrayFile(path, dtype)

    def append(self, values: Array) -> None:
        """Append the ``values`` [F, n] of n rows."""
        start, n = 0, values.shape[1]
        while start < n:
            stop = min(n, start + self._group.shape[1] - self._filled)
            self._group[:, self._filled : self._filled + stop - start] = values[:, start:stop]
            self._filled += stop - start
            if self._filled == self._group.shape[1]:
                self._write()
            start = stop

    def __enter__(self) -> ColumnsFile:
        return self

    def __exit__(self, *_: object) -> None:
        with self._file:
            self._write()

    def _write(self) -> None:
        self._file.append(self._group[:, : self._filled].ravel())
        self._filled = 0


class Columns:
    """Memory-mapped reader of a `ColumnsFile`.

    Parameters
    ----------
    path
        Path of the file.
    columns, rows, group_rows
        Number of columns F, of rows N, and of rows in each group but the last.
    """

    def __init__(self, path: Path, columns: int, rows: int, group_rows: int) -> None:
        self._values = open_array(path)
        self._columns, self._rows, self._group_rows = columns, rows, group_rows

    def groups(self) -> Iterator[tuple[slice, Array]]:
        """Yield the row range of each group, and its values [F, n]."""
        for start in range(0, self._rows, self._group_rows):
            stop = min(start + self._group_rows, self._rows)
            values = self._values[start * self._columns : stop * self._columns]
            yield slice(start, stop), values.reshape(self._columns, stop - start)

    def column(self, number: int) -> Array:
        """Return a copy of the column [N] at position ``number``, from 0."""
        column = np.empty(self._rows, self._values.dtype)
        for rows, values in self.groups():
            column[rows] = values[number]
        return column


class ColumnsByName(Mapping[str, Array]):
    """Columns of a file by name, each read on access.

    Parameters
    ----------
    names
        Names of the columns, in the order of the file.
    columns
        The file.
    texts
        Texts by code, by name of a column of codes; None, the default: the columns are numbers.
    """

    def __init__(
        self, names: tuple[str, ...], columns: Columns, texts: dict[str, list[str]] | None = None
    ) -> None:
        self._numbers = {name: number for number, name in enumerate(names)}
        self._columns, self._texts = columns, texts

    def __getitem__(self, name: str) -> Array:
        column = self._columns.column(self._numbers[name])
        if self._texts is None:
            return column
        return np.array(self._texts[name], dtype=object)[column]

    def __iter__(self) -> Iterator[str]:
        return iter(self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)
