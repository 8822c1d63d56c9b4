"""Training on a query of PostgreSQL, and scoring back into a table, with all that may go wrong."""

from __future__ import annotations

import datetime
import decimal
import json
import random
import socket
import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ffn.databases.address import parse_address
from ffn.databases.appended_table import append_rows
from ffn.databases.query import read_query
from ffn.errors import DataError, FFNError
from ffn.training.tables.loading import load
from tests.extraction.conftest import pipeline_of
from tests.helpers.command_line import Done, listing, run_here
from tests.helpers.tiny_pipeline import build
from tests.sql.conftest import PASSWORD, Server

ROWS = [(n % 7, float(n % 5), "no" if n % 7 + n % 5 < 5 else "yes") for n in range(120)]
QUERY = "SELECT size, age, kind FROM people"


@pytest.fixture
def people(shop: Server) -> Server:
    with shop.connect() as connection:
        connection.execute("CREATE TABLE people (size INTEGER, age REAL, kind TEXT)")
        shuffled = random.Random(2).sample(ROWS, len(ROWS))
        connection.cursor().executemany("INSERT INTO people VALUES (%s, %s, %s)", shuffled)
    return shop


@pytest.fixture
def ffn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    def ffn(*arguments: object) -> Done:
        capsys.readouterr()
        code = run_here((*arguments, "--root", tmp_path / "root"))
        return Done(code, *capsys.readouterr())

    return ffn


def test_a_version_of_a_query_and_rows_scored_back(
    people: Server, tmp_path: Path, ffn: Callable[..., Done]
) -> None:
    build(tmp_path / "csv")
    (tmp_path / "csv/data/tiny/train.csv").write_text(
        "size,age,kind\n" + "".join(f"{a},{b},{c}\n" for a, b, c in sorted(ROWS))
    )
    assert run_here(("retrain", "tiny", "--direct", "--root", tmp_path / "csv")) == 0
    newest = sorted((tmp_path / "csv/artifacts/tiny/models").iterdir())[-1]
    expected = json.loads((newest / "files.json").read_text())
    pipeline_of(tmp_path / "root", people.address, f'query = "{QUERY}"')
    done = ffn("retrain", "tiny", "--direct")
    assert done.code == 0, done.err
    version = tmp_path / "root/artifacts/tiny/models/0001"
    found = json.loads((version / "files.json").read_text())
    for name in ("bundle/model.json", "bundle/arrays.safetensors", "bundle/reference.json"):
        assert found["files"][name] == expected["files"][name]
    made = json.loads((version / "provenance.json").read_text())
    assert made["source"] == people.address
    for path in (tmp_path / "root").rglob("*"):
        assert not path.is_file() or PASSWORD.encode() not in path.read_bytes(), path
    assert "unchanged, skipped" in ffn("retrain", "tiny", "--direct").out

    given = ("score", "tiny", "--query", QUERY, "--table", "scored", "--direct")
    assert "table scored: 120 rows of run " in ffn(*given).out
    assert "are there already" in ffn(*given).out
    assert "table scored: 0 rows of run " in ffn(*given, "--new-by", "size").out
    with people.connect() as connection:
        rows = connection.execute("SELECT size, age, kind FROM scored ORDER BY 1, 2, 3").fetchall()
        types = connection.execute(
            "SELECT column_name, data_type FROM information_schema.columns "
            "WHERE table_name = 'scored' ORDER BY ordinal_position"
        ).fetchall()
    assert rows == sorted(ROWS)
    assert types == [
        ("size", "integer"),
        ("age", "real"),
        ("kind", "text"),
        ("predicted_kind", "text"),
        ("confidence", "double precision"),
        ("ffn_version", "integer"),
        ("ffn_run", "text"),
    ]


def test_cells_of_every_type_have_the_texts_of_a_csv(shop: Server) -> None:
    key = uuid.uuid5(uuid.NAMESPACE_DNS, "x")
    with shop.connect() as connection:
        connection.execute("SET TIME ZONE 'Europe/Berlin'")
        connection.execute(
            "CREATE TABLE t AS SELECT 1::bigint AS a, 0.1::real AS b, 1e-7::float8 AS c, "
            "1.50::numeric(5,2) AS d, true AS e, date '2024-05-31' AS f, "
            "timestamp '2024-05-31 13:05' AS g, timestamptz '2024-05-31 13:05+02' AS h, "
            f"time '13:05' AS i, '{key}'::uuid AS j, 'NaN'::float8 AS k, NULL::text AS l, "
            "'é, \"x\"' AS m"
        )
    table = read_query(parse_address(shop.address), "SELECT * FROM t;")
    (row,) = table.to_pylist()
    assert row == {
        "a": "1",
        "b": "0.1",
        "c": "1e-7",
        "d": str(decimal.Decimal("1.50")),
        "e": "True",
        "f": datetime.date(2024, 5, 31).isoformat(),
        "g": "2024-05-31 13:05:00",
        "h": "2024-05-31 11:05:00Z",
        "i": "13:05:00",
        "j": str(key),
        "k": None,
        "l": None,
        "m": 'é, "x"',
    }
    for of in ("ARRAY[1]", "'{}'::jsonb", "interval '1 day'", "'\\x00'::bytea", "int4range(1, 2)"):
        with pytest.raises(
            DataError, match=r'data\.query, column "x": cells of the type [\w\[\]]+ are'
        ):
            read_query(parse_address(shop.address), f"SELECT {of} AS x, 1 AS y")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("people", "persons"), r'relation "persons" does not exist'),
        (("age", "years"), r'column "years" does not exist'),
        (("SELECT size", "SELEC size"), "syntax error"),
        ((QUERY, "DELETE FROM people"), "."),
        ((QUERY, "SELECT 1 AS a, pg_sleep(0) AS b; SELECT 2"), "."),
        (("size,", "1 / (size - 3),"), "division by zero"),
    ],
)
def test_what_it_refuses_is_one_line(people: Server, change: tuple[str, str], told: str) -> None:
    with pytest.raises(DataError, match=told) as caught:
        read_query(parse_address(people.address), QUERY.replace(*change))
    assert str(caught.value).startswith(f"{people.address}: ")
    assert "\n" not in str(caught.value)
    with people.connect() as connection:
        assert connection.execute("SELECT COUNT(*) FROM people").fetchone() == (120,)


