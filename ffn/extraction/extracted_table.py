"""The training table as one CSV file, whatever holds it.

A single CSV file is used where it is. Parquet files, the files of a folder or pattern, objects in a
store, and the rows of a query become a CSV file in the pipeline's cache; all that follows reads
that: splits, audits, digests, the copy that is kept.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ffn.databases.address import DatabaseAddress, parse_address
from ffn.databases.query import columns_of_query, read_query
from ffn.extraction.csv_text import beginning, csv_lines, encoded
from ffn.extraction.joined_files import Dialect, JoinedFiles, columns_of_file, digest_of
from ffn.extraction.object_tables import fetched_tables, kept_objects, object_tables
from ffn.extraction.table_files import TableFile, is_one_csv, table_files
from ffn.object_stores.object_address import is_object_address
from ffn.settings.data_settings import DataSettings
from ffn.settings.pipeline import Pipeline
from ffn.storage.cache import Cache, CacheEntry
from ffn.storage.documents import canonical_json
from ffn.storage.source import refuse_pipe
from ffn.tabular.csv.writer import write_record
from ffn.tabular.training_table.dataset import TablePart, place_in_parts

__all__ = [
    "QUERY",
    "ExtractedTable",
    "columns_of_table",
    "dialect_of",
    "extract_files",
    "extract_objects",
    "extract_query",
    "extract_training_table",
]

# Version of what an entry holds; part of its name.
_FORMAT = 1
_PARTS = "parts.json"
_ROWS_AT_ONCE = 8_192
QUERY = "data.query"
"""What messages call the table that a query gives."""


@dataclass(frozen=True, kw_only=True)
class ExtractedTable:
    """A training table as one CSV file.

    Attributes
    ----------
    path
        The CSV file.
    declared
        What the settings name: the same file, another file, a folder or a pattern, or the query.
    parts
        The files that it was made of, in order; none if it is the declared file itself.
    files
        Paths of these files, or of the declared one.
    entry
        Cache entry that holds it, which is not removed while this object lives.
    """

    path: Path
    declared: str
    parts: tuple[TablePart, ...] = ()
    files: tuple[Path, ...] = ()
    entry: CacheEntry | None = None

    def place(self, row: int) -> tuple[str, int]:
        """Return file and row number there of a row of the whole, each from 1."""
        if len(self.parts) < 2:
            return self.declared, row
        return place_in_parts(self.parts, row)


def dialect_of(data: DataSettings) -> Dialect:
    """Return how CSV is read and written under the settings ``data``."""
    return Dialect(data.delimiter, data.decimal, data.encoding)


def extract_files(path: Path, cache: Cache, dialect: Dialect) -> ExtractedTable:
    """Return a table of files as one CSV file.

    Parameters
    ----------
    path
        A CSV file, which is returned as it is; a Parquet file; a folder; or a pattern.
    cache
        Where the CSV file is kept.
    dialect
        How CSV is read and written.

    Raises
    ------
    DataError
        A file cannot be read, or is not what the others are; or the disk is full.
    """
    refuse_pipe(path)
    if is_one_csv(path):
        return ExtractedTable(path=path, declared=str(path), files=(path,))
    return _extract_joined(path, table_files(path), cache, dialect)


def extract_objects(source: str, cache: Cache, dialect: Dialect) -> ExtractedTable:
    """Return a table of objects in a store as one CSV file; what was fetched before is kept.

    Parameters
    ----------
    source
        Address of an object, a folder or a pattern, as for `object_tables`.
    cache
        Where the objects and the CSV file are kept.
    dialect
        How CSV is read and written.

    Raises
    ------
    DataError
        As for `extract_files`, `object_tables` and `fetched_tables`.
    SettingsError
        As for `object_tables`.
    """
    fetched = fetched_tables(object_tables(source), kept_objects(cache))
    # What the table no longer consists of; entries in use stay.
    kept_objects(cache).remove_others("", *(entry.path.name for entry in fetched.entries))
    only = fetched.files[0]
    if len(fetched.files) == 1 and only.given and is_one_csv(only.path):
        return ExtractedTable(
            path=only.path, declared=source, files=(only.path,), entry=fetched.entries[0]
        )
    with fetched.named():
        return _extract_joined(source, fetched.files, cache, dialect)


def _extract_joined(
    declared: Path | str, files: Sequence[TableFile], cache: Cache, dialect: Dialect
) -> ExtractedTable:
    digests = [digest_of(file) for file in files]
    named = [[file.name, digest] for file, digest in zip(files, digests, strict=True)]
    made_of = canonical_json({"format": _FORMAT, "files": named, "dialect": dialect})
    name = f"{hashlib.sha256(made_of).hexdigest()[:32]}-table"
    # A name that no other file has: errors are rewritten by it.
    csv = f"{name}.csv"
    entry = cache.entry(name, lambda folder: _join(declared, files, digests, dialect, folder / csv))
    parts = tuple(TablePart(*part) for part in json.loads((entry.path / _PARTS).read_bytes()))
    return ExtractedTable(
        path=entry.path / csv,
        declared=str(declared),
        parts=parts,
        files=tuple(file.path for file in files),
        entry=entry,
    )


def extract_query(
    address: DatabaseAddress,
    query: str,
    cache: Cache,
    dialect: Dialect,
    name: str = QUERY,
    *,
    may_be_empty: bool = False,
) -> ExtractedTable:
    """Return the rows of a query as one CSV file.

    Parameters
    ----------
    address
        Of the database.
    query
        What to select.
    cache
        Where the CSV file is kept; it is named by its content.
    dialect
        How CSV is written.
    name
        What messages call the query; by default the key of the settings.
    may_be_empty
        Whether there may be no rows; by default that is an error.

    Raises
    ------
    DataError
        As for `read_query`; or the disk is full.
    SettingsError
        As for `read_query`.
    """
    table = read_query(address, query, name, may_be_empty=may_be_empty)
    encoding = dialect.encoding or "utf-8"

    def lines() -> Iterator[bytes]:
        yield beginning(encoding)
        header = write_record(table.column_names, dialect.delimiter)
        yield encoded(f"{header}\n", encoding, name)
        for batch in table.to_batches(max_chunksize=_ROWS_AT_ONCE):
            yield encoded(csv_lines(batch.columns, dialect.delimiter), encoding, name)

    digest = hashlib.sha256()
    for some in lines():
        digest.update(some)
    entry_name = f"{digest.hexdigest()[:32]}-table"
    csv = f"{entry_name}.csv"

    def write(folder: Path) -> None:
        with (folder / csv).open("wb") as file:
            # Who may read the rows in the database is not known here.
            os.fchmod(file.fileno(), stat.S_IRUSR | stat.S_IWUSR)
            for some in lines():
                file.write(some)

    entry = cache.entry(entry_name, write)
    return ExtractedTable(path=entry.path / csv, declared=name, entry=entry)


def extract_training_table(pipeline: Pipeline, cache: Cache) -> ExtractedTable:
    """Return the training table of a pipeline as one CSV file.

    Parameters
    ----------
    pipeline
        Names the table.
    cache
        Where the CSV file is kept.

    Raises
    ------
    DataError
        As for `extract_files`, `extract_objects` and `extract_query`.
    SettingsError
        As for `extract_objects` and `extract_query`.
    """
    data = pipeline.settings.data
    if is_object_address(data.source):
        return extract_objects(data.source, cache, dialect_of(data))
    if data.query is None:
        return extract_files(pipeline.source, cache, dialect_of(data))
    address = parse_address(data.source, pipeline.folder)
    return extract_query(address, data.query, cache, dialect_of(data))


def columns_of_table(pipeline: Pipeline) -> tuple[str, ...] | None:
    """Return the column names of a pipeline's training table; None for a single CSV file.

    Parameters
    ----------
    pipeline
        Names the table; of several files the first is looked at.

    Raises
    ------
    DataError
        The file cannot be read, or the database refuses the query.
    SettingsError
        As for `extract_query`.
    """
    data, path = pipeline.settings.data, pipeline.source
    if data.query is not None:
        return columns_of_query(parse_address(data.source, pipeline.folder), data.query)
    if is_object_address(data.source):
        found = object_tables(data.source)
        first = replace(found, states=found.states[:1])
        fetched = fetched_tables(first, kept_objects(Cache(pipeline.artifacts / "cache")))
        with fetched.named():
            return columns_of_file(fetched.files[0], dialect_of(data))
    refuse_pipe(path)
    return None if is_one_csv(path) else columns_of_file(table_files(path)[0], dialect_of(data))


def _join(
    declared: Path | str,
    files: Sequence[TableFile],
    digests: Sequence[str],
    dialect: Dialect,
    target: Path,
) -> None:
    """Write the CSV file of several files, and beside it what it was made of."""
    encoding = dialect.encoding or "utf-8"
    parts = []
    with target.open("wb") as csv:
        csv.write(beginning(encoding))
        joined = JoinedFiles(
            dialect, lambda text: csv.write(encoded(text, encoding, str(declared)))
        )
        for file, digest in zip(files, digests, strict=True):
            rows = joined.append(file, digest)
            parts.append([file.name, digest, rows])
        # As readable as the least readable of the files, at most.
        mode = stat.S_IMODE(os.fstat(csv.fileno()).st_mode) & joined.mode
        os.fchmod(csv.fileno(), mode | stat.S_IRUSR | stat.S_IWUSR)
    target.with_name(_PARTS).write_bytes(canonical_json(parts))
