"""Recognise rows that a version was trained on, by their content."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.bundles.bundle import Bundle
from ffn.errors import FFNError
from ffn.promotion.champion import read_version
from ffn.settings.pipeline import Pipeline
from ffn.tabular.cell_forms import CellForm
from ffn.tabular.cells import numbers
from ffn.tabular.columns.formatted_column import formatted_numbers
from ffn.tabular.schema import Schema
from ffn.tabular.training_table.fingerprints import content_fingerprints, recognise

__all__ = ["TrainedRows", "rows_of_bundle", "trained_rows"]

Array = npt.NDArray[Any]

# As in the split: from more repeats on average, equal content does not mean the same row.
_MOST_REPEATS = 3


@dataclass(frozen=True, kw_only=True)
class TrainedRows:
    """The rows that one version was trained on, as fingerprints.

    Attributes
    ----------
    schema
        The version's schema.
    columns
        Kind by name of the columns that the fingerprints are made of.
    formats
        How a numeric column writes its values, for those that are not plain.
    fingerprints
        Fingerprints of the training rows, uint64 [N].
    """

    schema: Schema
    columns: Mapping[str, str]
    formats: Mapping[str, CellForm]
    fingerprints: Array

    @cached_property
    def telling(self) -> bool:
        """Whether equal content means the same row: False for a table of few patterns."""
        contents = len(np.unique(self.fingerprints))
        return 0 < len(self.fingerprints) <= _MOST_REPEATS * contents

    def are_in(self, names: Sequence[str]) -> bool:
        """Return whether a table with the columns ``names`` has all that is needed, once each."""
        return all(list(names).count(column) == 1 for column in self.columns)

    def known(self, texts: Mapping[str, Sequence[str]], n: int, decimal: str) -> Array:
        """Return a mask [n] of the rows whose content the version was trained on.

        Parameters
        ----------
        texts
            Trimmed cell texts [n] by column.
        n
            Number of rows.
        decimal
            Decimal mark of plain numbers in ``texts``.
        """
        missing = self.schema.missing_values
        numeric, categorical = {}, {}
        for name, kind in self.columns.items():
            if kind == "categorical":
                categorical[name] = texts[name]
            elif name in self.formats:
                numeric[name], _ = formatted_numbers(texts[name], self.formats[name], missing)
            else:
                numeric[name], _ = numbers(texts[name], missing, decimal)
        return recognise(content_fingerprints(numeric, categorical, missing, n), self.fingerprints)


def trained_rows(pipeline: Pipeline, version: int, bundle_sha256: str = "") -> TrainedRows | None:
    """Return what a version was trained on; None if it does not exist or cannot be read.

    Parameters
    ----------
    pipeline
        The pipeline.
    version
        Number in the registry.
    bundle_sha256
        SHA-256 that its bundle must have; empty, the default, for any.
    """
    try:
        found = read_version(pipeline.artifacts, version)
    except (FFNError, OSError):
        return None
    if bundle_sha256 and found.bundle.sha256 != bundle_sha256:
        return None
    return rows_of_bundle(found.bundle, found.columns)


def rows_of_bundle(bundle: Bundle, columns: Mapping[str, str] | None = None) -> TrainedRows:
    """Return what a model was trained on.

    Parameters
    ----------
    bundle
        The model.
    columns
        Kind by name of the columns that its fingerprints are made of, as registered with its
        version; None, the default, if that is not known. Then they are taken to be its features,
        which is wrong if the training table had a column with one value alone.
    """
    schema = bundle.schema
    formats = {
        feature.name: feature.form for feature in schema.features if feature.form is not None
    }
    return TrainedRows(
        schema=schema,
        columns=columns or {feature.name: feature.fingerprint_kind for feature in schema.features},
        formats=formats,
        fingerprints=bundle.fingerprints,
    )
