"""What cannot be carried is refused in one line that names file and column."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ffn.errors import DataError, SettingsError
from ffn.training.tables.loading import load
from tests.extraction.conftest import pipeline_of

ROWS = 60
KIND = ["no", "yes", "yes"] * 20


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "data/tiny/history"
    found.mkdir(parents=True)
    return found


def write(path: Path, **columns: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"a": list(range(ROWS)), **columns, "kind": KIND}), path)


def refusal(
    root: Path, source: str, more: str = "", of: type[Exception] = DataError, match: str = ""
) -> str:
    with pytest.raises(of, match=match) as caught:
        load(pipeline_of(root, source, more))
    text = str(caught.value)
    assert "\n" not in text
    assert "cache" not in text, "the user knows no such file"
    return text


@pytest.mark.parametrize(
    ("cells", "type_"),
    [
        ([[1, 2]] * ROWS, r"list<.*>"),
        ([{"x": 1}] * ROWS, r"struct<.*>"),
        ([b"\xff\x00"] * ROWS, "binary"),
        (pa.array([1] * ROWS, pa.duration("s")), r"duration\[.*\]"),
    ],
)
def test_cells_that_are_no_plain_values(
    tmp_path: Path, folder: Path, cells: Any, type_: str
) -> None:
    write(folder / "1.parquet", b=cells)
    match = rf'1\.parquet, column "b": cells of the type {type_} are not plain values'
    refusal(tmp_path, "history", match=match)


def test_two_columns_of_one_name(tmp_path: Path, folder: Path) -> None:
    table = pa.Table.from_arrays([pa.array(range(60))] * 2 + [pa.array(KIND)], ["a", "a", "kind"])
    pq.write_table(table, folder / "1.parquet")
    refusal(tmp_path, "history/1.parquet", match=r'1\.parquet: 2 columns are named "a"')


def test_other_columns_in_another_file(tmp_path: Path, folder: Path) -> None:
    write(folder / "1.parquet", b=[1] * ROWS)
    write(folder / "2.parquet", c=[1] * ROWS)
    match = r'2\.parquet must have the columns of 1\.parquet, .*: column 2 is "c" and not "b"'
    refusal(tmp_path, "history", match=match)
    (folder / "2.parquet").unlink()
    (folder / "2.csv").write_text("a,kind\n1,no\n")
    match = r'2\.csv must have the columns .*: column 2 is "kind" and not "b"'
    refusal(tmp_path, "history", match=match)


def test_another_kind_of_column_in_another_file(tmp_path: Path, folder: Path) -> None:
    write(folder / "1.parquet", b=pa.nulls(ROWS))
    write(folder / "2.parquet", b=[1.5] * ROWS)
    write(folder / "3.parquet", b=["1.5"] * ROWS)
    match = r'3\.parquet, column "b": texts \(string\), and numbers \(double\) in 2\.parquet'
    refusal(tmp_path, "history", match=match)


def test_a_wrong_cell_is_found_in_its_own_file(tmp_path: Path, folder: Path) -> None:
    words = ["1"] * ROWS
    write(folder / "1.parquet", b=words)
    write(folder / "2.parquet", b=[*words[:16], "many", *words[17:]])
    match = r'^2\.parquet row 17, column "b": "many" is not a finite number'
    refusal(tmp_path, "history/*.parquet", match=match)


def test_a_damaged_csv_is_named_with_its_row(tmp_path: Path, folder: Path) -> None:
    (folder / "1.csv").write_text("a,kind\n1,no\n2,yes\n")
    (folder / "2.csv").write_text("a,kind\n1,no\n2,yes,no\n")
    refusal(tmp_path, "history", match=r"history/2\.csv row 2 \(line 3\): ")


def test_a_damaged_parquet_file(tmp_path: Path, folder: Path) -> None:
    (folder / "1.parquet").write_bytes(b"PAR1" + bytes(100))
    refusal(tmp_path, "history/1.parquet", match=r"1\.parquet is a Parquet file that cannot be")


def test_nothing_that_matches(tmp_path: Path, folder: Path) -> None:
    (folder / "notes.txt").write_text("none")
    refusal(tmp_path, "history", match=r"history holds no table")
    refusal(tmp_path, "history/*.parquet", match=r'no file matches ".*history/\*\.parquet"')
    match = r'no file matches ".*/histroy/\*\.parquet": there is no folder ".*/histroy"\.$'
    refusal(tmp_path, "histroy/*.parquet", match=match)
    refusal(tmp_path, "nothing.parquet", match=r"nothing\.parquet does not exist")


def test_links_lead_nowhere(tmp_path: Path, folder: Path) -> None:
    write(tmp_path / "secret/1.parquet")
    write(folder / "2.parquet")
    (folder / "1.parquet").symlink_to(tmp_path / "secret/1.parquet")
    refusal(tmp_path, "history", match=r"history/1\.parquet is a link")
    (folder / "1.parquet").unlink()
    (folder / "year=2024").symlink_to(tmp_path / "secret")
    refusal(tmp_path, "history", match=r"history/year=2024 is a link")
    refusal(tmp_path, "**/*.parquet", match=r"history/year=2024 is a link")
    (folder / "year=2024").unlink()
    os.mkfifo(folder / "0.parquet")
    refusal(tmp_path, "history", match=r"history/0\.parquet is a device or pipe")


def test_folders_that_name_other_columns(tmp_path: Path, folder: Path) -> None:
    write(folder / "year=2024/1.parquet")
    write(folder / "month=5/1.parquet")
    match = r'name the columns "year", and those of month=5/1\.parquet "month"'
    refusal(tmp_path, "history", match=match)
    (folder / "month=5/1.parquet").unlink()
    write(folder / "year=2024/1.parquet", year=[2024] * ROWS)
    refusal(tmp_path, "history", match=r'1\.parquet has a column "year", which its folders name')


def test_held_out_files_are_not_trained_on(tmp_path: Path, folder: Path) -> None:
    write(folder / "1.parquet", b=KIND[::-1])
    write(folder / "2.parquet", b=KIND[::-1])
    more = '[split]\ntest = "history/2.parquet"'
    match = r"split\.test takes .*2\.parquet, which data\.source takes, too"
    refusal(tmp_path, "history", more, of=SettingsError, match=match)
    dataset = load(pipeline_of(tmp_path, "history/1.parquet", more))
    assert (dataset.rows, dataset.test_rows) == (2 * ROWS, ROWS)
    assert (dataset.file, dataset.test_file) == ("history/1.parquet", "history/2.parquet")


def test_a_row_of_several_files_is_found_in_its_own(tmp_path: Path, folder: Path) -> None:
    write(folder / "1.parquet", b=[*KIND[:-1], None])
    write(folder / "2.parquet", b=KIND)
    pq.write_table(
        pa.table({"a": [1, 2], "b": ["x", "y"], "kind": ["no", None]}), folder / "1b.parquet"
    )
    dataset = load(pipeline_of(tmp_path, "history"))
    assert dataset.unlabelled == 1
    places = {row: (dataset.file_of(row), dataset.row_in_file(row)) for row in (0, 59, 60, 61)}
    assert places == {
        0: ("1.parquet", 1),
        59: ("1.parquet", 60),
        60: ("1b.parquet", 1),
        61: ("2.parquet", 1),
    }


def test_what_an_encoding_cannot_express(tmp_path: Path, folder: Path) -> None:
    write(folder / "1.parquet", b=["Ω", "a", "b"] * 20)
    match = r'history holds "Ω", which data\.encoding = "cp1252" cannot express'
    refusal(tmp_path, "history", 'encoding = "cp1252"', match=match)
    assert re.search("encoding", (tmp_path / "data/tiny/pipeline.toml").read_text())


@pytest.mark.parametrize(
    ("cell", "type_"),
    [
        (2**31 - 1, pa.date32()),
        (2**63 - 1, pa.timestamp("us")),
    ],
)
def test_dates_and_times_that_no_calendar_has(
    tmp_path: Path, folder: Path, cell: int, type_: Any
) -> None:
    """Infinity of databases, which would be a category."""
    write(folder / "1.parquet", b=pa.array([*[0] * 41, cell, *[0] * 18], type_))
    match = rf'1\.parquet row 42, column "b": "<[^"]*{cell}>" is no date that a calendar has'
    refusal(tmp_path, "history", match=match)
