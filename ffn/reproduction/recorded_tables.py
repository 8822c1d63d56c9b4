"""Settings and tables of a version, as its provenance names them."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path
from typing import Any

from ffn.errors import DataError, SettingsError
from ffn.extraction.extracted_table import dialect_of, extract_files, extract_training_table
from ffn.lineage.kept_data import extract_table
from ffn.settings.document import PipelineSettings, check_settings
from ffn.settings.pipeline import Pipeline
from ffn.storage.cache import Cache
from ffn.storage.source import open_source

__all__ = ["put_tables", "recorded_pipeline", "recorded_settings"]

_AT_ONCE = 1024 * 1024


def recorded_settings(recorded: dict[str, Any]) -> tuple[PipelineSettings | None, list[str]]:
    """Return the recorded settings; None, and why, if this release cannot read them.

    Parameters
    ----------
    recorded
        Settings as the provenance of a version has them.
    """
    try:
        return check_settings(recorded, "the recorded settings"), []
    except SettingsError as error:
        return None, [f"settings: this release cannot read them: {str(error).rstrip('.')}"]


def put_tables(
    pipeline: Pipeline, recorded: dict[str, Any], settings: PipelineSettings | None, room: Path
) -> tuple[list[Path], str, list[str]]:
    """Put the training table of a version, and its file of held-out rows, into a folder.

    Parameters
    ----------
    pipeline
        The pipeline, whose folder may still have the tables.
    recorded
        Provenance of the version.
    settings
        Its settings; None if this release cannot read them, so that only kept tables are found.
    room
        Existing folder to write to.

    Returns
    -------
    tables
        Paths of the tables, the training table first; none if one is missing.
    origin
        ``kept`` or ``source``: where they came from.
    missing
        Why a table is missing, for each that is.
    """
    wanted = [(recorded.get("source"), recorded.get("source_sha256"))]
    if "test_sha256" in recorded:
        division = recorded["settings"].get("split")
        test = division.get("test") if isinstance(division, dict) else None
        wanted.append((test, recorded["test_sha256"]))
    tables, origins, missing = [], set(), []
    then = replace(pipeline, settings=settings) if settings else None
    for number, (name, sha256) in enumerate(wanted):
        if not isinstance(sha256, str) or not isinstance(name, str):
            return [], "", ["data: neither name nor digest of the table was recorded"]
        # Of the same name, which messages show, but not at the same path, which may lead
        # elsewhere. The second in a folder of its own, since both may have one name.
        room_for_it = room / "data" / ("held-out" if number else "")
        room_for_it.mkdir(parents=True)
        table = room_for_it / (Path(name).name.strip(".") or "table.csv")
        try:
            extract_table(pipeline.artifacts, sha256, table)
            origins.add("kept")
        except DataError as error:
            if then and _copied(then, table, room, held_out=bool(number)) == sha256:
                origins.add("source")
            else:
                reason = str(error).rstrip(".")
                shown = then.shown_source if then and not number else pipeline.folder / name
                missing.append(f"data: {reason}, and {shown} is not that table")
        tables.append(table)
    if missing:
        return [], "", missing
    return tables, "source" if "source" in origins else "kept", []


def recorded_pipeline(
    name: str, settings: PipelineSettings, tables: list[Path], room: Path
) -> Pipeline:
    """Return a pipeline with the settings of a version, on its tables, that writes elsewhere.

    Parameters
    ----------
    name
        Name of the pipeline.
    settings
        Settings of the version.
    tables
        What `put_tables` returned.
    room
        Existing folder, in which it has its artifacts.
    """
    folder = tables[0].parent
    places = [table.relative_to(folder).as_posix() for table in tables]
    plain = {"source": places[0], "query": None}
    changed: dict[str, Any] = {"data": settings.data.model_copy(update=plain)}
    if len(places) > 1:
        changed["split"] = settings.split.model_copy(update={"test": places[1]})
    return Pipeline(
        name=name,
        settings=settings.model_copy(update=changed),
        folder=folder,
        artifacts=room / "artifacts" / name,
    )


def _copied(pipeline: Pipeline, target: Path, room: Path, *, held_out: bool) -> str:
    """Copy a table as CSV and return the digest of that; empty if it cannot be read."""
    cache = Cache(room / "cache")
    with contextlib.suppress(DataError, SettingsError):
        if held_out:
            test = pipeline.test or pipeline.folder
            table = extract_files(test, cache, dialect_of(pipeline.settings.data))
        else:
            table = extract_training_table(pipeline, cache)
        with open_source(table.path) as opened, target.open("wb") as file:
            while chunk := opened.read(_AT_ONCE):
                file.write(chunk)
            opened.check_unchanged()
            return opened.sha256
    return ""
