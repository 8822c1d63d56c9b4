"""Arrays in ``.npy`` files: written sequentially, read memory-mapped.

The operating system drops pages of a mapped file when memory is short and shares them among
processes, so a table may be larger than memory.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["ArrayFile", "open_array", "save_array"]

Array = npt.NDArray[Any]


class ArrayFile:
    """A new ``.npy`` file that grows along its first axis; valid once it is closed.

    Parameters
    ----------
    path
        Path of the file, which must not exist.
    dtype
        Data type of the array.
    *shape
        Lengths of all axes but the first.
    """

    def __init__(self, path: Path, dtype: npt.DTypeLike, *shape: int) -> None:
        self._dtype, self._shape, self._length = np.dtype(dtype), shape, 0
        self._file = path.open("xb")
        self._write_header()

    def append(self, rows: Array) -> None:
        """Append ``rows`` [n, ...]."""
        if rows.size:
            self._file.write(np.ascontiguousarray(rows, self._dtype).data)
        self._length += len(rows)

    def __enter__(self) -> ArrayFile:
        return self

    def __exit__(self, *_: object) -> None:
        with self._file:
            self._file.seek(0)
            self._write_header()

    def _write_header(self) -> None:
        # NumPy pads the header for any length of the first axis, so it can be overwritten.
        np.lib.format.write_array_header_1_0(
            self._file,
            {
                "descr": np.lib.format.dtype_to_descr(self._dtype),
                "fortran_order": False,
                "shape": (self._length, *self._shape),
            },
        )


def save_array(path: Path, array: Array) -> None:
    """Write ``array`` [n, ...] to the new ``.npy`` file ``path``.

    Unlike ``np.save``, whose last buffered bytes may be lost silently on a full disk.

    Raises
    ------
    OSError
        The file exists, or the disk is full.
    """
    with ArrayFile(path, array.dtype, *array.shape[1:]) as file:
        file.append(array)


def open_array(path: Path) -> Array:
    """Return the array in the ``.npy`` file ``path``, memory-mapped and read-only."""
    # Slicing an np.memmap takes ten times as long as slicing a plain array.
    return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
