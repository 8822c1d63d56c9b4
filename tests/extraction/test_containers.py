"""The same table is the same model, byte for byte, whatever carries it."""

from __future__ import annotations

import datetime
import decimal
import json
import random
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ffn.registry.new_data import new_training_data
from ffn.training.tables.loading import load
from tests.extraction.conftest import Loaded, Train, pipeline_of
from tests.helpers.command_line import run_here

DRAW = random.Random(5)
NAMES = ["plain", 'it\'s, "so"', "two\nlines", "café"]
KINDS = ["no", "yes"]


def drawn(i: int) -> dict[str, Any]:
    """A row with all that both containers can carry; every third cell of a column is missing."""
    row = {
        "count": i % 7,
        "size": DRAW.choice([DRAW.gauss(0, 1), float(i % 5), 1e-7 * i, 12345678.9]),
        "price": decimal.Decimal(i % 9) / 4,
        "flag": i % 2 == 0,
        "day": datetime.date(2024, 1, 1 + i % 3),
        "at": datetime.datetime(2024, 1, 1 + i % 3, 12, 30),
        "name": NAMES[i % 4],
        "word": f"w{i % 3}",
    }
    row = {key: None if DRAW.random() < 0.2 else value for key, value in row.items()}
    return {**row, "kind": KINDS[i % 7 + i % 5 > 4]}


ROWS = [drawn(i) for i in range(150)]
SCHEMA = pa.schema(
    [
        ("count", pa.int32()),
        ("size", pa.float64()),
        ("price", pa.decimal128(10, 2)),
        ("flag", pa.bool_()),
        ("day", pa.date32()),
        ("at", pa.timestamp("ms")),
        ("name", pa.string()),
        ("word", pa.dictionary(pa.int8(), pa.string())),
        ("kind", pa.large_string()),
    ]
)


