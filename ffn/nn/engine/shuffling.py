"""The random order in which an epoch visits its rows, also for tables larger than memory.

Up to ``_PIECE`` rows the order is one random permutation. A longer table is cut into runs of
``_RUN`` neighbouring rows, beginning at a random place. The runs are put in random order, and
``_PIECE // _RUN`` of them at a time are shuffled together. A table that is mapped into memory from
a file is thus read in long stretches, once an epoch, and no list as long as the table is needed.

This is the scheme of Xu et al. 2022, "CorgiPile" (SIGMOD). It converges like a full shuffle as far
as a piece resembles the table; docs/decisions/0008-larger-than-memory.md has measurements.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["cut", "epoch_orders"]

Array = npt.NDArray[Any]

_RUN = 1024
_PIECE = 256 * _RUN
# Bytes of row numbers drawn at once, for as many epochs as they cover.
_DRAWN_BYTES = 1024 * 1024


def epoch_orders(
    rows: Array | None, n_rows: int, generators: Sequence[np.random.Generator], epochs: int
) -> Iterator[Iterable[Array]]:
    """Yield for each epoch its order, as pieces [K, m] that hold each network's rows once.

    Parameters
    ----------
    rows
        Row numbers [K, n], or [1, n] where all networks share them, or None for 0 to n - 1.
    n_rows
        n, rows an epoch.
    generators
        One for each network, which alone decides its order.
    epochs
        How many. Take the pieces of an epoch before asking for the next epoch.
    """
    if n_rows > _PIECE:
        for _ in range(epochs):
            yield _pieces(rows, n_rows, generators)
        return
    at_once = max(1, _DRAWN_BYTES // (8 * len(generators) * n_rows))
    for start in range(0, epochs, at_once):
        orders = _permutations(rows, n_rows, generators, min(at_once, epochs - start))
        yield from ([orders[:, i]] for i in range(orders.shape[1]))


def _permutations(
    rows: Array | None, n_rows: int, generators: Sequence[np.random.Generator], epochs: int
) -> Array:
    """Return the orders of several epochs, [K, epochs, n].

    They are those that drawing epoch by epoch would give, in half the time.
    """
    rows = np.arange(n_rows)[None] if rows is None else rows
    orders = np.empty((len(generators), epochs, n_rows), dtype=np.intp)
    for k, generator in enumerate(generators):
        own = np.broadcast_to(rows[min(k, len(rows) - 1)], (epochs, n_rows))
        generator.permuted(own, axis=1, out=orders[k])
    return orders


def _pieces(
    rows: Array | None, n_rows: int, generators: Sequence[np.random.Generator]
) -> Iterator[Array]:
    for numbers in zip(*(_block_shuffle(n_rows, g) for g in generators), strict=True):
        piece = np.stack(numbers)
        if rows is not None:
            for k, own in enumerate(piece):
                own[:] = rows[min(k, len(rows) - 1)].take(own)
        yield piece


def _block_shuffle(n: int, generator: np.random.Generator) -> Iterator[Array]:
    """Yield the numbers 0 to n - 1 in pieces, whose lengths depend on n alone."""
    # Counting goes on at row 0 after the last row, so that each epoch cuts at other places.
    first = generator.integers(n)
    starts = generator.permutation(n // _RUN) * _RUN
    pieces = np.array_split(starts, -(-len(starts) // (_PIECE // _RUN)))
    for i, part in enumerate(pieces):
        numbers = (part[:, None] + np.arange(_RUN)).ravel()
        if i == len(pieces) - 1:
            numbers = np.concatenate([numbers, np.arange(len(starts) * _RUN, n)])
        numbers += first
        numbers %= n
        generator.shuffle(numbers)
        yield numbers


def cut(pieces: Iterable[Array], size: int) -> Iterator[Array]:
    """Yield the columns of pieces [K, m] as blocks [K, size], of which the last may be shorter.

    Parameters
    ----------
    pieces
        Arrays [K, m], where m may differ.
    size
        Columns of a block.
    """
    rest: Array | None = None
    for piece in pieces:
        whole = piece if rest is None else np.concatenate([rest, piece], axis=1)
        stop = whole.shape[1] - whole.shape[1] % size
        for start in range(0, stop, size):
            yield whole[:, start : start + size]
        rest = whole[:, stop:]
    if rest is not None and rest.shape[1]:
        yield rest
