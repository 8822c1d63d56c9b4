"""The rows of a file as Parquet and as tables in memory, as texts and with types.

The expectation is that of the file: what a cell means is the same in whatever container.
"""

from __future__ import annotations

import csv
import datetime
import io
import random
import urllib.parse
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from ffn.errors import DataError
from ffn.scoring.model import Model
from ffn.scoring.partitioned.score_dataset import score_dataset
from ffn.scoring.rows.scorer import Scorer
from ffn.scoring.score_file import score_csv
from fuzz.mixed.answers import Answer, Task
from fuzz.mixed.cell_oracle import value_of
from fuzz.mixed.columns import Column
from fuzz.oracle import Readable, quoted

__all__ = ["DISK", "try_tables"]

# What a file cannot hold in a row that is read, but a table can.
_NUL, _HUGE = "a\0b", "x" * 60_000

_LONGEST_NAME = 200
# Microseconds from 1970 to the year 10000.
_AFTER_9999 = 253_402_300_800_000_000
# Of the tables, so many go by way of the disk, each way by itself.
DISK = 0.3

Outcome = Answer | tuple[str, str]


def try_tables(
    chance: random.Random, task: Task, model: Scorer, readable: Sequence[Readable], decimal: str
) -> str:
    """Return what is wrong with how rows are scored in other containers.

    Parameters
    ----------
    chance
        Chooses containers and types.
    task, model
        The model as the expectation knows it, and as it scores.
    readable
        Rows of the file whose cells could be told.
    decimal
        Decimal mark of the file.
    """
    names = [column.name for column in task.columns]
    rows = [{name: one.cells[name] for name in names} for one in readable]
    if not rows:
        return ""
    rows = _worse(chance, task, rows) if chance.random() < 0.3 else rows
    texts = pa.table({name: pa.array([row[name] for row in rows], pa.string()) for name in names})
    outcomes = [_outcome(task, row, decimal) for row in rows]
    with TemporaryDirectory(prefix="ffn-fuzz-") as name, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        folder = Path(name)
        if chance.random() < DISK:
            wrong = _as_parquet(chance, task, model, texts, outcomes, folder, decimal)
            if wrong:
                return f"Parquet of texts: {wrong}"
        if chance.random() < DISK and (
            wrong := _as_folder(chance, task, model, rows, folder, decimal)
        ):
            return f"partitioned folder: {wrong}"
        if decimal == "," and any(column.kind == "number" for column in task.columns):
            return ""
        if wrong := _in_memory(chance, task, model, texts, outcomes):
            return f"texts in memory: {wrong}"
        typed, whole = _typed(chance, task, rows)
        if typed is None:
            return ""
        outcomes = [_outcome(task, row, ".") for row in whole]
        if wrong := _in_memory(chance, task, model, typed, outcomes):
            return f"types in memory, {typed.schema.types}: {wrong}"
        if chance.random() >= DISK:
            return ""
        wrong = _as_parquet(chance, task, model, typed, outcomes, folder, ".")
        return f"Parquet of {typed.schema.types}: {wrong}" if wrong else ""


