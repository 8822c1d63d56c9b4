"""The row that others are compared with: medians, and the most frequent categories.

It is no row of the table. Both are statistics of the training part that a bundle holds anyway: the
medians replace missing numbers, and the counts of categories are the reference for drift.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ffn.errors import BundleError
from ffn.tabular.cells import MISSING
from ffn.tabular.schema import Schema
from ffn.tabular.training_table.histograms import Reference

__all__ = ["ReferenceRow", "reference_row"]


@dataclass(frozen=True, eq=False)
class ReferenceRow:
    """One row of typed values.

    Attributes
    ----------
    numeric
        Numbers, float64 [F].
    codes
        Category codes, int64 [G]; ``MISSING`` where most training rows had no value.
    """

    numeric: npt.NDArray[np.float64]
    codes: npt.NDArray[np.int64]

    def to_json(self, schema: Schema) -> dict[str, float | str | None]:
        """Return the value of each column by name, None for "missing", in the order of ``schema``.

        Numbers are those that cells mean, so a column of percentages has 0.12 for 12 %.
        """
        told: dict[str, float | str | None] = dict(
            zip((own.name for own in schema.numeric), self.numeric.tolist(), strict=True)
        )
        for feature, code in zip(schema.categorical, self.codes.tolist(), strict=True):
            told[feature.name] = None if code == MISSING else feature.categories[code]
        return {feature.name: told[feature.name] for feature in schema.features}


def reference_row(
    schema: Schema, medians: npt.NDArray[np.float64], reference: Reference | None
) -> ReferenceRow:
    """Return the reference row of a model.

    Parameters
    ----------
    schema
        Schema of the training table.
    medians
        Medians of the numeric columns of the training part [F], as in ``Preparation.fill``.
    reference
        Histograms of the training part; None if the bundle has none.

    Raises
    ------
    BundleError
        There are categorical columns, and nothing says which of their categories are frequent.
    """
    if schema.categorical and reference is None:
        raise BundleError(
            "the bundle has no histograms of its training rows, so the most frequent categories, "
            "which reasons compare with, are unknown. Retrain, or score without reasons."
        )
    codes = [
        MISSING if own.missing > max(own.counts, default=0) else int(np.argmax(own.counts))
        for own in (reference.categorical if reference else ())
    ]
    return ReferenceRow(np.asarray(medians, dtype=np.float64), np.array(codes, dtype=np.int64))
