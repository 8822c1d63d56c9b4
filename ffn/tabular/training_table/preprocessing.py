"""Preprocessing to network inputs: imputation, encoding of numbers, one-hot encoding."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.errors import quote
from ffn.quantities import counted
from ffn.tabular.cells import MISSING, UNKNOWN
from ffn.tabular.encodings.piecewise_encoding import PiecewiseEncoding, learn_piecewise
from ffn.tabular.schema import Schema
from ffn.tabular.training_table.dataset import Dataset

__all__ = ["Preparation", "fit_preparation", "inputs_in_words"]

Array = npt.NDArray[Any]

# Scale of features with a single value in training: no weight was learned for other values, and
# divided by this, every input is practically 0.
_LARGEST = np.finfo(np.float64).max
# Absent from bundles in which no numeric feature has an input for "missing".
_INDICATORS = "numeric_missing"


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
    piecewise
        Encoding of the numeric features; None (the default) if their inputs are the standardised
        numbers.

    Notes
    -----
    The inputs are those of each numeric feature, then the "missing" indicators of numeric
    features, then the one-hot inputs of each categorical feature with its "missing" indicator last.
    """

    fill: Array
    mean: Array
    scale: Array
    categories: Array
    has_missing: Array
    numeric_missing: Array | None = None
    piecewise: PiecewiseEncoding | None = None

    @classmethod
    def array_names(cls) -> list[str]:
        """Return the names of all arrays that `to_arrays` can return."""
        return [*_own_arrays(), *_arrays_of_piecewise()]

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, Array]) -> Preparation:
        """Return the preparation with the arrays of `to_arrays`; others are ignored.

        Raises
        ------
        KeyError
            An array is missing.
        """
        numbers = _arrays_of_piecewise()
        encoded = any(name in arrays for name in numbers)
        return cls(
            **{name: arrays[name] for name in _own_arrays() if name != _INDICATORS},
            numeric_missing=arrays.get(_INDICATORS),
            piecewise=PiecewiseEncoding(**{n: arrays[n] for n in numbers}) if encoded else None,
        )

    def to_arrays(self) -> dict[str, Array]:
        """Return all parameters by name, without those of encodings that are not used."""
        found = {name: getattr(self, name) for name in _own_arrays()}
        if self.piecewise is not None:
            found |= {name: getattr(self.piecewise, name) for name in _arrays_of_piecewise()}
        return {name: array for name, array in found.items() if array is not None}

    @property
    def n_inputs(self) -> int:
        """Width of the network's input layer."""
        numeric = sum(self._numeric_widths) + len(self._with_indicator)
        return numeric + int(self.categories.sum()) + int(self.has_missing.sum())

    def inputs_of_features(self) -> list[list[int]]:
        """Return the input positions of each feature, numeric features first."""
        places, first = [], 0
        for width in self._numeric_widths:
            places.append(list(range(first, first + width)))
            first += width
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
        A value too large for ``dtype`` becomes infinite, except in the piecewise encoding; the
        caller has to check.
        """
        # Computed transposed, as columns are contiguous in files. Codes without an input go to
        # an extra row, which is dropped.
        n, n_inputs, first = len(numeric), self.n_inputs, sum(self._numeric_widths)
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
            if self.piecewise is None:
                x[:first] = scaled
            else:
                self.piecewise.encode(known, scaled, x[:first])
        inputs = x.reshape(-1)
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
        if self.piecewise is not None:
            return np.zeros(numeric.shape, dtype=bool)
        with np.errstate(over="ignore"):
            beyond: Array = np.isinf(((numeric - self.mean) / self.scale).astype(np.float32))
        return beyond

    @property
    def _numeric_widths(self) -> list[int]:
        return [1] * len(self.mean) if self.piecewise is None else self.piecewise.widths()

    @property
    def _with_indicator(self) -> list[int]:
        if self.numeric_missing is None:
            return []
        found: list[int] = np.flatnonzero(self.numeric_missing).tolist()
        return found


def fit_preparation(
    dataset: Dataset, schema: Schema, rows: Array, *, bins: int | None = None
) -> Preparation:
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
    bins
        Bins of a column in the piecewise encoding; None, the default, for standardised numbers.
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
    mean = scaler.mean_ if len(fill) else np.zeros(0)

    def known_numbers() -> Iterator[Array]:
        for feature in schema.numeric:
            column = columns[feature.name][chosen]
            yield column[~np.isnan(column)]

    return Preparation(
        fill=fill,
        mean=mean,
        scale=scale,
        categories=np.array([len(f.categories) for f in schema.categorical], dtype=np.int64),
        has_missing=has_missing,
        numeric_missing=numeric_missing if numeric_missing.any() else None,
        piecewise=None if bins is None else learn_piecewise(known_numbers(), mean, scale, bins),
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


def _own_arrays() -> list[str]:
    return [field.name for field in fields(Preparation) if field.name != "piecewise"]


def _arrays_of_piecewise() -> list[str]:
    return [field.name for field in fields(PiecewiseEncoding)]


def _median(column: Array) -> float:
    return float(np.median(column[~np.isnan(column)], overwrite_input=True))
