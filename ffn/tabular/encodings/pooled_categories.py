"""Columns of many categories: inputs of the frequent ones, and class statistics of all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = [
    "SMOOTHING",
    "PooledCategories",
    "PooledColumn",
    "class_statistics",
    "frequent",
    "statistics_width",
]

Array = npt.NDArray[Any]

SMOOTHING = 20.0
"""Rows that the shares of the whole training part count for, beside the rows of a category.

With 20 rows a category is half as far from these shares as its rows are. scikit-learn's
``TargetEncoder(smooth=20)`` has the same formula.
"""


@dataclass(frozen=True, kw_only=True)
class PooledCategories:
    """Which categories have an input of their own, and the class statistics of pooled columns.

    A column is pooled if one of its categories has no input of its own.

    Attributes
    ----------
    own_inputs
        Booleans, for each category of each of the G categorical columns, one column after the
        other: whether it has an input of its own.
    statistics
        Float64 [categories of pooled columns, S]: results of `class_statistics`.

    Notes
    -----
    A pooled column has the inputs of its frequent categories, one for all other categories, also
    unknown ones, and S class statistics, which are 0 for unknown categories and missing values.
    """

    own_inputs: Array
    statistics: Array

    def problem(self, categories: Sequence[int], n_classes: int) -> str | None:
        """Return why this does not fit to the columns; None if it does.

        Types, dimensions and finiteness of the arrays are not looked at.

        Parameters
        ----------
        categories
            Number of categories of each column [G].
        n_classes
            Number of classes.
        """
        if len(self.own_inputs) != sum(categories):
            return f"there are {len(self.own_inputs)} own_inputs instead of {sum(categories)}"
        pooled = sum(len(own) for own in self._split(categories) if not own.all())
        expected = (pooled, statistics_width(n_classes))
        if self.statistics.shape != expected:
            return f"statistics are {list(self.statistics.shape)} instead of {list(expected)}"
        return None

    def columns(self, categories: Sequence[int]) -> list[PooledColumn | None]:
        """Return the pooled columns [G], with None for the others.

        Parameters
        ----------
        categories
            Number of categories of each column [G].
        """
        found: list[PooledColumn | None] = []
        first = 0
        for own in self._split(categories):
            if own.all():
                found.append(None)
                continue
            found.append(PooledColumn(own, self.statistics[first : first + len(own)]))
            first += len(own)
        return found

    def _split(self, categories: Sequence[int]) -> list[Array]:
        ends = np.cumsum(np.array(categories, dtype=np.int64))
        return np.split(self.own_inputs, ends[:-1]) if len(ends) else []


@dataclass(frozen=True)
class PooledColumn:
    """One pooled column of n categories.

    Attributes
    ----------
    own_inputs
        Booleans [n].
    statistics
        Float64 [n, S].
    """

    own_inputs: Array
    statistics: Array

    @property
    def width(self) -> int:
        """Number of inputs, without one for "missing"."""
        return self.other + 1 + int(self.statistics.shape[1])

    @property
    def other(self) -> int:
        """Position of the input of all other categories, behind those of the frequent ones."""
        return int(np.count_nonzero(self.own_inputs))

    @property
    def positions(self) -> Array:
        """Position of the input of each category [n]."""
        return np.where(self.own_inputs, np.cumsum(self.own_inputs) - 1, self.other)


def statistics_width(n_classes: int) -> int:
    """Return S, the number of class statistics: one of two classes, otherwise one a class."""
    return 1 if n_classes == 2 else n_classes


def frequent(counts: Array, most: int) -> Array:
    """Return booleans [n] of the categories that get an input of their own.

    All of them, if they are not more than ``most``, or else the ``most`` most frequent ones, of
    equally frequent ones the first.

    Parameters
    ----------
    counts
        Integers [n]: number of training rows of each category.
    most
        Largest number of inputs, from 1 up.
    """
    chosen = np.ones(len(counts), dtype=bool)
    chosen[np.argsort(-counts, kind="stable")[most:]] = False
    return chosen


def class_statistics(counts: Array, shares: Array, smoothing: float = SMOOTHING) -> Array:
    """Return the smoothed log-odds of each class in each category, relative to those of all rows.

    The share of a class among the ``n`` rows of a category, ``n_c`` of them of the class, is shrunk
    towards its share ``p_c`` among all rows, to ``(n_c + m p_c) / (n + m)`` with m = ``smoothing``
    (Micci-Barreca 2001, "A preprocessing scheme for high-cardinality categorical attributes in
    classification and prediction problems", equations 3 and 4). The statistic is the logarithm of
    its odds minus that of the odds of ``p_c``, so it is 0 if the category says nothing about the
    class.

    Parameters
    ----------
    counts
        Integers [..., categories, C]: rows of each class in each category.
    shares
        Float64 [C]: share of each class among all rows.
    smoothing
        Rows that the shares count for, above 0; `SMOOTHING` by default.

    Returns
    -------
    ndarray
        Float64 [..., categories, S]: all C classes, or the second of two, whose statistic is minus
        that of the first.
    """
    n = counts.sum(axis=-1, keepdims=True)
    shrunken = (counts + smoothing * shares) / (n + smoothing)
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = _log_odds(shrunken) - _log_odds(shares)
    # Exact for categories without rows; and a class of no row, or of all, cannot be told apart.
    found: Array = np.where((n == 0) | (shares == 0) | (shares == 1), 0.0, relative)
    return found[..., 1:] if len(shares) == 2 else found


def _log_odds(shares: Array) -> Array:
    odds: Array = np.log(shares) - np.log1p(-shares)
    return odds
