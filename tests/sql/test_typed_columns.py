"""Columns of every type, trained on and scored back, in PostgreSQL and in DuckDB."""

from __future__ import annotations

import datetime
import decimal
import json
import random
import tomllib
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ffn.databases.address import parse_address
from ffn.databases.query import read_query
from ffn.errors import DataError
from tests.helpers.command_line import run_here
from tests.sql.conftest import Server

TYPES = {
    "visits": "INTEGER",
    "price": "NUMERIC(8, 2)",
    "weight": "REAL",
    "paid": "BOOLEAN",
    "opening": "TIME",
    "day": "DATE",
    "ordered": "TIMESTAMP",
    "zoned": "TIMESTAMPTZ",
    "token": "UUID",
    "plan": "TEXT",
    "kind": "TEXT",
}
ARROW = {
    "visits": pa.int32(),
    "price": pa.decimal128(8, 2),
    "weight": pa.float32(),
    "paid": pa.bool_(),
    "opening": pa.time64("us"),
    "day": pa.date32(),
    "ordered": pa.timestamp("us"),
    "zoned": pa.timestamp("us", "UTC"),
}
DRAW = random.Random(19)
MIDNIGHT = datetime.datetime(2024, 3, 1)


def drawn(i: int) -> tuple[Any, ...]:
    at = MIDNIGHT + datetime.timedelta(minutes=DRAW.randrange(300_000))
    opening = None if i % 11 == 0 else at.time()
    label = "late" if at.hour > 12 and i % 9 else "early"
    return (
        i,
        decimal.Decimal(DRAW.randrange(10_000)) / 100,
        None if i % 13 == 0 else DRAW.randrange(50) / 10,
        i % 3 == 0,
        opening,
        at.date(),
        at + datetime.timedelta(seconds=i % 60),
        at.replace(tzinfo=datetime.UTC),
        uuid.uuid5(uuid.NAMESPACE_OID, str(i)),
        DRAW.choice(["basic", "plus", 'it\'s "so", \\N']),
        label,
    )


ROWS = [drawn(i) for i in range(150)]
QUERY = "SELECT * FROM orders"


class Shop:
    """A database with the table ``orders``."""

    def __init__(self, address: str, ask: Callable[[str], list[Any]]) -> None:
        self.address = address
        self.ask = ask


@contextmanager
def in_duckdb(folder: Path, _: pytest.FixtureRequest) -> Iterator[Shop]:
    path = folder / "shop.duckdb"

    def ask(statement: str, *more: Any) -> list[Any]:
        # No connection stays open: DuckDB's file is locked by one.
        with duckdb.connect(str(path)) as connection:
            connection.execute("SET TimeZone = 'Europe/Berlin'")
            if more:
                connection.executemany(statement, *more)
            else:
                connection.execute(statement)
            return connection.fetchall()

    fill(ask, "?")
    yield Shop(f"duckdb:///{path}", ask)


@contextmanager
def in_postgresql(_: Path, request: pytest.FixtureRequest) -> Iterator[Shop]:
    server: Server = request.getfixturevalue("shop")
    with server.connect() as connection:
        connection.execute("SET TIME ZONE 'Europe/Berlin'")

        def ask(statement: str, *more: Any) -> list[Any]:
            cursor = connection.cursor()
            if more:
                cursor.executemany(statement, *more)
            else:
                cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []

        fill(ask, "%s")
        yield Shop(server.address, ask)


def fill(ask: Callable[..., Any], mark: str) -> None:
    ask(f"CREATE TABLE orders ({', '.join(f'{name} {of}' for name, of in TYPES.items())})")
    marks = ", ".join([mark] * len(TYPES))
    ask(f"INSERT INTO orders VALUES ({marks})", DRAW.sample(ROWS, len(ROWS)))


