"""Several inputs for each number: piecewise-linear bins, a smooth clip and a normal quantile."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.tabular.encodings.knot_lookup import KnotLookup, find_cells

__all__ = ["MOST_KNOTS", "PiecewiseEncoding", "learn_piecewise", "smooth_clip"]

Array = npt.NDArray[Any]

MOST_KNOTS = 256
"""Largest number of quantile knots of a column: 4 kB in the bundle."""
# Limit of the smooth clip, in standard deviations: the value of Holzmueller and others.
_LIMIT = 3.0
# Of standardised numbers beyond this the clip is the limit, to all digits of float64, and the
# squares of much larger ones would overflow.
_FAR = 1e15
# Edges closer than this are one: as float32 inputs the values between them would hardly differ,
# and the slope of such a bin would carry values outside the training range to 1e6 and more.
_LEAST_WIDTH = 1e-6
# Columns with this number of different values are fully described by one input.
_FEW = 2
# Intermediate results of this number, 1 MB, stay in the processor's cache.
_VALUES_AT_ONCE = 2**17


def smooth_clip(scaled: Array) -> Array:
    """Return ``z / sqrt(1 + (z / 3)^2)``, which is near z around 0 and stays within -3 and 3.

    Holzmueller, Grinsztajn and Steinwart 2024, "Better by default", section 3.

    Parameters
    ----------
    scaled
        Standardised numbers z of any shape; infinite ones give -3 and 3.
    """
    z = np.clip(scaled, -_FAR, _FAR)
    clipped: Array = z / np.sqrt(1 + np.square(z / _LIMIT))
    return clipped


@dataclass(frozen=True, kw_only=True)
class PiecewiseEncoding:
    """Parameters of the encoding of F numeric columns; the columns follow each other in each array.

    Attributes
    ----------
    edges
        Float64: edges of the bins of each column, ascending, in units of the smooth clip.
    edge_counts
        Integers [F]: how many edges each column has, 0 or from 3 (two bins) up.
    knots
        Float64: numbers of each column at which its normal quantile is known, ascending.
    quantiles
        Float64: normal quantiles of the knots.
    knot_counts
        Integers [F]: how many knots each column has, 0 or from 2 up to `MOST_KNOTS`.

    Notes
    -----
    A column with m bins has the inputs ``t_1 ... t_m, c, q``, of which ``q`` is left out without
    knots. ``c`` is the `smooth_clip` of the standardised number. ``t_i = (c - e_{i-1}) / (e_i -
    e_{i-1})`` is clamped to 0 and 1, but not below in the first bin and not above in the last
    (Gorishniy, Rubachev and Babenko 2022, "On embeddings for numerical features", equation 1).
    ``q`` is the normal quantile of the number's rank in the training part, linear between knots.
    """

    edges: Array
    edge_counts: Array
    knots: Array
    quantiles: Array
    knot_counts: Array

    def clip_inputs(self) -> list[int]:
        """Return for each column [F] the position of the smooth clip among all inputs."""
        places: Array = np.cumsum(self.widths()) - 1 - (self.knot_counts > 0)
        return [int(place) for place in places]

    def widths(self) -> list[int]:
        """Return the number of inputs of each column [F]."""
        counts = zip(self.edge_counts.tolist(), self.knot_counts.tolist(), strict=True)
        return [max(edges - 1, 0) + 1 + (knots > 0) for edges, knots in counts]

    def encode(self, values: Array, scaled: Array, inputs: Array) -> None:
        """Write the inputs of n rows; they are finite, and do not depend on the other rows.

        Parameters
        ----------
        values, scaled
            Float64 [F, n] without NaN: the numbers, and the same standardised.
        inputs
            Floating-point array [inputs, n] to write to.
        """
        row = 0
        for value, z, (edges, knots, quantiles), lookup in zip(
            values, scaled, self._columns(), self._lookups, strict=True
        ):
            clipped = smooth_clip(z)
            if len(edges):
                last = row + len(edges) - 1
                _write_bins(clipped, edges, inputs[row:last])
                row = last
            inputs[row] = clipped
            row += 1
            if len(knots):
                inputs[row] = lookup(value) if lookup else np.interp(value, knots, quantiles)
                row += 1

    def problem(self, n_columns: int) -> str | None:
        """Return why this cannot encode ``n_columns`` columns; None if it can.

        Types, dimensions and finiteness of the arrays are not looked at.
        """
        for name, values, counts, least in (
            ("edges", self.edges, self.edge_counts, 3),
            ("knots", self.knots, self.knot_counts, 2),
        ):
            own = counts.tolist()
            if len(own) != n_columns or not all(n == 0 or n >= least for n in own):
                return f"the numbers of {name} are not those of {n_columns} columns"
            if sum(own) != len(values):
                return f"there are {len(values)} {name} instead of {sum(own)}"
        if len(self.quantiles) != len(self.knots):
            return f"there are {len(self.quantiles)} quantiles instead of {len(self.knots)}"
        with np.errstate(over="ignore"):
            for edges, knots, quantiles in self._columns():
                steps = np.diff(edges)
                # A narrower bin could carry a value outside of it beyond float32.
                if not (steps > _LEAST_WIDTH).all():
                    return "edges are not ascending"
                if (np.abs(edges) > 2 * _LIMIT).any():
                    return "edges are outside the range of the smooth clip"
                if not (np.diff(knots) > 0).all() or not np.isfinite(knots[-1:] - knots[:1]).all():
                    return "knots are not ascending"
                if not (np.diff(quantiles) >= 0).all():
                    return "quantiles are not ascending"
        return None

    @cached_property
    def _lookups(self) -> list[KnotLookup | None]:
        """For each column how its quantiles are found faster than by ``np.interp``, if they are."""
        return [
            find_cells(knots, quantiles) if len(knots) else None
            for _, knots, quantiles in self._columns()
        ]

    def _columns(self) -> Iterator[tuple[Array, Array, Array]]:
        """Yield edges, knots and quantiles of each column."""
        edge = knot = 0
        for n_edges, n_knots in zip(
            self.edge_counts.tolist(), self.knot_counts.tolist(), strict=True
        ):
            own = slice(knot, knot + n_knots)
            yield self.edges[edge : edge + n_edges], self.knots[own], self.quantiles[own]
            edge, knot = edge + n_edges, knot + n_knots


def _write_bins(clipped: Array, edges: Array, inputs: Array) -> None:
    """Write the piecewise-linear inputs [bins, n] of one column of clipped numbers [n].

    Of a number's bins, those below its own are full, those above are empty, and only its own needs
    a division. Beyond the range of training the outer bins continue as straight lines.
    """
    steps, inner = np.diff(edges), edges[1:-1, np.newaxis]
    count = np.min_scalar_type(len(steps))
    rows_at_once = max(1, _VALUES_AT_ONCE // len(steps))
    for start in range(0, len(clipped), rows_at_once):
        some = clipped[start : start + rows_at_once]
        places = np.arange(start, start + len(some))
        full = some >= inner
        inputs[:-1, places[0] : places[-1] + 1] = full
        inputs[-1, places[0] : places[-1] + 1] = 0
        own = np.add.reduce(full, axis=0, dtype=count)
        t = some - edges.take(own)
        t /= steps.take(own)
        inputs[own, places] = t


def learn_piecewise(
    columns: Iterable[Array], mean: Array, scale: Array, bins: int
) -> PiecewiseEncoding:
    """Learn the encoding from the numbers of the training part.

    Parameters
    ----------
    columns
        Known numbers of each of the F columns, float64 [n] without NaN, n from 1 up. One column is
        in memory at a time.
    mean, scale
        Float64 [F], by which numbers are standardised.
    bins
        Number of quantile bins of a column, of which those with the same edges are merged.

    Notes
    -----
    The edges are the different quantiles at 0, 1/bins, ..., 1. A column with fewer than two bins
    has no piecewise inputs; one with two different values, or with values that differ by rounding
    errors alone, has no normal quantile either.
    """
    edges, knots, quantiles = [], [], []
    for column, centre, spread in zip(columns, mean, scale, strict=True):
        # Adding 0.0 turns -0.0 into 0.0, whose place among equals depends on the order of rows.
        values = np.sort(column) + 0.0
        with np.errstate(over="ignore"):
            clipped = smooth_clip((values - centre) / spread)
        found = _edges(clipped, bins)
        distinct, counts = np.unique(values, return_counts=True)
        few = len(distinct) <= _FEW or clipped[-1] - clipped[0] < _LEAST_WIDTH
        normal = _normal_quantiles(counts)
        with np.errstate(over="ignore"):
            # There is no line between numbers whose difference overflows.
            steep = bool(np.isinf(values[-1] - values[0]))
        own = np.zeros(0, dtype=int) if few or steep else _knots(normal)
        edges.append(found if len(found) > 2 and not few else found[:0])
        knots.append(distinct[own])
        quantiles.append(normal[own])
    return PiecewiseEncoding(
        edges=np.concatenate([*edges, np.zeros(0)]),
        edge_counts=np.array([len(own) for own in edges], dtype=np.int64),
        knots=np.concatenate([*knots, np.zeros(0)]),
        quantiles=np.concatenate([*quantiles, np.zeros(0)]),
        knot_counts=np.array([len(own) for own in knots], dtype=np.int64),
    )


def _edges(clipped: Array, bins: int) -> Array:
    """Return the quantiles of ascending numbers that differ by more than rounding."""
    found: list[float] = []
    for edge in np.quantile(clipped, np.linspace(0, 1, bins + 1)).tolist():
        if not found or edge - found[-1] > _LEAST_WIDTH:
            found.append(edge)
    return np.array(found)


def _normal_quantiles(counts: Array) -> Array:
    """Return the normal quantile of the middle rank of each different value, in ascending order.

    The i-th of n values has the rank i - 1/2, as in Hazen's plotting positions (i - 1/2) / n, and
    equal values share the mean of their ranks.
    """
    from scipy.special import ndtri

    n = int(counts.sum())
    middle = np.cumsum(counts) - counts / 2
    normal: Array = ndtri(np.clip(middle / n, 0.5 / n, 1 - 0.5 / n))
    return normal


def _knots(normal: Array) -> Array:
    """Return which values become knots: all, or of many those nearest to equidistant quantiles.

    The nearest values to two neighbouring quantiles are knots, so that a value in between is off
    by less than two of these distances, whatever the distribution.
    """
    if len(normal) <= MOST_KNOTS:
        return np.arange(len(normal))
    wanted = np.linspace(normal[0], normal[-1], MOST_KNOTS)
    above = np.searchsorted(normal, wanted).clip(1, len(normal) - 1)
    nearer_below = wanted - normal[above - 1] <= normal[above] - wanted
    return np.unique(above - nearer_below)
