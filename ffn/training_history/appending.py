"""Append rows whose labels have come to the training CSV, which appears whole or not at all.

The file with the new rows is written beside the old one, read as a retraining will read it, and
takes its place by one rename; then the record notes that it has them. Whatever ends the process,
the next evaluation finds each row in the file or not, and appends those that it has not.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO

from ffn.errors import BusyError, DataError, FFNError, OutputError
from ffn.extraction.table_files import is_one_csv
from ffn.monitoring.record.outcome_record import changing_record
from ffn.monitoring.record.scored_tables import ScoredTable
from ffn.settings.pipeline import Pipeline
from ffn.storage.atomic import atomic_file, sweep
from ffn.storage.pipeline_locks import retraining_lock
from ffn.storage.real_path import real_path
from ffn.storage.source import identity
from ffn.tabular.training_table.dataset import Dataset
from ffn.training.tables.loading import load
from ffn.training_history.appended_rows import AppendedRows, NewRow
from ffn.training_history.csv_tail import CsvTail, read_tail
from ffn.training_history.joined_rows import (
    Wanted,
    mark_rows,
    rows_of,
    scored_tables,
    wanted_rows,
)
from ffn.training_history.row_checks import label_texts, rows_there, sound_rows

__all__ = ["append_at_once", "append_joined"]

_AT_ONCE = 1024 * 1024


def append_joined(pipeline: Pipeline) -> AppendedRows:
    """Append the rows of scored tables whose labels were joined by their ids.

    Parameters
    ----------
    pipeline
        The pipeline.

    Raises
    ------
    OutputError
        The training CSV, or the record, cannot be written.
    """
    found = AppendedRows(source=pipeline.source.name)
    with changing_record(pipeline.artifacts) as record:
        wanted = wanted_rows(record)
    if wanted:
        _append(pipeline, wanted, scored_tables(pipeline), found)
    return found


def append_at_once(pipeline: Pipeline, table: ScoredTable, sha256: str) -> AppendedRows:
    """Append the rows of a labelled table without ids that was scored and evaluated at once.

    Parameters
    ----------
    pipeline
        The pipeline.
    table
        The table as it was scored.
    sha256
        SHA-256 of the labelled table.

    Raises
    ------
    OutputError
        As for `append_joined`.
    """
    found = AppendedRows(source=pipeline.source.name)
    with changing_record(pipeline.artifacts) as record:
        wanted = wanted_rows(record, at_once=sha256)
    tables = {digest: table for one in wanted.values() for digest in one.digests}
    if wanted:
        _append(pipeline, wanted, tables, found, sha256)
    return found


def _append(
    pipeline: Pipeline,
    wanted: dict[bytes, Wanted],
    tables: dict[str, ScoredTable],
    found: AppendedRows,
    at_once: str | None = None,
) -> None:
    """Append the wanted rows, and say in ``found`` what became of each."""
    try:
        with retraining_lock(pipeline.artifacts):
            _append_now(pipeline, wanted, tables, found, at_once)
    except BusyError as error:
        found.postponed = str(error)
    except OutputError:
        raise
    except FFNError as error:
        found.problems.append(str(error))


def _append_now(
    pipeline: Pipeline,
    wanted: dict[bytes, Wanted],
    tables: dict[str, ScoredTable],
    found: AppendedRows,
    at_once: str | None,
) -> None:
    source = _own_file(pipeline)
    sweep(source.parent, files_alone=True)
    before = identity(source.stat())
    dataset = load(pipeline)
    tail = read_tail(source, pipeline.settings.data.delimiter, pipeline.settings.data.encoding)
    rows = _collected(pipeline, dataset, tail, wanted, tables, found, at_once)
    sound = sound_rows(pipeline, dataset, rows, found.left_out) if rows else []
    if not sound:
        return
    new, there = rows_there(pipeline, dataset, sound, found.left_out)
    new, records = _written(pipeline, dataset, tail, new, found)
    if new:
        _replace(pipeline, source, before, dataset, tail.joined(records), len(new))
    with changing_record(pipeline.artifacts) as record:
        mark_rows(record, [row.id for row in (*new, *there)])
    found.appended, found.there = len(new), len(there)


def _own_file(pipeline: Pipeline) -> Path:
    """Return the training CSV, which has to be a file of the pipeline's folder."""
    source = pipeline.source
    if pipeline.settings.data.query is not None or not is_one_csv(source):
        raise DataError(
            f"{pipeline.shown_source} is not one CSV file, so rows are not appended to it. Append "
            'them where the table is made, and take append = "history" out of [outcomes].'
        )
    if source.is_symlink() or not real_path(source).is_relative_to(real_path(pipeline.folder)):
        raise DataError(
            f"{source} is not a file in the folder of pipeline.toml, so rows are not appended to "
            'it. Put the file there, or take append = "history" out of [outcomes].'
        )
    return source


