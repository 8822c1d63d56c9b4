"""A small sample of distinct rows with their frequencies.

The sample holds the rows with the lowest hashes and the number of times each occurs, which does not
depend on the order of rows or on their division into blocks. If a table has few distinct rows, all
of them are kept, and rows are recognised by their hashes alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["RowSample"]

Array = npt.NDArray[Any]

_LEAST_ROWS, _MOST_VALUES = 64, 2**14
_KNOWN_VALUES, _FIRST = 2**17, 2**12
_SEED = 20260301


class RowSample:
    """A sample of distinct rows with their frequencies; it depends on ``most_rows`` alone.

    Parameters
    ----------
    features
        Number of columns of the rows, at least 1.
    most_rows
        Size of the sample. By default 256, from which a correlation is known to a sixteenth; with
        more than 64 features fewer, down to 64.
    known
        Limit of the table of known rows, which are counted without being sorted. By default 2,048;
        with more than 64 features fewer.
    place_bits
        Bits of the table's index. By default 14, so that few indices collide.
    most_waiting
        Rows that are buffered before they are sorted. By default 2,048, because sorting a few rows
        takes about as long as sorting many.
    """

    def __init__(
        self,
        features: int,
        *,
        most_rows: int = 256,
        known: int = 2**11,
        place_bits: int = 14,
        most_waiting: int = 2**11,
    ) -> None:
        self._size = min(most_rows, max(_LEAST_ROWS, _MOST_VALUES // features))
        self._most_known = max(self._size, min(known, _KNOWN_VALUES // features))
        self._places_in_all, self._shift = 2**place_bits, np.uint64(64 - place_bits)
        self._most_waiting = most_waiting
        random = np.random.default_rng(_SEED)
        self._start = random.integers(2**64, dtype=np.uint64)
        # Odd, because multiplication by an odd number modulo 2^64 loses no bit.
        self._weights = random.integers(2**64, size=(features, 1), dtype=np.uint64) | np.uint64(1)
        # Hashes, frequencies and numbers of rows: first the sample, then rows not merged yet.
        self._drawn: list[tuple[Array, Array, Array]] = [
            (
                np.empty(0, dtype=np.uint64),
                np.empty(0, dtype=np.int64),
                np.empty((0, features)),
            )
        ]
        self._waiting = 0
        # Rows with a higher hash will not be in the sample.
        self._highest = np.uint64(2**64 - 1)
        # Used while there are few distinct rows: hashes by index, and rows seen since the flush.
        self._few = True
        self._table = np.empty(0, dtype=np.uint64)
        self._again = np.empty(0, dtype=np.int64)

    def draw(self, numeric: Array, each: int = 1) -> list[tuple[Array, Array | int]]:
        """Add rows to the sample; return those that the caller has to count now.

        Rows that are already known are only counted here, and will be returned by ``flush``.

        Parameters
        ----------
        numeric
            Rows [n, F].
        each
            Number of rows that each row represents.

        Returns
        -------
        list of tuple
            Rows [m, F], and how many rows each of them represents [m], or one number for all.
        """
        if not len(numeric):
            return []
        if len(numeric) > 2 * _FIRST and not self._drawn[0][0].size:
            # Once the first rows are known, most of the others are recognised quickly.
            return self.draw(numeric[:_FIRST], each) + self.draw(numeric[_FIRST:], each)
        hashes = self._hashes(numeric)
        if len(self._table) and len(new := self._unknown(hashes, each)) < len(hashes):
            numeric, hashes = numeric[new], hashes[new]
        near = np.flatnonzero(hashes <= self._highest)
        if len(near):
            self._drawn.append((hashes[near], np.full(len(near), each), numeric[near]))
            self._waiting += len(near)
        found: list[tuple[Array, Array | int]] = [(numeric, each)]
        if self._waiting > self._most_waiting:
            found.append(self.flush())
        return found

    def flush(self) -> tuple[Array, Array]:
        """Return rows [k, F] that the caller has not counted yet, and the frequency of each [k]."""
        hashes, times, rows = self._drawn[0]
        again = np.zeros(len(hashes), dtype=np.int64)
        if len(self._table):
            places = self._places(hashes)
            # If two rows have the same index, the entry is that of the second.
            again = np.where(self._table[places] == hashes, self._again[places], 0)
            self._again[:] = 0
            self._drawn[0] = hashes, times + again, rows
        if len(self._drawn) > 1:
            self._keep()
        return rows, again

    def sample(self) -> tuple[Array, Array, Array]:
        """Return hashes [s], frequencies [s] and numbers [s, F]; call ``flush`` first."""
        return tuple(own[: self._size] for own in self._drawn[0])  # type: ignore[return-value]

    def add(self, sample: tuple[Array, Array, Array]) -> tuple[Array, Array]:
        """Add another sample; return what ``flush`` does.

        Parameters
        ----------
        sample
            Hashes, frequencies and numbers, as returned by the method ``sample``.
        """
        self._drawn.append(sample)
        return self.flush()

    def _keep(self) -> None:
        """Keep the rows with the lowest hashes; their frequencies are those since the start."""
        hashes, times, rows = map(np.concatenate, zip(*self._drawn, strict=True))
        keys, first, inverse = np.unique(hashes, return_index=True, return_inverse=True)
        # Sums of integers, which are exact in float64.
        totals = np.bincount(inverse, weights=times).astype(np.int64)
        self._few &= len(keys) <= self._most_known
        some = slice(None if self._few else self._size)
        self._drawn = [(keys[some], totals[some], rows[first[some]])]
        self._waiting = 0
        if self._few:
            # Empty entries get a hash that has another index, so that nothing matches them.
            self._table = np.zeros(self._places_in_all, dtype=np.uint64)
            self._table[0] = np.uint64(2**64 - 1)
            self._table[self._places(keys)] = keys
            self._again = np.zeros(self._places_in_all, dtype=np.int64)
            return
        self._table = self._table[:0]
        if len(keys) >= self._size:
            self._highest = keys[self._size - 1]

    def _unknown(self, hashes: Array, each: int) -> Array:
        """Count known rows, return positions of the others; if they are many, all, uncounted."""
        places = self._places(hashes)
        known = self._table[places] == hashes
        new = np.flatnonzero(~known)
        if len(new) > len(hashes) // 4:
            return np.arange(len(hashes))
        places = places[known] if len(new) else places
        self._again += each * np.bincount(places, minlength=self._places_in_all)
        return new

    def _places(self, hashes: Array) -> Array:
        return (hashes >> self._shift).view(np.int64)

    def _hashes(self, numeric: Array) -> Array:
        """Return uint64 [n]: equal for rows with the same bits, very rarely for others."""
        bits = numeric.T.view(np.uint64)
        # Numbers with few digits end in zero bits, and so would their products.
        mixed = bits >> np.uint64(32)
        mixed ^= bits
        mixed *= self._weights
        hashes: Array = np.add.reduce(mixed, axis=0, initial=self._start)
        return hashes
