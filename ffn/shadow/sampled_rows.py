"""Take rows from a scored table, for a challenger to score, with what production said of them."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ffn.errors import DataError, quote
from ffn.monitoring.record.predicted_rows import unguarded
from ffn.monitoring.record.scored_tables import ScoredTable
from ffn.monitoring.record.table_columns import CellTexts, open_columns
from ffn.scoring.output.targets import COMPANIONS
from ffn.scoring.rows.scorer import Scorer
from ffn.scoring.trained_rows import TrainedRows
from ffn.storage.source import open_source
from ffn.tabular.csv.writer import write_record
from ffn.tabular.schema import Schema, prediction_columns

__all__ = ["SAMPLE_DELIMITER", "SampledRows", "distance", "take_rows"]

SAMPLE_DELIMITER = ";"
"""Of the file that a challenger scores: with it, decimal commas need no quotes."""

_NAMED = 3


@dataclass
class SampledRows:
    """Rows [n] of a scored table.

    Attributes
    ----------
    row_column
        Header of the column of row numbers in the file that the challenger scores.
    rows
        Their numbers in the input, from 1.
    ids
        Their ids; empty texts if the table has none.
    labels, confidences
        What production says of them, as texts of the output, with a decimal point.
    with_ids
        Whether the table has the column of the ids.
    """

    row_column: str
    with_ids: bool
    rows: list[int] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    confidences: list[str] = field(default_factory=list)


def distance(scored: int, most_rows: int) -> int:
    """Return the distance of the rows that are taken from a table, at least 1.

    Parameters
    ----------
    scored
        Number of its rows.
    most_rows
        Largest number of rows to take.
    """
    return max(1, -(-scored // most_rows))


def take_rows(
    table: ScoredTable,
    challenger: Scorer,
    trained: TrainedRows | None,
    id_column: str | None,
    every: int,
    path: Path,
) -> SampledRows:
    """Write rows of a scored table to a CSV file, without what production says of them.

    The file has the number of each row, its id, the columns of the challenger, and those by which
    rows are recognised that it was trained on.

    Parameters
    ----------
    table
        The scored table.
    challenger
        The version that is to score the file.
    trained
        What it was trained on; None if that is not known.
    id_column
        Header of the column with the ids; None if the settings name none.
    every
        Result of `distance`.
    path
        Path of the file.

    Raises
    ------
    DataError
        The table lacks a column that the challenger needs, has another target, or is not the one
        that was scored.
    """
    manifest, options = table.manifest, table.manifest["options"]
    if challenger.schema.target != manifest["target"]:
        raise DataError(
            f"it predicts {quote(challenger.schema.target)}, and production "
            f"{quote(manifest['target'])}"
        )
    rejected = _rejected(table)
    with (
        open_source(table.output) as stream,
        open_columns(
            stream,
            delimiter=options["delimiter"],
            decimal=options["decimal"],
            encoding=options.get("encoding"),
            schema=challenger.schema,
        ) as columns,
        path.open("w", encoding="utf-8", newline="") as file,
    ):
        names = columns.header.names
        _check_columns(challenger.schema, names, options["only_id"])
        predicted, confidence = prediction_columns(manifest["target"])
        for column in (predicted, confidence):
            columns.require(column, "scoring")
        own = [feature.name for feature in challenger.schema.features]
        own += [name for name in (trained.columns if trained else ()) if names.count(name) == 1]
        known = id_column is not None and names.count(id_column) == 1
        if id_column is not None and known:
            own = [id_column, *own]
        own = list(dict.fromkeys(own))
        row_column = "row"
        while row_column in own:
            row_column += "_"
        found = SampledRows(row_column, known)
        file.write(write_record((row_column, *own), SAMPLE_DELIMITER) + "\n")
        wanted = list(dict.fromkeys([*own, predicted, confidence]))
        for part in columns.parts(wanted, every):
            texts = _plain(part, options)
            rows = _input_rows(np.array(part.rows, dtype=np.int64), rejected).tolist()
            cells = zip(rows, *(texts[name] for name in own), strict=True)
            file.writelines(write_record(line, SAMPLE_DELIMITER) + "\n" for line in cells)
            found.rows += rows
            found.ids += texts[id_column] if known and id_column else [""] * len(rows)
            found.labels += texts[predicted]
            found.confidences += [
                text.replace(options["decimal"], ".") for text in texts[confidence]
            ]
        if columns.digest() != manifest["files"]["output"]["sha256"]:
            raise DataError(f"{table.output} was changed since it was scored. Score it again.")
    return found


def _check_columns(schema: Schema, names: Sequence[str], only_id: str | None) -> None:
    lacking = [one.name for one in schema.features if list(names).count(one.name) != 1]
    if lacking and only_id is not None:
        raise DataError("the output has only the id column (--only-id), and it needs the features")
    if lacking:
        shown = ", ".join(map(quote, lacking[:_NAMED])) + (", …" if len(lacking) > _NAMED else "")
        raise DataError(f"it needs columns that are not in the file: {shown}")


def _plain(part: CellTexts, options: dict[str, object]) -> dict[str, list[str]]:
    """Return the texts as they were in the input."""
    texts = part.texts
    if options.get("escape_formulas"):
        texts = {name: unguarded(cells, str(options["decimal"])) for name, cells in texts.items()}
    return texts


def _rejected(table: ScoredTable) -> npt.NDArray[np.int64]:
    """Return the numbers of the rejected rows, ascending."""
    path = table.output.with_name(table.output.name + COMPANIONS[0])
    return np.fromiter(_reject_rows(path), dtype=np.int64)


def _reject_rows(path: Path) -> Iterator[int]:
    with closing(path.open(newline="", encoding="utf-8")) as file:
        yield from (int(row["row"]) for row in csv.DictReader(file))


def _input_rows(
    places: npt.NDArray[np.int64], rejected: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Return the numbers in the input of rows by their ``places`` in the output, from 1."""
    # Of the rejected rows, those before a row are the ones with at most so many scored before.
    scored_before = rejected - np.arange(len(rejected))
    return places + np.searchsorted(scored_before, places, side="right")
