"""Typed columns to the network's inputs: filled, standardised, one-hot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.errors import quote
from ffn.quantities import counted
from ffn.tabular.cells import MISSING, UNKNOWN
from ffn.tabular.schema import Schema
from ffn.tabular.training_table.dataset import Dataset

__all__ = ["Preparation", "fit_preparation", "inputs_in_words"]

Array = npt.NDArray[Any]

# Where training knew one value alone, no weight was learnt for others: divided by this, an input
# is as good as 0 whatever comes.
_LARGEST = np.finfo(np.float64).max


@dataclass(frozen=True, kw_only=True)
class Preparation:
    """What was learnt from the training part, as arrays.

    Attributes
    ----------
    fill, mean, scale
        float64 [F], one entry a numeric feature: the median that fills an empty cell, and the
        mean and standard deviation (divisor n) that standardise.
    categories
        Integers [G]: categories of each categorical feature.
    has_missing
        Booleans [G]: whether it has an input of its own for "missing", as it has where the
        training part had missing cells.
    numeric_missing
        Booleans [F], the same for the numeric features; None if none has such an input, as in
        every bundle that was made before there were any.

    Notes
    -----
    The inputs are the numbers, then the "missing" of those numeric features that have one, then
    those of each categorical feature.
    """

    fill: Array
    mean: Array
    scale: Array
    categories: Array
    has_missing: Array
    numeric_missing: Array | None = None

    @property
    def n_inputs(self) -> int:
        """Width of the network's input layer."""
        numeric = len(self.mean) + len(self._with_indicator)
        return numeric + int(self.categories.sum()) + int(self.has_missing.sum())

    def inputs_of_features(self) -> list[list[int]]:
        """Return the places of each feature's inputs: numeric features first, then the others."""
        places = [[f] for f in range(len(self.mean))]
        first = len(places)
        for f in self._with_indicator:
            places[f].append(first)
            first += 1
        for width in (self.categories + self.has_missing).tolist():
            places.append(list(range(first, first + width)))
            first += width
        return places

    def transform(self, numeric: Array, codes: Array, dtype: npt.DTypeLike = np.float32) -> Array:
        """Return inputs [n, n_inputs].

        Parameters
        ----------
        numeric
            float64 [n, F]; NaN is a missing cell.
        codes
            Integers [n, G]: a category, ``MISSING`` or ``UNKNOWN``. What the training part
            never had gives zeros in all inputs of its feature.
        dtype
            Of the result; the arithmetic is float64.

        Notes
        -----
        A value too large for ``dtype`` becomes infinite; the caller checks.
        """
        # An input at a time is contiguous, and a column of a file comes so, too. What no input
        # stands for has a row of its own, which is left out.
        n, n_inputs, n_numeric = len(numeric), self.n_inputs, len(self.mean)
        x = np.zeros((n_inputs + 1, n), dtype)
        known = numeric.T
        missing = np.isnan(known)
        if missing.any():
            known = known.copy()
            for f, gaps in enumerate(missing):
                known[f, np.flatnonzero(gaps)] = self.fill[f]
        with np.errstate(over="ignore"):
            scaled = known - self.mean[:, np.newaxis]
            scaled /= self.scale[:, np.newaxis]
            x[:n_numeric] = scaled
        first, inputs = n_numeric, x.reshape(-1)
        for f in self._with_indicator:
            x[first] = missing[f]
            first += 1
        for g, (n_categories, has_missing) in enumerate(
            zip(self.categories, self.has_missing, strict=True)
        ):
            # By code, from UNKNOWN up.
            missing_input = first + n_categories if has_missing else n_inputs
            places = np.array([n_inputs, missing_input, *range(first, first + n_categories)])
            inputs[places.take(codes[:, g] - UNKNOWN) * n + np.arange(n)] = 1
            first += n_categories + has_missing
        return x[:n_inputs].T

    def too_large(self, numeric: Array) -> Array:
        """Return booleans [n, F]: numbers [n, F] that become infinite as float32."""
        with np.errstate(over="ignore"):
            beyond: Array = np.isinf(((numeric - self.mean) / self.scale).astype(np.float32))
        return beyond

    @property
    def _with_indicator(self) -> list[int]:
        if self.numeric_missing is None:
            return []
        found: list[int] = np.flatnonzero(self.numeric_missing).tolist()
        return found


def fit_preparation(dataset: Dataset, schema: Schema, rows: Array) -> Preparation:
    """Learn fill values, means and scales from the training part, a group of rows at a time.

    Parameters
    ----------
    dataset
        The table.
    schema
        Learnt from these rows of it: no numeric feature is all missing in them, and one that is
        constant has missing cells.
    rows
        Row numbers [n] of the training part, or booleans [N].
    """
    from sklearn.preprocessing import StandardScaler

    chosen = np.zeros(dataset.rows, dtype=bool)
    chosen[rows] = True
    columns = dataset.numeric
    fill = np.array([_median(columns[feature.name][chosen]) for feature in schema.numeric])
    has_missing = np.zeros(len(schema.categorical), dtype=bool)
    numeric_missing = np.zeros(len(schema.numeric), dtype=bool)
    scaler = StandardScaler()
    for part, numeric, codes in dataset.pieces(schema):
        own = chosen[part]
        has_missing |= (codes[own] == MISSING).any(axis=0)
        numeric_missing |= np.isnan(numeric[own]).any(axis=0)
        if own.any() and len(fill):
            known = np.ascontiguousarray(numeric[own])
            scaler.partial_fit(np.where(np.isnan(known), fill, known))
    # Not the scaler's own scale: it is 1 where numbers spread little beside their mean and count.
    deviation = np.sqrt(scaler.var_) if len(fill) else np.ones(0)
    scale = np.where(deviation > 0, deviation, 1.0)
    scale[[feature.constant for feature in schema.numeric]] = _LARGEST
    return Preparation(
        fill=fill,
        mean=scaler.mean_ if len(fill) else np.zeros(0),
        scale=scale,
        categories=np.array([len(f.categories) for f in schema.categorical], dtype=np.int64),
        has_missing=has_missing,
        numeric_missing=numeric_missing if numeric_missing.any() else None,
    )


def inputs_in_words(schema: Schema, preparation: Preparation) -> str:
    """Return how many inputs there are, and of what column most categories."""
    widest = max(schema.categorical, key=lambda feature: len(feature.categories), default=None)
    inputs = counted(preparation.n_inputs, "input")
    if widest is None:
        return inputs
    return f"{inputs} ({len(widest.categories):,} of column {quote(widest.name)})"


def _median(column: Array) -> float:
    return float(np.median(column[~np.isnan(column)], overwrite_input=True))
