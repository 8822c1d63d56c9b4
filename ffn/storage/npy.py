"""Arrays in ``.npy`` files: written from front to back, read as the file mapped into memory.

A mapped file's pages belong to the system, which drops them when memory is short and shares
them among processes; a table larger than memory is read as if it were not.
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["ArrayFile", "open_array", "save_array"]

Array = npt.NDArray[Any]


class ArrayFile:
    """A new ``.npy`` file that grows along its first axis; whole once it is closed.

    Parameters
    ----------
    path
        Must not exist.
    dtype
        Of the array.
    shape
        All axes but the first.
    """

    def __init__(self, path: Path, dtype: npt.DTypeLike, *shape: int) -> None:
        self._dtype, self._shape, self._length = np.dtype(dtype), shape, 0
        self._file = path.open("xb")
        self._write_header()

    def append(self, rows: Array) -> None:
        """Write ``rows`` [n, ...] behind those that are there."""
        if rows.size:
            self._file.write(np.ascontiguousarray(rows, self._dtype).data)
        self._length += len(rows)

    def __enter__(self) -> ArrayFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._file:
            self._file.seek(0)
            self._write_header()

    def _write_header(self) -> None:
        # NumPy leaves room for any length of the first axis, so that a header can be replaced.
        np.lib.format.write_array_header_1_0(
            self._file,
            {
                "descr": np.lib.format.dtype_to_descr(self._dtype),
                "fortran_order": False,
                "shape": (self._length, *self._shape),
            },
        )


def save_array(path: Path, array: Array) -> None:
    """Write ``array`` [n, ...] to a new file; OSError if there is no room for all of it.

    ``np.save`` leaves the bytes to C's buffers, and the last of them may be lost without a word.
    """
    with ArrayFile(path, array.dtype, *array.shape[1:]) as file:
        file.append(array)


def open_array(path: Path) -> Array:
    """Return the array in a ``.npy`` file, mapped and read-only."""
    # Not np.memmap itself, whose slices cost ten times a plain array's.
    return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
