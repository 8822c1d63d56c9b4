"""Score a labelled table that has all features, and evaluate it at once."""

from __future__ import annotations

import csv
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ffn.bundles.contents import read_registered
from ffn.errors import DataError, SettingsError, quote
from ffn.monitoring.record.delivery import Delivery, LabelRow
from ffn.monitoring.record.joining import join_rows, take_labels
from ffn.monitoring.record.label_files import class_of_text
from ffn.monitoring.record.outcome_record import OutcomeRecord, changing_record, id_digest
from ffn.monitoring.record.scored_tables import ScoredTable
from ffn.monitoring.record.table_columns import open_columns
from ffn.monitoring.record.taking_up import workshop
from ffn.registry.provenance import PROVENANCE
from ffn.registry.versions import require_version, version_folder
from ffn.scoring.judged.table_figures import NoRowToEvaluateError, TableEvaluation
from ffn.scoring.model import Model, load
from ffn.scoring.output.score_result import ScoreResult
from ffn.scoring.own_options import own_options
from ffn.scoring.rows.suffixes import added_columns
from ffn.settings.pipeline import Pipeline
from ffn.storage.source import Source, open_source
from ffn.tabular.columns.feature_columns import columns_found

__all__ = ["deliver_at_once", "refuse_version"]


def deliver_at_once(
    pipeline: Pipeline,
    stream: Source,
    name: str,
    version: int | None = None,
    also: Callable[[ScoredTable, Delivery], None] | None = None,
) -> Delivery:
    """Score a labelled table that has all features, and take up its labels at the same time.

    Rows that the version was trained on are recognised by their content and left out. A table is
    counted once for each version, by the digest of its content.

    Parameters
    ----------
    pipeline
        The pipeline.
    stream
        The table, at its beginning.
    name
        What the record calls it.
    version
        Number of the version to evaluate; None, the default, for the one in production.
    also
        Called with the scored table and what became of its rows, once its labels are taken up.
        None, the default, for nothing more.

    Raises
    ------
    DataError
        The table cannot be scored, lacks the label column, or is the version's training table.
    RegistryError
        There is no such version.
    """
    artifacts = pipeline.artifacts
    model = load(artifacts if version is None else require_version(artifacts, version))
    options = own_options(pipeline) | {"drift": "off", "max_reject_rate": 1.0, "explain": 0}
    with workshop(pipeline) as folder:
        result = model.score_source(
            stream, folder / "scored.csv", probabilities=True, force=True, **options
        )
        table = ScoredTable.read(result.manifest)
        sha256 = table.manifest["input"]["sha256"]
        source = read_registered(version_folder(artifacts, model.version), PROVENANCE)
        if source.get("source_sha256") == sha256:
            raise DataError(
                f"{name} is the table that version {model.version} was made from, which says "
                "nothing about new rows. Give rows that came later."
            )
        if source.get("test_sha256") == sha256:
            raise DataError(
                f"{name} is the file of held-out rows by which version {model.version} was judged, "
                "so its figures are the promised ones. Give rows that came later."
            )
        rows, found = _labelled(pipeline, model, result, sha256, name)
        # Before anything is recorded: a table that is refused here is not to count.
        found.figures = _figures(pipeline, model, stream, result)
        with changing_record(artifacts) as record:
            done = _count_at_once(record, pipeline, model, table, rows, found)
        if also is not None:
            also(table, done)
    return done


def _figures(
    pipeline: Pipeline, model: Model, stream: Source, result: ScoreResult
) -> TableEvaluation | None:
    """Return the figures of this table alone; None if no row of it can be evaluated.

    They have what the record of all tables has not: weights, groups and slices.
    """
    # Imported here, because joining labels does not need what these figures need.
    from ffn.scoring.table_evaluation import evaluate_table

    settings, data = pipeline.settings, pipeline.settings.data
    table: Source | Path = result.output
    if stream.size is not None:
        # A pipe cannot be read twice; of a file, rejected rows are counted, too.
        stream.rewind()
        table = stream
    try:
        return evaluate_table(
            model.scorer,
            model.artifacts,
            table,
            target=settings.outcomes.label,
            delimiter=data.delimiter,
            decimal=data.decimal,
            encoding=data.encoding,
            on_unknown=settings.scoring.on_unknown,
        )
    except NoRowToEvaluateError:
        return None