def _collected(
    pipeline: Pipeline,
    dataset: Dataset,
    tail: CsvTail,
    wanted: dict[bytes, Wanted],
    tables: dict[str, ScoredTable],
    found: AppendedRows,
    at_once: str | None,
) -> list[NewRow]:
    """Return the wanted rows that are still in a scored table, in the order of ``wanted``."""
    split = pipeline.settings.split
    needed = [*dataset.order, *(name for name in (split.time, split.group) if name)]
    columns = [name for name in tail.names if name and name != dataset.target]
    rows: dict[bytes, NewRow] = {}
    refused: set[bytes] = set()
    used = {digest for one in wanted.values() for digest in one.digests}
    for digest in sorted(used & tables.keys(), key=lambda one: -tables[one].at):
        asked = {
            key: one for key, one in wanted.items() if digest in one.digests and key not in rows
        }
        try:
            for row in rows_of(pipeline, tables[digest], asked, columns, needed, at_once):
                rows[row.id] = row
        except (FFNError, OSError) as error:
            found.problems.append(str(error))
            refused |= asked.keys()
    gone = len(wanted.keys() - rows.keys() - refused)
    if gone:
        found.left_out["whose scored table is no longer in predictions/"] += gone
    if unread := len(refused - rows.keys()):
        found.left_out["of scored tables that cannot be used"] += unread
    return [rows[key] for key in wanted if key in rows]


def _written(
    pipeline: Pipeline, dataset: Dataset, tail: CsvTail, rows: Sequence[NewRow], found: AppendedRows
) -> tuple[list[NewRow], list[bytes]]:
    """Return the rows that can be written as the file writes its own, and their bytes."""
    texts = label_texts(pipeline, dataset)
    new, records = [], []
    for row in rows:
        record = (
            tail.record({**row.cells, dataset.target: texts[row.label]})
            if row.label in texts
            else None
        )
        if record is None:
            found.left_out[f"with a character that {tail.encoding} lacks"] += 1
            continue
        new.append(row)
        records.append(record)
    return new, records


def _replace(
    pipeline: Pipeline,
    source: Path,
    before: tuple[int, ...],
    dataset: Dataset,
    content: bytes,
    rows: int,
) -> None:
    """Put a file with more rows in the place of the training CSV, if training can read it."""
    with _told(source), atomic_file(source) as file:
        _copy(source, file, dataset.source_sha256)
        file.write(content)
        file.flush()
        status = source.stat()
        os.fchmod(file.fileno(), status.st_mode & 0o7777)
        with contextlib.suppress(PermissionError):
            os.fchown(file.fileno(), status.st_uid, status.st_gid)
        _check(pipeline, Path(file.name), dataset, rows)
        if identity(source.stat()) != before:
            raise _changed(source)


def _copy(source: Path, file: IO[bytes], sha256: str) -> None:
    digest = hashlib.sha256()
    with source.open("rb") as old:
        while chunk := old.read(_AT_ONCE):
            digest.update(chunk)
            file.write(chunk)
    if digest.hexdigest() != sha256:
        raise _changed(source)


def _changed(source: Path) -> DataError:
    return DataError(
        f"{source} was changed while rows were appended to it, and is left as it is. They are "
        "appended at the next evaluation."
    )


def _check(pipeline: Pipeline, path: Path, dataset: Dataset, rows: int) -> None:
    """Read the new file as a retraining will, and compare what it reads with the old one."""
    data = pipeline.settings.data
    name = str(path.relative_to(pipeline.folder))
    settings = pipeline.settings.model_copy(
        update={"data": data.model_copy(update={"source": name})}
    )
    try:
        after = load(replace(pipeline, settings=settings))
        same = (
            after.rows == dataset.rows + rows
            and after.classes == dataset.classes
            and after.numeric_features == dataset.numeric_features
        )
        why = "" if same else "it would read other rows, classes or kinds of columns"
    except FFNError as error:
        why = (
            str(error)
            .replace(str(path), pipeline.source.name)
            .replace(path.name, pipeline.source.name)
        )
    if why:
        raise DataError(
            f"{pipeline.source} is left as it is, because a retraining would refuse it with "
            f"{rows:,} new rows: {why}"
        )


@contextlib.contextmanager
def _told(source: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"{source} cannot be replaced: {error.strerror or error}. It is as it was; rows are "
            "appended at the next evaluation."
        ) from None
