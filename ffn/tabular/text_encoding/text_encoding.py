"""Encode short texts by their n-grams: tf-idf and a truncated singular value decomposition."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.tabular.text_encoding.ngram_counts import BUCKETS, count_ngrams
from ffn.tabular.text_encoding.normalised_text import normalise_text

__all__ = ["TextColumn", "TextEncoding", "weigh_counts"]

Array = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class TextEncoding:
    """Parameters of the encoding of T columns of texts; the columns follow each other in arrays.

    Attributes
    ----------
    text_buckets
        Integers: buckets of n-grams that are used, ascending within each column.
    text_bucket_counts
        Integers [T]: how many buckets each column has.
    text_rarity
        Float64, for each bucket: inverse document frequency, above 0.
    text_directions
        Float32 [buckets, D]: what a bucket adds to each component: singular vectors, then class
        statistics.
    text_centres, text_scales
        Float64 [T, D]: mean and standard deviation of the components over the training texts.
    text_has_missing
        Booleans [T]: whether a column has an additional input for "missing", which it has if the
        training part had missing cells.

    Notes
    -----
    A column has D inputs, the standardised components, and then one for "missing". Where a cell is
    missing, the components are those of an average text, 0.
    """

    text_buckets: Array
    text_bucket_counts: Array
    text_rarity: Array
    text_directions: Array
    text_centres: Array
    text_scales: Array
    text_has_missing: Array

    @property
    def width(self) -> int:
        """Number of components D of each column."""
        return int(self.text_directions.shape[1])

    @cached_property
    def columns(self) -> tuple[TextColumn, ...]:
        """The columns [T]."""
        ends = np.cumsum(self.text_bucket_counts).tolist()
        return tuple(
            TextColumn(
                self.text_buckets[start:end],
                self.text_rarity[start:end],
                self.text_directions[start:end],
                self.text_centres[t],
                self.text_scales[t],
            )
            for t, (start, end) in enumerate(pairwise([0, *ends]))
        )

    def __getstate__(self) -> dict[str, Any]:
        """Return what is pickled: the arrays, and nothing that is made of them."""
        return {own.name: getattr(self, own.name) for own in fields(self)}

    def widths(self) -> list[int]:
        """Return the number of inputs of each column [T], with that for "missing"."""
        return [self.width + has_missing for has_missing in self.text_has_missing.tolist()]

    def components(self, column: int, cells: Sequence[str | None]) -> Array:
        """Return the components of texts, float64 [n, D]; NaN for missing ones.

        Parameters
        ----------
        column
            Position of the column [T].
        cells
            Trimmed texts [n], None for missing.
        """
        present = [text is not None for text in cells]
        found = np.full((len(cells), self.width), np.nan)
        found[present] = self.columns[column].encode([text for text in cells if text is not None])
        return found

    def write_inputs(self, components: Array, inputs: Array) -> None:
        """Write the inputs of n rows.

        Parameters
        ----------
        components
            Results of `components` of all columns, one after the other, float64 [T D, n].
        inputs
            Floating-point array [inputs, n] to write to.
        """
        row = 0
        for t, has_missing in enumerate(self.text_has_missing.tolist()):
            own = components[t * self.width : (t + 1) * self.width]
            missing = np.isnan(own[0])
            inputs[row : row + self.width] = np.where(missing, 0.0, own)
            row += self.width
            if has_missing:
                inputs[row] = missing
                row += 1

    def problem(self, n_columns: int) -> str | None:
        """Return why this cannot encode ``n_columns`` columns; None if it can.

        Types, dimensions and finiteness of the arrays are not looked at.
        """
        if len(self.text_bucket_counts) != n_columns:
            return f"there are {len(self.text_bucket_counts)} columns of texts, not {n_columns}"
        total, width = len(self.text_buckets), self.width
        if (self.text_bucket_counts < 0).any() or self.text_bucket_counts.sum() != total:
            return f"there are {total} text_buckets, which text_bucket_counts do not add up to"
        for name, shape in (
            ("text_rarity", (total,)),
            ("text_directions", (total, width)),
            ("text_centres", (n_columns, width)),
            ("text_scales", (n_columns, width)),
            ("text_has_missing", (n_columns,)),
        ):
            found = getattr(self, name).shape
            if found != shape:
                return f"{name} is {list(found)} instead of {list(shape)}"
        if not width or (self.text_scales <= 0).any() or (self.text_rarity <= 0).any():
            return "text_scales or text_rarity are not positive, or there is no component"
        for column in self.columns:
            own = column.buckets
            if len(own) and (own[0] < 0 or own[-1] >= BUCKETS or (np.diff(own) <= 0).any()):
                return "text_buckets do not increase, or are none"
        return None


class TextColumn:
    """Encoder of one column of texts.

    Parameters
    ----------
    buckets
        Integers [m]: buckets of n-grams that are used, ascending.
    rarity
        Float64 [m]: their inverse document frequency.
    directions
        [m, D]: what a bucket adds to each component.
    centre, scale
        Float64 [D]: mean and standard deviation of the components.
    """

    def __init__(
        self, buckets: Array, rarity: Array, directions: Array, centre: Array, scale: Array
    ) -> None:
        self.buckets = buckets
        self._rarity = rarity
        # In float64, each row is what it would be alone.
        self._directions = directions.astype(np.float64)
        self._centre, self._scale = centre, scale

    def encode(self, cells: Sequence[str]) -> Array:
        """Return the standardised components of texts, float64 [n, D].

        They depend on the text alone, not on the other texts. A text without any n-gram that
        training knew has the components of an average text, 0.

        Parameters
        ----------
        cells
            Texts [n].
        """
        found = np.zeros((len(cells), len(self._centre)))
        for rows, weights in self.weights(cells):
            known = np.diff(weights.indptr) > 0
            part = (weights @ self._directions - self._centre) / self._scale
            part[~known] = 0
            found[rows] = part
        return found

    def weights(self, cells: Sequence[str]) -> Iterator[tuple[slice, Any]]:
        """Yield ranges of texts, with the weights of their n-grams.

        Parameters
        ----------
        cells
            Texts [n].

        Yields
        ------
        range
            Which of the texts, together all of them in their order.
        weights
            SciPy sparse array in CSR format, float64 [texts of the range, m]: as in `weigh_counts`.
        """
        for rows, counts in count_ngrams(list(map(normalise_text, cells))):
            yield rows, weigh_counts(counts[:, self.buckets], self._rarity)


def weigh_counts(counts: Any, rarity: Array) -> Any:
    """Return the tf-idf weights of n-grams, of Euclidean length 1 for each text that has any.

    A weight is ``(1 + ln count) rarity``: scikit-learn's ``TfidfTransformer(sublinear_tf=True)``
    (Manning, Raghavan and Schuetze 2008, "Introduction to Information Retrieval", section 6.4.1).

    Parameters
    ----------
    counts
        SciPy sparse array in CSR format [n, m], all of whose stored elements are above 0.
    rarity
        Float64 [m].

    Returns
    -------
    weights
        A sparse array of the same form.
    """
    weights = counts.copy()
    weights.data = (1 + np.log(counts.data)) * rarity[counts.indices]
    row = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    length = np.sqrt(np.bincount(row, np.square(weights.data), minlength=counts.shape[0]))
    weights.data /= length[row]
    return weights
