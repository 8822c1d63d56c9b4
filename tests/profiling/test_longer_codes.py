"""Codes of digits of which some are longer, such as ZIP codes, are no numbers to ffn init."""

from __future__ import annotations

import importlib.util
import sqlite3
from pathlib import Path

import pandas as pd
import pytest

from ffn.profiling.column_profile import Column
from ffn.profiling.longer_codes import why_codes
from ffn.profiling.scaffold import create_pipeline
from ffn.settings.pipeline import find_pipeline
from ffn.training.tables.loading import load

HAS_DUCKDB = importlib.util.find_spec("duckdb") is not None
ZIPS = ["02139", "10001", "60601", "94103"]
MIXED = [f"{ZIPS[i % 4]}-6789" if i % 25 == 1 else ZIPS[i % 4] for i in range(100)]
WHY = 'codes such as "02139" and "02139-6789"'


@pytest.mark.parametrize(
    "cells",
    [
        MIXED,
        # One among many is enough: no number is written like that.
        [*MIXED[:2], *ZIPS * 40],
        # More often long than not, and of Brazil and Portugal.
        ["02139", *["10001-6789"] * 50],
        ["01310-100", *["01310"] * 30],
        ["1000-001", *["1000"] * 30],
        # Zeros that a spreadsheet took away.
        ["10001-6789", *["501"] * 20, *["10001"] * 20],
    ],
)
def test_codes(cells: list[str]) -> None:
    column = Column(name="zip", cells=cells, texts=cells, decimal=".")
    assert column.codes.startswith("codes such as ")
    assert column.kind == "categorical"


@pytest.mark.parametrize(
    "cells",
    [
        pytest.param(ZIPS * 9, id="numbers alone"),
        pytest.param([*ZIPS * 9, "1000-2000"], id="another length"),
        pytest.param(["1500", "1800"] * 9 + ["1000-2000"], id="a range"),
        pytest.param(["15", "18"] * 9 + ["18-2"], id="too short to be sure"),
        pytest.param(["10001.5"] * 9 + ["10001-6789"], id="measured"),
        pytest.param(["-10001", "10001"] * 9 + ["10001-6789"], id="with signs"),
        pytest.param(["100010"] * 9 + ["10001-6789"], id="longer numbers"),
        pytest.param(["501"] * 21 + ["10001"] * 20 + ["10001-6789"], id="mostly shorter"),
        pytest.param([*ZIPS * 9, "10001-6789", "unknown address"], id="other words"),
        pytest.param([*ZIPS * 9, "10001-6789", "10001-67"], id="two shapes"),
        pytest.param(["٠٢١٣٩"] * 9 + ["10001-6789"], id="other digits"),
    ],
)
def test_numbers_and_other_words(cells: list[str]) -> None:
    assert Column(name="n", cells=cells, texts=cells, decimal=".").codes == ""


def test_the_reason_names_one_of_each() -> None:
    assert why_codes(MIXED, [cell for cell in MIXED if "-" in cell]) == WHY


def csv(folder: Path, table: pd.DataFrame) -> tuple[str, str]:
    table.to_csv(folder / "t.csv", index=False)
    return str(folder / "t.csv"), ""


def parquet(folder: Path, table: pd.DataFrame) -> tuple[str, str]:
    table.to_parquet(folder / "t.parquet")
    return str(folder / "t.parquet"), ""


def categories_of_parquet(folder: Path, table: pd.DataFrame) -> tuple[str, str]:
    return parquet(folder, table.astype({"zip": "category"}))


def sqlite(folder: Path, table: pd.DataFrame) -> tuple[str, str]:
    with sqlite3.connect(folder / "t.db") as connection:
        table.to_sql("t", connection, index=False)
    connection.close()
    return f"sqlite:///{folder}/t.db", "SELECT * FROM t"


def duckdb(folder: Path, frame: pd.DataFrame) -> tuple[str, str]:
    import duckdb as driver

    with driver.connect(str(folder / "t.duckdb")) as connection:
        connection.execute("CREATE TABLE t AS SELECT * FROM frame")
    return f"duckdb:///{folder}/t.duckdb", "SELECT * FROM t"


@pytest.mark.parametrize(
    "write", [csv, parquet, categories_of_parquet, sqlite, *([duckdb] if HAS_DUCKDB else [])]
)
def test_every_container_gives_the_same_setting_and_trains(tmp_path: Path, write) -> None:
    label = ["no" if i % 4 < 2 or i % 7 == 0 else "yes" for i in range(100)]
    table = pd.DataFrame({"zip": MIXED, "visits": [i % 13 for i in range(100)], "kind": label})
    source, query = write(tmp_path, table)
    _, notices = create_pipeline(
        "shop", source=source, query=query or None, target="kind", root=tmp_path
    )
    assert f'column "zip" is read as 8 categories: {WHY}, not numbers' in notices
    text = (tmp_path / "data/shop/pipeline.toml").read_text()
    assert f'"zip" = "categorical"            # {WHY}, not numbers\n' in text
    dataset = load(find_pipeline("shop", tmp_path))
    assert (dataset.rows, dataset.categorical_features) == (100, ("zip",))


def test_codes_that_never_repeat_are_left_out_with_what_could_be_done(tmp_path: Path) -> None:
    cells = [f"{10000 + i}-{i:04}" if i % 3 else f"{10000 + i}" for i in range(120)]
    table = pd.DataFrame({"zip": cells, "x": range(0, 240, 2), "kind": ["a", "b"] * 60})
    _, notices = create_pipeline(
        "shop", source=csv(tmp_path, table)[0], target="kind", root=tmp_path
    )
    assert (
        'column "zip" never repeats a text (codes such as "10000" and "10001-0001"; their first '
        'part may be a feature) and is left out (--keep "zip" keeps it)' in notices
    )


@pytest.mark.parametrize(
    ("texts", "padded"),
    [
        (ZIPS, "02139"),
        (["00", "10"], "00"),
        (["0", "10", "0.5", "-012", "1e05"], ""),
        (["10", "100"], ""),
    ],
)
def test_zeros_in_front_of_numbers_are_told(tmp_path: Path, texts, padded: str) -> None:
    """They may be numbers of a fixed width as well as codes, which only people can say."""
    cells = texts * 40
    path = tmp_path / "t.csv"
    path.write_text(
        "zip,y\n" + "".join(f"{cell},{'ab'[i % 3 == 0]}\n" for i, cell in enumerate(cells))
    )
    toml, notices = create_pipeline("t", source=path, target="y", root=tmp_path)
    assert '"zip" = "numeric"' in toml.read_text()
    told = [one for one in notices if "zeros in front" in one]
    expected = (
        'column "zip" is read as numbers, some of them with zeros in front, such as '
        f'"{padded}" (if they are codes: "zip" = "categorical" in [data.kinds])'
    )
    assert told == [expected] * bool(padded)
