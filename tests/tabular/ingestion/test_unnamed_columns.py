"""Columns without a name in a training table."""

from __future__ import annotations

from pathlib import Path

import pytest
from numpy.testing import assert_array_equal

from ffn.errors import DataError
from ffn.storage.cache import Cache
from ffn.tabular.ingestion.choice import Choice
from ffn.tabular.ingestion.ingest import read_dataset
from ffn.tabular.ingestion.text_table import read_table
from ffn.tabular.training_table.dataset import Dataset

ROWS = [(str(i), "rb"[i % 2], "xy"[i % 2]) for i in range(30)]


def write(folder: Path, header: str, rows: list[str]) -> Path:
    path = folder / "t.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def read(path: Path, **options) -> Dataset:
    choice = {"target": "y", "missing_values": ("",), "kinds": {}} | options
    return read_dataset(path, Cache(path.parent / "cache"), Choice(**choice))


@pytest.mark.parametrize(
    ("header", "row", "columns"),
    [
        ("n,c,y,", "{},{},{},", "column 4 without a name and without a value is"),
        ("n,c,y,,,", "{},{},{},,,", "columns 4, 5, 6 without a name and without a value are"),
        ("n,,c,,y", "{},,{}, \t,{}", "columns 2, 4 without a name and without a value are"),
        (",n,c,y", ",{},{},{}", "column 1 without a name and without a value is"),
        (' ,n,c,y,""', '"",{},{},{}," "', "columns 1, 5 without a name and without a value are"),
    ],
)
def test_those_without_a_value_are_left_out(tmp_path, header, row, columns) -> None:
    plain = read(write(tmp_path, "n,c,y", [",".join(cells) for cells in ROWS]))
    path = write(tmp_path, header, [row.format(*cells) for cells in ROWS])
    data = read(path, exclude=())
    assert (data.order, data.notices) == (("n", "c"), (f"{columns} left out",))
    assert_array_equal(data.fingerprints, plain.fingerprints)
    assert_array_equal(data.labels, plain.labels)
    assert read_table(path, target="y").header == ("n", "c", "y")


def test_the_first_is_an_index_as_pandas_and_r_write_it(tmp_path: Path) -> None:
    path = write(tmp_path, '"",n,c,y', [f'"{i}",{",".join(row)}' for i, row in enumerate(ROWS)])
    for exclude in (None, (), ("c",)):
        data = read(path, exclude=exclude)
        assert "" not in data.order
        assert data.notices == ("column 1 has no name and is left out, as an index of the rows",)
    assert read(path, exclude=("",)).notices == ()


def test_a_stray_cell_is_refused_where_it_stands(tmp_path: Path) -> None:
    lines = [",".join(row) + (",,see below" if i == 20 else ",,") for i, row in enumerate(ROWS)]
    path = write(tmp_path, "n,c,y,,", lines)
    message = (
        r't\.csv, column 5: it has no name, but row 21 \(line 22\) holds "see below" there\. Name '
        r"the column in the header, empty its cells, or exclude all columns without a name: "
    )
    with pytest.raises(DataError, match=message):
        read(path)
    with pytest.raises(DataError, match=message):
        read_table(path, target="y")
    assert read(path, exclude=("",)).order == ("n", "c")
    assert read_table(path, target="y", exclude=[""]).header == ("n", "c", "y")


def test_names_are_still_to_differ(tmp_path: Path) -> None:
    with pytest.raises(DataError, match='2 columns are named "c"'):
        read(write(tmp_path, "c,c,y,,", ["1,2,x,,"]))


def test_a_row_of_units_is_no_data(tmp_path: Path) -> None:
    lines = [f"{i},{i / 2},{'xy'[i % 2]}" for i in range(30)]
    path = write(tmp_path, "n,c,y", ["cm,kg,class", *lines])
    with pytest.raises(
        DataError, match=r'row 1 \(line 2\): 2 columns .*"cm" in column "n".*sed 2d'
    ):
        read(path)
    # One such cell is a mistake as any other.
    with pytest.raises(DataError, match=r'row 1 .*"cm" is not a finite number'):
        read(write(tmp_path, "n,c,y", ["cm,1,x", *lines]))
