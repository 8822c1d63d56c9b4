"""Load a trained model, and predict from Python."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.bundles.bundle import BUNDLE_FOLDER, MANIFEST, Bundle, read_bundle
from ffn.bundles.carried_model import CarriedModel
from ffn.errors import SettingsError, UnknownCategoryWarning, one_line
from ffn.registry.production_bundle import require_production
from ffn.registry.versions import number_of
from ffn.scoring.frames import read_frame
from ffn.scoring.output.score_result import ScoreResult, unknown_sentences
from ffn.scoring.rows.options import Options
from ffn.scoring.rows.scorer import Scorer
from ffn.scoring.score_file import score_csv, score_source
from ffn.storage.source import Source
from ffn.tabular.columns.class_labels import Labels, class_labels

__all__ = ["Model", "load"]


@dataclass(frozen=True)
class Model:
    """A trained model that predicts labels of raw rows. It is immutable, so threads may share it.

    Attributes
    ----------
    scorer
        The bundle, or any object with the same interface.
    """

    scorer: Scorer

    def __reduce__(self) -> tuple[Any, ...]:
        """Return what pickles the model, for engines that send it to their workers.

        That is what scoring needs, without the fingerprints of the training rows, and no path: a
        worker needs this package in the same version, but none of the pipeline's files.
        """
        scorer = self.scorer
        return Model, (CarriedModel(scorer) if isinstance(scorer, Bundle) else scorer,)

    @property
    def pipeline(self) -> str:
        """Name of the pipeline."""
        return self.scorer.pipeline

    @property
    def version(self) -> int:
        """Number in the registry; 0 for a bundle outside it."""
        return self.scorer.version

    @property
    def classes_(self) -> Labels:
        """Labels [C], in the order of the columns of `predict_proba`.

        int64 if every label of the training table is an integer as programs write them (``3``,
        ``-1``; not ``03``), else texts. Their order is that of the texts in either case.
        """
        return class_labels(self.scorer.schema.classes)

    def predict(self, rows: Any) -> Labels:
        """Return a label for each row [n], of the type of `classes_`.

        Labels are those that scoring a file writes. If the model abstains below a confidence, the
        array holds objects, with None for the rows without a label.

        Parameters
        ----------
        rows
            As for `predict_proba`; warnings and errors are the same, too.
        """
        labels: Labels = self.scorer.rule.answers(self._probabilities(rows), self.classes_)
        return labels

    def predict_sets(self, rows: Any) -> npt.NDArray[np.bool_]:
        """Return which of `classes_` are in each row's label set [n, C].

        Parameters
        ----------
        rows
            As for `predict_proba`; warnings and errors are the same, too.

        Raises
        ------
        SettingsError
            The model has no label sets.
        """
        rule = self.scorer.rule
        if rule.set_limits is None:
            raise SettingsError(
                f"{self.pipeline}, version {self.version}, has no label sets. Set label_sets in "
                "[decision], and retrain."
            )
        probabilities = self._probabilities(rows)
        return rule.label_sets(probabilities, rule.labels(probabilities))

    def predict_proba(self, rows: Any) -> npt.NDArray[np.float64]:
        """Return class probabilities [n, C].

        Parameters
        ----------
        rows
            Raw values, one column for each feature, in any order; other columns are ignored. A
            DataFrame of pandas or polars (a LazyFrame is computed), a table, batch, reader or
            data set of pyarrow, or any other table that has ``__arrow_c_stream__``. A value
            means the same as in a CSV file, whatever its type: ``True`` is the category
            ``TRUE``, and 1 is ``01``, if no other category could be meant. Null, NaN and pandas'
            NA and NaT are missing, and so are the ``missing_values`` of the pipeline's settings.

        Raises
        ------
        DataError
            A column is missing, or a cell is invalid: a table in memory is scored completely or
            not at all. Or a typed column matches no category, or a value matches several.

        Warns
        -----
        UnknownCategoryWarning
            Training saw none of the categories in a column.
        """
        return self._probabilities(rows)

    def predict_batch(
        self, rows: Any, *, probabilities: bool = False, on_unknown: str = "score"
    ) -> Any:
        """Return ``rows`` with predictions as columns, for engines that hand over batches.

        There is one row for each row given, in the same order, and added columns have the same
        types in every batch: ``predicted_<target>`` and ``confidence``, rounded to four decimals
        as in a file; with ``probabilities`` one for each class; label sets if the model has them;
        ``reject_reason`` and ``reject_column``, both null where a row was scored. What a value
        means is the same as in a file, and a row that a file's rejects would list has its code in
        ``reject_reason``, and null instead of a prediction.

        Parameters
        ----------
        rows
            Record batch or table of pyarrow, or DataFrame of pandas or polars; the result is of the
            same type. Texts with few distinct values are fastest as dictionary arrays.
        probabilities
            Whether to add a column ``probability_<class>`` for every class. Default: no, as for
            files.
        on_unknown
            ``"score"`` rows with a category that was not in training, as by default, or
            ``"reject"`` them.

        Raises
        ------
        DataError
            ``rows`` are none of these, lack a feature or already have an added column, or the type
            of a column has no values that training knew.
        SettingsError
            ``on_unknown`` is neither of the two.

        Warns
        -----
        UnknownCategoryWarning
            Training saw none of the categories in a column.
        """
        # Imported here, because NumPy's numbers do not need pyarrow, a large library.
        from ffn.scoring.labelled_batch import label_batch

        options = Options(probabilities=probabilities, on_unknown=on_unknown)
        return label_batch(self.scorer, rows, options, stacklevel=3)

    def _probabilities(self, rows: Any) -> npt.NDArray[np.float64]:
        schema, preparation = self.scorer.schema, self.scorer.preparation
        # A warning points to the caller of `predict` or `predict_proba`.
        return self.scorer.probabilities(read_frame(rows, schema, preparation, stacklevel=4))

    def score_csv(
        self, source: str | os.PathLike[str], output: str | os.PathLike[str], **options: Any
    ) -> ScoreResult:
        """Score a CSV or Parquet file; the result has counts and paths.

        Parameters
        ----------
        source
            Path of the input.
        output
            Path of the output.
        **options
            ``workers``, ``force`` and ``on_progress``, as for
            `ffn.scoring.score_file.score_csv`, and all of `ffn.scoring.rows.options.Options`.

        Warns
        -----
        UnknownCategoryWarning
            Training saw none of the categories in a column; the manifest names it.
        """
        result = score_csv(self.scorer, Path(source), Path(output), **options)
        for sentence in unknown_sentences(result.unknown_columns):
            message = f"{one_line(source)}: {sentence}"
            warnings.warn(message, UnknownCategoryWarning, stacklevel=2)
        return result

    def score_source(self, source: Source, output: Path, **options: Any) -> ScoreResult:
        """Score a file that is already open, and return counts and paths.

        Parameters
        ----------
        source
            The input, at its beginning.
        output
            Path of the output.
        **options
            As for ``score_csv``.
        """
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
        return Model(require_production(folder))
    if not (folder / MANIFEST).exists():
        folder = folder / BUNDLE_FOLDER
    return Model(read_bundle(folder, version=number_of(folder)))
