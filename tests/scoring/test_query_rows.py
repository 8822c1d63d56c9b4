"""Rows of a query are scored, and appended to a table whole or not at all, each run once."""

from __future__ import annotations

import importlib.util
import json
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.command_line import Done, run_here
from tests.helpers.tiny_pipeline import build

QUERY = "SELECT id, size, age, note FROM people"
PEOPLE: list[tuple[Any, ...]] = [
    (n, n % 7, float(n % 5), None if n == 3 else f'it\'s; "{n}"\nhere') for n in range(20)
]
KINDS = ["sqlite", *(["duckdb"] if importlib.util.find_spec("duckdb") else [])]
Rows = list[tuple[Any, ...]]


class Shop:
    """A database with people, and what is asked of it beside the product."""

    def __init__(self, kind: str, path: Path) -> None:
        self.kind, self.path = kind, path
        self.address = f"{kind}:///{path}"

    def run(self, statement: str, rows: Sequence[tuple[Any, ...]] = ()) -> Rows:
        if self.kind == "sqlite":
            connection: Any = sqlite3.connect(self.path, isolation_level=None)
        else:
            import duckdb

            connection = duckdb.connect(str(self.path))
        try:
            if rows:
                connection.executemany(statement, rows)
                return []
            found: Rows = connection.execute(statement).fetchall()
            return found
        finally:
            connection.close()


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("tiny") / "root")


@pytest.fixture(params=KINDS)
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Shop:
    shop = Shop(request.param, tmp_path / "shop.db")
    shop.run("CREATE TABLE people (id INTEGER, size INTEGER, age DOUBLE PRECISION, note TEXT)")
    shop.run("INSERT INTO people VALUES (?, ?, ?, ?)", PEOPLE)
    return shop


