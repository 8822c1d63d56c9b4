"""The random order in which an epoch visits its rows, also for tables larger than memory.

Up to ``PIECE_ROWS`` rows the order is one random permutation. A longer table is cut into runs of
``RUN_ROWS`` neighbouring rows, beginning at a random place. The runs are put in random order, and
``PIECE_ROWS // RUN_ROWS`` of them at a time are shuffled together. A table that is mapped into
memory from a file is thus read in long stretches, once an epoch, and no list as long as the table
is needed.

This is the scheme of Xu et al. 2022, "CorgiPile" (SIGMOD). It converges like a full shuffle as far
as a piece resembles the table; docs/decisions/0008-larger-than-memory.md has measurements.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["PIECE_ROWS", "RUN_ROWS", "cut", "epoch_orders"]

Array = npt.NDArray[Any]

RUN_ROWS = 1024
PIECE_ROWS = 256 * RUN_ROWS


def epoch_orders(
    rows: Array | None,
    n_rows: int,
    generators: Sequence[np.random.Generator],
    epochs: int,
    *,
    run_rows: int = RUN_ROWS,
    piece_rows: int = PIECE_ROWS,
    drawn_bytes: int = 1024 * 1024,
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
    run_rows
        Rows of a run. By default 1,024: some tens of kilobytes, which a disk reads in one go.
    piece_rows
        Rows shuffled together. By default 262,144: few enough for their numbers to be held in
        memory, and enough for a piece to resemble the table.
    drawn_bytes
        Size of the row numbers that are drawn at once, for as many epochs of a short table as they
        cover; by default 1 MiB. The orders do not depend on it.
    """
    if n_rows > piece_rows:
        for _ in range(epochs):
            yield _pieces(rows, n_rows, generators, run_rows, piece_rows)
        return
    at_once = max(1, drawn_bytes // (8 * len(generators) * n_rows))
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
    rows: Array | None,
    n_rows: int,
    generators: Sequence[np.random.Generator],
    run_rows: int,
    piece_rows: int,
) -> Iterator[Array]:
    orders = (_block_shuffle(n_rows, g, run_rows, piece_rows) for g in generators)
    for numbers in zip(*orders, strict=True):
        piece = np.stack(numbers)
        if rows is not None:
            for k, own in enumerate(piece):
                own[:] = rows[min(k, len(rows) - 1)].take(own)
        yield piece


def _block_shuffle(
    n: int, generator: np.random.Generator, run_rows: int, piece_rows: int
) -> Iterator[Array]:
    """Yield the numbers 0 to n - 1 in pieces, whose lengths depend on n alone."""
    # Counting goes on at row 0 after the last row, so that each epoch cuts at other places.
    first = generator.integers(n)
    starts = generator.permutation(n // run_rows) * run_rows
    pieces = np.array_split(starts, -(-len(starts) // (piece_rows // run_rows)))
    for i, part in enumerate(pieces):
        numbers = (part[:, None] + np.arange(run_rows)).ravel()
        if i == len(pieces) - 1:
            numbers = np.concatenate([numbers, np.arange(len(starts) * run_rows, n)])
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
