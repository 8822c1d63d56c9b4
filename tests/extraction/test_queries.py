"""Training on what a query gives: SQLite and DuckDB, with all that may go wrong."""

from __future__ import annotations

import datetime
import importlib.util
import json
import random
import sqlite3
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from ffn.databases.address import parse_address
from ffn.databases.query import cell_text, read_query
from ffn.errors import DataError, FFNError, SettingsError
from ffn.registry.new_data import new_training_data, take_up
from ffn.settings.pipeline import find_pipeline
from ffn.training.tables.loading import load
from tests.extraction.conftest import Loaded, Train, pipeline_of
from tests.helpers.command_line import run_here

HAS_DUCKDB = importlib.util.find_spec("duckdb") is not None
QUERY = 'query = "SELECT size, day, word, kind FROM orders"'
DRAW = random.Random(3)
# In the order in which they are read: by size, missing ones last, then by day and word.
ROWS = [
    *((n / 8, f"2024-05-{1 + n % 28:02}", f"w{n % 3}", "yn"[n % 5 > 2]) for n in range(90)),
    *((None, "2024-06-01", word, "n") for word in ("w0", "w1", "w2", None)),
]
CSV = "size,day,word,kind\n" + "".join(
    ",".join("" if cell is None else str(cell) for cell in row) + "\n" for row in ROWS
)


def sqlite(path: Path, rows: list[tuple[Any, ...]] = ROWS) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE orders (size REAL, day TEXT, word TEXT, kind TEXT)")
        connection.executemany("INSERT INTO orders VALUES (?, ?, ?, ?)", rows)
    connection.close()
    return f"sqlite:///{path.name}"


def duckdb(path: Path, rows: list[tuple[Any, ...]] = ROWS) -> str:
    import duckdb as driver

    path.parent.mkdir(parents=True, exist_ok=True)
    with driver.connect(str(path)) as connection:
        connection.execute("CREATE TABLE orders (size DOUBLE, day DATE, word TEXT, kind TEXT)")
        connection.executemany("INSERT INTO orders VALUES (?, ?, ?, ?)", rows)
    return f"duckdb:///{path.name}"


MAKERS = {"sqlite": sqlite, **({"duckdb": duckdb} if HAS_DUCKDB else {})}


@pytest.mark.parametrize("kind", MAKERS)
def test_a_query_is_the_table_of_its_sorted_rows(tmp_path: Path, loaded: Loaded, kind: str) -> None:
    (tmp_path / "csv/data/tiny").mkdir(parents=True)
    (tmp_path / "csv/data/tiny/t.csv").write_text(CSV)
    expected = loaded("csv", "t.csv")
    shuffled = DRAW.sample(ROWS, len(ROWS))
    source = MAKERS[kind](tmp_path / kind / "data/tiny/shop.db", shuffled)
    assert loaded(kind, source, QUERY) == expected


def test_a_version_of_a_query(
    tmp_path: Path, train: Train, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "r/data/tiny/shop.db"
    source = sqlite(path, DRAW.sample(ROWS, len(ROWS)))
    pipeline = pipeline_of(tmp_path / "r", source, QUERY)
    wanted = new_training_data(pipeline)
    assert wanted, "the first retraining is not waited for"
    take_up(pipeline, wanted)
    assert new_training_data(pipeline) is None
    first = json.loads(train("r", source, QUERY).out)
    version = tmp_path / "r/artifacts/tiny/models/0001"
    made = json.loads((version / "provenance.json").read_text())
    assert (made["source"], made["settings"]["data"]["query"]) == (source, QUERY[9:-1])
    with sqlite3.connect(path) as connection:
        # The same rows, in another order.
        connection.execute("CREATE TABLE copy AS SELECT * FROM orders ORDER BY word DESC, size")
        connection.execute("DELETE FROM orders")
        connection.execute("INSERT INTO orders SELECT * FROM copy")
    connection.close()
    assert "unchanged, skipped" in json.loads(train("r", source, QUERY).out)["skipped"]
    lost = train("r", source, 'query = "SELECT size, day, kind FROM orders"')
    told = json.loads(lost.out)["error"]["message"]
    assert 'column "word" is missing' in told
    assert "Correct the query or, if this is intended" in told
    pipeline_of(tmp_path / "r", source, QUERY)
    path.unlink()
    assert run_here(("reproduce", "tiny", 1, "--json", "--root", tmp_path / "r")) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["data"], found["made_sha256"]) == ("kept", first["bundle_sha256"])


