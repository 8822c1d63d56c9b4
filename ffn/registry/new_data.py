"""Detect new content of the training CSV, to start a retraining when it changes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ffn.errors import DataError
from ffn.registry.versions import version_folder, versions
from ffn.settings.pipeline import Pipeline
from ffn.storage.documents import parse_json, write_json
from ffn.storage.plain_files import read_plain
from ffn.storage.source import open_source

__all__ = ["TrainingData", "new_training_data", "take_up"]

_FILE = ".training-data.json"
_MOST_BYTES = 1024 * 1024


@dataclass(frozen=True)
class TrainingData:
    """SHA-256 of the training CSV, and the file's size and times when it was read.

    With a file of held-out rows, both digests, and the sizes and times of both.
    """

    sha256: str
    stamp: tuple[int, ...]


def new_training_data(pipeline: Pipeline) -> TrainingData | None:
    """Return the content of the training CSV if no retraining has started with it; else None.

    The file is read only if its size or times have changed since the last call. The result is also
    None if it is being written or cannot be read; a retraining reports why.

    Parameters
    ----------
    pipeline
        Names the training CSV.
    """
    try:
        files = [pipeline.source, *([pipeline.test] if pipeline.test else [])]
        states = [file.stat() for file in files]
        stamp = tuple(
            part
            for state in states
            for part in (state.st_size, state.st_mtime_ns, state.st_ctime_ns)
        )
        known = _read(pipeline.artifacts / _FILE)
        if known.get("stamp") == list(stamp):
            return None
        digests = []
        for file in files:
            with open_source(file) as source:
                digests.append(source.read_through())
        data = TrainingData(" ".join(digests), stamp)
    except (OSError, DataError):
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


def _newest(artifacts: Path) -> Any:
    there = versions(artifacts)
    if not there:
        return None
    made_of = _read(version_folder(artifacts, there[-1]) / "provenance.json")
    source, test = made_of.get("source_sha256"), made_of.get("test_sha256")
    return f"{source} {test}" if test else source


def _read(path: Path) -> dict[str, Any]:
    try:
        content = parse_json(read_plain(path, _MOST_BYTES))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
