"""Typed columns to the network's inputs: filled, standardised, one-hot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.errors import quote
from ffn.quantities import counted
from ffn.tabular.cells import MISSING, UNKNOWN
from ffn.tabular.dataset import Dataset
from ffn.tabular.schema import Schema

__all__ = ["Preparation", "fit_preparation", "inputs_in_words"]

Array = npt.NDArray[Any]


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
    """

    fill: Array
    mean: Array
    scale: Array
    categories: Array
    has_missing: Array

    @property
    def n_inputs(self) -> int:
        """Width of the network's input layer."""
        return len(self.mean) + int(self.categories.sum()) + int(self.has_missing.sum())

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


def fit_preparation(dataset: Dataset, schema: Schema, rows: Array) -> Preparation:
    """Learn fill values, means and scales from the training part, a group of rows at a time.

    Parameters
    ----------
    dataset
        The table.
    schema
        Learnt from these rows of it: no numeric feature is constant in them, or all missing.
    rows
        Row numbers [n] of the training part, or booleans [N].
    """
    from sklearn.preprocessing import StandardScaler

    chosen = np.zeros(dataset.rows, dtype=bool)
    chosen[rows] = True
    columns = dataset.numeric
    fill = np.array([_median(columns[feature.name][chosen]) for feature in schema.numeric])
    has_missing = np.zeros(len(schema.categorical), dtype=bool)
    scaler = StandardScaler()
    for part, numeric, codes in dataset.pieces(schema):
        own = chosen[part]
        has_missing |= (codes[own] == MISSING).any(axis=0)
        if own.any() and len(fill):
            known = np.ascontiguousarray(numeric[own])
            scaler.partial_fit(np.where(np.isnan(known), fill, known))
    # Not the scaler's own scale: it is 1 where numbers spread little beside their mean and count.
    deviation = np.sqrt(scaler.var_) if len(fill) else np.ones(0)
    return Preparation(
        fill=fill,
        mean=scaler.mean_ if len(fill) else np.zeros(0),
        scale=np.where(deviation > 0, deviation, 1.0),
        categories=np.array([len(f.categories) for f in schema.categorical], dtype=np.int64),
        has_missing=has_missing,
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