def refused(root: Path, source: str, more: str = QUERY) -> str:
    with pytest.raises(FFNError, match=r"^[^\n]+$") as caught:
        load(pipeline_of(root, source, more))
    text = str(caught.value)
    assert "cache" not in text
    return text


@pytest.mark.parametrize("kind", MAKERS)
def test_what_a_database_refuses_is_one_line(tmp_path: Path, kind: str) -> None:
    source = MAKERS[kind](tmp_path / "data/tiny/shop.db")

    def told(query: str) -> str:
        return refused(tmp_path, source, f"query = {json.dumps(query)}")

    assert "nothing" in told("SELECT * FROM nothing")
    assert "colour" in told("SELECT size, colour FROM orders")
    assert "read" in told("CREATE TABLE x AS SELECT * FROM orders").lower()
    assert "read" in told("DELETE FROM orders").lower()
    assert told("SELECT * FROM orders WHERE size > 1e9") == (
        "data.query gives no rows. Correct the query."
    )
    assert told("SELECT kind FROM orders").startswith("data.query gives 1 column.")
    assert '2 columns are named "kind"' in told("SELECT size, kind, kind FROM orders")
    # The column is gone, or has another name.
    assert told("SELECT size, word FROM orders").startswith('data.query has no column "kind"')
    # All of 90 rows have a number, but one.
    told_cell = told(
        "SELECT CASE size WHEN 1.0 THEN 'many' ELSE CAST(size AS TEXT) END AS a, kind FROM orders"
    )
    assert told_cell.startswith("data.query row "), told_cell
    assert 'column "a": "many" is not a finite number' in told_cell


def test_cells_that_are_no_plain_values(tmp_path: Path) -> None:
    source = sqlite(tmp_path / "data/tiny/shop.db")
    told = refused(tmp_path, source, "query = \"SELECT x'00ff' AS blob, kind FROM orders\"")
    assert told.startswith('data.query, column "blob": cells of the type bytes are not plain')


def test_a_column_without_types(tmp_path: Path) -> None:
    """SQLite's columns may hold anything: what is written is what is there."""
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE t (a, b)")
        connection.executemany(
            "INSERT INTO t VALUES (?, ?)",
            [(2, "x"), (1.5, "y"), ("3", "z"), (None, 1e-7), (2.0, 7)],
        )
    connection.close()
    table = read_query(parse_address(f"sqlite:///{path}"), "SELECT * FROM t;")
    assert list(zip(*table.to_pydict().values(), strict=True)) == [
        ("1.5", "y"),
        ("2", "7"),
        ("2", "x"),
        ("3", "z"),
        (None, "1e-7"),
    ]


def test_a_database_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    path = tmp_path / "data/tiny/shop.db"
    assert refused(tmp_path, "sqlite:///shop.db") == (
        f"sqlite:///shop.db: there is no file {path}. Give the path of one."
    )
    assert not path.exists()
    path.write_text("no database, but some text that is long enough to be looked at" * 20)
    assert "not a database" in refused(tmp_path, "sqlite:///shop.db")


def test_a_locked_database_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "data/tiny/shop.db"
    source = sqlite(path)
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN EXCLUSIVE")
    other.execute("DELETE FROM orders WHERE word IS NULL")
    threading.Timer(0.3, lambda: other.execute("COMMIT")).start()
    dataset = load(pipeline_of(tmp_path, source, QUERY))
    assert dataset.rows == len(ROWS) - 1
    other.close()


def test_a_driver_that_is_missing_is_named_with_its_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("duckdb", "psycopg"):
        monkeypatch.setitem(sys.modules, name, None)
    for source in ("duckdb:///shop.db", "postgresql://ada@localhost/shop"):
        told = refused(tmp_path, source)
        assert told.endswith("is not installed. Install it: pip install 'ffn-pipeline[sql]'")


