"""A trained model in memory, for Python."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ffn.errors import DataError, did_you_mean, quote
from ffn.models.bundle import read_bundle
from ffn.models.registry import production_version, version_folder
from ffn.scoring.batch import ScoreResult, score_csv
from ffn.scoring.scorer import Scorer
from ffn.tabular.cells import MISSING, category_codes, numbers
from ffn.tabular.rejects import DETAILS, Reason
from ffn.tabular.schema import Feature

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Model", "load"]


@dataclass(frozen=True)
class Model:
    """Predicts labels of raw rows. Nothing in it changes, so threads may share it.

    Attributes
    ----------
    scorer
        The bundle.
    """

    scorer: Scorer

    @property
    def pipeline(self) -> str:
        """Name of the pipeline."""
        return self.scorer.pipeline

    @property
    def version(self) -> int:
        """Number in the registry; 0 for a bundle outside it."""
        return self.scorer.version

    @property
    def classes_(self) -> npt.NDArray[np.str_]:
        """Labels [C], in the order of the columns of `predict_proba`."""
        return np.array(self.scorer.schema.classes, dtype=np.str_)

    def predict(self, rows: pd.DataFrame) -> npt.NDArray[np.str_]:
        """Return a label for each row [n]. Takes and raises what `predict_proba` does."""
        labels: npt.NDArray[np.str_] = self.classes_[self.predict_proba(rows).argmax(axis=1)]
        return labels

    def predict_proba(self, rows: pd.DataFrame) -> npt.NDArray[np.float64]:
        """Return class probabilities [n, C].

        Parameters
        ----------
        rows
            Raw values, one column a feature, in any order; other columns are ignored.
            Numbers may be numbers or text, categories text. A value that pandas calls
            missing is missing.

        Raises
        ------
        DataError
            A column is missing, or a cell has no meaning: a table in memory is scored whole
            or not at all.
        """
        schema = self.scorer.schema
        numeric = np.empty((len(rows), len(schema.numeric)))
        for f, feature in enumerate(schema.numeric):
            numeric[:, f] = _numbers(_column(rows, feature), feature, schema.missing_values)
        codes = np.empty((len(rows), len(schema.categorical)), dtype=np.int64)
        for g, feature in enumerate(schema.categorical):
            cells = _texts(_column(rows, feature))
            codes[:, g] = category_codes(cells, feature.categories, schema.missing_values)
            if not feature.missing:
                _refuse(codes[:, g] == MISSING, feature, Reason.MISSING_VALUE)
        x = self.scorer.preparation.transform(numeric, codes)
        finite = np.isfinite(x).all(axis=1)
        if not finite.all():
            raise DataError(f"row {finite.argmin() + 1}: {DETAILS[Reason.NOT_FINITE]}.")
        return self.scorer.probabilities(x)

    def score_csv(
        self, source: str | os.PathLike[str], output: str | os.PathLike[str], **options: Any
    ) -> ScoreResult:
        """Score a file; see `ffn.scoring.batch.score_csv` for the options."""
        return score_csv(self.scorer, Path(source), Path(output), **options)


def load(path: str | os.PathLike[str]) -> Model:
    """Load a model.

    Parameters
    ----------
    path
        A pipeline's artifacts (``artifacts/iris``: the version in production), the folder
        of one version, or a bundle.

    Raises
    ------
    RegistryError
        The pipeline has no version in production.
    BundleError
        There is no bundle, or it is damaged or too new.
    """
    folder = Path(path)
    if (folder / "models").is_dir() or (folder / "production.json").exists():
        folder = version_folder(folder, production_version(folder))
    if (folder / "bundle").is_dir():
        folder = folder / "bundle"
    # models/0003/bundle: a bundle does not know its number, its place does.
    models, number = folder.absolute().parent.parent.name, folder.absolute().parent.name
    registered = models == "models" and number.isdecimal()
    return Model(read_bundle(folder, version=int(number) if registered else 0))


def _column(rows: pd.DataFrame, feature: Feature) -> pd.Series[Any]:
    if feature.name not in rows.columns:
        hint = did_you_mean(feature.name, map(str, rows.columns))
        raise DataError(f"the rows have no column {quote(feature.name)}.{hint}")
    return rows[feature.name]


def _numbers(
    column: pd.Series[Any], feature: Feature, missing_values: Collection[str]
) -> npt.NDArray[np.float64]:
    if column.dtype.kind in "iuf":
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
        bad = np.isinf(values)
    else:
        values, wrong = numbers(_texts(column), missing_values)
        bad = np.zeros(len(values), dtype=bool)
        bad[wrong] = True
    _refuse(bad, feature, Reason.NOT_A_NUMBER)
    if not feature.missing:
        _refuse(np.isnan(values), feature, Reason.MISSING_VALUE)
    return values


def _texts(column: pd.Series[Any]) -> list[str]:
    """Texts as a CSV file would have them; a whole number in a float column has no point."""
    missing = column.isna().tolist()
    cells = column.tolist()
    if column.dtype.kind == "f":
        cells = [
            int(x) if not gone and x.is_integer() else x
            for x, gone in zip(cells, missing, strict=True)
        ]
    return ["" if gone else str(cell) for cell, gone in zip(cells, missing, strict=True)]


def _refuse(bad: npt.NDArray[np.bool_], feature: Feature, reason: Reason) -> None:
    if bad.any():
        raise DataError(f"row {bad.argmax() + 1}, column {quote(feature.name)}: {DETAILS[reason]}.")
