"""Preprocessing to network inputs: imputation, encoding of numbers and categories."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.tabular.cells import UNKNOWN
from ffn.tabular.encodings.derived_columns import DerivedColumns
from ffn.tabular.encodings.piecewise_encoding import PiecewiseEncoding
from ffn.tabular.encodings.pooled_categories import PooledCategories, PooledColumn
from ffn.tabular.encodings.tree_inputs import TreeInputs
from ffn.tabular.text_encoding.text_encoding import TextEncoding

__all__ = ["Preparation"]

Array = npt.NDArray[Any]

# Names of arrays: those of all bundles, then those of bundles that need them.
_PLAIN = ("fill", "mean", "scale", "categories", "has_missing")
_INDICATORS = "numeric_missing"
_PIECEWISE = tuple(field.name for field in fields(PiecewiseEncoding))
_POOLED = tuple(field.name for field in fields(PooledCategories))
_DERIVED = tuple(field.name for field in fields(DerivedColumns))
_TEXTS = tuple(field.name for field in fields(TextEncoding))


@dataclass(frozen=True, kw_only=True)
class Preparation:
    """Preprocessing parameters, fitted to the training part.

    Attributes
    ----------
    fill, mean, scale
        Float64 [F], for each numeric feature: the median that replaces missing values, and mean
        and standard deviation (divisor n) for standardisation. With ``derived`` they are [D], for
        each derived column.
    categories
        Integers [G]: number of categories of each categorical feature.
    has_missing
        Booleans [G]: whether a categorical feature has an additional input for "missing", which
        it has if the training part had missing cells.
    numeric_missing
        Booleans [F], the same for numeric features; None (the default) if none has such an input,
        as in all bundles of earlier versions. Always of the raw columns.
    piecewise
        Encoding of the numeric features; None (the default) if their inputs are the standardised
        numbers.
    pooled
        Categories without an input of their own, and class statistics; None (the default) if every
        category has its own.
    derived
        Several numbers of one raw column, such as the parts of a date; None (the default) if each
        numeric feature is one number.
    texts
        Encoding of the columns of texts; None (the default) without such columns.

    Notes
    -----
    The inputs are those of each numeric feature, or of the numbers derived of it, then the
    "missing" indicators of numeric features, then the inputs of each categorical feature, one-hot
    or those that `PooledCategories` describes, with its "missing" indicator last, then those of
    each column of texts.
    """

    fill: Array
    mean: Array
    scale: Array
    categories: Array
    has_missing: Array
    numeric_missing: Array | None = None
    piecewise: PiecewiseEncoding | None = None
    pooled: PooledCategories | None = None
    derived: DerivedColumns | None = None
    texts: TextEncoding | None = None

    @classmethod
    def array_names(cls) -> list[str]:
        """Return the names of all arrays that `to_arrays` can return."""
        return [*_PLAIN, _INDICATORS, *_PIECEWISE, *_POOLED, *_DERIVED, *_TEXTS]

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, Array]) -> Preparation:
        """Return the preparation with the arrays of `to_arrays`; others are ignored.

        Raises
        ------
        KeyError
            An array is missing.
        """
        encoded, some_pooled, several, texts = (
            {name: arrays[name] for name in names} if not arrays.keys().isdisjoint(names) else None
            for names in (_PIECEWISE, _POOLED, _DERIVED, _TEXTS)
        )
        return cls(
            **{name: arrays[name] for name in _PLAIN},
            numeric_missing=arrays.get(_INDICATORS),
            piecewise=PiecewiseEncoding(**encoded) if encoded else None,
            pooled=PooledCategories(**some_pooled) if some_pooled else None,
            derived=DerivedColumns(**several) if several else None,
            texts=TextEncoding(**texts) if texts else None,
        )

    def to_arrays(self) -> dict[str, Array]:
        """Return all parameters by name, without those of encodings that are not used."""
        found = {name: getattr(self, name) for name in _PLAIN}
        for owner, names in (
            (self if self.numeric_missing is not None else None, (_INDICATORS,)),
            (self.piecewise, _PIECEWISE),
            (self.pooled, _POOLED),
            (self.derived, _DERIVED),
            (self.texts, _TEXTS),
        ):
            if owner is not None:
                found |= {name: getattr(owner, name) for name in names}
        return found

    @property
    def n_numeric(self) -> int:
        """Number of raw numeric columns, F."""
        return len(set(self._owners))

    @property
    def n_inputs(self) -> int:
        """Width of the network's input layer."""
        numeric = sum(self._numeric_widths) + len(self._with_indicator)
        categorical = sum(self.category_widths()) + int(self.has_missing.sum())
        return numeric + categorical + sum(self._text_widths)

    def category_widths(self) -> list[int]:
        """Return the number of inputs of each categorical feature [G], without "missing"."""
        return [
            n if column is None else column.width
            for n, column in zip(self.categories.tolist(), self._pooled_columns, strict=True)
        ]

    def inputs_of_features(self) -> list[list[int]]:
        """Return the input positions of each feature: the numeric ones, categorical ones, texts."""
        places: list[list[int]] = [[] for _ in range(self.n_numeric)]
        first = 0
        for owner, width in zip(self._owners, self._numeric_widths, strict=True):
            places[owner] += range(first, first + width)
            first += width
        for f in self._with_indicator:
            places[f].append(first)
            first += 1
        for width, has_missing in zip(
            self.category_widths(), self.has_missing.tolist(), strict=True
        ):
            places.append(list(range(first, first + width + has_missing)))
            first += width + has_missing
        for width in self._text_widths:
            places.append(list(range(first, first + width)))
            first += width
        return places

    def inputs_told_once(self) -> list[int] | None:
        """Return the input positions without the bins and quantiles of numbers; None if all.

        These rise with the number beside them, the smooth clip. A decision tree only asks for the
        order of an input's values, and would look for each threshold once more in each of them.
        """
        if self.piecewise is None:
            return None
        return [*self.piecewise.clip_inputs(), *range(sum(self._numeric_widths), self.n_inputs)]

    def tree_inputs(self) -> TreeInputs:
        """Return what decision trees see: each number once, many categories as one code."""
        statistics, once = self.inputs_of_statistics(), self.inputs_told_once()
        own = self.inputs_of_features()[self.n_numeric :]
        features = range(len(self.categories))
        one_hot = [sorted({*own[g]} - {*statistics.get(g, ())}) for g in features]
        return TreeInputs.of(range(self.n_inputs) if once is None else once, one_hot)

    def inputs_of_statistics(self) -> dict[int, list[int]]:
        """Return the inputs of class statistics by categorical feature; others have none."""
        places = self.inputs_of_features()[self.n_numeric :]
        return {
            g: places[g][column.other + 1 : column.width]
            for g, column in enumerate(self._pooled_columns)
            if column is not None
        }

    def transform(self, numeric: Array, codes: Array, dtype: npt.DTypeLike = np.float32) -> Array:
        """Return inputs [n, n_inputs].

        Parameters
        ----------
        numeric
            Float64 [n, F + T D]; NaN for missing: numbers, then the components of the texts.
        codes
            Integers [n, G]: a category code, ``MISSING`` or ``UNKNOWN``. For unknown categories of
            a feature that is not pooled, and for "missing" without its own input, all inputs of
            the feature are 0.
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
        known, components = np.split(numeric.T, [self.n_numeric])
        missing = np.isnan(known)
        if self.derived is not None:
            known = self.derived.expand(known)
        if missing.any():
            known = known.copy()
            for d, f in enumerate(self._owners):
                known[d, np.flatnonzero(missing[f])] = self.fill[d]
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
        for g, (width, has_missing, column) in enumerate(
            zip(self.category_widths(), self.has_missing, self._pooled_columns, strict=True)
        ):
            own = codes[:, g] - UNKNOWN
            # Input positions by code, beginning with UNKNOWN and MISSING.
            missing_input = first + width if has_missing else n_inputs
            if column is None:
                places = np.array([n_inputs, missing_input, *range(first, first + width)])
            else:
                other = first + column.other
                places = np.concatenate([[other, missing_input], first + column.positions])
                none = np.zeros((2, column.statistics.shape[1]))
                statistics = np.concatenate([none, column.statistics]).T
                for row, statistic in enumerate(statistics, other + 1):
                    x[row] = statistic.take(own)
            inputs[places.take(own) * n + np.arange(n)] = 1
            first += width + has_missing
        if self.texts is not None:
            self.texts.write_inputs(components, x[first:n_inputs])
        return x[:n_inputs].T

    def too_large(self, numeric: Array) -> Array:
        """Return a mask [n, F] of the numbers that become infinite float32 inputs.

        Parameters
        ----------
        numeric
            As for `transform`.
        """
        numeric = numeric[:, : self.n_numeric]
        if self.piecewise is not None:
            return np.zeros(numeric.shape, dtype=bool)
        values = numeric if self.derived is None else self.derived.expand(numeric.T).T
        with np.errstate(over="ignore"):
            beyond: Array = np.isinf(((values - self.mean) / self.scale).astype(np.float32))
        # Parts of dates are never so large: the first of a column stands for all of them.
        return beyond if self.derived is None else beyond[:, self.derived.first_of()]

    def median_of(self, f: int) -> float:
        """Return what replaces numeric feature ``f``, or the first number derived of it."""
        return float(self.fill[f if self.derived is None else self.derived.first_of()[f]])

    def moments_of(self, f: int) -> tuple[float, float]:
        """Return mean and scale of numeric feature ``f``, or of the first number derived of it."""
        d = f if self.derived is None else self.derived.first_of()[f]
        return float(self.mean[d]), float(self.scale[d])

    @property
    def _owners(self) -> list[int]:
        """The raw numeric column of each column that is encoded."""
        if self.derived is None:
            return list(range(len(self.mean)))
        return list(self.derived.derived_owners.tolist())

    @property
    def _numeric_widths(self) -> list[int]:
        return [1] * len(self.mean) if self.piecewise is None else self.piecewise.widths()

    @property
    def _text_widths(self) -> list[int]:
        return [] if self.texts is None else self.texts.widths()

    @property
    def _pooled_columns(self) -> list[PooledColumn | None]:
        categories = self.categories.tolist()
        return [None] * len(categories) if self.pooled is None else self.pooled.columns(categories)

    @property
    def _with_indicator(self) -> list[int]:
        missing = self.numeric_missing
        return [] if missing is None else list(np.flatnonzero(missing).tolist())