def test_a_wrong_password_is_not_shown(
    people: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ffn: Callable[..., Done]
) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", "another one")
    pipeline_of(tmp_path / "root", people.address, f'query = "{QUERY}"')
    done = ffn("retrain", "tiny", "--direct")
    assert done.refusal.startswith(f"{people.address}: ")
    assert "password authentication failed" in done.refusal
    assert "another one" not in done.refusal
    runs = (tmp_path / "root/artifacts/tiny/runs.jsonl").read_text()
    assert "another one" not in runs
    monkeypatch.delenv("SHOP_PASSWORD")
    assert "the environment has no SHOP_PASSWORD" in ffn("retrain", "tiny", "--direct").refusal
    # What the driver finds by itself is as good.
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    address = people.address.replace(":${SHOP_PASSWORD}", "")
    assert load(pipeline_of(tmp_path / "root", address, f'query = "{QUERY}"')).rows == 120


def test_a_server_that_is_not_there(people: Server, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = people.address.replace(str(people.port), str(port))
    with pytest.raises(DataError, match=r"connection failed|refused") as caught:
        load(pipeline_of(tmp_path, address, f'query = "{QUERY}"'))
    assert PASSWORD not in str(caught.value)


def kill_others(server: Server) -> None:
    with server.connect() as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = 'shop' AND pid <> pg_backend_pid()"
        )


def test_a_connection_lost_while_it_is_read(people: Server, tmp_path: Path) -> None:
    slow = f"{QUERY} WHERE pg_sleep(0.05) IS NOT NULL"
    before = listing(tmp_path)
    threading.Timer(1, kill_others, [people]).start()
    with pytest.raises(FFNError, match=r"terminat|closed|lost") as caught:
        read_query(parse_address(people.address), slow)
    assert "\n" not in str(caught.value)
    assert listing(tmp_path) == before


def test_a_connection_lost_while_rows_are_written(people: Server) -> None:
    rows = [("1", "2.5", "no", "yes", "0.75", "1")] * 1000

    def cut() -> Any:
        for number, row in enumerate(rows):
            if number == 900:
                kill_others(people)
            yield row

    added = [("predicted_kind", "TEXT"), ("confidence", "FLOAT8"), ("ffn_version", "INTEGER")]
    given = (parse_address(people.address), "scored", QUERY, ["size", "age", "kind"], added)
    with pytest.raises(DataError, match=r"^postgresql://ada:\$\{SHOP_PASSWORD\}@[^\n]*$"):
        append_rows(*given, cut(), "a" * 16)
    with people.connect() as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        assert tables.fetchall() == [("people",)]
    assert append_rows(*given, rows, "a" * 16) == 1000
    assert append_rows(*given, rows, "a" * 16) is None


def test_two_that_write_the_same_run_at_once(people: Server) -> None:
    rows = [("1", "2.5", "no", "yes", "0.75", "1")] * 500
    added = [("predicted_kind", "TEXT"), ("confidence", "FLOAT8"), ("ffn_version", "INTEGER")]
    given = (parse_address(people.address), "scored", QUERY, ["size", "age", "kind"], added)
    append_rows(*given, rows[:1], "b" * 16)
    done: list[int | None] = []

    def write() -> None:
        done.append(append_rows(*given, rows, "a" * 16))

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done, key=str) == [500, None, None, None]
    with people.connect() as connection:
        assert connection.execute("SELECT COUNT(*) FROM scored").fetchone() == (501,)


def test_the_rows_are_those_of_one_moment(people: Server) -> None:
    """Rows that arrive while it is read are not in it."""
    slow = f"{QUERY} WHERE pg_sleep(0.01) IS NOT NULL"

    def insert() -> None:
        with people.connect() as connection:
            connection.execute("INSERT INTO people SELECT * FROM people")

    threading.Timer(0.5, insert).start()
    assert read_query(parse_address(people.address), slow).num_rows == 120
