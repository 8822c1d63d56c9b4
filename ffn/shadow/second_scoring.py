"""Score rows of a scored table with a challenger."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ffn.monitoring.record.scored_tables import ScoredTable
from ffn.scoring.output.score_result import ScoreResult
from ffn.scoring.rows.scorer import Scorer
from ffn.scoring.score_file import score_csv
from ffn.scoring.trained_rows import trained_rows
from ffn.settings.pipeline import Pipeline
from ffn.shadow.sampled_rows import SAMPLE_DELIMITER, SampledRows, take_rows

__all__ = ["score_again"]


def score_again(
    pipeline: Pipeline,
    table: ScoredTable,
    challenger: Scorer,
    id_column: str | None,
    every: int,
    folder: Path,
    on_progress: Callable[[Any], None] | None = None,
) -> tuple[SampledRows, ScoreResult]:
    """Take rows from a scored table and score them with a challenger, as production was asked to.

    Parameters
    ----------
    pipeline
        The pipeline.
    table, challenger, id_column, every
        As for `take_rows`.
    folder
        Folder for the rows, and for what the challenger says of them.
    on_progress
        Called after each block of rows; by default not at all.

    Returns
    -------
    rows
        The rows, with what production says of them.
    result
        What the challenger says, with the probability of every class.

    Raises
    ------
    DataError
        The challenger cannot score the table, or none of its rows.
    """
    options = table.manifest["options"]
    trained = trained_rows(pipeline, challenger.version, challenger.sha256)
    sample = folder / "sample.csv"
    taken = take_rows(table, challenger, trained, id_column, every, sample)
    result = score_csv(
        challenger,
        sample,
        folder / "beside.csv",
        probabilities=True,
        drift="off",
        on_unknown=options["on_unknown"],
        delimiter=SAMPLE_DELIMITER,
        decimal=options["decimal"],
        on_progress=on_progress,
    )
    return taken, result
