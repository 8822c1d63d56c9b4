"""Preprocessing to network inputs: imputation, standardisation, one-hot encoding."""

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

# Scale of features with a single value in training: no weight was learned for other values, and
# divided by this, every input is practically 0.
_LARGEST = np.finfo(np.float64).max


@dataclass(frozen=True, kw_only=True)
class Preparation:
    """Preprocessing parameters, fitted to the training part.

    Attributes
    ----------
    fill, mean, scale
        Float64 [F], for each numeric feature: the median that replaces missing values, and mean
        and standard deviation (divisor n) for standardisation.
    categories
        Integers [G]: number of categories of each categorical feature.
    has_missing
        Booleans [G]: whether a categorical feature has an additional input for "missing", which
        it has if the training part had missing cells.
    numeric_missing
        Booleans [F], the same for numeric features; None (the default) if none has such an input,
        as in all bundles of earlier versions.

    Notes
    -----
    The inputs are the numeric features, then the "missing" indicators of numeric features, then
    the one-hot inputs of each categorical feature with its "missing" indicator last.
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
        """Return the input positions of each feature, numeric features first."""
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
            Float64 [n, F]; NaN for missing.
        codes
            Integers [n, G]: a category code, ``MISSING`` or ``UNKNOWN``. For unknown categories,
            and for "missing" without its own input, all inputs of the feature are 0.
        dtype
            Data type of the result; the default is that of training. The arithmetic is float64.

        Notes
        -----
        A value too large for ``dtype`` becomes infinite; the caller has to check.
        """
        # Computed transposed, as columns are contiguous in files. Codes without an input go to
        # an extra row, which is dropped.
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
            # Input positions by code, beginning with UNKNOWN.
            missing_input = first + n_categories if has_missing else n_inputs
            places = np.array([n_inputs, missing_input, *range(first, first + n_categories)])
            inputs[places.take(codes[:, g] - UNKNOWN) * n + np.arange(n)] = 1
            first += n_categories + has_missing
        return x[:n_inputs].T

    def too_large(self, numeric: Array) -> Array:
        """Return a mask of the numbers ``numeric`` [n, F] that become infinite float32 inputs."""
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
    """Fit the preprocessing to the training part, one row group at a time.

    Parameters
    ----------
    dataset
        The table.
    schema
        Schema inferred from these rows: no numeric feature is missing in all of them, and one
        that is constant has missing cells.
    rows
        Row numbers [n], or a mask [N], of the training part.
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
    # The scaler's own scale is 1 if the spread is small relative to the mean, so it is not used.
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
    """Return the number of inputs of a ``preparation``, for a message.

    It names the column of ``schema`` with the most categories, if there is one.
    """
    widest = max(schema.categorical, key=lambda feature: len(feature.categories), default=None)
    inputs = counted(preparation.n_inputs, "input")
    if widest is None:
        return inputs
    return f"{inputs} ({len(widest.categories):,} of column {quote(widest.name)})"


def _median(column: Array) -> float:
    return float(np.median(column[~np.isnan(column)], overwrite_input=True))
