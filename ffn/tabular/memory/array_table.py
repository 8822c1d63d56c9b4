"""An array as a table in memory, whose columns are named by their positions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.tabular.memory.object_cells import ColumnPart, parts_of_objects

__all__ = ["ArrayTable", "is_missing", "names_of_positions"]


def names_of_positions(columns: int) -> list[str]:
    """Return names of columns that have none, as scikit-learn gives them: ``x0``, ``x1``, …."""
    return [f"x{place}" for place in range(columns)]


class ArrayTable:
    """A `MemoryTable` of an array.

    Parameters
    ----------
    x
        Array [n, columns] of numbers, truth values, dates or objects.
    """

    def __init__(self, x: npt.NDArray[Any]) -> None:
        self._x = x if x.dtype.kind not in "US" else x.astype(object)
        self.names = names_of_positions(x.shape[1])

    def __len__(self) -> int:
        return len(self._x)

    def floats(self, name: str) -> npt.NDArray[np.float64] | None:
        """Return a column of integers or float64 as float64; None for other types."""
        of = self._x.dtype
        if of.kind in "iu" or of == np.float64:
            return self._column(name).astype(np.float64)
        return None

    def parts(self, name: str) -> Iterator[ColumnPart]:
        """Yield the cells; those of an array of objects by type."""
        import pyarrow as pa

        column = self._column(name)
        if column.dtype == object:
            missing = np.fromiter(map(is_missing, column), bool, len(column))
            yield from parts_of_objects(column, missing, name)
        else:
            yield ColumnPart(slice(None), pa.array(np.ascontiguousarray(column)))

    def _column(self, name: str) -> npt.NDArray[Any]:
        return self._x[:, self.names.index(name)]


def is_missing(value: Any) -> bool:
    """Return whether an object means "no value": None, NaN, or what pandas has for these."""
    # Missing values of pandas are neither equal to themselves nor, as NA, comparable at all.
    if value is None or isinstance(value, str):
        return value is None
    try:
        return bool(value != value)
    except (TypeError, ValueError):
        return type(value).__name__ == "NAType"
