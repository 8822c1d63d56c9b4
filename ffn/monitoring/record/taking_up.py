"""Take up scored tables and files of labels, each whole or not at all."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from ffn.errors import DataError, FFNError, OutputError
from ffn.monitoring.record.delivery import Delivery, LabelRow
from ffn.monitoring.record.joining import join_rows, take_labels
from ffn.monitoring.record.label_files import read_labels
from ffn.monitoring.record.outcome_record import OutcomeRecord, changing_record, reading_record
from ffn.monitoring.record.scored_parts import tables_of
from ffn.monitoring.record.scored_tables import ScoredTable
from ffn.object_stores.object_address import ObjectAddress
from ffn.registry.versions import version_folder
from ffn.scoring.model import load
from ffn.scoring.output.targets import COMPANIONS
from ffn.scoring.trained_rows import TrainedRows, trained_rows
from ffn.settings.pipeline import Pipeline
from ffn.storage.atomic import staging_folder, sweep
from ffn.storage.source import Source

__all__ = ["deliver", "take_up_new", "take_up_objects", "take_up_scored", "workshop"]


_BY_HAND = (
    "Its predictions were not recorded; copy output and manifest into the pipeline's folder of "
    "predictions, where the next ffn evaluate takes them up."
)


def _manifests_in(folder: Path) -> list[Path]:
    """Return the manifests in a ``folder`` of scored tables, sorted by name."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.name.endswith(COMPANIONS[1]))


def take_up_new(pipeline: Pipeline, predecessor: int | None = None) -> list[str]:
    """Take up the scored tables of the pipeline that the record does not know yet.

    Parameters
    ----------
    pipeline
        The pipeline, whose ``predictions`` are looked through.
    predecessor
        As for `take_up_scored`.

    Returns
    -------
    list of str
        Why tables were not taken up, a sentence each.
    """
    if pipeline.settings.outcomes.id is None:
        return []
    return take_up_scored(pipeline, _manifests_in(pipeline.predictions), predecessor)


def take_up_scored(
    pipeline: Pipeline, manifests: Iterable[Path], predecessor: int | None = None
) -> list[str]:
    """Take up scored tables by their manifests, each in a transaction of its own.

    Parameters
    ----------
    pipeline
        The pipeline. Unless its settings name an id column, nothing is done.
    manifests
        Paths of the manifests; those that the record knows are skipped.
    predecessor
        Number of the version that a rollback would return to: it scores the same rows, so that
        both can be compared when labels come. None, the default, for no such comparison.

    Returns
    -------
    list of str
        Why tables were not taken up, a sentence each.

    Raises
    ------
    OutputError
        The record cannot be written.
    """
    column, troubles = pipeline.settings.outcomes.id, []
    if column is None:
        return []
    # The parts of a table have one version, nearly always.
    trained_of = functools.lru_cache(maxsize=1)(functools.partial(trained_rows, pipeline))
    for path in manifests:
        try:
            tables = _unknown(pipeline, tables_of(path))
        except FFNError as error:
            troubles.append(str(error))
            continue
        for table in tables:
            try:
                if table.manifest["pipeline"] != pipeline.name:
                    raise DataError(
                        f"{path} is of the pipeline {table.manifest['pipeline']}. Remove it."
                    )
                with changing_record(pipeline.artifacts) as changing:
                    if not table.is_known(changing):
                        model = table.manifest["model_version"], table.manifest["bundle_sha256"]
                        _take(table, changing, pipeline, trained_of(*model), column, predecessor)
            except OutputError:
                # The disk is at fault, not this table.
                raise
            except FFNError as error:
                troubles.append(str(error))
    # All parts of a manifest may have the same one.
    return list(dict.fromkeys(troubles))