def test_dates_and_times_of_python() -> None:
    zone = datetime.timezone(datetime.timedelta(hours=2))
    moment = datetime.datetime(2024, 5, 31, 13, 5, tzinfo=zone)
    assert cell_text(moment, "w") == "2024-05-31 11:05:00Z"
    assert cell_text(moment.replace(tzinfo=None), "w") == "2024-05-31 13:05:00"
    assert cell_text(datetime.time(13, 5), "w") == "13:05:00"
    with pytest.raises(DataError, match="w: cells of the type timedelta are not plain values"):
        cell_text(datetime.timedelta(1), "w")


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("postgresql://ada:hunter2@db/shop", "holds a password"),
        ("postgresql://ada:hunter2/x@db/shop", "holds a password"),
        ("postgresql://ada:hunter2?x@db/shop", "holds a password"),
        ("postgresql://db/shop?password=hunter2", 'no option "password"'),
        ("postgres://ada:x${A}hunter2@db/shop", "holds a password"),
        ("postgresql://ada:${prefect:hunter2}x@db/shop", "holds a password"),
        ("postgresql://ada:${prefect:Hunter2}@db/shop", "holds a password"),
        ("postgresql://${prefect:ada}:hunter2@db/shop", "holds a password"),
        ("mysql://ada:hunter2@db/shop", 'with "mysql://"'),
        ("postgresql:/ada:hunter2@db/shop", "begins with sqlite:///"),
        ("sqlite://hunter2.db", "takes the path of a file"),
        ("sqlite:///", "takes the path of a file"),
        ("duckdb:///:memory:", "takes the path of a file"),
    ],
)
def test_no_message_shows_what_may_be_a_password(
    tmp_path: Path, address: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SettingsError, match=told) as caught:
        pipeline_of(tmp_path, address, 'query = "SELECT 1"')
    assert "hunter2" not in str(caught.value)
    given = ("--from", address, "--query", "SELECT 1", "--target", "y")
    assert run_here(("init", "x", *given, "--root", tmp_path)) == 1
    said = capsys.readouterr()
    assert "hunter2" not in said.out + said.err


def test_a_variable_that_is_missing_and_one_that_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    address = parse_address("postgresql://ada:${SHOP_PASSWORD}@[::1]:5433/shop?sslmode=disable")
    with pytest.raises(SettingsError, match="has no SHOP_PASSWORD, which the address"):
        address.login()
    monkeypatch.setenv("SHOP_PASSWORD", "p/w@?#")
    login = address.login()
    assert login.arguments == {
        "host": "::1",
        "port": "5433",
        "user": "ada",
        "password": "p/w@?#",
        "dbname": "shop",
        "sslmode": "disable",
    }
    assert address.masked('FATAL: "p/w@?#" is wrong.\nmore', login.secrets) == (
        'FATAL: "***" is wrong'
    )


@pytest.mark.parametrize(
    ("source", "more", "told"),
    [
        ("sqlite:///shop.db", "", 'source is a database, so "query" must say'),
        ("t.csv", 'query = "SELECT 1"', '"query" needs a "source" such as'),
        ("sqlite:///shop.db", 'query = " "', "must be a SELECT"),
        ("sqlite:///s.db", QUERY + '\n[schedule]\nretrain_on = ["data"]', "watches files"),
    ],
)
def test_settings_that_do_not_fit(tmp_path: Path, source: str, more: str, told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        pipeline_of(tmp_path, source, more)


def test_init_from_a_query(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sqlite(tmp_path / "shop.db")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "root").mkdir()
    query = "SELECT size, word, kind\nFROM orders WHERE \"kind\" <> ''"
    given = ("--from", "sqlite:///shop.db", "--query", query, "--target", "kind")
    assert run_here(("init", "shop", *given, "--root", "root")) == 0
    folder = tmp_path / "root/data/shop"
    assert sorted(path.name for path in folder.iterdir()) == ["inbox", "pipeline.toml"]
    found = find_pipeline("shop", tmp_path / "root")
    assert found.settings.data.source == f"sqlite:///{tmp_path}/shop.db"
    assert found.settings.data.query == query
    assert load(found).rows == len(ROWS)
    capsys.readouterr()
    assert run_here(("init", "x", *given[:2], "--target", "kind", "--root", "root")) == 1
    assert "give --query SELECT as well" in capsys.readouterr().err
    assert run_here(("init", "x", "--from", "t.csv", *given[2:], "--root", "root")) == 1
    assert "--query needs --from with a database" in capsys.readouterr().err
