"""A trained model in memory, for Python."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ffn.errors import BundleError
from ffn.models.bundles.bundle import BUNDLE_FOLDER, MANIFEST, Bundle, read_bundle
from ffn.models.versions.registry import bundle_folder, production
from ffn.scoring.batch import score_csv, score_source
from ffn.scoring.frames import read_frame
from ffn.scoring.outcome import ScoreResult
from ffn.scoring.scorer import Scorer
from ffn.tabular.sources import Source

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Model", "load", "load_production"]


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
            missing is missing, and so is one that means it by the pipeline's settings.

        Raises
        ------
        DataError
            A column is missing, or a cell has no meaning: a table in memory is scored whole
            or not at all.
        """
        return self.scorer.probabilities(
            read_frame(rows, self.scorer.schema, self.scorer.preparation)
        )

    def score_csv(
        self, source: str | os.PathLike[str], output: str | os.PathLike[str], **options: Any
    ) -> ScoreResult:
        """Score a file; see `ffn.scoring.options.Options` for what can be asked."""
        return score_csv(self.scorer, Path(source), Path(output), **options)

    def score_source(self, source: Source, output: Path, **options: Any) -> ScoreResult:
        """Score a file that is open already; otherwise as ``score_csv``."""
        return score_source(self.scorer, source, output, **options)


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
        There is no bundle, or it is damaged, too new, or not the one that was promoted.
    """
    folder = Path(path)
    if not (folder / MANIFEST).exists() and not (folder / BUNDLE_FOLDER).exists():
        return Model(load_production(folder))
    if not (folder / MANIFEST).exists():
        folder = folder / BUNDLE_FOLDER
    # models/0003/bundle: a bundle does not know its number, its place does.
    models, number = folder.absolute().parent.parent.name, folder.absolute().parent.name
    registered = models == "models" and number.isdecimal()
    return Model(read_bundle(folder, version=int(number) if registered else 0))


def load_production(artifacts: Path) -> Bundle:
    """Read the bundle in production: the very one that was promoted. Raises what `load` does."""
    while True:
        version, promoted = production(artifacts)
        folder = bundle_folder(artifacts, version)
        try:
            bundle = read_bundle(folder, version=version)
            break
        except BundleError:
            # Promoted over and removed since the pointer was read: then there is another.
            if production(artifacts) == (version, promoted):
                raise
    if bundle.sha256 != promoted:
        raise BundleError(
            f"{folder}: not the bundle that was promoted (its SHA-256 is {bundle.sha256}, "
            f"production.json says {promoted}). Promote a version again, or retrain."
        )
    return bundle