def take_up_objects(
    pipeline: Pipeline, outputs: Iterable[ObjectAddress], predecessor: int | None = None
) -> list[str]:
    """Take up scored tables in an object store, which are copied here for that.

    Later they are not looked for, because a store has no folder of the pipeline's own.

    Parameters
    ----------
    pipeline, predecessor
        As for `take_up_scored`.
    outputs
        Addresses of the outputs.

    Returns
    -------
    list of str
        Why tables were not taken up, a sentence each.

    Raises
    ------
    OutputError
        The record cannot be written.
    """
    troubles: list[str] = []
    for output in outputs:
        # Imported here, because files need nothing of it.
        from ffn.scoring.object_files import fetch_scored

        with workshop(pipeline) as folder:
            try:
                manifest = fetch_scored(output, folder)
            except FFNError as error:
                troubles.append(f"{str(error).rstrip('.')}. {_BY_HAND}")
                continue
            # The copy is gone when somebody reads what is wrong with it.
            troubles += [
                told.replace(f"{folder}/", f"{output.parent}/")
                for told in take_up_scored(pipeline, [manifest], predecessor)
            ]
    return troubles


def _unknown(pipeline: Pipeline, tables: list[ScoredTable]) -> list[ScoredTable]:
    """Return those of the tables that the record does not know."""
    with reading_record(pipeline.artifacts) as record:
        return tables if record is None else [one for one in tables if not one.is_known(record)]


def _take(
    table: ScoredTable,
    record: OutcomeRecord,
    pipeline: Pipeline,
    trained: TrainedRows | None,
    column: str,
    predecessor: int | None,
) -> None:
    scoring = table.take_up(record, trained, column)
    join_rows(record, scoring=scoring)
    # The other version would need the columns that the folders of a part name.
    if table.given:
        return
    if predecessor is not None and table.manifest["model_version"] > predecessor:
        _take_beside(table, record, pipeline, column, predecessor)


def _take_beside(
    table: ScoredTable, record: OutcomeRecord, pipeline: Pipeline, column: str, version: int
) -> None:
    """Score the rows of a scored table with another version, too, and take that up."""
    options = table.manifest["options"]
    model = load(version_folder(pipeline.artifacts, version))
    trained = trained_rows(pipeline, version)
    with workshop(pipeline) as folder:
        result = model.score_csv(
            table.output,
            folder / "beside.csv",
            only_id=column,
            probabilities=True,
            drift="off",
            on_unknown=options["on_unknown"],
            delimiter=options["delimiter"],
            decimal=options["decimal"],
            encoding=options.get("encoding"),
        )
        beside = replace(
            ScoredTable.read(result.manifest), digest=f"{table.digest} {version}", at=table.at
        )
        scoring = beside.take_up(
            record,
            beside.trained_rows(pipeline),
            column,
            beside=True,
            name=table.name or table.output.name,
            known=table.known_ids(column, trained) if trained else (),
        )
    join_rows(record, scoring=scoring)


@contextmanager
def workshop(pipeline: Pipeline) -> Iterator[Path]:
    """Make a folder of ``pipeline`` for files that are needed while the block runs."""
    parent = pipeline.artifacts / "outcomes"
    parent.mkdir(parents=True, exist_ok=True)
    sweep(parent)
    with staging_folder(parent) as staging:
        # The staging folder is locked, and scoring locks the folder that it writes to.
        folder = staging / "work"
        folder.mkdir()
        yield folder


def deliver(
    pipeline: Pipeline,
    stream: Source,
    name: str,
    also: Callable[[Sequence[LabelRow], Delivery], None] | None = None,
) -> Delivery:
    """Take up a file of labels whose rows have ids.

    Parameters
    ----------
    pipeline
        The pipeline; its settings name the id column.
    stream
        The file, at its beginning.
    name
        What the record calls it.
    also
        Called with the rows that have an id and a label, and what became of all rows, once the
        labels are taken up. None, the default, for nothing more.

    Raises
    ------
    DataError
        The file cannot be read, or contradicts itself or an earlier one; nothing was taken up.
    """
    rows, found = read_labels(stream, pipeline, name)
    with changing_record(pipeline.artifacts) as record:
        done = take_labels(record, rows, found, time.time())
    if also is not None:
        also(rows, done)
    return done
