"""Tell rows that training would refuse, and rows that the training CSV has already."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.errors import DataError, FFNError, quote
from ffn.monitoring.record.outcome_record import id_digest
from ffn.monitoring.record.table_columns import open_columns
from ffn.settings.pipeline import Pipeline
from ffn.storage.source import open_source
from ffn.tabular.cell_forms import cell_form
from ffn.tabular.cells import numbers
from ffn.tabular.columns.formatted_column import formatted_numbers
from ffn.tabular.columns.parsers import LARGEST
from ffn.tabular.splitting.points_in_time import parse_time
from ffn.tabular.training_table.dataset import Dataset
from ffn.tabular.training_table.fingerprints import content_fingerprints
from ffn.tabular.training_table.label_reading import LabelReading, toml_remedy
from ffn.training_history.appended_rows import NewRow

__all__ = ["label_texts", "rows_there", "sound_rows"]

Array = npt.NDArray[Any]

# As in the split: from more repeats on average, equal content does not mean the same row.
_MOST_REPEATS = 3


def label_texts(pipeline: Pipeline, dataset: Dataset) -> dict[str, str]:
    """Return a cell text for each class of the training table that is read as this class.

    Parameters
    ----------
    pipeline
        The pipeline, whose settings say how labels are read.
    dataset
        The training table.
    """
    data = pipeline.settings.data
    reading = LabelReading(
        labels=data.labels or {}, missing=data.missing_labels, decimal=data.decimal
    )
    found = {}
    for name in dataset.classes:
        for text in (name, *(text for text, other in reading.labels.items() if other == name)):
            try:
                if reading.resolve(Counter([text]), "", toml_remedy).classes[text] == name:
                    found[name] = text
                    break
            except (FFNError, KeyError):
                continue
    return found


def sound_rows(
    pipeline: Pipeline, dataset: Dataset, rows: Sequence[NewRow], left_out: Counter[str]
) -> list[NewRow]:
    """Return the rows that training would read, and count the others by reason.

    Parameters
    ----------
    pipeline
        The pipeline.
    dataset
        The training table, whose columns have their kinds.
    rows
        Rows with all columns that training reads.
    left_out
        Counts by reason, to which the others are added.
    """
    split, known = pipeline.settings.split, set(dataset.classes)
    values = _numbers(pipeline, dataset, rows)
    wrong = np.zeros(len(rows), dtype=bool)
    for numbers_of, refused in values.values():
        wrong[refused] = True
        with np.errstate(invalid="ignore"):
            wrong |= np.abs(numbers_of) > LARGEST
    found = []
    for row, no_number in zip(rows, wrong.tolist(), strict=True):
        if row.label not in known:
            left_out[f"with the label {quote(row.label)}, which it has not"] += 1
        elif no_number:
            left_out["with a text or too large a number in a numeric column"] += 1
        elif split.time is not None and not _is_time(pipeline, dataset, row.cells[split.time]):
            left_out["without a time that can be read"] += 1
        elif split.group is not None and row.cells[split.group] in dataset.missing_values:
            left_out["without a group"] += 1
        else:
            found.append(row)
    return found


def _is_time(pipeline: Pipeline, dataset: Dataset, text: str) -> bool:
    if text in dataset.missing_values:
        return False
    settings = pipeline.settings
    point = parse_time(text, settings.split.time_format, settings.data.decimal)
    return point is not None and point.kind == dataset.time_kind


def _numbers(
    pipeline: Pipeline, dataset: Dataset, rows: Sequence[NewRow]
) -> dict[str, tuple[Array, list[int]]]:
    """Return the numbers of each numeric column, and the places of those that are none."""
    found = {}
    for name in dataset.numeric_features:
        cells = [row.cells[name] for row in rows]
        if name in dataset.formats:
            form = cell_form(dataset.formats[name])
            found[name] = formatted_numbers(cells, form, dataset.missing_values)
        else:
            found[name] = numbers(cells, dataset.missing_values, pipeline.settings.data.decimal)
    return found


def rows_there(
    pipeline: Pipeline, dataset: Dataset, rows: Sequence[NewRow], left_out: Counter[str]
) -> tuple[list[NewRow], list[NewRow]]:
    """Divide rows into new ones and those that the training CSV has, by id or by content.

    Ids are compared where the training CSV has their column. Otherwise rows with equal features
    and class count as one, also among the new ones. Rows of the user's own file of held-out rows
    are counted as left out.

    Parameters
    ----------
    pipeline
        The pipeline.
    dataset
        The training table.
    rows
        Rows that training would read.
    left_out
        Counts by reason.

    Returns
    -------
    new, there
        The rows, in order.

    Raises
    ------
    DataError
        There is no id column, and the rows of the training CSV repeat so often that equal content
        does not mean the same row.
    """
    own = _fingerprints(pipeline, dataset, rows)
    rows, own = _without_held_out(dataset, rows, own, left_out)
    if (known := _ids_there(pipeline, {row.id for row in rows})) is not None:
        return _divided(rows, lambda place: rows[place].id, known)
    every = np.asarray(dataset.fingerprints)
    if len(every) > _MOST_REPEATS * len(np.unique(every)):
        raise DataError(
            f"{dataset.file} has no id column, and its rows repeat more than three times on "
            "average, so it cannot be told which rows it has already; nothing is appended. Add the "
            "column that outcomes.id names."
        )
    at = np.isin(every, own)
    classes = [dataset.classes[code] for code in dataset.labels[at].tolist()]
    there = set(zip(every[at].tolist(), classes, strict=True))
    keys = [(mark, row.label) for mark, row in zip(own.tolist(), rows, strict=True)]
    return _divided(rows, lambda place: keys[place], there)


def _divided(
    rows: Sequence[NewRow], key: Callable[[int], Any], known: set[Any]
) -> tuple[list[NewRow], list[NewRow]]:
    new: list[NewRow] = []
    there: list[NewRow] = []
    seen = set(known)
    for place, row in enumerate(rows):
        (there if key(place) in seen else new).append(row)
        seen.add(key(place))
    return new, there


def _fingerprints(pipeline: Pipeline, dataset: Dataset, rows: Sequence[NewRow]) -> Array:
    values = _numbers(pipeline, dataset, rows)
    numeric = {name: found for name, (found, _) in values.items()}
    texts = {name: [row.cells[name] for row in rows] for name in dataset.categorical_features}
    return content_fingerprints(numeric, texts, dataset.missing_values, len(rows))


def _without_held_out(
    dataset: Dataset, rows: Sequence[NewRow], own: Array, left_out: Counter[str]
) -> tuple[list[NewRow], Array]:
    """Leave out rows of the user's own file of held-out rows: they would be trained on."""
    if dataset.given is None:
        return list(rows), own
    held_out = np.isin(own, dataset.fingerprints[dataset.given])
    if held_out.any():
        left_out[f"of {dataset.test_file}, which only judges"] += int(held_out.sum())
    return [row for row, out in zip(rows, held_out, strict=True) if not out], own[~held_out]


def _ids_there(pipeline: Pipeline, wanted: set[bytes]) -> set[bytes] | None:
    """Return which of the ids the training CSV has; None if it lacks their column."""
    column, data = pipeline.settings.outcomes.id, pipeline.settings.data
    if column is None:
        return None
    with (
        open_source(pipeline.source) as stream,
        open_columns(
            stream, delimiter=data.delimiter, decimal=data.decimal, encoding=data.encoding
        ) as table,
    ):
        lacks = table.header.names.count(column) != 1
        texts = _texts(table.parts([] if lacks else [column]), column)
        found = {one for text in texts if (one := id_digest(text)) in wanted}
    return None if lacks else found


def _texts(parts: Any, column: str) -> Iterator[str]:
    for part in parts:
        yield from part.texts.get(column, ())
