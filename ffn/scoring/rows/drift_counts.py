"""Histograms and a small sample of scored rows, for drift detection.

They do not depend on the order of rows, nor on how the rows are divided into blocks and parts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.scoring.rows.row_sample import RowSample
from ffn.tabular.cells import UNKNOWN
from ffn.tabular.training_table.histograms import Reference

__all__ = ["DriftCounts", "counted_stretches"]

Array = npt.NDArray[Any]

# In bytes of the file: rows in the first megabyte are all counted; of the ranges after it, every
# eighth is counted with eightfold weight.
_WHOLE, _STRETCH, _EVERY = 2**20, 2**16, 8


class DriftCounts:
    """Histograms of scored rows, with the bins and categories of a reference.

    Cross-column comparisons use only the row sample.

    Parameters
    ----------
    reference
        Histograms of the training rows.
    at_once
        Numbers that are buffered and counted together. By default 131,072, because code that has
        just run is in the cache. The counts do not depend on it.
    sampler
        Makes the row sample, given the number of numeric features; by default `RowSample`.

    Attributes
    ----------
    numeric
        For each numeric feature, and then each signal of texts, number of rows by bin, int64 [B].
    missing
        For each of them, number of rows without a value, int64 [F].
    rows, squares
        Weighted number of rows in ``numeric`` and ``missing``, an estimate for long files; and
        the sum of the squared weights, for the effective sample size.
    categorical
        For each categorical feature, number of rows that are unknown, missing, then by
        category, int64 [2 + C].
    """

    def __init__(
        self,
        reference: Reference,
        *,
        at_once: int = 2**17,
        sampler: Callable[[int], RowSample] = RowSample,
    ) -> None:
        self._at_once = at_once
        # -inf is below every number, but no comparison with NaN is true.
        self._edges = [
            np.array([-np.inf, *own.edges])[:, None]
            for own in (*reference.numeric, *reference.texts)
        ]
        # Lists, because adding to one element of an array takes longer than counting a column.
        self._above = [[0] * len(edges) for edges in self._edges]
        self.rows = self.squares = 0
        self.categorical = [
            np.zeros(2 + len(own.counts), dtype=np.int64) for own in reference.categorical
        ]
        self._sample = sampler(len(self._edges)) if self._edges else None
        self._waiting: list[tuple[Array, int]] = []

    @property
    def numeric(self) -> list[Array]:
        """Rows by bin, for each numeric feature."""
        self._flush()
        return [-np.diff(np.array([*above, 0])) for above in self._above]

    @property
    def effective(self) -> float:
        """Ratio of the effective sample size to ``rows``: 1 if every row was counted.

        Kish's effective sample size (1965, *Survey Sampling*) is the number of independent rows
        that would carry the same information.
        """
        return self.rows / self.squares if self.squares else 1.0

    @property
    def missing(self) -> Array:
        """Rows without a value, for each numeric feature [F]."""
        self._flush()
        return np.array([self.rows - above[0] for above in self._above], dtype=np.int64)

    def count(
        self, numeric: Array, codes: Array, stops: Array | None = None, began: int = 0
    ) -> None:
        """Count scored rows.

        Of a long file, numeric features are counted only in some byte ranges, with weights. The
        ranges depend only on the file.

        Parameters
        ----------
        numeric
            Numbers [n, F], then the signals of texts that the reference has; NaN for missing.
        codes
            Category codes [n, G].
        stops
            End of each row in its block, in bytes [n]; None, the default, to count every row.
        began
            Byte offset of the block in the file.
        """
        for g, own in enumerate(self.categorical):
            own += np.bincount(codes[:, g] - UNKNOWN, minlength=len(own))
        for rows, each in (
            counted_stretches(stops, began) if stops is not None else [(slice(None), 1)]
        ):
            some = numeric[rows]
            self.rows += each * len(some)
            self.squares += each * each * len(some)
            if self._sample and len(some):
                # A copy, because a view would keep the whole block's memory alive: the next block
                # would get memory outside the cache, which costs more than all of the counting.
                self._waiting.append((some.copy(order="K"), each))
        if self._sample and sum(some.size for some, _ in self._waiting) >= self._at_once:
            self._count_waiting(self._sample)

    def sample(self) -> tuple[Array, Array]:
        """Return numbers [s, F] of sampled rows, NaN for missing, and the frequency of each [s]."""
        if not self._sample:
            return np.empty((0, 0)), np.empty(0, dtype=np.int64)
        self._flush()
        _, times, rows = self._sample.sample()
        return rows, times

    def state(self) -> dict[str, Any]:
        """Return all counts as a JSON object, for ``add``."""
        self._flush()
        return {
            "rows": self.rows,
            "squares": self.squares,
            "above": [list(own) for own in self._above],
            "categorical": [own.tolist() for own in self.categorical],
            "sample": [own.tobytes().hex() for own in self._sample.sample()]
            if self._sample
            else [],
        }

    def add(self, state: dict[str, Any]) -> None:
        """Add the counts of other rows, given as their ``state``."""
        self.rows += state["rows"]
        self.squares += state["squares"]
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

    def _flush(self) -> None:
        if self._sample:
            self._count_waiting(self._sample)
            self._count(*self._sample.flush())

    def _count_waiting(self, sample: RowSample) -> None:
        for each in {each for _, each in self._waiting}:
            parts = [some for some, own in self._waiting if own == each]
            # Column-major, because they are read column by column.
            numeric = np.concatenate([part.T for part in parts], axis=1).T
            for rows, times in sample.draw(numeric, each):
                self._count(rows, times)
        self._waiting.clear()

    def _count(self, numeric: Array, times: Array | int) -> None:
        """Count rows [n, F] with the frequencies ``times`` [n], or one for all."""
        if not len(numeric):
            return
        for f, (edges, counts) in enumerate(zip(self._edges, self._above, strict=True)):
            # Comparing a column with every edge is much faster than a binary search per value.
            above = numeric[:, f] > edges
            if isinstance(times, int):
                found = [times * np.count_nonzero(own) for own in above]
            else:
                found = (above @ times).tolist()
            for k, count in enumerate(found):
                counts[k] += int(count)


def counted_stretches(stops: Array, began: int) -> Iterator[tuple[slice, int]]:
    """Yield slices of the rows that are counted, with the weight of a row.

    Parameters
    ----------
    stops
        End of each row in its block, in bytes [n].
    began
        Byte offset of the block in the file.
    """
    if not len(stops):
        return
    first, last = began + int(stops[0]), began + int(stops[-1])
    if first < _WHOLE:
        yield slice(0, int(np.searchsorted(stops, _WHOLE - began))), 1
    for number in range(max(first, _WHOLE) // _STRETCH, last // _STRETCH + 1):
        if number % _EVERY == 0:
            begin = number * _STRETCH - began
            yield slice(*np.searchsorted(stops, [begin, begin + _STRETCH]).tolist()), _EVERY
