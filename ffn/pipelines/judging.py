"""The same recipe judged once on another division of the rows, without registering anything.

An audit of the split keeps a column apart that the settings do not name; a backtest trains on the
rows up to some time and judges on the next ones. Both are one call::

    apart = judge_apart(pipeline, dataset, groups=column_groups(pipeline, dataset, "customer_id"))
    apart.fitted.evaluation.accuracy
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.errors import DataError, SettingsError, quote
from ffn.pipelines.execution import Executor, InProcess
from ffn.pipelines.retraining import Fitted, fit
from ffn.settings.pipeline import Pipeline
from ffn.storage.npy import open_array
from ffn.storage.source import open_source
from ffn.tabular.cells import trim
from ffn.tabular.columns.feature_columns import columns_found
from ffn.tabular.csv.reader import Records
from ffn.tabular.splitting.division import Division, divide
from ffn.tabular.splitting.hashing import value_digests
from ffn.tabular.splitting.points_in_time import TimeKind, parse_time
from ffn.tabular.training_table.dataset import Dataset
from ffn.tabular.training_table.key_columns import TEST_UNLABELLED, UNLABELLED
from ffn.tabular.training_table.split_checks import check_division
from ffn.training.partition import HeldOutPart, read_learnt
from ffn.training.training_data import Prepared, training_part

__all__ = [
    "Judged",
    "column_groups",
    "column_texts",
    "column_times",
    "judge_apart",
    "judge_division",
]

Array = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A recipe that was trained on one side of a division and judged on the other.

    Attributes
    ----------
    division
        The two sides of the rows.
    prepared
        Inputs of both.
    fitted
        The model, with its figures on the held-out side.
    """

    division: Division
    prepared: Prepared
    fitted: Fitted


def judge_apart(
    pipeline: Pipeline,
    dataset: Dataset,
    *,
    groups: Array | None = None,
    times: Array | None = None,
    embargo: float = 0,
    executor: Executor | None = None,
) -> Judged:
    """Judge the recipe of a pipeline with a column kept apart, in every part of the training.

    Parameters
    ----------
    pipeline
        Settings of the recipe; what ``[split]`` names is kept apart as well, unless the column
        given here takes its place.
    dataset
        The training table, N rows.
    groups
        Identifiers, uint64 [N], of which none is on both sides (`column_groups`). None, the
        default: those of ``split.group``, if any.
    times
        Numbers [N]: later rows judge. None, the default: those of ``split.time``, if any.
    embargo
        Distance in time that is left before what judges, in the unit of ``times``; 0, the default,
        for none. Without ``times`` it is that of the settings.
    executor
        Runs the steps; None, the default: this process.

    Raises
    ------
    DataError
        The rows cannot be divided so, or nothing can be learnt from those to train on.
    TrainingError
        No network could be trained.
    """
    training = pipeline.settings.training
    division = divide(
        dataset.labels,
        dataset.fingerprints,
        share=training.test_share,
        seed=training.seed,
        groups=dataset.group_ids if groups is None else groups,
        times=dataset.times if times is None else times,
        embargo=pipeline.settings.split.gap() if times is None else embargo,
        given=dataset.given,
    )
    check_division(dataset, division)
    return judge_division(pipeline, dataset, division, executor)


def judge_division(
    pipeline: Pipeline, dataset: Dataset, division: Division, executor: Executor | None = None
) -> Judged:
    """Train the recipe of a pipeline on one side of a division, and judge it on the other.

    Parameters
    ----------
    pipeline
        Settings of the recipe.
    dataset
        The training table, N rows.
    division
        The two sides of its rows; with groups or times, the resamples keep them apart as well.
    executor
        Runs the steps; None, the default: this process.

    Raises
    ------
    DataError
        Nothing can be learnt from the rows to train on.
    TrainingError
        No network could be trained.
    """
    part = training_part(dataset, division, pipeline)
    _, _, reference, notices = read_learnt(part.entry.path)
    prepared = Prepared(
        training=part,
        held_out=HeldOutPart(rows=int(np.count_nonzero(division.held_out)), entry=part.entry),
        reference=reference,
        source_sha256=dataset.source_sha256,
        notices=notices,
        unlabelled=dataset.unlabelled,
        weightless=dataset.weightless,
    )
    fitted = fit(pipeline, prepared, executor or InProcess())
    return Judged(division=division, prepared=prepared, fitted=fitted)


def column_groups(pipeline: Pipeline, dataset: Dataset, name: str) -> Array:
    """Return identifiers of the values of any column, uint64 [N], as `judge_apart` takes them.

    The parameters are those of `column_texts`, and so are the errors.
    """
    return value_digests(column_texts(pipeline, dataset, name))


def column_times(
    pipeline: Pipeline, dataset: Dataset, name: str, form: str | None = None
) -> tuple[Array, TimeKind]:
    """Return any column as times [N], as `judge_apart` takes them, and their kind.

    Parameters
    ----------
    pipeline, dataset, name
        As for `column_texts`.
    form
        Format of the dates, as `parse_time` takes it; None, the default, for ISO 8601 or numbers.

    Raises
    ------
    DataError
        A cell is no point in time, or is one of another kind than the first.
    SettingsError
        There is no such column.
    """
    texts = column_texts(pipeline, dataset, name)
    decimal = pipeline.settings.data.decimal
    points = {text: parse_time(text, form, decimal) for text in set(texts)}
    first = points[texts[0]]
    for row, text in enumerate(texts):
        point = points[text]
        if point is None or first is None or point.kind != first.kind:
            raise DataError(
                f"{dataset.file_of(row)} row {dataset.row_in_file(row)}, column {quote(name)}: "
                f"{quote(text)} is no point in time, or not of the kind of the first one. Correct "
                "the cell, or name another column."
            )
    kind = first.kind if first else "number"
    dtype = np.float64 if kind == "number" else np.int64
    values = [point.value for text in texts if (point := points[text])]
    return np.array(values, dtype=dtype), kind


def column_texts(pipeline: Pipeline, dataset: Dataset, name: str) -> list[str]:
    """Return the trimmed cells of any column for the N rows of a table, be it a feature or not.

    Parameters
    ----------
    pipeline
        Names the files, and how they are read.
    dataset
        The training table.
    name
        Header of the column.

    Raises
    ------
    DataError
        A file cannot be read.
    SettingsError
        There is no such column.
    """
    data = pipeline.settings.data
    found: list[str] = []
    for path, left_out in ((dataset.path, UNLABELLED), (dataset.test_path, TEST_UNLABELLED)):
        if path is None:
            continue
        with open_source(path) as source:
            records = Records(
                source, str(path), delimiter=data.delimiter, given_encoding=data.encoding
            )
            names = list(records.header.names)
            if name not in names:
                raise SettingsError(
                    f"{path} has no column {quote(name)}{columns_found(name, names)}"
                )
            place = names.index(name)
            cells = [trim(cell) for block in records for cell in block.cells(place)]
        if (file := dataset.entry.path / left_out).exists():
            unlabelled = {*open_array(file).tolist()}
            cells = [cell for row, cell in enumerate(cells, 1) if row not in unlabelled]
        found += cells
    return found