def _labelled(
    pipeline: Pipeline, model: Model, result: ScoreResult, sha256: str, name: str
) -> tuple[list[LabelRow | None], Delivery]:
    """Return what is known of each scored row, None for one without a label, and the counts."""
    settings, data = pipeline.settings.outcomes, pipeline.settings.data
    column = settings.label or data.target
    numbers = _scored_rows(result)
    texts: list[str] = []
    with (
        open_source(result.output) as stream,
        open_columns(
            stream, delimiter=data.delimiter, decimal=data.decimal, encoding=data.encoding
        ) as table,
    ):
        if column not in table.header.names:
            theirs = [one for one in table.header.names if one not in _added(model)]
            told = "outcomes.label" if settings.label else "data.target"
            raise DataError(
                f"{name} has no column {quote(column)}, which {told} names"
                f"{columns_found(column, theirs)} To join labels to earlier predictions by an id, "
                "set outcomes.id."
            )
        table.require(column, "outcomes.label")
        for part in table.parts([column]):
            texts += part.texts[column]
    classes = class_of_text(pipeline, texts, f"{name}, {column}")
    found = Delivery(
        name=name,
        sha256=sha256,
        rows=result.rows,
        rejected=result.rejected,
        at_once=model.version,
    )
    rows: list[LabelRow | None] = [
        LabelRow(
            id=id_digest(f"{sha256} {number}"),
            shown=f"row {number}",
            label=classes[text],
            row=number,
            line=0,
        )
        if text in classes
        else None
        for number, text in zip(numbers, texts, strict=True)
    ]
    found.unlabelled = rows.count(None)
    return rows, found


def _added(model: Model) -> tuple[str, ...]:
    """Return the columns that scoring adds to the input's."""
    return added_columns(
        model.scorer.schema, probabilities=True, sets=model.scorer.rule.set_limits is not None
    )


def _scored_rows(result: ScoreResult) -> list[int]:
    """Return the row numbers, from 1, of the rows that were scored."""
    with result.rejects.open(newline="", encoding="utf-8") as file:
        rejected = {int(row["row"]) for row in csv.DictReader(file)}
    return [row for row in range(1, result.rows + 1) if row not in rejected]


def _count_at_once(
    record: OutcomeRecord,
    pipeline: Pipeline,
    model: Model,
    table: ScoredTable,
    rows: list[LabelRow | None],
    found: Delivery,
) -> Delivery:
    labelled = [row for row in rows if row is not None]
    before = record.connection.execute(
        "SELECT at FROM deliveries WHERE sha256 = ?", (found.sha256,)
    ).fetchone()
    # The labels are known from the first time on that the table was given.
    at = before[0] if before else time.time()
    mine = replace(table, digest=f"{found.sha256} {model.scorer.sha256}", at=at)
    if mine.is_known(record):
        found.known = len(labelled)
        return found
    scoring = mine.take_up(
        record,
        mine.trained_rows(pipeline),
        None,
        name=found.name,
        ids=[None if row is None else row.id for row in rows],
    )
    take_labels(record, labelled, replace(found), at)
    join_rows(record, scoring=scoring)
    (found.joined,) = record.connection.execute(
        "SELECT count(*) FROM joined WHERE scoring = ?", (scoring,)
    ).fetchone()
    found.trained_on = len(labelled) - found.joined
    found.unknown_labels = dict(
        record.connection.execute(
            "SELECT name, count(*) FROM joined JOIN classes USING (class) WHERE scoring = ? AND "
            "NOT EXISTS (SELECT 1 FROM classes_of WHERE classes_of.scoring = joined.scoring "
            "AND classes_of.class = joined.class) GROUP BY name ORDER BY name",
            (scoring,),
        ).fetchall()
    )
    found.classes = record.known_classes()
    (checked,) = record.connection.execute(
        "SELECT checked FROM scorings WHERE scoring = ?", (scoring,)
    ).fetchone()
    if not checked:
        found.notices.append(
            f"Rows that version {model.version} was trained on could not be recognised, so some "
            "may be among these, and the figures too good."
        )
    return found


def refuse_version(pipeline: Pipeline, version: int | None) -> None:
    """Refuse a version where labels are joined by their ids.

    Parameters
    ----------
    pipeline
        The pipeline.
    version
        The version asked for; None for none.

    Raises
    ------
    SettingsError
        One was asked for, but the predictions that were made decide which versions are judged.
    """
    if version is not None and pipeline.settings.outcomes.id is not None:
        raise SettingsError(
            "a version is for labelled tables that are scored at once; outcomes.id is set, so "
            "labels are joined to the predictions of whichever version made them. Leave it out."
        )
