"""Load a trained model, and predict from Python."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ffn.attribution.explanation import Explanation, explain_inputs
from ffn.attribution.shapley_rows import Explainer
from ffn.bundles.bundle import BUNDLE_FOLDER, MANIFEST, Bundle, read_bundle
from ffn.bundles.carried_model import CarriedModel
from ffn.errors import SettingsError, UnknownCategoryWarning, one_line, quote
from ffn.object_stores.object_address import as_path, is_object_address, parse_object_address
from ffn.quantities import counted
from ffn.registry.production import POINTER
from ffn.registry.production_bundle import require_production
from ffn.registry.versions import number_of
from ffn.scoring.output.score_result import ScoreResult, unknown_sentences
from ffn.scoring.rows.options import Options
from ffn.scoring.rows.scorer import Scorer
from ffn.scoring.score_file import score_csv, score_source
from ffn.storage.source import Source
from ffn.tabular.columns.class_labels import Labels, class_labels
from ffn.tabular.memory.frames import read_frame

if TYPE_CHECKING:
    from ffn.scoring.judged.table_figures import TableEvaluation

__all__ = ["Model", "load"]

_CLASSES_SHOWN = 5


@dataclass(frozen=True, repr=False)
class Model:
    """A trained model that predicts labels of raw rows. It is immutable, so threads may share it.

    Attributes
    ----------
    scorer
        The bundle, or any object with the same interface.
    artifacts
        Folder of the pipeline's results in which the version is registered; None, the default,
        for a model outside a registry.
    """

    scorer: Scorer
    artifacts: Path | None = None

    def __repr__(self) -> str:
        schema = self.scorer.schema
        features = counted(len(schema.features), "feature")
        shown = ", ".join(quote(label, 30) for label in schema.classes[:_CLASSES_SHOWN])
        others = len(schema.classes) - _CLASSES_SHOWN
        shown += f", and {others:,} more" if others > 0 else ""
        return (
            f"<Model of {self.pipeline}, version {self.version}: {features}, "
            f"{counted(len(schema.classes), 'class', 'classes')} ({shown})>"
        )

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

    def explain(self, rows: Any) -> Explanation:
        """Return which columns moved each row's answer, and by how much.

        The values are Shapley values of the probability of the row's label, against a reference
        row of medians and most frequent categories: `ffn.attribution.shapley_rows`. They are exact
        for a row of which at most ten columns differ from the reference row, and else estimated,
        with a standard error.

        Parameters
        ----------
        rows
            As for `predict_proba`; warnings and errors are the same, too. A row takes many times
            as long as there.

        Raises
        ------
        BundleError
            The bundle lacks the histograms in which the most frequent categories are.
        """
        scorer = self.scorer
        x = read_frame(rows, scorer.schema, scorer.preparation, stacklevel=3)
        return explain_inputs(
            Explainer(scorer), scorer.schema, scorer.rule, x, scorer.probabilities(x)
        )

    def evaluate(
        self,
        table: Any,
        *,
        target: str | None = None,
        weight: str | None = None,
        group: str | None = None,
        **options: Any,
    ) -> TableEvaluation:
        """Evaluate the model on a labelled table, and return its figures with intervals.

        Rows that the model was trained on are recognised by their content and left out, and so
        are rows that scoring would reject and rows without a label that the model knows; the
        result counts them by reason. Rows count by their weights and belong to groups as in
        training, and slices that are served worse than all other rows are named. Nothing is
        recorded: ``ffn.evaluate`` joins labels to predictions and keeps them.

        Parameters
        ----------
        table
            The path of a CSV or Parquet file, or a table in memory as for `predict_proba`, with
            all features and the label column.
        target
            Name of the label column; None, the default, for that of the training table.
        weight, group
            Names of the columns of row weights and of groups, which the table must have; None,
            the default, for ``data.weight`` and ``split.group`` of the version's settings. If the
            table lacks such a column, a notice says what follows.
        **options
            For a CSV file ``delimiter``, ``decimal`` and ``encoding``; for all tables
            ``on_unknown``. See `ffn.scoring.rows.options.Options`.

        Raises
        ------
        DataError
            The table cannot be read, lacks a column, or has no row left to evaluate.
        SettingsError
            There is no such option, or its value is invalid.
        """
        # Imported here, because scoring does not need what the figures need, such as SciPy.
        from ffn.scoring.table_evaluation import evaluate_table

        return evaluate_table(
            self.scorer,
            self.artifacts,
            table,
            target=target,
            weight=weight,
            group=group,
            **options,
        )

    def score_csv(
        self, source: str | os.PathLike[str], output: str | os.PathLike[str], **options: Any
    ) -> ScoreResult:
        """Score a CSV or Parquet file; the result has counts and paths.

        Parameters
        ----------
        source
            Path of the input, or address of an object such as ``s3://bucket/in.csv``.
        output
            Path of the output, or its address.
        **options
            ``workers``, ``force`` and ``on_progress``, as for
            `ffn.scoring.score_file.score_csv`, and all of `ffn.scoring.rows.options.Options`.

        Warns
        -----
        UnknownCategoryWarning
            Training saw none of the categories in a column; the manifest names it.
        """
        result = score_csv(self.scorer, as_path(source), as_path(output), **options)
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


def load(path: str | os.PathLike[str], *, root: str | os.PathLike[str] | None = None) -> Model:
    """Load a model.

    Parameters
    ----------
    path
        The name of a pipeline, as for ``ffn.retrain``, or the path of its folder or TOML file:
        the version in production. Or a folder that holds a model: a pipeline's artifacts
        (``artifacts/iris``: the version in production), the folder of one version, or a bundle.
        Or the address of a mirror, such as ``s3://bucket/models/iris``: the version in production
        there, which is fetched and checked, and of which no file is kept.
        If ``"iris"`` is a pipeline and also a folder with another model in the current folder,
        neither is preferred: that is refused. A path with a slash is never a name.
    root
        The folder with ``data/`` and ``artifacts/``; given, a name is always that of a pipeline.
        By default, for a path to ``data/<name>``, the folder with this ``data/``; otherwise
        ``$FFN_ROOT``, or the current folder.

    Raises
    ------
    SettingsError
        There is no such pipeline, its settings are invalid, or a name is also a folder with
        another model.
    RegistryError
        The pipeline has no version in production.
    BundleError
        There is no bundle, or it is damaged, too new, or not the one that was promoted.
    DataError
        The store of a mirror refuses.
    """
    if is_object_address(path):
        # Imported here, because files need nothing of it.
        from ffn.mirroring.pulling import mirrored_production

        return Model(mirrored_production(parse_object_address(os.fspath(path))))
    folder = _folder_of(path, root)
    if not (folder / MANIFEST).exists() and not (folder / BUNDLE_FOLDER).exists():
        return Model(require_production(folder), folder.absolute())
    if not (folder / MANIFEST).exists():
        folder = folder / BUNDLE_FOLDER
    version = number_of(folder)
    # A registered bundle is in artifacts/<name>/models/<number>/bundle.
    return Model(
        read_bundle(folder, version=version), folder.absolute().parents[2] if version else None
    )


def _folder_of(path: str | os.PathLike[str], root: str | os.PathLike[str] | None) -> Path:
    """Return the folder with the model that is meant: ``path``, or a pipeline's artifacts."""
    which, folder = os.fspath(path), Path(path)
    holds_model = any((folder / name).exists() for name in (MANIFEST, BUNDLE_FOLDER, POINTER))
    if holds_model and "/" in which:
        return folder
    # Imported here: what reads settings takes longer to load than all that a folder needs.
    from ffn.settings.pipeline import SETTINGS_FILE, is_name, pipeline_at

    if not is_name(which):
        of_pipeline = folder.suffix == ".toml" or (folder / SETTINGS_FILE).is_file()
        return pipeline_at(path, root).artifacts if of_pipeline and not holds_model else folder
    if root is not None:
        return pipeline_at(path, root).artifacts
    home = Path(os.environ.get("FFN_ROOT", "."))
    if not holds_model:
        # A folder without a promoted version keeps its own message.
        known = (home / "data" / which / SETTINGS_FILE).is_file()
        return folder if folder.is_dir() and not known else pipeline_at(path, root).artifacts
    artifacts = home / "artifacts" / which
    if (home / "data" / which / SETTINGS_FILE).is_file() and not (
        artifacts.exists() and artifacts.samefile(folder)
    ):
        raise SettingsError(
            f"{quote(which)} is both a pipeline under {home / 'data'} and a folder with a model in "
            f"the current folder. Give {artifacts} for the pipeline's version in production, or "
            f"{folder.absolute()} for the folder."
        )
    return folder
