"""What is counted of scored rows to compare them with training's: integers, and a small sample.

All of it is the same whatever the order of rows, and however they are divided into blocks,
parts and runs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.tabular.cells import UNKNOWN
from ffn.tabular.reference import Reference

__all__ = ["DriftCounts"]

Array = npt.NDArray[Any]

_MOST_ROWS, _LEAST_ROWS, _MOST_VALUES = 256, 64, 2**14
_MOST_WAITING = 2**11
# 2^64 divided by the golden ratio. Its multiples spread evenly; it is odd, so none is lost.
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


class DriftCounts:
    """Scored rows by bin and category, beside a reference.

    The sample holds the numbers of the rows whose hash is lowest, and how often each content
    occurs: what a column looks like in another column's bins is asked of it alone.

    Attributes
    ----------
    numeric
        By numeric feature: rows by bin, int64 [B].
    missing
        By numeric feature: rows without a value, int64 [F].
    categorical
        By categorical feature: unknown, missing, then rows by category, int64 [2 + C].
    """

    def __init__(self, reference: Reference) -> None:
        self._edges = [own.edges for own in reference.numeric]
        # Lists: to add to one number of an array takes longer than to count a column's.
        self._above = [[0] * len(edges) for edges in self._edges]
        self._gaps = np.zeros(len(self._edges), dtype=np.int64)
        self._rows = 0
        self.categorical = [
            np.zeros(2 + len(own.counts), dtype=np.int64) for own in reference.categorical
        ]
        features = max(1, len(self._edges))
        self._sampled = min(_MOST_ROWS, max(_LEAST_ROWS, _MOST_VALUES // features))
        # Hashes, rows of this content, its numbers: what is kept first, then what waits for it.
        self._drawn: list[tuple[Array, Array, Array]] = [
            (
                np.empty(0, dtype=np.uint64),
                np.empty(0, dtype=np.int64),
                np.empty((0, len(self._edges))),
            )
        ]
        self._waiting = 0
        # No hash above it will stay.
        self._highest = np.uint64(2**64 - 1)

    @property
    def numeric(self) -> list[Array]:
        """Rows by bin, for each numeric feature."""
        return [
            -np.diff(np.concatenate(([self._rows - gaps], above, [0])))
            for gaps, above in zip(self._gaps, self._above, strict=True)
        ]

    @property
    def missing(self) -> Array:
        """Rows without a value, for each numeric feature [F]."""
        return self._gaps.copy()

    def count(self, numeric: Array, codes: Array) -> None:
        """Count scored rows with their numbers [n, F] and codes [n, G]."""
        self._rows += len(numeric)
        columns = np.ascontiguousarray(numeric.T)
        above = np.empty(len(numeric), dtype=bool)
        missing = 0
        for f, edges in enumerate(self._edges):
            values = columns[f]
            # One comparison an edge runs over a column in a fraction of what a binary search
            # for each value takes.
            counts = self._above[f]
            for k, edge in enumerate(edges):
                counts[k] += int(np.count_nonzero(np.greater(values, edge, above)))
            gaps = int(np.count_nonzero(np.isnan(values, out=above)))
            self._gaps[f] += gaps
            missing += gaps
        for g, own in enumerate(self.categorical):
            own += np.bincount(codes[:, g] - UNKNOWN, minlength=len(own))
        if self._edges and len(numeric):
            self._draw(_of_one_pattern(columns) if missing else columns)

    def sample(self) -> tuple[Array, Array]:
        """Return numbers [s, F] of some rows, NaN for none, and how many rows each is [s]."""
        self._settle()
        _, times, rows = self._drawn[0]
        return rows, times

    def state(self) -> dict[str, Any]:
        """Return everything in a form that is JSON and that ``add`` takes."""
        self._settle()
        return {
            "rows": self._rows,
            "above": [list(own) for own in self._above],
            "gaps": self._gaps.tolist(),
            "categorical": [own.tolist() for own in self.categorical],
            "sample": [array.tobytes().hex() for array in self._drawn[0]],
        }

    def add(self, state: dict[str, Any]) -> None:
        """Add other rows."""
        self._rows += state["rows"]
        self._above = [
            [one + other for one, other in zip(own, more, strict=True)]
            for own, more in zip(self._above, state["above"], strict=True)
        ]
        self._gaps += state["gaps"]
        for own, more in zip(self.categorical, state["categorical"], strict=True):
            own += more
        keys, times, rows = map(bytes.fromhex, state["sample"])
        self._drawn.append(
            (
                np.frombuffer(keys, dtype=np.uint64),
                np.frombuffer(times, dtype=np.int64),
                np.frombuffer(rows).reshape(-1, len(self._edges))
                if rows
                else self._drawn[0][2][:0],
            )
        )
        self._settle()

    def _draw(self, columns: Array) -> None:
        hashes = self._hashes(columns)
        near = np.flatnonzero(hashes <= self._highest)
        if len(near):
            rows = columns[:, near].T
            self._drawn.append((hashes[near], np.ones(len(near), dtype=np.int64), rows))
            self._waiting += len(near)
        # To sort a few rows takes about as long as to sort many.
        if self._waiting > _MOST_WAITING:
            self._settle()

    def _settle(self) -> None:
        """Keep the lowest hashes. What stays has been counted from the first row on."""
        if len(self._drawn) == 1:
            return
        hashes, times, rows = map(np.concatenate, zip(*self._drawn, strict=True))
        keys, first, places = np.unique(hashes, return_index=True, return_inverse=True)
        # Sums of whole numbers, exact in float64.
        totals = np.bincount(places, weights=times).astype(np.int64)
        some = slice(self._sampled)
        self._drawn = [(keys[some], totals[some], rows[first[some]])]
        self._waiting = 0
        if len(keys) >= self._sampled:
            self._highest = keys[self._sampled - 1]

    def _hashes(self, columns: Array) -> Array:
        """Return uint64 [n], equal for rows of equal numbers [F, n]."""
        mixed = np.zeros(columns.shape[1], dtype=np.uint64)
        for values in columns:
            mixed += values.view(np.uint64)
            mixed *= _GOLDEN
        mixed ^= mixed >> np.uint64(32)
        mixed *= _GOLDEN
        return mixed


def _of_one_pattern(columns: Array) -> Array:
    """Return the numbers with one pattern of the many that mean NaN: hashes are of bits."""
    columns = columns.copy()
    for values in columns:
        values[np.flatnonzero(np.isnan(values))] = np.nan
    return columns
