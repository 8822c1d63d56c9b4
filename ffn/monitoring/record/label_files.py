"""Read files of labels, and refuse those that contradict themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ffn.errors import DataError, one_line, quote
from ffn.monitoring.record.delivery import Delivery, LabelRow
from ffn.monitoring.record.outcome_record import id_digest
from ffn.monitoring.record.table_columns import open_columns
from ffn.scoring.judged.row_keys import KeyNames
from ffn.settings.pipeline import Pipeline
from ffn.storage.source import Source
from ffn.tabular.training_table.label_reading import LabelReading, toml_remedy

__all__ = ["class_of_text", "read_labels"]

_NAMED = 5


def read_labels(stream: Source, pipeline: Pipeline, name: str) -> tuple[list[LabelRow], Delivery]:
    """Read a file of labels; return its rows with id and label, and counts of the others.

    Of rows with equal id and label, the first is returned.

    Parameters
    ----------
    stream
        The file, CSV or Parquet, at its beginning.
    pipeline
        The pipeline, whose settings name the columns and say how the file is written.
    name
        Name of the file in the result.

    Raises
    ------
    DataError
        The file cannot be read, lacks a column, has a label that needs a decision, or gives an
        id two labels.
    """
    settings, data = pipeline.settings.outcomes, pipeline.settings.data
    label, told = settings.label or data.target, "outcomes.label"
    id_column = settings.id or ""
    found = Delivery(name=name, sha256="")
    rows: list[tuple[str, str, int, int]] = []
    keys: list[tuple[str, ...]] = []
    with open_columns(
        stream, delimiter=data.delimiter, decimal=data.decimal, encoding=data.encoding
    ) as table:
        table.require(id_column, "outcomes.id")
        table.require(label, told if settings.label else "data.target")
        asked = KeyNames(weight=data.weight, group=pipeline.settings.split.group).columns
        own = [one for one in asked if table.header.names.count(one) == 1]
        for part in table.parts(list(dict.fromkeys([id_column, label, *own]))):
            found.unreadable += len(part.rejects)
            rows += zip(
                part.texts[id_column], part.texts[label], part.rows, part.lines, strict=True
            )
            keys += (
                zip(*(part.texts[one] for one in own), strict=True)
                if own
                else [()] * len(part.rows)
            )
            found.notices += [
                f"{one_line(name)}, line {reject.line:,}, cannot be read: {reject.detail}."
                for reject in part.rejects[: max(0, _NAMED - len(found.notices))]
            ]
        found.sha256 = table.digest()
    found.rows = len(rows) + found.unreadable
    classes = class_of_text(pipeline, [text for _, text, _, _ in rows], f"{name}, {quote(label)}")
    seen: dict[bytes, LabelRow] = {}
    for (shown, text, row, line), cells in zip(rows, keys, strict=True):
        if text not in classes:
            found.unlabelled += 1
            continue
        if not shown:
            found.without_id += 1
            continue
        one = LabelRow(
            id=id_digest(shown),
            shown=shown,
            label=classes[text],
            row=row,
            line=line,
            text=text,
            keys=dict(zip(own, cells, strict=True)),
        )
        first = seen.setdefault(one.id, one)
        if first.label != one.label:
            raise DataError(
                f"{name}: {quote(shown)} has the label {quote(first.label)} in {first.place} and "
                f"{quote(one.label)} in {one.place}. Correct one of them; nothing was taken up."
            )
        found.known += first is not one
    return list(seen.values()), found


def class_of_text(pipeline: Pipeline, texts: Sequence[str], where: str) -> dict[str, str]:
    """Return the class of each text of a label column that is a label, as training reads it.

    Parameters
    ----------
    pipeline
        The pipeline, whose settings decide.
    texts
        Trimmed cell texts.
    where
        File and column, for errors.

    Raises
    ------
    DataError
        A label needs a decision in the settings.
    """
    data = pipeline.settings.data
    reading = LabelReading(
        labels=data.labels or {}, missing=data.missing_labels, decimal=data.decimal
    )
    counts = Counter(texts)
    if not any(map(reading.is_label, counts)):
        return {}
    return dict(reading.resolve(counts, where, toml_remedy).classes)
