"""Rows to batches: shuffled, gathered a block at a time, handed out as views."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice, starmap
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ffn.nn.network import unstacked
from ffn.nn.shuffling import cut, epoch_orders

__all__ = ["Batch", "Batches"]

Array = npt.NDArray[Any]

# Bytes of gathered inputs and targets: few enough to stay in L2 until the batches cut from them
# are used, and a bound on memory whatever the table's length.
_BLOCK_BYTES = 512 * 1024
# More would not make gathering cheaper, and to cut a block into views costs more than to gather it.
_BLOCK_BATCHES = 32


class Batch(NamedTuple):
    """B rows for each of K networks; for a single one without the first axis.

    Attributes
    ----------
    inputs
        [K, B, n_in + 1], the last column ones.
    targets
        One-hot labels divided by B: [K, C, B].
    row_weights
        [K, 1, B], or None for 1 each.
    """

    inputs: Array
    targets: Array
    row_weights: Array | None


class Batches:
    """Cuts a table into batches, for each of K networks in an order of its own.

    A batch's arrays are views of a block, which holds several epochs of a small table, or a
    part of an epoch of a large one, and is filled anew for the next.

    Parameters
    ----------
    x
        Inputs [N, n_in]; read, never copied whole.
    labels
        Integers [N] below ``n_classes``.
    rows
        Row numbers [K, n] or [1, n], or None for all.
    row_weights
        Weights [N], or None for 1 each.
    generators
        One a network, for its order.
    n_classes, batch_size
        C, and the rows of a full batch, n at most; an epoch's last batch may be smaller.
    dtype
        float32 or float64.
    """

    def __init__(
        self,
        x: Array,
        labels: Array,
        rows: Array | None,
        row_weights: Array | None,
        *,
        generators: Sequence[np.random.Generator],
        n_classes: int,
        batch_size: int,
        dtype: npt.DTypeLike,
    ) -> None:
        self.x, self.labels, self.rows, self.row_weights = x, labels, rows, row_weights
        self.generators = generators
        self.batch_size = batch_size
        self.n_rows = len(x) if rows is None else rows.shape[1]
        k = len(generators)
        row_bytes = k * (x.shape[1] + 1 + n_classes) * np.dtype(dtype).itemsize
        fit = min(_BLOCK_BYTES // row_bytes, _BLOCK_BATCHES * batch_size)
        unit = self.n_rows if self.n_rows <= fit else batch_size
        self.block_rows = max(1, fit // unit) * unit
        features = x.shape[1] + 1
        if k == 1:
            self.inputs = np.ones((1, self.block_rows, features), dtype)
        else:
            # Of its features a stack's small products want each one's values side by side.
            self.inputs = np.moveaxis(np.ones((features, k, self.block_rows), dtype), 0, -1)
        self.targets = np.empty((k, n_classes, self.block_rows), dtype)
        self.weights = np.empty((k, 1, self.block_rows), dtype)
        self.classes = np.arange(n_classes, dtype=np.min_scalar_type(n_classes))[:, None]
        self._batches: dict[int, list[Batch]] = {}
        self._shares: dict[int, Array] = {}

    def epochs(self, count: int) -> Iterator[Iterable[Batch]]:
        """Yield the batches of ``count`` epochs. Use an epoch's before asking for the next's."""
        orders = epoch_orders(self.rows, self.n_rows, self.generators, count)
        if self.n_rows > self.block_rows:
            for pieces in orders:
                yield chain.from_iterable(map(self._gather, cut(pieces, self.block_rows)))
            return
        batches_an_epoch = -(-self.n_rows // self.batch_size)
        while block := [*chain(*islice(orders, self.block_rows // self.n_rows))]:
            batches = self._gather(np.concatenate(block, axis=1))
            for start in range(0, len(batches), batches_an_epoch):
                yield batches[start : start + batches_an_epoch]

    def _gather(self, rows: Array) -> list[Batch]:
        """Fill the block with these rows [K, m] and return its batches."""
        m = rows.shape[1]
        self.inputs[:, :m, :-1] = self.x.take(rows, axis=0)
        if m not in self._batches:
            cuts = list(self._cuts(m))
            self._batches[m] = list(starmap(self._batch, cuts))
            sizes = [stop - start for start, stop in cuts]
            self._shares[m] = (1 / np.repeat(sizes, sizes)).astype(self.targets.dtype)
        if self.row_weights is not None:
            self.weights[:, 0, :m] = self.row_weights.take(rows)
        # Compared as small integers, and turned into floats by a copy: both have vector loops.
        labels = self.labels.take(rows).astype(self.classes.dtype)
        targets = self.targets[..., :m]
        np.copyto(targets, labels[:, None, :] == self.classes)
        targets *= self._shares[m]
        return self._batches[m]

    def _cuts(self, m: int) -> Iterator[tuple[int, int]]:
        """Yield where the batches of m rows start and stop: a new one at each epoch's start."""
        for epoch in range(0, m, self.n_rows):
            end = min(epoch + self.n_rows, m)
            for start in range(epoch, end, self.batch_size):
                yield start, min(start + self.batch_size, end)

    def _batch(self, start: int, stop: int) -> Batch:
        inputs, targets = self.inputs[:, start:stop], self.targets[..., start:stop]
        weights = None if self.row_weights is None else unstacked(self.weights[..., start:stop])
        return Batch(unstacked(inputs), unstacked(targets), weights)