@pytest.fixture(params=[in_postgresql, in_duckdb])
def orders(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    with request.param(tmp_path, request) as found:
        yield found


def parquet(path: Path) -> Path:
    columns = {
        name: pa.array(
            [str(cell) if isinstance(cell, uuid.UUID) else cell for cell in cells], ARROW.get(name)
        )
        for name, cells in zip(TYPES, zip(*ROWS, strict=True), strict=True)
    }
    pq.write_table(pa.table(columns), path)
    return path


def settings_of(root: Path) -> dict[str, Any]:
    found = tomllib.loads((root / "data/shop/pipeline.toml").read_text())
    found["data"].pop("source")
    found["data"].pop("query", None)
    return found


def trained(root: Path, *given: object) -> dict[str, str]:
    root.mkdir()
    where = ("--root", root)
    assert run_here(("init", "shop", *given, "--target", "kind", *where)) == 0
    path = root / "data/shop/pipeline.toml"
    shorter = path.read_text().replace("epochs = 150", "epochs = 5").replace("= 16 ", "= 2 ")
    path.write_text(shorter)
    assert run_here(("retrain", "shop", "--direct", *where)) == 0
    files = json.loads((root / "artifacts/shop/models/0001/files.json").read_text())["files"]
    return {name: own["sha256"] for name, own in files.items() if name.startswith("bundle/")}


def test_every_type_is_what_it_is_in_a_file_and_is_written_back(
    orders: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = trained(tmp_path / "file", "--from", parquet(tmp_path / "orders.parquet"))
    found = trained(tmp_path / "query", "--from", orders.address, "--query", QUERY)
    settings = settings_of(tmp_path / "query")
    assert settings == settings_of(tmp_path / "file")
    assert settings["data"]["formats"] == {
        "paid": "true/false",
        "opening": "time",
        "day": "iso",
        "ordered": "iso",
        "zoned": "iso utc",
    }
    assert "token" in settings["data"]["exclude"]
    for name in ("model.json", "arrays.safetensors", "reference.json"):
        assert found[f"bundle/{name}"] == expected[f"bundle/{name}"], name

    given = ("score", "shop", "--query", QUERY, "--table", "scored", "--direct")
    capsys.readouterr()
    assert run_here((*given, "--root", tmp_path / "query")) == 0
    assert "table scored: 150 rows of run " in capsys.readouterr().out
    names = ", ".join(TYPES)
    scored = orders.ask(f"SELECT {names}, predicted_kind FROM scored ORDER BY 1")
    asked = orders.ask(f"SELECT {names} FROM orders ORDER BY 1")
    assert [row[:-1] for row in scored] == asked
    types = "SELECT data_type FROM information_schema.columns WHERE table_name = '{}' {}"
    order = f"ORDER BY ordinal_position LIMIT {len(TYPES)}"
    assert orders.ask(types.format("scored", order)) == orders.ask(types.format("orders", order))

    # The same rows of a file are labelled the same.
    score = ("score", "shop", tmp_path / "orders.parquet", "--output", tmp_path / "scored.csv")
    assert run_here((*score, "--direct", "--root", tmp_path / "file")) == 0
    lines = (tmp_path / "scored.csv").read_text().splitlines()
    assert len(lines) == 151
    place = lines[0].split(",").index("predicted_kind") - len(lines[0].split(","))
    assert [line.split(",")[place] for line in lines[1:]] == [row[-1] for row in scored]


REFUSED = {
    "timetz": ("'13:05+02'::timetz", "CAST(x AS TIME)"),
    "interval": ("interval '1 day'", "EXTRACT(EPOCH FROM x)"),
    "json": ("'3'::json", "x ->> 'key'"),
    "array": ("ARRAY[1, 2]", "Select numbers, texts"),
}


@pytest.mark.parametrize("of", REFUSED)
def test_what_is_no_plain_value_is_refused_with_its_column(orders: Shop, of: str) -> None:
    cell, told = REFUSED[of]
    # Before a row is read: such a column is refused even if it is empty.
    for query in (f"SELECT visits, {cell} AS x FROM orders", f"SELECT 1 AS y, {cell} AS x LIMIT 0"):
        with pytest.raises(DataError, match=r'^data\.query, column "x": cells of the type') as one:
            read_query(parse_address(orders.address), query)
        assert told in str(one.value)


@pytest.mark.parametrize("cell", ["TIME '24:00:00'", "'infinity'::date", "'infinity'::timestamp"])
def test_a_moment_that_no_calendar_has_is_refused_with_its_column(orders: Shop, cell: str) -> None:
    query = f"SELECT visits, CASE visits WHEN 7 THEN {cell} END AS x FROM orders"
    with pytest.raises(DataError, match=r'^data\.query, column "x": ".*" is no date from the'):
        read_query(parse_address(orders.address), query)


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("TIME '09:30'", "09:30:00"),
        ("TIMESTAMP '2024-05-31 13:05'", "2024-05-31 13:05:00"),
        ("TIMESTAMPTZ '2024-05-31 13:05+02'", "2024-05-31 11:05:00Z"),
        ("true", "True"),
        ("CAST(1.50 AS NUMERIC(8, 2))", "1.50"),
    ],
)
def test_a_value_has_one_text_in_both(orders: Shop, cell: str, text: str) -> None:
    query = f"SELECT visits, CASE visits WHEN 7 THEN {cell} END AS x FROM orders"
    found = read_query(parse_address(orders.address), query).to_pylist()
    assert found[7] == {"visits": "7", "x": text}
