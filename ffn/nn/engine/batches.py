"""From a table to batches: shuffled rows, gathered a block at a time, handed out as views."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice, starmap
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ffn.nn.engine.shuffling import cut, epoch_orders
from ffn.nn.hyperparameters import Hyperparameter
from ffn.nn.losses import is_soft

__all__ = ["Batch", "Batches"]

Array = npt.NDArray[Any]

# More would not make gathering cheaper, and to cut a block into views costs more than to gather it.
_BLOCK_BATCHES = 32


class Batch(NamedTuple):
    """B rows for each of K networks.

    Attributes
    ----------
    inputs
        [K, n_in + 1, B], the last row ones.
    targets
        One-hot labels or probabilities, smoothed if asked for, divided by B, as the mean over the
        batch has them: [K, C, B].
    row_weights
        Factors of the rows' losses, [K, 1, B], or None for 1 each.
    """

    inputs: Array
    targets: Array
    row_weights: Array | None


class Batches:
    """Cuts a table into batches, in an order of its own for each of K networks.

    A batch's arrays are views of a block, which holds several epochs of a small table, or part of
    an epoch of a large one. The next block overwrites it.

    Parameters
    ----------
    x
        Inputs [N, n_in]; read, never copied whole.
    labels
        Integers [N] below ``n_classes``, or the probability of each class, floats [N, C].
    rows
        Row numbers [K, n], or [1, n] where all networks share them, or None for all N.
    row_weights
        Weights [N], or None for 1 each.
    generators
        One for each network, which alone decides its order.
    n_classes
        C.
    batch_size
        Rows of a full batch, n at most; an epoch's last batch may be smaller.
    dtype
        float32 or float64, of inputs, targets and row weights.
    label_smoothing
        Share epsilon of a target that goes to all classes alike: a number, or K of them. Default 0.
    block_bytes
        Size of a block's inputs and targets, whatever the table's length; at least one batch is
        held. By default 512 KiB: few enough to stay in a core's L2 cache until its batches are
        used. The batches do not depend on it.
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
        label_smoothing: Hyperparameter = 0.0,
        block_bytes: int = 512 * 1024,
    ) -> None:
        self.x, self.labels, self.rows, self.row_weights = x, labels, rows, row_weights
        self.generators, self.batch_size = generators, batch_size
        self.n_rows = len(x) if rows is None else rows.shape[1]
        k, n_in = len(generators), x.shape[1]
        row_bytes = k * (n_in + 1 + n_classes) * np.dtype(dtype).itemsize
        fit = min(block_bytes // row_bytes, _BLOCK_BATCHES * batch_size)
        unit = self.n_rows if self.n_rows <= fit else batch_size
        self.block_rows = max(1, fit // unit) * unit
        # Features outermost in memory: the small products of a stack are fastest where the values
        # of one feature lie side by side.
        self.inputs = np.moveaxis(np.ones((n_in + 1, k, self.block_rows), dtype), 0, 1)
        self.targets = np.empty((k, n_classes, self.block_rows), dtype)
        self.weights = np.empty((k, 1, self.block_rows), dtype)
        self.classes = np.arange(n_classes, dtype=np.min_scalar_type(n_classes))[:, None]
        self._soft = is_soft(labels)
        smoothing = np.reshape(label_smoothing, (-1, 1, 1))
        self._smoothed = bool(smoothing.any())
        self._share_of_label = (1 - smoothing).astype(dtype)
        self._share_of_each = (smoothing / n_classes).astype(dtype)
        self._batches: dict[int, list[Batch]] = {}
        self._one_over_b: dict[int, Array] = {}

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
        if m not in self._batches:
            cuts = list(self._cuts(m))
            self._batches[m] = list(starmap(self._batch, cuts))
            sizes = [stop - start for start, stop in cuts]
            self._one_over_b[m] = (1 / np.repeat(sizes, sizes)).astype(self.targets.dtype)
        self.inputs[:, :-1, :m] = self.x.take(rows, axis=0).mT
        if self.row_weights is not None:
            self.weights[:, 0, :m] = self.row_weights.take(rows)
        targets = self.targets[..., :m]
        if self._soft:
            targets[...] = self.labels.take(rows, axis=0).mT
        else:
            # Compared as small integers and then copied to floats: both have vector loops.
            labels = self.labels.take(rows).astype(self.classes.dtype)
            np.copyto(targets, labels[:, None, :] == self.classes)
        if self._smoothed:
            targets *= self._share_of_label
            targets += self._share_of_each
        targets *= self._one_over_b[m]
        return self._batches[m]

    def _cuts(self, m: int) -> Iterator[tuple[int, int]]:
        """Yield where the batches of m rows start and stop. Each epoch starts a new batch."""
        for epoch in range(0, m, self.n_rows):
            end = min(epoch + self.n_rows, m)
            for start in range(epoch, end, self.batch_size):
                yield start, min(start + self.batch_size, end)

    def _batch(self, start: int, stop: int) -> Batch:
        weights = None if self.row_weights is None else self.weights[..., start:stop]
        return Batch(self.inputs[..., start:stop], self.targets[..., start:stop], weights)
