"""Detect new content of the training table, to start a retraining when it changes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ffn.errors import FFNError
from ffn.extraction.joined_files import digest_of
from ffn.extraction.object_tables import (
    ObjectTables,
    fetched_tables,
    kept_objects,
    object_tables,
)
from ffn.extraction.table_files import TableFile, is_one_csv, table_files
from ffn.object_stores.object_address import is_object_address
from ffn.registry.versions import version_folder, versions
from ffn.settings.pipeline import Pipeline
from ffn.storage.cache import Cache
from ffn.storage.documents import canonical_json, parse_json, write_json
from ffn.storage.plain_files import read_plain

__all__ = ["TrainingData", "new_training_data", "take_up"]

_FILE = ".training-data.json"
_MOST_BYTES = 1024 * 1024


@dataclass(frozen=True)
class TrainingData:
    """SHA-256 of the training CSV, and the file's size and times when it was read.

    Of other files, the digest of their names and digests, and the sizes and times of all; of
    objects in a store, a number made of the marks that the store gives them. With a file of
    held-out rows, both digests, and the sizes and times of both.
    """

    sha256: str
    stamp: tuple[int, ...]


def new_training_data(pipeline: Pipeline) -> TrainingData | None:
    """Return the content of the training table if no retraining has started with it; else None.

    Files are read only if their number, sizes or times have changed since the last call. The result
    is also None if one is being written or cannot be read; a retraining reports why.

    Parameters
    ----------
    pipeline
        Names the training table.
    """
    if pipeline.settings.data.query is not None:
        return _first_of_query(pipeline)
    try:
        source, far = pipeline.source, None
        if is_object_address(source):
            far = object_tables(pipeline.settings.data.source)
        near = [table_files(path) for path in (None if far else source, pipeline.test) if path]
        states = [file.path.stat() for files in near for file in files]
        stamp = tuple(
            part
            for state in states
            for part in (state.st_size, state.st_mtime_ns, state.st_ctime_ns)
        )
        stamp = (far.stamp, *stamp) if far else stamp
        known = _read(pipeline.artifacts / _FILE)
        if known.get("stamp") == list(stamp):
            return None
        tables = [_fetched(far, pipeline), *near] if far else near
        data = TrainingData(" ".join(map(_digest, tables)), stamp)
    except (OSError, FFNError):
        return None
    if data.sha256 in (known.get("sha256"), _newest(pipeline.artifacts)):
        take_up(pipeline, data)
        return None
    return data


def take_up(pipeline: Pipeline, data: TrainingData) -> None:
    """Record that a retraining starts with this content, whatever its outcome.

    Parameters
    ----------
    pipeline
        The pipeline to be retrained.
    data
        Result of `new_training_data`.
    """
    pipeline.artifacts.mkdir(parents=True, exist_ok=True)
    content = {"sha256": data.sha256, "stamp": list(data.stamp)}
    write_json(pipeline.artifacts / _FILE, content)


def _first_of_query(pipeline: Pipeline) -> TrainingData | None:
    """Return something new until a retraining has started or a version is there.

    A database is not watched: the rows are selected when a retraining is due.
    """
    if versions(pipeline.artifacts) or _read(pipeline.artifacts / _FILE):
        return None
    data = pipeline.settings.data
    return TrainingData(_of_all([[data.source, str(data.query)]]), ())


def _fetched(tables: ObjectTables, pipeline: Pipeline) -> Sequence[TableFile]:
    """Return copies of objects in a store: only those are fetched that are new or changed."""
    return fetched_tables(tables, kept_objects(Cache(pipeline.artifacts / "cache"))).files


def _digest(files: Sequence[TableFile]) -> str:
    """Return the digest of a single CSV file, or that of the names and digests of other files."""
    digests = [[file.name, digest_of(file)] for file in files]
    return digests[0][1] if is_one_csv(files[0].path) and files[0].given else _of_all(digests)


def _of_all(digests: list[list[str]]) -> str:
    return hashlib.sha256(canonical_json(digests)).hexdigest()


def _newest(artifacts: Path) -> Any:
    there = versions(artifacts)
    if not there:
        return None
    made_of = _read(version_folder(artifacts, there[-1]) / "provenance.json")
    source, test = made_of.get("source_sha256"), made_of.get("test_sha256")
    if "files" in made_of:
        source = _recorded(made_of["files"])
    if "test_files" in made_of:
        test = _recorded(made_of["test_files"])
    return f"{source} {test}" if test else source


def _recorded(files: Any) -> str | None:
    """Return the digest of the files that the provenance of a version lists; None if damaged."""
    try:
        return _of_all([[file["name"], file["sha256"]] for file in files])
    except (TypeError, KeyError):
        return None


def _read(path: Path) -> dict[str, Any]:
    try:
        content = parse_json(read_plain(path, _MOST_BYTES))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
