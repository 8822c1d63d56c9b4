"""Rows to batches: shuffled, gathered a block at a time, handed out as views."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["Batch", "Batches"]

Array = npt.NDArray[Any]

# Bytes of gathered inputs and targets: few enough to stay in L2 until the batches cut from them
# are used, and a bound on memory whatever the table's length.
_BLOCK_BYTES = 512 * 1024


class Batch(NamedTuple):
    """B rows for each of K networks.

    Attributes
    ----------
    inputs
        [K, B, n_in + 1], the last column ones.
    targets
        One-hot labels [K, C, B].
    row_weights
        The rows' weights divided by B: a number, or [K, 1, B].
    """

    inputs: Array
    targets: Array
    row_weights: Array | float


class Batches:
    """Cuts a table into batches, for each of K networks in an order of its own.

    Parameters
    ----------
    x
        Inputs [N, n_in]; read, never copied whole.
    labels
        Integers [N] below ``n_classes``.
    row_weights
        Weights [N], or None for 1 each.
    n_networks, n_classes, batch_size
        K, C, and the rows of a full batch; an epoch's last batch may be smaller.
    dtype
        float32 or float64.
    """

    def __init__(
        self,
        x: Array,
        labels: Array,
        row_weights: Array | None,
        *,
        n_networks: int,
        n_classes: int,
        batch_size: int,
        dtype: npt.DTypeLike,
    ) -> None:
        self.x, self.labels, self.row_weights = x, labels, row_weights
        self.batch_size = batch_size
        row_bytes = n_networks * (x.shape[1] + 1 + n_classes) * np.dtype(dtype).itemsize
        batches_in_block = max(1, _BLOCK_BYTES // (row_bytes * batch_size))
        self.block_rows = batches_in_block * batch_size
        self.inputs = np.ones((n_networks, self.block_rows, x.shape[1] + 1), dtype)
        self.targets = np.empty((n_networks, n_classes, self.block_rows), dtype)
        self.classes = np.arange(n_classes)[:, None]

    def in_order(self, order: Array) -> Iterator[Batch]:
        """Yield the batches of one epoch. order: row numbers [K, n].

        A batch's arrays are views that the next block overwrites.
        """
        n = order.shape[1]
        for block_start in range(0, n, self.block_rows):
            rows = order[:, block_start : block_start + self.block_rows]
            size = rows.shape[1]
            self.inputs[:, :size, :-1] = self.x.take(rows, axis=0)
            np.equal(
                self.labels.take(rows)[:, None, :],
                self.classes,
                out=self.targets[..., :size],
                casting="unsafe",
            )
            weights = None if self.row_weights is None else self.row_weights.take(rows)[:, None]
            for start in range(0, size, self.batch_size):
                stop = min(start + self.batch_size, size)
                own = 1.0 if weights is None else weights[..., start:stop]
                yield Batch(
                    self.inputs[:, start:stop],
                    self.targets[..., start:stop],
                    own / (stop - start),
                )