@pytest.fixture
def score(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    def score(*arguments: object) -> Done:
        capsys.readouterr()
        output = () if "--output" in arguments else ("--output", tmp_path / "scored.csv")
        code = run_here(("score", "tiny", *arguments, *output, "--direct", "--root", root))
        return Done(code, *capsys.readouterr())

    return score


def test_rows_are_appended_once(shop: Shop, score: Callable[..., Done]) -> None:
    given = ("--query", QUERY, "--database", shop.address, "--table", "scored", "--json")
    done = score(*given)
    assert done.code == 0, done.err
    said = json.loads(done.out)["table"]
    assert (said["table"], said["rows"]) == ("scored", 20)
    written = shop.run("SELECT id, size, age, note FROM scored ORDER BY id")
    # With the types of the query's columns.
    assert written == PEOPLE
    ((low, high, versions, runs),) = shop.run(
        "SELECT MIN(confidence), MAX(confidence), MAX(ffn_version), MIN(ffn_run) FROM scored"
    )
    assert (0.5 <= low <= high <= 1, versions, runs) == (True, 1, said["run"])
    assert shop.run("SELECT DISTINCT predicted_kind FROM scored ORDER BY 1")[0] == ("no",)
    before = shop.run("SELECT * FROM scored ORDER BY id")
    # In another order, they are the same rows.
    again = score("--query", f"{QUERY} ORDER BY age DESC;", *given[2:])
    assert json.loads(again.out)["table"] == {**said, "rows": 0, "repeated": True}
    assert shop.run("SELECT * FROM scored ORDER BY id") == before
    shop.run("INSERT INTO people VALUES (?, ?, ?, ?)", [(99, 1, 1.0, "new")])
    more = json.loads(score(*given).out)["table"]
    assert (more["rows"], more["run"] == said["run"]) == (21, False)
    assert shop.run("SELECT COUNT(*) FROM scored") == [(41,)]


def test_reasons_are_texts_and_numbers(shop: Shop, score: Callable[..., Done]) -> None:
    given = ("--query", QUERY, "--database", shop.address, "--table", "scored", "--explain=2")
    done = score(*given)
    assert done.code == 0, done.err
    found = shop.run("SELECT reason_1, reason_1_value, reason_2, reason_2_value FROM scored")
    assert {name for row in found for name in row[::2]} <= {"size", "age", None}
    largest = [abs(value) for _, value, *_ in found if value is not None]
    assert 0 < max(largest) <= 1
    # A table without these columns is not filled in part.
    shop.run("CREATE TABLE plain AS SELECT id, size, age, note FROM scored")
    refused = score(*given[:5], "plain", "--explain=2")
    assert refused.code == 1
    assert refused.err.count("\n") == 1


def test_the_words_for_it(shop: Shop, score: Callable[..., Done]) -> None:
    given = ("--query", QUERY, "--database", shop.address, "--table", "scored")
    assert "\ntable scored: 20 rows of run " in score(*given, "--only-id", "id").out
    assert [row[0] for row in shop.run("SELECT id FROM scored ORDER BY 1")] == list(range(20))
    assert "are there already\n" in score(*given, "--only-id", "id").out


def test_only_new_rows(shop: Shop, score: Callable[..., Done]) -> None:
    given = ("--query", f"{QUERY};", "--database", shop.address, "--table", "scored")
    given = (*given, "--new-by", "id")
    assert "20 rows of run" in score(*given).out
    nothing = score(*given)
    assert nothing.code == 0, nothing.err
    assert "has a header and no rows" in nothing.out
    assert "table scored: 0 rows of run" in nothing.out
    shop.run("INSERT INTO people VALUES (?, ?, ?, ?)", [(99, 1, 1.0, "new"), (98, 6, 4.0, "new")])
    assert "2 rows of run" in score(*given).out
    ids = [row[0] for row in shop.run("SELECT id FROM scored ORDER BY 1")]
    assert ids == [*range(20), 98, 99]
    told = score(*given[:-1], "number").refusal
    assert told.startswith('the table "scored" has no column "number"')


def test_without_a_table_nothing_is_written(shop: Shop, score: Callable[..., Done]) -> None:
    before = shop.path.read_bytes()
    done = score("--query", QUERY, "--database", shop.address, "--output", "-")
    assert (done.code, shop.path.read_bytes()) == (0, before)


def test_a_row_that_does_not_fit_leaves_nothing(
    shop: Shop, score: Callable[..., Done], tmp_path: Path
) -> None:
    shop.run(
        "CREATE TABLE scored (id INTEGER CHECK (id < 15), size INTEGER, age DOUBLE PRECISION, "
        "note TEXT, predicted_kind TEXT, confidence DOUBLE PRECISION, ffn_version INTEGER, "
        "ffn_run TEXT, seen INTEGER)"
    )
    given = ("--query", QUERY, "--database", shop.address, "--table", "scored")
    done = score(*given)
    assert (done.code, done.out) == (1, "")
    assert done.refusal.startswith(f"{shop.address}: ")
    assert "CHECK" in done.refusal.upper()
    assert shop.run("SELECT COUNT(*) FROM scored") == [(0,)]
    # What is scored is kept, and is not scored again.
    shop.run("UPDATE people SET id = 1")
    assert (tmp_path / "scored.csv").exists()
    assert score(*given).code == 0
    assert shop.run("SELECT COUNT(*), COUNT(seen) FROM scored") == [(20, 0)]


def test_a_table_that_lacks_a_column(shop: Shop, score: Callable[..., Done]) -> None:
    shop.run("CREATE TABLE scored (id INTEGER, size INTEGER, ages REAL, predicted_kind TEXT)")
    given = ("--query", QUERY, "--database", shop.address, "--table", "scored")
    told = score(*given).refusal
    assert told.startswith('the table "scored" has no column "age". Did you mean "ages"?')
    assert shop.run("SELECT COUNT(*) FROM scored") == [(0,)]


def test_rejected_rows_and_refused_files(shop: Shop, score: Callable[..., Done]) -> None:
    given = ("--database", shop.address, "--table", "scored", "--json")
    bad = QUERY.replace("size,", "CASE id WHEN 4 THEN 'many' ELSE CAST(size AS TEXT) END AS size,")
    done = score("--query", bad, *given)
    assert (done.code, json.loads(done.out)["table"]["rows"]) == (0, 19)
    assert shop.run("SELECT id FROM scored WHERE id = 4") == []
    done = score("--query", f"{bad} WHERE id < 9", *given, "--max-reject-rate", "0.01")
    assert done.code == 1
    assert shop.run("SELECT COUNT(*) FROM scored") == [(19,)]
    told = score("--query", "SELECT id, size FROM people", *given[:-1])
    assert (told.code, shop.run("SELECT COUNT(*) FROM scored")) == (1, [(19,)])
    assert "age" in told.out + told.err


def test_what_is_asked_in_the_settings(shop: Shop, score: Callable[..., Done], root: Path) -> None:
    path = root / "data/tiny/pipeline.toml"
    settings = path.read_text()
    assert "--query nor scoring.query says" in score("--query").refusal
    more = f'[scoring]\ndatabase = "{shop.address}"\nquery = "{QUERY}"\ntable = "main.scored"\n'
    path.write_text(settings + more)
    try:
        assert "table main.scored: 20 rows" in score("--query").out
        assert "no database" not in score("--query", "SELECT 1 AS a, 2 AS b").err
    finally:
        path.write_text(settings)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--query", QUERY), "no database is named: the training data is in files"),
        (("--query", QUERY, "--database", "shop.db"), "begins with sqlite:///"),
        (("--query", QUERY, "--decimal", ","), "--query and --decimal do not go together"),
        (("t.csv", "--query", QUERY), "--query and FILE do not go together"),
        (
            ("--query", QUERY, "--database", "sqlite:///x.db", "--new-by", "id"),
            "--new-by needs --table",
        ),
        (("t.csv", "--table", "x"), "--database, --table and --new-by are for --query"),
        (
            ("--query", QUERY, "--database", "sqlite:///x.db", "--table", "a; DROP TABLE b"),
            "--table must be the name of a table",
        ),
    ],
)
def test_arguments_that_do_not_fit(
    arguments: tuple[str, ...], told: str, score: Callable[..., Done]
) -> None:
    assert told in score(*arguments).refusal


def test_a_refusal_names_query_and_database(
    shop: Shop, score: Callable[..., Done], root: Path
) -> None:
    """And not the file that its rows are put into for scoring, which is gone then."""
    query = "SELECT id, size, age AS years,\n  note FROM people"
    done = score("--query", query, "--database", shop.address, "--table", "scored")
    name = f'the query "SELECT id, size, age AS years, note FROM people" of {shop.address}'
    assert done.refusal.startswith(f'{name} has no column "age", which the model needs.')
    *_, last = (root / "artifacts/tiny/runs.jsonl").read_text(encoding="utf-8").splitlines()
    assert f"; 1 refused: {name} has no" in json.loads(last)["text"]
    with pytest.raises(Exception, match="scored"):
        shop.run("SELECT * FROM scored")


def test_the_manifest_names_query_and_database(
    shop: Shop, score: Callable[..., Done], tmp_path: Path
) -> None:
    """So that scoring the same rows again writes the same bytes."""
    manifest, texts = tmp_path / "scored.csv.manifest.json", []
    for _ in range(2):
        assert score("--query", QUERY, "--database", shop.address, "--force").code == 0
        texts.append(manifest.read_bytes())
    assert texts[0] == texts[1]
    assert json.loads(texts[0])["input"]["path"] == f'the query "{QUERY}" of {shop.address}'
