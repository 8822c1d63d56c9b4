"""What is counted of scored rows to compare them with training's: integers, and a small sample.

All of it is the same whatever the order of rows, and however they are divided into blocks,
parts and runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.scoring.drift_sample import RowSample
from ffn.tabular.cells import UNKNOWN
from ffn.tabular.reference import Reference

__all__ = ["DriftCounts"]

Array = npt.NDArray[Any]

# Numbers that wait to be counted together: code that has just run is quick to run again.
_AT_ONCE = 2**17


class DriftCounts:
    """Scored rows by bin and category, beside a reference.

    What a column looks like in another column's bins is asked of a sample alone.

    Attributes
    ----------
    numeric
        By numeric feature: rows by bin, int64 [B].
    missing
        By numeric feature: rows without a value, int64 [F].
    categorical
        By categorical feature: unknown, missing, then rows by category, int64 [2 + C].
    """

    def __init__(self, reference: Reference, ranges: Sequence[tuple[float, float]] = ()) -> None:
        """``ranges`` are the lowest and highest number that is no cause for remark, by feature."""
        ranges = ranges or [(-np.inf, np.inf)] * len(reference.numeric)
        # The lowest edge is below every number, and not below what is none.
        self._edges = [
            np.array([-np.inf, *own.edges, np.nextafter(low, -np.inf), high])[:, None]
            for own, (low, high) in zip(reference.numeric, ranges, strict=True)
        ]
        # Lists: to add to one number of an array takes longer than to count a column's.
        self._above = [[0] * len(edges) for edges in self._edges]
        self._rows = 0
        self.categorical = [
            np.zeros(2 + len(own.counts), dtype=np.int64) for own in reference.categorical
        ]
        self._sample = RowSample(len(self._edges)) if self._edges else None
        self._waiting: list[Array] = []

    @property
    def numeric(self) -> list[Array]:
        """Rows by bin, for each numeric feature."""
        self._settle()
        return [-np.diff(np.array([*above[:-2], 0])) for above in self._above]

    @property
    def outside(self) -> list[int]:
        """Rows with a number outside of the range, for each numeric feature."""
        self._settle()
        return [above[0] - above[-2] + above[-1] for above in self._above]

    @property
    def missing(self) -> Array:
        """Rows without a value, for each numeric feature [F]."""
        self._settle()
        return np.array([self._rows - above[0] for above in self._above], dtype=np.int64)

    def count(self, numeric: Array, codes: Array) -> None:
        """Count scored rows with their numbers [n, F] and codes [n, G], which nobody changes."""
        self._rows += len(numeric)
        for g, own in enumerate(self.categorical):
            own += np.bincount(codes[:, g] - UNKNOWN, minlength=len(own))
        if self._sample:
            self._waiting.append(np.asfortranarray(numeric))
            if sum(map(np.size, self._waiting)) >= _AT_ONCE:
                self._count_waiting(self._sample)

    def sample(self) -> tuple[Array, Array]:
        """Return numbers [s, F] of some rows, NaN for none, and how many rows each is [s]."""
        if not self._sample:
            return np.empty((0, 0)), np.empty(0, dtype=np.int64)
        self._settle()
        _, times, rows = self._sample.sample()
        return rows, times

    def state(self) -> dict[str, Any]:
        """Return everything in a form that is JSON and that ``add`` takes."""
        self._settle()
        return {
            "rows": self._rows,
            "above": [list(own) for own in self._above],
            "categorical": [own.tolist() for own in self.categorical],
            "sample": [own.tobytes().hex() for own in self._sample.sample()]
            if self._sample
            else [],
        }

    def add(self, state: dict[str, Any]) -> None:
        """Add other rows."""
        self._rows += state["rows"]
        self._above = [
            [one + other for one, other in zip(own, more, strict=True)]
            for own, more in zip(self._above, state["above"], strict=True)
        ]
        for own, more in zip(self.categorical, state["categorical"], strict=True):
            own += more
        if self._sample:
            keys, times, rows = map(bytes.fromhex, state["sample"])
            sample = (
                np.frombuffer(keys, dtype=np.uint64),
                np.frombuffer(times, dtype=np.int64),
                np.frombuffer(rows).reshape(-1, len(self._edges)),
            )
            self._count(*self._sample.add(sample))

    def _settle(self) -> None:
        if self._sample:
            self._count_waiting(self._sample)
            self._count(*self._sample.settle())

    def _count_waiting(self, sample: RowSample) -> None:
        for numeric in self._waiting:
            for rows, times in sample.draw(numeric):
                self._count(rows, times)
        self._waiting.clear()

    def _count(self, numeric: Array, times: Array | None) -> None:
        """Count rows [n, F], each so many times [n]; None for once."""
        if not len(numeric):
            return
        for f, (edges, counts) in enumerate(zip(self._edges, self._above, strict=True)):
            # Comparing all of a column with each edge takes a fraction of what a binary search
            # for each value takes.
            above = numeric[:, f] > edges
            found = map(np.count_nonzero, above) if times is None else above @ times
            for k, count in enumerate(found):
                counts[k] += int(count)
