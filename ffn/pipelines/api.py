"""Pipelines from Python, by name or by folder: ``ffn.retrain``, ``ffn.score``, ``ffn.evaluate``."""

from __future__ import annotations

import os
import warnings
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from ffn.errors import SettingsError, UnknownCategoryWarning, one_line
from ffn.object_stores.object_address import as_path, file_path
from ffn.settings.pipeline import pipeline_at

if TYPE_CHECKING:
    from ffn.monitoring.evaluate_outcome import EvaluateOutcome
    from ffn.pipelines.outcomes import RetrainOutcome, ScoreOutcome, SkippedOutcome

__all__ = ["evaluate", "pipeline_at", "retrain", "score"]


def retrain(
    pipeline: str | os.PathLike[str],
    *,
    root: str | os.PathLike[str] | None = None,
    force: bool = False,
    verbose: bool = False,
) -> RetrainOutcome | SkippedOutcome:
    """Retrain a pipeline, as ``ffn retrain --direct`` does: the same steps, the same bytes.

    Parameters
    ----------
    pipeline
        A name under ``data/``, or the path of a pipeline's folder or TOML file.
    root
        The folder with ``data/`` and ``artifacts/``. By default, for a path to ``data/<name>``,
        the folder with this ``data/``; otherwise ``$FFN_ROOT``, or the current folder.
    force
        Whether to train even if data, settings and code are those of an existing version.
    verbose
        Whether to print the stages and the progress of each training, as lines on standard error;
        off by default, because a script's own output should stay its own.

    Returns
    -------
    RetrainOutcome or SkippedOutcome
        The new version, its verdict, figures and report; or that nothing has changed. Either
        prints as one sentence, and has ``to_json()``.

    Raises
    ------
    FFNError
        The pipeline cannot be trained; nothing is registered.
    """
    # Imported here, because scoring does not need what training imports.
    from ffn.pipelines import retraining
    from ffn.pipelines.progress import ProgressLines, listening

    found = pipeline_at(pipeline, root)
    with listening(ProgressLines()) if verbose else nullcontext():
        return retraining.retrain(found, force=force)


def score(
    pipeline: str | os.PathLike[str],
    *inputs: str | os.PathLike[str],
    output: str | os.PathLike[str] | None = None,
    root: str | os.PathLike[str] | None = None,
    new: bool = False,
    **options: Any,
) -> ScoreOutcome:
    """Score files with the version in production, as ``ffn score --direct`` does.

    A table in memory is scored by ``ffn.load("artifacts/<name>").predict``.

    Parameters
    ----------
    pipeline, root
        As for `retrain`.
    *inputs
        Files, folders, and patterns such as ``"march/*.csv"``, or addresses of objects such as
        ``"s3://bucket/march/*.csv"``; none for all tables in the pipeline's inbox.
    output
        A file or object, for a single input; or a folder: an existing one, or a text that ends in
        a slash. By default ``artifacts/<name>/predictions``.
    new
        Whether to score only files in the inbox that the version in production has not scored.
    **options
        ``workers``, ``force``, and all of `ffn.scoring.rows.options.Options`, such as
        ``probabilities=True``; by default those in the pipeline's settings.

    Returns
    -------
    ScoreOutcome
        A result for each file, with counts and paths. It prints as one sentence, and has
        ``to_json()``.

    Raises
    ------
    FilesRefusedError
        At least one file was refused. The others are scored: see its ``outcome``.
    FFNError
        Nothing can be scored: there is no such pipeline, option or file, or no version in
        production.

    Warns
    -----
    UnknownCategoryWarning
        Training saw none of the categories in a column.
    """
    from ffn.pipelines import batch_scoring, inbox_scoring
    from ffn.scoring.inputs import files_to_score
    from ffn.scoring.output.score_result import unknown_sentences

    if new and (inputs or output is not None):
        raise SettingsError("new=True is for the inbox, without inputs and output.")
    for given in inputs:
        if not isinstance(given, str | os.PathLike):
            raise SettingsError(
                f"an input is of the type {type(given).__name__}, not a path. Give several paths "
                "one by one; for a table in memory there is ffn.load(...).predict."
            )
    found = pipeline_at(pipeline, root)
    chosen = batch_scoring.options_for(found, **options)
    if new:
        outcome = inbox_scoring.score_inbox(found, chosen)
    else:
        files = files_to_score(found, [as_path(file, folder="*") for file in inputs], output)
        outcome = batch_scoring.score(found, files, chosen)
    for result in outcome.results:
        for sentence in unknown_sentences(result.unknown_columns):
            message = f"{one_line(result.output)}: {sentence}"
            warnings.warn(message, UnknownCategoryWarning, stacklevel=2)
    outcome.check()
    return outcome


def evaluate(
    pipeline: str | os.PathLike[str],
    *labelled: str | os.PathLike[str],
    root: str | os.PathLike[str] | None = None,
    version: int | None = None,
    new: bool = False,
) -> EvaluateOutcome:
    """Join labels that came later to predictions, as ``ffn evaluate --direct`` does.

    Parameters
    ----------
    pipeline, root
        As for `retrain`.
    *labelled
        Files with a label column: with the id column of the settings, or with all features if
        they name none. Without a file, what is known is looked at again.
    version
        Number of the version to evaluate tables with that have all features; None, the default,
        for the one in production.
    new
        Whether to take up only the new files in the pipeline's ``outcomes`` folder.

    Returns
    -------
    EvaluateOutcome
        What became of every row, and the realised quality of every version beside what was
        promised. It prints as one sentence, and has ``to_json()``.

    Raises
    ------
    LabelsRefusedError
        At least one file was refused, and nothing of it was taken up. The others were: see its
        ``outcome``.
    FFNError
        Nothing can be evaluated: there is no such pipeline or version, or the record of earlier
        outcomes is damaged.
    """
    from ffn.pipelines import outcome_evaluation

    if new and (labelled or version is not None):
        raise SettingsError("new=True is for the outcomes folder, without files and version.")
    for given in labelled:
        if not isinstance(given, str | os.PathLike):
            raise SettingsError(
                f"a file of labels is of the type {type(given).__name__}, not a path. Write the "
                "table to a CSV or Parquet file, and give its path."
            )
    found = pipeline_at(pipeline, root)
    if new:
        outcome = outcome_evaluation.evaluate_folder(found)
    else:
        files = [file_path(file) for file in labelled]
        outcome = outcome_evaluation.evaluate_labels(found, files, version)
    outcome.check()
    return outcome
