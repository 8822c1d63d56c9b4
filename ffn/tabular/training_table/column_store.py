"""Columns in a file, some rows at a time: quick to read by column and by rows.

A group is the columns' values for some thousand consecutive rows, ``[F, n]`` in one piece, and a
file is one group after another. Written in one pass it needs no more memory than a group; a
column is read in long stretches, and some rows of all columns in one.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.storage.npy import ArrayFile, open_array

__all__ = ["Columns", "ColumnsFile", "rows_of_a_group"]

Array = npt.NDArray[Any]

# Values of a group: 16 MB as float64.
_GROUP_VALUES = 2**21
_FEWEST_ROWS = 64


def rows_of_a_group(columns: int) -> int:
    """Return how many rows are written together."""
    return max(_FEWEST_ROWS, _GROUP_VALUES // max(1, columns))


class ColumnsFile:
    """A new file of ``columns`` columns, in groups of ``group_rows`` rows."""

    def __init__(self, path: Path, dtype: npt.DTypeLike, columns: int, group_rows: int) -> None:
        self._group = np.empty((columns, group_rows), dtype)
        self._filled = 0
        self._file = ArrayFile(path, dtype)

    def append(self, values: Array) -> None:
        """Write values [F, n] behind those that are there."""
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

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._file:
            self._write()

    def _write(self) -> None:
        self._file.append(self._group[:, : self._filled].ravel())
        self._filled = 0


class Columns:
    """The columns of a `ColumnsFile`, mapped.

    Parameters
    ----------
    path
        The file.
    columns, rows, group_rows
        F, N, and the rows of every group but the last.
    """

    def __init__(self, path: Path, columns: int, rows: int, group_rows: int) -> None:
        self._values = open_array(path)
        self._columns, self._rows, self._group_rows = columns, rows, group_rows

    def groups(self) -> Iterator[tuple[slice, Array]]:
        """Yield the rows of each group and its values [F, n]."""
        for start in range(0, self._rows, self._group_rows):
            stop = min(start + self._group_rows, self._rows)
            values = self._values[start * self._columns : stop * self._columns]
            yield slice(start, stop), values.reshape(self._columns, stop - start)

    def column(self, number: int) -> Array:
        """Return a column [N], copied."""
        column = np.empty(self._rows, self._values.dtype)
        for rows, values in self.groups():
            column[rows] = values[number]
        return column
