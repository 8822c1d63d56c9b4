"""Write rows to a ``.npy`` file in a given permutation, with little memory and sequential I/O.

The final position of each row is known. The file is divided into partitions that fit in memory; a
row is written to the next free slot of its partition, and at the end each partition is sorted in
memory. The disk sees two sequential passes; writing each row to its position would be one seek
a row.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["PermutedFile"]

Array = npt.NDArray[Any]

_PARTITION_BYTES = 64 * 1024 * 1024


class PermutedFile:
    """A new ``.npy`` file [n, width] that stores the appended rows in another order.

    Parameters
    ----------
    path
        Path of the file, which must not exist.
    dtype, width
        Data type and row length of the array.
    order
        Permutation of 0 to n - 1, int32 [n]: row ``p`` of the file is the appended row number
        ``order[p]``.
    partition_bytes
        Size of a partition; by default 64 MiB.
    """

    def __init__(
        self,
        path: Path,
        dtype: npt.DTypeLike,
        width: int,
        order: Array,
        *,
        partition_bytes: int = _PARTITION_BYTES,
    ) -> None:
        n = len(order)
        mapped = np.lib.format.open_memmap(path, "w+", np.dtype(dtype), (n, width))
        # A full disk raises here; writing to the mapped file would kill the process.
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
        # Slicing an np.memmap takes ten times as long as slicing a plain array.
        self._rows = np.asarray(mapped)
        self._partition = max(1, partition_bytes // (width * mapped.itemsize))
        self._order = order
        self._place = np.empty(n, dtype=np.int32)
        self._place[order] = np.arange(n, dtype=np.int32)
        self._free = np.arange(0, n, self._partition)
        self._appended = 0

    def append(self, rows: Array) -> None:
        """Append ``rows`` [m, width]."""
        own = self._place[self._appended : self._appended + len(rows)] // self._partition
        self._appended += len(rows)
        by_partition = np.argsort(own, kind="stable")
        partitions, counts = np.unique(own, return_counts=True)
        stops = np.cumsum(counts)
        for partition, count, stop in zip(partitions, counts, stops, strict=True):
            free = self._free[partition]
            self._rows[free : free + count] = rows[by_partition[stop - count : stop]]
            self._free[partition] += count

    def __enter__(self) -> PermutedFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            for start in range(0, len(self._order), self._partition):
                order = self._order[start : start + self._partition]
                partition = self._rows[start : start + self._partition]
                # A partition holds its rows in the order in which they were appended.
                partition[:] = partition[np.searchsorted(np.sort(order), order)]
        del self._rows
