"""Load the training table: the first step of a retraining."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from ffn.errors import SettingsError, quote
from ffn.extraction.declared_names import named_as_declared
from ffn.extraction.extracted_table import (
    ExtractedTable,
    dialect_of,
    extract_files,
    extract_training_table,
)
from ffn.object_stores.object_address import is_object_address
from ffn.settings.data_settings import DEFAULT_EXCLUDE
from ffn.settings.pipeline import Pipeline
from ffn.storage.cache import Cache
from ffn.storage.real_path import real_path
from ffn.storage.source import refuse_pipe
from ffn.tabular.ingestion.choice import Choice
from ffn.tabular.ingestion.ingest import read_dataset
from ffn.tabular.schema import prediction_columns, set_column
from ffn.tabular.training_table.dataset import Dataset

__all__ = ["load", "training_cache"]


def load(pipeline: Pipeline) -> Dataset:
    """Read and check the training table, or take it from the cache.

    Parameters
    ----------
    pipeline
        Names the table, and has the settings under ``[data]``.

    Raises
    ------
    DataError
        The table cannot be read or cannot be learnt from, or the disk is full.
    SettingsError
        The settings name a column that does not exist.
    """
    data, division = pipeline.settings.data, pipeline.settings.split
    test = _test_file(pipeline)
    choice = Choice(
        target=data.target,
        features=data.features,
        exclude=data.exclude,
        default_exclude=DEFAULT_EXCLUDE,
        missing_values=data.missing_values,
        kinds=data.kinds,
        formats=data.formats,
        labels=data.labels or {},
        missing_labels=data.missing_labels,
        delimiter=data.delimiter,
        decimal=data.decimal,
        encoding=data.encoding,
        time=division.time,
        group=division.group,
        time_format=division.time_format,
        weight=data.weight,
    )
    cache, dialect = training_cache(pipeline), dialect_of(data)
    table = extract_training_table(pipeline, cache)
    held_out = extract_files(test, cache, dialect) if test else None
    if held_out:
        _check_apart(table, held_out)
    with named_as_declared([table, held_out]):
        dataset = read_dataset(table.path, cache, choice, held_out.path if held_out else None)
    dataset = _as_declared(dataset, table, held_out, pipeline)
    sets = pipeline.settings.decision.label_sets is not None
    added = (*prediction_columns(data.target), *([set_column(data.target)] if sets else []))
    for name in set(added).intersection([data.target, *dataset.order]):
        what = "target" if name == data.target else "feature"
        raise SettingsError(
            f"{dataset.file} has a {what} column {quote(name)}, which is the name of a column that "
            "scoring adds. Rename the column."
        )
    return dataset


def _as_declared(
    dataset: Dataset, table: ExtractedTable, held_out: ExtractedTable | None, pipeline: Pipeline
) -> Dataset:
    """Name in a dataset what the settings name, where its CSV files were made of that."""
    changed: dict[str, Any] = {}
    if table.entry is not None:
        data = pipeline.settings.data
        file = data.source if data.query is None else table.declared
        changed = {"file": file, "parts": table.parts}
    if held_out is not None and held_out.entry is not None:
        changed |= {"test_file": pipeline.settings.split.test, "test_parts": held_out.parts}
    entries = (one.entry for one in (table, held_out) if one is not None)
    held = tuple(entry for entry in entries if entry is not None)
    return replace(dataset, **changed, held=held) if changed else dataset


def _check_apart(table: ExtractedTable, held_out: ExtractedTable) -> None:
    """Refuse held-out files that are among those to train on."""
    taken = {real_path(file) for file in table.files}
    for file in held_out.files:
        if real_path(file) in taken:
            raise SettingsError(
                f"split.test takes {file}, which data.source takes, too: its rows would be trained "
                "on. Put held-out rows into files of their own."
            )


def _test_file(pipeline: Pipeline) -> Path | None:
    """Return the file of held-out rows; None if there is none."""
    test = pipeline.test
    if test is None:
        return None
    refuse_pipe(test)
    real = real_path(test)
    if not real.is_relative_to(real_path(pipeline.folder)):
        raise SettingsError(
            f"split.test: {test} is a link out of {pipeline.folder}. Put the file there."
        )
    if not is_object_address(pipeline.source) and real == real_path(pipeline.source):
        raise SettingsError(
            f"split.test names {quote(test.name)}, the file that data.source names: its rows would "
            "be trained on. Name a file of other rows."
        )
    return test


def training_cache(pipeline: Pipeline) -> Cache:
    """Return the cache with what is read and made of the training table.

    Parameters
    ----------
    pipeline
        The pipeline.
    """
    return Cache(pipeline.artifacts / "cache")
