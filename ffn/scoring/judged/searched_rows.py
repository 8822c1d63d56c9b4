"""The rows among which slices are searched: all of a table, or a sample drawn while it is read."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["MOST_SEARCHED", "SearchedRows"]

Array = npt.NDArray[Any]

MOST_SEARCHED = 50_000
"""Rows among which slices are searched, as in a retraining's report."""


class SearchedRows:
    """Typed values of the rows that got the lowest random numbers, which is a simple sample.

    So memory is bounded, however long the table is, and the sample does not depend on how the
    table is divided into blocks.

    Parameters
    ----------
    most
        Number of rows to keep; by default `MOST_SEARCHED`.
    seed
        Seed of the draw; 0 by default, so that the same table gives the same figures.
    """

    def __init__(self, most: int = MOST_SEARCHED, seed: int = 0) -> None:
        self._most, self._random = most, np.random.default_rng(seed)
        self._seen = 0
        self._parts: list[tuple[Array, ...]] = []
        self._held = 0

    def add(self, numeric: Array, codes: Array) -> None:
        """Take up rows.

        Parameters
        ----------
        numeric
            Numbers [n, F], NaN for missing.
        codes
            Category codes [n, G].
        """
        n = len(numeric)
        places = np.arange(self._seen, self._seen + n)
        self._parts.append((self._random.random(n), places, numeric.copy(), codes.copy()))
        self._seen += n
        self._held += n
        # Not at every block: choosing costs as much as there is kept.
        if self._held > 2 * self._most:
            self._choose()

    def _choose(self) -> None:
        whole = tuple(np.concatenate(columns) for columns in zip(*self._parts, strict=True))
        if len(whole[0]) > self._most:
            lowest = np.sort(np.argpartition(whole[0], self._most)[: self._most])
            whole = tuple(column[lowest] for column in whole)
        self._parts, self._held = [whole], len(whole[0])

    def chosen(self) -> tuple[Array, Array, Array]:
        """Return places among all rows, ascending [m], numbers [m, F] and codes [m, G]."""
        if not self._parts:
            return np.empty(0, np.intp), np.empty((0, 0)), np.empty((0, 0), np.int64)
        self._choose()
        _, places, numeric, codes = self._parts[0]
        return places, numeric, codes
