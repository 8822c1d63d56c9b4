"""The row that others are compared with: medians, the most frequent categories, average texts.

It is no row of the table. All are statistics of the training part that a bundle holds anyway: the
medians replace missing numbers, and the counts of categories are the reference for drift. So are
the bins of dates, of which the median one stands for all, because what replaces a missing date is a
median for each of its parts, and those need not be of one date.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ffn.errors import BundleError
from ffn.tabular.cell_forms import as_cell
from ffn.tabular.cells import MISSING
from ffn.tabular.number_format import NumberFormat
from ffn.tabular.schema import Feature, Schema
from ffn.tabular.training_table.histograms import Histogram, Reference
from ffn.tabular.training_table.preprocessing import Preparation

__all__ = ["ReferenceRow", "reference_row"]


@dataclass(frozen=True, eq=False)
class ReferenceRow:
    """One row of typed values.

    Attributes
    ----------
    numeric
        Numbers of the numeric columns, then the components of the texts, as `Preparation.transform`
        takes them: float64 [F + T D]. Those of texts are 0, which is an average text.
    codes
        Category codes, int64 [G]; ``MISSING`` where most training rows had no value.
    """

    numeric: npt.NDArray[np.float64]
    codes: npt.NDArray[np.int64]

    def to_json(self, schema: Schema) -> dict[str, float | str | None]:
        """Return the value of each column by name, None for "missing", in the order of ``schema``.

        Numbers are those that cells mean, so a column of percentages has 0.12 for 12 %; dates are
        in ISO 8601.
        """
        told: dict[str, float | str | None] = {own.name: None for own in schema.texts}
        for own, number in zip(schema.numeric, self.numeric.tolist(), strict=False):
            plain = own.form is None or isinstance(own.form, NumberFormat)
            told[own.name] = number if plain else as_cell(number, own.form)
        for feature, code in zip(schema.categorical, self.codes.tolist(), strict=True):
            told[feature.name] = None if code == MISSING else feature.categories[code]
        # Of a text the reference is an average one, which no cell holds.
        return {feature.name: told.get(feature.name) for feature in schema.features}


def reference_row(
    schema: Schema, preparation: Preparation, reference: Reference | None
) -> ReferenceRow:
    """Return the reference row of a model.

    Parameters
    ----------
    schema
        Schema of the training table.
    preparation
        Preprocessing of the training part, with the medians of numbers.
    reference
        Histograms of the training part; None if the bundle has none.

    Raises
    ------
    BundleError
        There are columns of categories or dates, and nothing says which of them are frequent.
    """
    if reference is None and (schema.categorical or any(map(_is_date, schema.numeric))):
        raise BundleError(
            "the bundle has no histograms of its training rows, so the most frequent categories, "
            "which reasons compare with, are unknown. Retrain, or score without reasons."
        )
    codes = [
        MISSING if own.missing > max(own.counts, default=0) else int(np.argmax(own.counts))
        for own in (reference.categorical if reference else ())
    ]
    numbers = [
        _median_date(reference.numeric[f])
        if reference and _is_date(feature)
        else preparation.median_of(f)
        for f, feature in enumerate(schema.numeric)
    ]
    return ReferenceRow(
        np.array(numbers + [0.0] * schema.components, dtype=np.float64),
        np.array(codes, dtype=np.int64),
    )


def _is_date(feature: Feature) -> bool:
    return feature.date_form is not None


def _median_date(found: Histogram) -> float:
    """Return the upper edge of the bin with the median, in seconds since 1970, in whole seconds."""
    if not found.edges:
        return round(found.mean)
    below = np.cumsum(found.counts[: len(found.edges)])
    place = int(np.searchsorted(below, sum(found.counts) / 2))
    return round(found.edges[min(place, len(found.edges) - 1)])
