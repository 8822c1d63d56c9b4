"""Rows written in another order than they come in, with the memory of a few thousand of them.

Each row's place in the file is known. The file is divided into stretches that fit memory; a row
goes to the next free place of its stretch, and in the end each stretch is put in order by itself.
So the disk sees two sequential passes, where rows sent to their places at once would be a seek
for each.
"""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["ScatteredFile"]

Array = npt.NDArray[Any]

_STRETCH_BYTES = 64 * 1024 * 1024


class ScatteredFile:
    """A new ``.npy`` file [n, width] that rows are appended to, and whose order is another.

    Parameters
    ----------
    path
        Must not exist.
    dtype, width
        Of the array.
    order
        int32 [n], each number from 0 once: row ``p`` of the file is the one appended as number
        ``order[p]``.
    stretch_bytes
        Rows are appended to the stretch of the file that they belong to, and each stretch is put
        in order, in memory, at the end. By default 64 MiB.
    """

    def __init__(
        self,
        path: Path,
        dtype: npt.DTypeLike,
        width: int,
        order: Array,
        *,
        stretch_bytes: int = _STRETCH_BYTES,
    ) -> None:
        n = len(order)
        mapped = np.lib.format.open_memmap(path, "w+", np.dtype(dtype), (n, width))
        # A full disk is an error here; in a mapped file it would end the process.
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
        # Not np.memmap itself, whose slices cost ten times a plain array's.
        self._rows = np.asarray(mapped)
        self._stretch = max(1, stretch_bytes // (width * mapped.itemsize))
        self._order = order
        self._place = np.empty(n, dtype=np.int32)
        self._place[order] = np.arange(n, dtype=np.int32)
        self._free = np.arange(0, n, self._stretch)
        self._appended = 0

    def append(self, rows: Array) -> None:
        """Write ``rows`` [m, width] somewhere in their stretches."""
        own = self._place[self._appended : self._appended + len(rows)] // self._stretch
        self._appended += len(rows)
        by_stretch = np.argsort(own, kind="stable")
        stretches, counts = np.unique(own, return_counts=True)
        stops = np.cumsum(counts)
        for stretch, count, stop in zip(stretches, counts, stops, strict=True):
            free = self._free[stretch]
            self._rows[free : free + count] = rows[by_stretch[stop - count : stop]]
            self._free[stretch] += count

    def __enter__(self) -> ScatteredFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            for start in range(0, len(self._order), self._stretch):
                order = self._order[start : start + self._stretch]
                stretch = self._rows[start : start + self._stretch]
                # In a stretch stand the rows that belong there, as they were appended.
                stretch[:] = stretch[np.searchsorted(np.sort(order), order)]
        del self._rows