def _worse(chance: random.Random, task: Task, rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """Return the rows, with a NUL in one, or a text of many characters."""
    rows = [dict(row) for row in rows]
    row, column = chance.choice(rows), chance.choice(task.columns)
    row[column.name] = chance.choice((_NUL, _HUGE, "\0"))
    return rows


def _outcome(task: Task, row: dict[str, str], decimal: str) -> Outcome:
    if any("\0" in cell for cell in row.values()):
        return "", "nul_byte"
    column, reason, values = task.read(row, decimal)
    return (column, reason) if reason else task.answer(values)


def _as_parquet(
    chance: random.Random,
    task: Task,
    model: Scorer,
    table: Any,
    outcomes: list[Outcome],
    folder: Path,
    decimal: str,
) -> str:
    source = folder / "in.parquet"
    output = folder / chance.choice(("out.parquet", "out.csv"))
    groups = chance.choice((1, 2, 1000))
    pq.write_table(table, source, row_group_size=groups, use_dictionary=chance.random() < 0.5)
    try:
        score_csv(model, source, output, **_options(task), decimal=decimal)
    except DataError as error:
        every = all(isinstance(one, tuple) for one in outcomes)
        return "" if every and " rejected (" in str(error) else f"refused: {error}"
    with (folder / f"{output.name}.rejects.csv").open(newline="", encoding="utf-8") as file:
        found = [(int(r["row"]), r["column"], r["reason"]) for r in csv.DictReader(file)]
    rejected = [(i + 1, *one) for i, one in enumerate(outcomes) if isinstance(one, tuple)]
    if found != rejected:
        return f"rejects {found} instead of {rejected}"
    answers = [one for one in outcomes if isinstance(one, Answer)]
    cells = [[cell or None for cell in task.cells(one)] for one in answers]
    if output.suffix == ".csv":
        text = io.StringIO(output.read_bytes().decode(), newline="")
        got = [[row[name] or None for name in task.added] for row in csv.DictReader(text)]
        got = [[_with_point(cell, decimal) for cell in row] for row in got]
    else:
        written = pq.read_table(output)
        got = [[_as_cell(row[name]) for name in task.added] for row in written.to_pylist()]
    return "" if got == cells else f"{got} instead of {cells}"


def _options(task: Task) -> dict[str, Any]:
    return {
        "on_unknown": task.on_unknown,
        "probabilities": task.probabilities,
        "explain": task.explain,
        "drift": "off",
    }


def _with_point(cell: str | None, decimal: str) -> str | None:
    number = cell is not None and cell.lstrip("-")[:2] in ("0,", "1,") and len(cell) <= 7
    return cell.replace(",", ".") if cell is not None and number and decimal == "," else cell


def _as_cell(value: Any) -> str | None:
    if isinstance(value, list):
        return "|".join(map(str, value))
    if isinstance(value, float):
        return f"{value:.4f}"
    return None if value is None else str(value)


def _as_folder(
    chance: random.Random,
    task: Task,
    model: Scorer,
    rows: list[dict[str, str]],
    folder: Path,
    decimal: str,
) -> str:
    """Score a folder whose subfolders are named by the cells of one of the columns."""
    by = chance.choice(task.columns).name
    if not by.replace("_", "").isalnum() or any("\0" in c for row in rows for c in row.values()):
        return ""
    source, output = folder / "lake", folder / "scored"
    groups: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        groups.setdefault(row[by].strip(" \t"), []).append(row)
    if max(len(_folder_name(value)) for value in groups) > _LONGEST_NAME:
        return ""
    others = [name for name in rows[0] if name != by]
    expected, rejected = {}, []
    for value, own in groups.items():
        part = f"{by}={_folder_name(value)}"
        (source / part).mkdir(parents=True)
        lines = [[*others, "id"], *([*(row[name] for name in others), "7"] for row in own)]
        text = "".join(",".join(quoted(cell, ",") for cell in line) + "\n" for line in lines)
        (source / part / "t.csv").write_bytes(text.encode())
        outcomes = [_outcome(task, row | {by: value}, decimal) for row in own]
        answers = [one for one in outcomes if isinstance(one, Answer)]
        expected[f"{part}/t.csv"] = [task.cells(one) for one in answers]
        rejected += [
            (f"{part}/t.csv", i + 1, *one)
            for i, one in enumerate(outcomes)
            if isinstance(one, tuple)
        ]
    try:
        score_dataset(model, source, output, **_options(task), decimal=decimal)
    except DataError as error:
        every = not any(expected.values())
        return "" if every and " rejected" in str(error) else f"refused: {error}"
    with (folder / "scored.rejects.csv").open(newline="", encoding="utf-8") as file:
        told = [(r["file"], int(r["row"]), r["column"], r["reason"]) for r in csv.DictReader(file)]
    if sorted(told) != sorted(rejected):
        return f"rejects {told} instead of {rejected}"
    for part, cells in expected.items():
        text = io.StringIO((output / part).read_bytes().decode(), newline="")
        got = [[_with_point(row[n], decimal) for n in task.added] for row in csv.DictReader(text)]
        if got != cells:
            return f"{part}: {got} instead of {cells}"
    return ""


def _folder_name(value: str) -> str:
    return urllib.parse.quote(value, safe="") if value else "__HIVE_DEFAULT_PARTITION__"


def _in_memory(
    chance: random.Random, task: Task, model: Scorer, table: Any, outcomes: list[Outcome]
) -> str:
    """Ask for predictions of a table in memory, batch by batch."""
    container = chance.choice(tuple(_CONTAINERS))
    try:
        rows = _CONTAINERS[container](table)
    except ValueError:
        # An offset moved the last day of 9999 into a year that Python's dates do not have.
        container, rows = "arrow", table
    try:
        batch = Model(model).predict_batch(
            rows,
            probabilities=task.probabilities,
            on_unknown=task.on_unknown,
        )
    except DataError as error:
        return f"{container}: refused: {error}"
    names = [name for name in task.added if not name.startswith("reason_")]
    told = [*names, "reject_column", "reject_reason"]
    if isinstance(batch, pd.DataFrame):
        batch = batch[told].astype(object)
        batch = batch.where(batch.notna(), None).to_dict("records")
    elif isinstance(batch, pl.DataFrame):
        batch = batch.select(told).to_dicts()
    else:
        batch = batch.select(told).to_pylist()
    for number, (row, outcome) in enumerate(zip(batch, outcomes, strict=True), start=1):
        reject = row["reject_column"], row["reject_reason"]
        if isinstance(outcome, tuple):
            if reject != outcome:
                return f"{container}: row {number} is {reject} instead of {outcome}"
            continue
        cells = [cell or None for cell in task.cells(outcome)[: len(names)]]
        found = [
            _as_cell(list(row[name]) if isinstance(row[name], np.ndarray) else row[name])
            for name in names
        ]
        if reject != (None, None) or found != cells:
            return f"{container}: row {number} is {found}, {reject} instead of {cells}"
    return ""


def _frame_of_objects(table: Any) -> pd.DataFrame:
    columns = {name: table[name].to_pylist() for name in table.column_names}
    for name in table.column_names:
        if table[name].type == pa.float32():
            # Python's floats would be others.
            columns[name] = [None if c is None else np.float32(c) for c in columns[name]]
    return pd.DataFrame(columns, dtype=object)


_CONTAINERS: dict[str, Callable[[Any], Any]] = {
    "arrow": lambda table: table,
    "arrow, chunks": lambda table: pa.concat_tables([table.slice(0, 1), table.slice(1)]),
    "arrow, batch": lambda table: table.combine_chunks().to_batches()[0],
    "pandas": lambda table: table.to_pandas(),
    "pandas, arrow types": lambda table: table.to_pandas(types_mapper=pd.ArrowDtype),
    "pandas, objects": _frame_of_objects,
    "polars": lambda table: pl.from_arrow(table),
}


def _typed(
    chance: random.Random, task: Task, rows: list[dict[str, str]]
) -> tuple[Any, list[dict[str, str]]]:
    """Return the rows without a wrong cell as a table of types, and their texts."""
    whole = []
    for row in rows:
        values = [
            value_of(column, row[column.name], task.missing_values, ".") for column in task.columns
        ]
        if not any(value != value for value in values):
            whole.append(row)
    if not whole or any("\0" in cell for row in whole for cell in row.values()):
        return None, []
    columns, texts = {}, [dict(row) for row in whole]
    for column in task.columns:
        cells = [row[column.name] for row in whole]
        values = [value_of(column, cell, task.missing_values, ".") for cell in cells]
        array, written = _array(chance, column, cells, values, task.missing_values)
        columns[column.name] = array
        for row, text in zip(texts, written, strict=True):
            row[column.name] = text
    return pa.table(columns), texts


def _array(
    chance: random.Random,
    column: Column,
    cells: list[str],
    values: list[Any],
    missing_values: Sequence[str],
) -> tuple[Any, list[str]]:
    """Return a column with some type, and its texts in a file; null is the empty cell there."""
    texts = ["" if value is None else cell for value, cell in zip(values, cells, strict=True)]
    plain = pa.array(cells, chance.choice((pa.string(), pa.large_string())))
    plain = plain.dictionary_encode() if chance.random() < 0.3 else plain
    # What stands for no value among typed values is a matter of its own.
    simple = set(missing_values) <= {"", "NA", "null"} and "" in missing_values
    if column.kind in ("category", "text") or not simple or chance.random() < 0.2:
        return plain, cells
    if all(value is None for value in values):
        return pa.array(values, chance.choice((pa.null(), pa.string()))), texts
    if column.kind == "truth":
        kind = chance.choice((pa.bool_(), pa.int8(), pa.float64()))
        typed = [None if value is None else bool(value) for value in values]
        return pa.array(typed, pa.bool_()).cast(kind), texts
    if column.kind == "date":
        return _dates(chance, column, values, texts) or (plain, cells)
    if column.kind == "time":
        return _times(chance, values), texts
    if column.kind == "money" and column.form[-1] in "%\u2030":
        return plain, cells
    if column.kind == "number" and all(
        value is None or float(str(np.float32(value))) == value for value in values
    ):
        return pa.array(values, chance.choice((pa.float32(), pa.float64()))), texts
    return pa.array(values, pa.float64()), texts


def _dates(
    chance: random.Random, column: Column, values: list[Any], texts: list[str]
) -> tuple[Any, list[str]] | None:
    zoned = column.form == "iso utc" or "%z" in column.form
    # Exact: microseconds of these years are integers below 2 ** 63.
    ticks = [None if value is None else _ticks(value) for value in values]
    present = [tick for tick in ticks if tick is not None]
    if any(tick >= _AFTER_9999 for tick in present):
        # The last microseconds of 9999 are rounded to a year that no typed column may have.
        return None
    unit = "us"
    if all(tick % 1_000_000 == 0 for tick in present):
        unit = chance.choice(("s", "ms", "us"))
    if all(abs(tick) < 9 * 10**15 for tick in present) and chance.random() < 0.3:
        unit = "ns"
    if not zoned and all(tick % 86_400_000_000 == 0 for tick in present) and chance.random() < 0.4:
        days = [None if tick is None else tick // 86_400_000_000 for tick in ticks]
        return pa.array(days, pa.int32()).cast(pa.date32()), texts
    zone = chance.choice(("UTC", "Asia/Kathmandu")) if zoned else None
    stamps = pa.array(ticks, pa.int64()).cast(pa.timestamp("us"))
    if zone:
        stamps = stamps.cast(pa.timestamp("us", "UTC"))
    return stamps.cast(pa.timestamp(unit, zone)), texts


def _times(chance: random.Random, values: list[Any]) -> Any:
    ticks = [None if value is None else _ticks(value) for value in values]
    times = pa.array(ticks, pa.int64()).cast(pa.time64("us"))
    if all(tick is None or tick % 1_000_000 == 0 for tick in ticks):
        return times.cast(chance.choice((pa.time32("s"), pa.time32("ms"), pa.time64("ns"))))
    return times.cast(pa.time64("ns")) if chance.random() < 0.5 else times


def _ticks(seconds: float) -> int:
    whole = datetime.timedelta(seconds=seconds)
    return whole // datetime.timedelta(microseconds=1)
