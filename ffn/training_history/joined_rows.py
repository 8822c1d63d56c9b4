"""Find the rows whose labels have come, with the cells that they were scored with."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ffn.errors import DataError, FFNError, quote
from ffn.monitoring.record.outcome_record import OutcomeRecord, id_digest
from ffn.monitoring.record.predicted_rows import unguarded
from ffn.monitoring.record.scored_parts import tables_of
from ffn.monitoring.record.scored_tables import ScoredTable
from ffn.monitoring.record.table_columns import CellTexts, open_columns
from ffn.registry.production_bundle import version_bundle
from ffn.scoring.output.targets import COMPANIONS
from ffn.settings.pipeline import Pipeline
from ffn.storage.source import open_source
from ffn.tabular.schema import Schema
from ffn.training_history.appended_rows import NewRow

__all__ = ["Wanted", "mark_rows", "rows_of", "scored_tables", "wanted_rows"]

_TABLE = "CREATE TABLE IF NOT EXISTS history_rows (id BLOB PRIMARY KEY) WITHOUT ROWID"
_NAMED = 3


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A row to append: its label, and the scored tables that have it, the newest first."""

    label: str
    digests: tuple[str, ...]


def wanted_rows(record: OutcomeRecord, *, at_once: str | None = None) -> dict[bytes, Wanted]:
    """Return the joined rows that the training CSV was not seen to have, in the order they came.

    Parameters
    ----------
    record
        The record, open for changes.
    at_once
        SHA-256 of a labelled table without ids, for its rows alone; None, the default, for all
        rows of which scored tables are kept.
    """
    record.connection.execute(_TABLE)
    found: dict[bytes, tuple[int, str, list[str]]] = {}
    # A blank is in the digests of labelled tables scored at once, and of scorings for a comparison.
    for key, place, label, digest in record.connection.execute(
        "SELECT joined.id, joined.place, classes.name, digest FROM joined "
        "JOIN scorings USING (scoring) JOIN classes ON classes.class = joined.class "
        "WHERE NOT beside AND (digest LIKE :own || ' %' OR (:own IS NULL AND "
        "digest NOT LIKE '% %')) AND NOT EXISTS "
        "(SELECT 1 FROM history_rows WHERE history_rows.id = joined.id) "
        "ORDER BY scorings.at DESC, joined.place",
        {"own": at_once},
    ):
        found.setdefault(key, (place, label, []))[2].append(digest)
    return {
        key: Wanted(label=label, digests=tuple(digests))
        for key, (_, label, digests) in sorted(found.items(), key=lambda item: item[1][0])
    }


def mark_rows(record: OutcomeRecord, ids: Sequence[bytes]) -> None:
    """Note that the training CSV has the rows with these ``ids``, in the ``record``."""
    record.connection.execute(_TABLE)
    record.connection.executemany(
        "INSERT OR IGNORE INTO history_rows VALUES (?)", [(one,) for one in ids]
    )


def scored_tables(pipeline: Pipeline) -> dict[str, ScoredTable]:
    """Return the scored tables in the pipeline's folder of predictions, by the record's digest."""
    folder = pipeline.predictions
    found: dict[str, ScoredTable] = {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.name.endswith(COMPANIONS[1]):
            with contextlib.suppress(FFNError):
                found |= {table.digest: table for table in tables_of(path)}
    return found


def rows_of(
    pipeline: Pipeline,
    table: ScoredTable,
    wanted: dict[bytes, Wanted],
    columns: Sequence[str],
    needed: Sequence[str],
    at_once: str | None = None,
    purpose: str = "appended",
) -> Iterator[NewRow]:
    """Yield the wanted rows of a scored table, with the cells that they were scored with.

    Parameters
    ----------
    pipeline
        The pipeline.
    table
        The scored table.
    wanted
        Result of `wanted_rows`.
    columns
        Columns of the training CSV, without the target.
    needed
        Those among them that training reads.
    at_once
        As for `wanted_rows`.
    purpose
        What the rows are not if the table cannot be used, for errors; by default ``appended``.

    Raises
    ------
    DataError
        The table lacks a column that training reads, is written with another decimal mark, or is
        not the one that was scored.
    """
    settings, data, options = pipeline.settings, pipeline.settings.data, table.manifest["options"]
    id_column = None if at_once else settings.outcomes.id
    with (
        open_source(table.output) as stream,
        open_columns(
            stream,
            delimiter=options["delimiter"],
            decimal=data.decimal,
            encoding=options.get("encoding"),
            schema=_schema(pipeline, table),
        ) as opened,
    ):
        names = opened.header.names
        given = {name: cell for name, cell in table.given if name not in names}
        _check(table, [*names, *given], needed, data.decimal, purpose)
        own = [name for name in columns if names.count(name) == 1]
        beside = {name: given[name] for name in columns if name in given}
        asked = list(dict.fromkeys([*own, *([id_column] if id_column else [])]))
        found = []
        numbers = _row_numbers(table) if at_once else None
        for part in opened.parts(asked):
            texts = _plain(part, asked, bool(options.get("escape_formulas")), data.decimal)
            for place in range(len(part.rows)):
                if numbers is not None:
                    key = id_digest(f"{at_once} {next(numbers)}")
                else:
                    key = id_digest(texts[id_column or ""][place])
                if key in wanted:
                    cells = {name: texts[name][place] for name in own} | beside
                    found.append(NewRow(id=key, cells=cells, label=wanted[key].label))
        if opened.digest() != table.manifest["files"]["output"]["sha256"]:
            raise DataError(f"{table.output} was changed since it was scored. Score it again.")
    yield from found


def _check(
    table: ScoredTable, names: Sequence[str], needed: Sequence[str], decimal: str, purpose: str
) -> None:
    lacking = [name for name in needed if list(names).count(name) != 1]
    if lacking:
        shown = ", ".join(map(quote, lacking[:_NAMED])) + (", …" if len(lacking) > _NAMED else "")
        raise DataError(
            f"{table.output} lacks columns that training reads: {shown}. Its rows are not "
            f"{purpose}; score files that have all of them, without --only-id."
        )
    mark = table.manifest["options"]["decimal"]
    if mark != decimal and not table.output.name.endswith(".parquet"):
        raise DataError(
            f"{table.output} has the decimal mark {quote(mark)}, and the training CSV "
            f"{quote(decimal)}, so its rows are not {purpose}. Score it with the same one."
        )


def _schema(pipeline: Pipeline, table: ScoredTable) -> Schema | None:
    """Return the schema that typed columns were read with; None if the version is gone."""
    try:
        return version_bundle(pipeline.artifacts, table.manifest["model_version"]).schema
    except (FFNError, OSError):
        return None


def _plain(
    part: CellTexts, names: Sequence[str], guarded: bool, decimal: str
) -> dict[str, list[str]]:
    """Return the cells as they were in the input."""
    if not guarded:
        return part.texts
    return {name: unguarded(part.texts[name], decimal) for name in names}


def _row_numbers(table: ScoredTable) -> Iterator[int]:
    """Yield the number in the input of each scored row, from 1."""
    import csv

    path = table.output.with_name(table.output.name + COMPANIONS[0])
    with path.open(newline="", encoding="utf-8") as file:
        rejected = {int(row["row"]) for row in csv.DictReader(file)}
    every = np.arange(1, table.manifest["rows"] + 1)
    yield from (row for row in every.tolist() if row not in rejected)
