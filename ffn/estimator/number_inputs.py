"""The piecewise encoding of `FFNClassifier`'s features, learnt from the rows it is trained on."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.tabular.encodings.piecewise_encoding import PiecewiseEncoding, learn_piecewise
from ffn.tabular.encodings.tree_inputs import TreeInputs
from ffn.tabular.schema import is_constant

__all__ = ["NumberInputs", "learn_numbers"]

Array = npt.NDArray[Any]

# Rows that are converted to float64 at once.
_ROWS_AT_ONCE = 8192


class NumberInputs:
    """Features to inputs, as `ffn.tabular.encodings.piecewise_encoding` describes them.

    Parameters
    ----------
    x
        Features [N, n_features], finite.
    rows
        Numbers [n] of the rows to learn from, n from 1 up.
    bins
        Number of quantile bins of a feature.
    """

    def __init__(self, x: Array, rows: Array, bins: int) -> None:
        columns = [np.asarray(column[rows], dtype=np.float64) for column in x.T]
        moments = [_mean_and_deviation(column) for column in columns]
        self._mean, self._scale = np.array(moments).reshape(-1, 2).T[:, :, np.newaxis]
        self._encoding: PiecewiseEncoding = learn_piecewise(
            columns, self._mean[:, 0], self._scale[:, 0], bins
        )

    @property
    def n_inputs(self) -> int:
        """Number of inputs of all features together."""
        return sum(self._encoding.widths())

    def inputs_of_features(self) -> list[list[int]]:
        """Return the positions of the inputs of each feature."""
        ends = np.cumsum(self._encoding.widths()).tolist()
        return [list(range(start, end)) for start, end in pairwise([0, *ends])]

    def tree_inputs(self) -> TreeInputs:
        """Return what decision trees see: each number once."""
        return TreeInputs.of(self._encoding.clip_inputs(), [])

    def transform(self, x: Array) -> Array:
        """Return inputs [n, n_inputs] of features ``x`` [n, n_features], in their data type."""
        inputs = np.empty((len(x), self.n_inputs), x.dtype)
        for start in range(0, len(x), _ROWS_AT_ONCE):
            some = slice(start, start + _ROWS_AT_ONCE)
            values = np.ascontiguousarray(x[some].T, dtype=np.float64)
            with np.errstate(over="ignore"):
                scaled = (values - self._mean) / self._scale
            self._encoding.encode(values, scaled, inputs[some].T)
        return inputs


def learn_numbers(x: Array, rows: Array, parameters: Mapping[str, Any]) -> NumberInputs | None:
    """Return the encoding of features, learnt from some rows; None if they are the inputs.

    Parameters
    ----------
    x
        Features [N, n_features], finite.
    rows
        Numbers [n] of the rows to learn from.
    parameters
        All parameters of the estimator by name.
    """
    if parameters["numbers"] != "piecewise":
        return None
    return NumberInputs(x, rows, parameters["bins"])


def _mean_and_deviation(column: Array) -> tuple[float, float]:
    """Return mean and standard deviation; of a constant column the largest number for the latter.

    Divided by that, every value gives an input of practically 0.
    """
    largest = np.finfo(np.float64).max
    size = float(np.abs(column).max())
    if is_constant(float(column.min()), float(column.max())):
        return float(column[0]), float(largest)
    # In units of the largest value, so that squares neither overflow nor vanish.
    unit = column / size
    return float(unit.mean()) * size, float(unit.std()) * size