def table(rows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(rows, SCHEMA)


def parquet(path: Path, rows: list[dict[str, Any]], **options: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table(rows), path, **options)


def csv(path: Path, rows: list[dict[str, Any]]) -> None:
    """As pandas writes it, which knows nothing of our Parquet reader."""
    path.parent.mkdir(parents=True, exist_ok=True)
    frame = pd.DataFrame(rows, columns=SCHEMA.names)
    frame["count"] = frame["count"].astype("Int64")
    frame.to_csv(path, index=False)


@pytest.fixture
def expected(tmp_path: Path, loaded: Loaded) -> dict[str, bytes]:
    """What training knows of one CSV file."""
    csv(tmp_path / "csv/data/tiny/train.csv", ROWS)
    return loaded("csv", "train.csv")


def test_a_parquet_file(tmp_path: Path, loaded: Loaded, expected: dict[str, bytes]) -> None:
    parquet(tmp_path / "r/data/tiny/train.parquet", ROWS, row_group_size=20)
    assert loaded("r", "train.parquet") == expected


def test_a_parquet_file_that_polars_wrote(
    tmp_path: Path, loaded: Loaded, expected: dict[str, bytes]
) -> None:
    (tmp_path / "r/data/tiny").mkdir(parents=True)
    pl.from_arrow(table(ROWS)).write_parquet(tmp_path / "r/data/tiny/train.parquet")
    assert loaded("r", "train.parquet") == expected


def test_a_folder_of_both_kinds(tmp_path: Path, loaded: Loaded, expected: dict[str, bytes]) -> None:
    history = tmp_path / "r/data/tiny/history"
    csv(history / "a.csv", ROWS[:40])
    parquet(history / "b.parquet", ROWS[40:90])
    csv(history / "c.csv.gz", ROWS[90:91])
    parquet(history / "d.parquet", ROWS[91:], compression="zstd")
    for name in (".hidden.csv", "_SUCCESS", "_old.parquet", "e.csv.part", "notes.txt", "f.csv~"):
        (history / name).write_text("no table\n")
    assert loaded("r", "history") == expected
    parts = load(pipeline_of(tmp_path / "r", "history")).parts
    assert [(part.name, part.rows) for part in parts] == [
        ("a.csv", 40),
        ("b.parquet", 50),
        ("c.csv.gz", 1),
        ("d.parquet", 59),
    ]


@pytest.mark.parametrize("pattern", ["history/*.parquet", "history/part-?.parquet", "**/*.parquet"])
def test_a_pattern(
    tmp_path: Path, loaded: Loaded, expected: dict[str, bytes], pattern: str
) -> None:
    history = tmp_path / "r/data/tiny/history"
    for number in range(3):
        parquet(history / f"part-{number}.parquet", ROWS[50 * number : 50 * number + 50])
    (history / "part-1.csv").write_text("not,this,one\n")
    assert loaded("r", pattern) == expected


def test_partitions_are_columns(tmp_path: Path, loaded: Loaded) -> None:
    years = [{**row, "year": 2020 + n // 75} for n, row in enumerate(ROWS)]
    whole = pd.DataFrame(years, columns=[*SCHEMA.names, "year"])
    whole["count"] = whole["count"].astype("Int64")
    (tmp_path / "one/data/tiny").mkdir(parents=True)
    whole.to_csv(tmp_path / "one/data/tiny/train.csv", index=False)
    for n, year in ((0, 2020), (1, 2021)):
        parquet(tmp_path / f"two/data/tiny/lake/year={year}/x.parquet", ROWS[75 * n : 75 * n + 75])
    expected = loaded("one", "train.csv")
    assert loaded("two", "lake") == expected
    (tmp_path / "two/data/tiny/lake/year=2021/x.parquet").unlink()
    csv(tmp_path / "two/data/tiny/lake/year=2021/x.csv", ROWS[75:])
    assert loaded("two", "lake/*/x.*") == expected


def test_a_semicolon_and_a_decimal_comma(tmp_path: Path, loaded: Loaded) -> None:
    rows = [{"a": i / 4, "b": i % 5, "kind": KINDS[i % 7 > 3]} for i in range(80)]
    for root in ("one", "two"):
        (tmp_path / root / "data/tiny").mkdir(parents=True)
    frame = pd.DataFrame(rows)
    frame.to_csv(tmp_path / "one/data/tiny/t.csv", index=False, sep=";", decimal=",")
    frame.to_parquet(tmp_path / "two/data/tiny/t.parquet")
    more = 'delimiter = ";"\ndecimal = ","\nencoding = "cp1252"'
    assert loaded("one", "t.csv", more) == loaded("two", "t.parquet", more)


def test_a_version_of_a_folder(
    tmp_path: Path, train: Train, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is that of the CSV file, not trained again, watched, and made again from the folder."""
    csv(tmp_path / "one/data/tiny/train.csv", ROWS)
    history = tmp_path / "two/data/tiny/history"
    parquet(history / "1.parquet", ROWS[:70])
    parquet(history / "2.parquet", ROWS[70:])
    pipeline = pipeline_of(tmp_path / "two", "history", "keep = false")
    assert new_training_data(pipeline), "no version knows it yet"
    one = json.loads(train("one", "train.csv").out)
    two = json.loads(train("two", "history", "keep = false").out)
    assert one["bundle_sha256"] == two["bundle_sha256"]
    # Written anew, with other bytes, it is the same table.
    parquet(history / "1.parquet", ROWS[:70], compression="gzip", row_group_size=7)
    again = train("two", "history", "keep = false")
    assert "unchanged, skipped" in json.loads(again.out)["skipped"]
    parquet(history / "1.parquet", ROWS[:70])
    assert new_training_data(pipeline) is None
    assert run_here(("reproduce", "tiny", 1, "--json", "--root", tmp_path / "two")) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["same"], found["data"]) == (True, "source")
    parquet(history / "3.parquet", ROWS[:1])
    assert new_training_data(pipeline)
    assert run_here(("reproduce", "tiny", 1, "--root", tmp_path / "two")) == 1
    assert f"and {history} is not that table" in capsys.readouterr().out
