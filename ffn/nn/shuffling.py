"""The order in which an epoch visits its rows: random, and for a long table kind to the disk.

Up to ``_PIECE`` rows the order is one permutation. A longer table is cut into runs of ``_RUN``
neighbouring rows from a random place on, the runs are put in random order, and up to
``_PIECE // _RUN`` of them at a time are shuffled together. So a table mapped into memory from a
file is read in long stretches, each once an epoch, and no list as long as the table is made.

This is the scheme of Xu et al. 2022, "CorgiPile" (SIGMOD). It converges as a full shuffle does
as far as a piece resembles the table; docs/decisions says how far that is, with measurements.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["cut", "epoch_order", "epoch_orders"]

Array = npt.NDArray[Any]

_RUN = 1024
_PIECE = 256 * _RUN


def epoch_order(
    rows: Array | None, n_rows: int, generators: Sequence[np.random.Generator]
) -> Iterator[Array]:
    """Yield row numbers [K, m], piece by piece, until each network has had its rows once.

    Parameters
    ----------
    rows
        Row numbers [K, n], or [1, n] where all networks share them, or None for 0 to n - 1.
    n_rows
        n, rows an epoch.
    generators
        One a network, which alone decides its network's order.
    """
    if n_rows <= _PIECE:
        yield epoch_orders(rows, n_rows, generators, 1)[:, 0]
        return
    for numbers in zip(*(_block_shuffle(n_rows, g) for g in generators), strict=True):
        piece = np.stack(numbers)
        if rows is not None:
            for k, own in enumerate(piece):
                own[:] = rows[min(k, len(rows) - 1)].take(own)
        yield piece


def epoch_orders(
    rows: Array | None, n_rows: int, generators: Sequence[np.random.Generator], count: int
) -> Array:
    """Return the next ``count`` epochs' row numbers [K, count, n], of a table of one piece.

    As ``epoch_order``; several epochs drawn at once take half the time.
    """
    rows = np.arange(n_rows)[None] if rows is None else rows
    orders = np.empty((len(generators), count, n_rows), dtype=np.intp)
    for k, generator in enumerate(generators):
        own = np.broadcast_to(rows[min(k, len(rows) - 1)], (count, n_rows))
        generator.permuted(own, axis=1, out=orders[k])
    return orders


def _block_shuffle(n: int, generator: np.random.Generator) -> Iterator[Array]:
    """Yield the numbers 0 to n - 1 in pieces; all generators' pieces have the same lengths."""
    # A run may go on at the table's beginning, so that every epoch cuts at other places.
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
    """Cut pieces [K, m] anew, into blocks [K, size]; the last may be shorter."""
    rest: Array | None = None
    for piece in pieces:
        whole = piece if rest is None else np.concatenate([rest, piece], axis=1)
        stop = whole.shape[1] - whole.shape[1] % size
        for start in range(0, stop, size):
            yield whole[:, start : start + size]
        rest = whole[:, stop:]
    if rest is not None and rest.shape[1]:
        yield rest
