"""Histograms of the training columns, the reference for drift detection."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ffn.errors import BundleError
from ffn.tabular.cells import MISSING
from ffn.tabular.schema import Schema
from ffn.tabular.seasonal.season_counts import (
    SeasonColumn,
    Seasons,
    days_of,
    units_by_month,
    weeks_of,
)

if TYPE_CHECKING:
    from ffn.tabular.training_table.dataset import Dataset

__all__ = ["Histogram", "Reference", "bin_edges", "histogram_of", "learn_reference"]

Array = npt.NDArray[Any]

_QUANTILES = 10
_FIELDS = {"numeric", "categorical", "labels", "predicted"}


@dataclass(frozen=True, kw_only=True)
class Histogram:
    """Histogram of one column over the training rows.

    Attributes
    ----------
    edges
        Bin edges [B - 1] of a numeric column, increasing. A value's bin is the number of edges
        below it, so bins include their upper edge. Empty for a categorical column.
    counts
        Number of rows by bin [B], or by category in the order of the schema.
    missing
        Number of rows without a value.
    mean, deviation
        Mean and standard deviation (divisor n) of a numeric column; zeros for a categorical one.
    """

    counts: tuple[int, ...]
    missing: int
    edges: tuple[float, ...] = ()
    mean: float = 0.0
    deviation: float = 0.0

    @property
    def rows(self) -> int:
        """Number of training rows, including those without a value."""
        return sum(self.counts) + self.missing


@dataclass(frozen=True, kw_only=True)
class Reference:
    """Histograms of the training part, and of the model's predictions on the held-out rows.

    Attributes
    ----------
    numeric, categorical
        Histograms of the features, in the order of the schema.
    labels
        Number of training rows by class.
    predicted
        Number of held-out rows by predicted class; empty until they are predicted.
    texts
        Histograms of the `text_signals` of held-out rows, which are as new to their encoding as
        rows to score are; empty without texts, and in bundles of earlier releases.
    seasons
        The same by month of the year, if rows are split by dates; otherwise None, as in bundles of
        earlier releases.
    """

    numeric: tuple[Histogram, ...]
    categorical: tuple[Histogram, ...]
    labels: tuple[int, ...]
    predicted: tuple[int, ...] = ()
    seasons: Seasons | None = None
    texts: tuple[Histogram, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the reference as JSON values; the inverse of `from_json`."""
        found = asdict(replace(self, seasons=None))
        del found["seasons"]
        if not self.texts:
            # Absent, so that bundles without texts keep their bytes.
            del found["texts"]
        return found if self.seasons is None else found | {"seasons": self.seasons.to_json()}

    @classmethod
    def from_json(cls, value: Any, schema: Schema) -> Reference:
        """Return the reference in ``value``, a result of `to_json`.

        Raises
        ------
        BundleError
            ``value`` is not a reference, or does not fit ``schema``.
        """
        try:
            found = cls(
                numeric=tuple(map(_histogram, value["numeric"])),
                categorical=tuple(map(_histogram, value["categorical"])),
                labels=_counts(value["labels"]),
                predicted=_counts(value["predicted"]),
                texts=tuple(map(_histogram, value.get("texts", ()))),
            )
            if "seasons" in value:
                sizes = [len(own.counts) for own in (*found.numeric, *found.categorical)]
                numbers = len(found.numeric)
                seasons = Seasons.from_json(
                    value["seasons"], sizes[:numbers], sizes[numbers:], len(schema.classes)
                )
                found = replace(found, seasons=seasons)
        except (KeyError, TypeError, ValueError) as error:
            raise BundleError(f"reference: not of this format ({error})") from None
        classes = len(schema.classes)
        if (
            set(value) - {"seasons", "texts"} != _FIELDS
            or any(len(own.counts) != len(own.edges) + 1 for own in (*found.numeric, *found.texts))
            or len(found.texts) % max(1, len(schema.texts))
            or bool(found.texts) > bool(schema.texts)
            or len(found.numeric) != len(schema.numeric)
            or [len(own.counts) for own in found.categorical]
            != [len(feature.categories) for feature in schema.categorical]
            or len(found.labels) != classes
            or len(found.predicted) not in (0, classes)
        ):
            raise BundleError("reference: does not fit the schema")
        return found


def bin_edges(values: Array) -> Array:
    """Return increasing edges of about ten bins with about equal counts of ``values`` [n > 0].

    All edges are values that occur. A value that is several deciles at once, as a frequent value
    of a discrete column, gets its own bin.
    """
    ordered = np.sort(values)
    places = len(ordered) * np.arange(1, _QUANTILES) // _QUANTILES
    deciles, times = np.unique(ordered[places], return_counts=True)
    below = np.searchsorted(ordered, deciles[times > 1]) - 1
    edges = np.union1d(deciles, ordered[below[below >= 0]])
    inner: Array = edges[edges < ordered[-1]]
    return inner


