"""What was known at a time: hand-made tables, and files that are written in other ways."""

from __future__ import annotations

import contextlib
import csv
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ffn.backtesting.frequencies import read_length
from ffn.backtesting.known_rows import KnownRows, read_known_rows
from ffn.backtesting.past_retraining import past_pipeline
from ffn.errors import DataError
from ffn.pipelines.api import pipeline_at
from ffn.tabular.splitting.points_in_time import parse_time
from ffn.training.steps import load
from tests.backtesting.histories_of_months import SETTINGS, write

ROWS = [
    *("2024-01-10,1,5,no", "2024-02-29,2,5,yes", "2024-03-01,3,6,no"),
    *("2024-01-31,4,6,yes", "2024-03-30,5,7,", "2024-03-31,6,7,no"),
]


def at(text: str) -> float:
    point = parse_time(text)
    assert point is not None
    return point.value


def known(root: Path, window: str | None = None) -> KnownRows:
    pipeline = pipeline_at("months", root)
    length = None if window is None else read_length("window", window, "date")
    return read_known_rows(pipeline, load(pipeline), length)


def cells(history: KnownRows, time: str) -> list[str]:
    """The cells of column a in the table of that time, as Python's own reader finds them."""
    rows = history.before(at(time)).nonzero()[0]
    text = history.open(rows).getvalue().decode()
    return [row["a"] for row in csv.DictReader(text.splitlines(keepends=True))]


def test_rows_before_a_time_are_known(tmp_path: Path) -> None:
    history = known(write(tmp_path, ROWS))
    assert cells(history, "2024-03-01") == ["1", "2", "4"]
    assert cells(history, "2024-03-01T00:00:01") == ["1", "2", "3", "4"]
    assert cells(history, "2025-01-01") == ["1", "2", "3", "4", "6"], "one has no label"
    assert (len(history.times), history.unlabelled) == (5, 1)


def test_rows_of_a_query_are_known_as_those_of_a_file(tmp_path: Path) -> None:
    history = known(write(tmp_path / "csv", ROWS))
    query = 'query = "SELECT * FROM t"'
    toml = SETTINGS.replace('source = "train.csv"', f'source = "sqlite:///t.db"\n{query}')
    assert query in toml
    root = write(tmp_path / "query", ROWS, toml)
    table = pd.read_csv(root / "data/months/train.csv")
    with contextlib.closing(sqlite3.connect(root / "data/months/t.db")) as connection:
        table.sample(frac=1, random_state=1).to_sql("t", connection, index=False)
    selected = known(root)
    for time in ("2024-02-29", "2024-03-01", "2025-01-01"):
        assert sorted(cells(selected, time)) == sorted(cells(history, time))
    pipeline = pipeline_at("months", root)
    rows = selected.before(at("2024-03-31"))
    past = past_pipeline(pipeline, selected, rows, tmp_path / "past")
    assert load(past).rows == 4


def test_a_label_is_known_an_embargo_later(tmp_path: Path) -> None:
    toml = SETTINGS.replace('"day"', '"day"\nembargo = "1d"')
    history = known(write(tmp_path, ROWS, toml))
    assert cells(history, "2024-03-01") == ["1", "4"]
    assert cells(history, "2024-03-01T00:00:01") == ["1", "2", "4"]


def test_a_window_of_a_calendar_month(tmp_path: Path) -> None:
    history = known(write(tmp_path, ROWS), "1mo")
    assert cells(history, "2024-03-31") == ["2", "3"], "a month before March 31 is February 29"
    assert cells(history, "2024-02-29") == ["4"]


def test_a_window_that_begins_before_all_dates_is_no_window(tmp_path: Path) -> None:
    root = write(tmp_path, ROWS)
    assert cells(known(root, "1000y"), "0999-01-01") == []
    everything = replace(known(root), window=read_length("window", "3000w", "date"))
    assert cells(everything, "2024-03-01") == ["1", "2", "4"]


@pytest.mark.parametrize("encoding", ["latin-1", "utf-8-sig", "utf-16"])
def test_records_are_copied_whole_from_any_encoding(tmp_path: Path, encoding: str) -> None:
    rows = [row.replace(",", ";") for row in ROWS[:4]]
    rows[1] = rows[1].replace("5;yes", '"gr\xfc\xdfe;\n""5"""; yes')
    toml = SETTINGS.replace('target = "y"', 'target = "y"\ndelimiter = ";"')
    if encoding == "latin-1":
        toml = toml.replace('target = "y"', 'target = "y"\nencoding = "latin-1"')
    root = write(tmp_path, [], toml.replace("[split]", '[data.kinds]\nb = "categorical"\n[split]'))
    text = "day;a;b;y\r\n" + "\r\n".join(rows) + "\r\n"
    (root / "data/months/train.csv").write_bytes(text.encode(encoding))
    history = known(root)
    history.write(history.times > 0, tmp_path / "copy.csv")
    with (tmp_path / "copy.csv").open(newline="", encoding="utf-8") as file:
        assert list(csv.reader(file, delimiter=";")) == list(
            csv.reader(text.splitlines(keepends=True), delimiter=";")
        )


def test_a_table_that_changes_meanwhile_is_refused(tmp_path: Path) -> None:
    root = write(tmp_path, ROWS)
    pipeline = pipeline_at("months", root)
    dataset: Any = load(pipeline)
    write(root, [*ROWS, "2024-04-01,9,9,no"])
    with pytest.raises(DataError, match=r"train\.csv changed while it was read"):
        read_known_rows(pipeline, dataset)
