"""Evaluate challengers on labelled tables that are scored and evaluated at once, without ids."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ffn.bundles.contents import read_registered
from ffn.errors import DataError, one_line
from ffn.monitoring.record.joining import join_rows
from ffn.monitoring.record.outcome_record import changing_record, id_digest, reading_record
from ffn.monitoring.record.scored_tables import ScoredTable
from ffn.monitoring.record.table_columns import open_columns
from ffn.monitoring.record.taking_up import workshop
from ffn.registry.provenance import PROVENANCE
from ffn.registry.versions import version_folder
from ffn.scoring.rows.scorer import Scorer
from ffn.settings.pipeline import Pipeline
from ffn.shadow.challengers import load_challengers
from ffn.shadow.sampled_rows import SAMPLE_DELIMITER, distance
from ffn.shadow.second_scoring import score_again
from ffn.storage.source import open_source

__all__ = ["evaluate_challengers"]


def evaluate_challengers(
    pipeline: Pipeline, name: str, table: ScoredTable, sha256: str
) -> list[str]:
    """Score a labelled table with the challengers, too, and record what they say of its rows.

    Parameters
    ----------
    pipeline
        The pipeline.
    name
        What the record calls it.
    table
        The table as production scored it.
    sha256
        SHA-256 of the labelled table, whose labels the record knows.

    Returns
    -------
    list of str
        Why challengers were left out, a sentence each.
    """
    found = load_challengers(pipeline, table.manifest["model_version"])
    left_out = list(found.left_out)
    for challenger in found.bundles if table.manifest["scored"] else ():
        try:
            _evaluate(pipeline, table, challenger, sha256, name)
        # As in a file that is only scored: production is not to suffer from it.
        except Exception as error:
            left_out.append(f"version {challenger.version}: {one_line(error)}".rstrip("."))
    return [f"Left out of the shadow: {why}." for why in left_out]


def _evaluate(
    pipeline: Pipeline, table: ScoredTable, challenger: Scorer, sha256: str, name: str
) -> None:
    digest = f"{sha256} {challenger.sha256}"
    with reading_record(pipeline.artifacts) as record:
        if record is None or replace(table, digest=digest).is_known(record):
            return
        (at,) = record.connection.execute(
            "SELECT at FROM deliveries WHERE sha256 = ?", (sha256,)
        ).fetchone()
    folder = version_folder(pipeline.artifacts, challenger.version)
    if read_registered(folder, PROVENANCE).get("source_sha256") == sha256:
        raise DataError("it was made from this very table")
    every = distance(table.manifest["scored"], pipeline.settings.shadow.most_rows)
    with workshop(pipeline) as work:
        taken, result = score_again(pipeline, table, challenger, None, every, work)
        ids = _ids(result.output, taken.row_column, sha256, table.manifest["options"]["decimal"])
        beside = replace(ScoredTable.read(result.manifest), digest=digest, at=at)
        with changing_record(pipeline.artifacts) as record:
            trained = beside.trained_rows(pipeline)
            scoring = beside.take_up(record, trained, None, beside=True, name=name, ids=ids)
            join_rows(record, scoring=scoring)


def _ids(output: Path, column: str, sha256: str, decimal: str) -> list[bytes]:
    """Return by which ids the record knows the rows: those of the table's content and number."""
    with (
        open_source(output) as stream,
        open_columns(stream, delimiter=SAMPLE_DELIMITER, decimal=decimal, encoding=None) as columns,
    ):
        return [
            id_digest(f"{sha256} {number}")
            for part in columns.parts([column])
            for number in part.texts[column]
        ]