def learn_reference(
    dataset: Dataset, schema: Schema, rows: Array, form: str | None = None, decimal: str = "."
) -> Reference:
    """Return the histograms of the training part; by month, too, if its rows have dates.

    Parameters
    ----------
    dataset
        The table.
    schema
        Schema inferred from these rows.
    rows
        Mask [N] of the training part.
    form, decimal
        How the column of dates writes them, as for `parse_time`; by default as in ISO 8601.
    """
    numbers = dataset.numeric
    sizes = [len(feature.categories) for feature in schema.categorical]
    counts = [np.zeros(size + 1, dtype=np.int64) for size in sizes]
    for part, _, codes in dataset.pieces(schema):
        own = codes[rows[part]]
        for g, size in enumerate(sizes):
            # All categories are known from these rows, so MISSING is the only negative code.
            counts[g] += np.bincount(own[:, g] - MISSING, minlength=size + 1)
    labels = np.bincount(dataset.labels[rows], minlength=len(schema.classes))
    found = Reference(
        numeric=tuple(
            histogram_of(
                numbers[feature.name][rows],
                # Without a trend, dates are later in all rows to score: nothing to compare.
                binned=feature.date_form is None or dataset.has_trend(feature.name, rows),
            )
            for feature in schema.numeric
        ),
        categorical=tuple(
            Histogram(counts=tuple(own[1:].tolist()), missing=int(own[0])) for own in counts
        ),
        labels=tuple(labels.tolist()),
    )
    if dataset.times is None or dataset.time_kind == "number":
        return found
    return replace(found, seasons=_learn_seasons(dataset, schema, rows, found, form, decimal))


def _learn_seasons(
    dataset: Dataset,
    schema: Schema,
    rows: Array,
    reference: Reference,
    form: str | None,
    decimal: str,
) -> Seasons:
    """Return the columns of the training part by month, with the bins of ``reference``."""
    days = days_of(np.asarray(dataset.times)[rows])
    numbers, numeric, categorical = dataset.numeric, [], []
    for feature, own in zip(schema.numeric, reference.numeric, strict=True):
        values, bins = numbers[feature.name][rows], len(own.counts)
        codes = np.searchsorted(np.array(own.edges), values)
        codes[np.isnan(values)] = bins
        numeric.append(SeasonColumn.learn(codes, bins, days, values))
    for g, own in enumerate(reference.categorical):
        pieces = (codes[rows[part], g] for part, _, codes in dataset.pieces(schema))
        codes = np.concatenate(list(pieces))
        bins = len(own.counts)
        categorical.append(SeasonColumn.learn(np.where(codes == MISSING, bins, codes), bins, days))
    return Seasons(
        column=dataset.time or "",
        form=form,
        decimal=decimal,
        days=units_by_month(days, np.asarray),
        weeks=units_by_month(days, weeks_of),
        numeric=tuple(numeric),
        categorical=tuple(categorical),
    )


def histogram_of(column: Array, *, binned: bool = True) -> Histogram:
    """Return the histogram of a numeric column.

    Parameters
    ----------
    column
        Numbers [n], NaN for missing; not all may be missing.
    binned
        Whether values are told apart; otherwise all are in one bin. By default they are.
    """
    values = column[~np.isnan(column)]
    edges = bin_edges(values) if binned else np.zeros(0)
    counts = np.bincount(np.searchsorted(edges, values), minlength=len(edges) + 1)
    return Histogram(
        edges=tuple(edges.tolist()),
        counts=tuple(counts.tolist()),
        missing=len(column) - len(values),
        mean=float(values.mean()),
        deviation=float(values.std()),
    )


def _histogram(value: Mapping[str, Any]) -> Histogram:
    edges, moments = tuple(value["edges"]), (value["mean"], value["deviation"])
    numbers = (*edges, *moments)
    if not all(type(number) in (int, float) and math.isfinite(number) for number in numbers):
        raise ValueError("an edge or a moment is not a number")
    if any(low >= high for low, high in pairwise(edges)):
        raise ValueError("edges do not increase")
    if value["deviation"] < 0:
        raise ValueError("a deviation is negative")
    *counts, missing = _counts([*value["counts"], value["missing"]])
    return Histogram(
        edges=edges,
        counts=tuple(counts),
        missing=missing,
        mean=moments[0],
        deviation=moments[1],
    )


def _counts(value: Any) -> tuple[int, ...]:
    counts = tuple(value)
    if not all(type(count) is int and count >= 0 for count in counts):
        raise ValueError("a count is not a whole number from 0 up")
    # Shares are computed in float64, in which integers are exact up to here.
    if sum(counts) > 2**53:
        raise ValueError("the counts are impossibly large")
    return counts
