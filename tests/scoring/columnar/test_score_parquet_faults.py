"""Parquet that cannot be scored, changes, or is larger than memory."""

import dataclasses
import os
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ffn.errors import DataError, SettingsError
from ffn.scoring.score_file import score_csv
from ffn.tabular.schema import Feature
from tests.helpers.scorers import SCHEMA, TenthsScorer


def write(content):
    def make(path):
        path.write_bytes(content)

    return make


def table(**columns):
    return lambda path: pq.write_table(pa.table(columns), path)


def cut(path):
    table(size=[1.0] * 1000, colour=["red"] * 1000)(path)
    path.write_bytes(path.read_bytes()[:-50])


def damaged(path):
    table(size=list(map(float, range(1000))), colour=["red"] * 1000)(path)
    content = bytearray(path.read_bytes())
    content[4:400] = bytes(396)
    path.write_bytes(content)


def not_utf_8(**columns):
    """Bytes that are said to be texts."""
    spoilt = {
        name: pa.array(cells, pa.binary()).view(pa.string()) for name, cells in columns.items()
    }
    return table(size=[1.0], **({"colour": ["red"]} | spoilt))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (table(Size=[1.0], colour=["red"]), r'no column "size".* Did you mean "Size"\?'),
        (table(size=[1.0], colour=["red"], confidence=[1]), r'already has a column "confidence"'),
        (
            table(size=[[1.0]], colour=["red"]),
            r'column "size": cells of the type list<.* are not pl',
        ),
        (cut, r"looks like a Parquet file, not a CSV file\. If its end is missing, get it again"),
        (damaged, r"in is a Parquet file that cannot be read: "),
        (not_utf_8(colour=[b"\xff"]), r'in is a Parq.* cannot be read: column "colour": .*UTF'),
        (not_utf_8(note=[b"\xed\xa0\x80"]), r'in is a .* cannot be read: column "note": .*UTF'),
        (write(b"PAR1" + bytes(20) + b"PAR1"), r"in is a Parquet file that cannot be read: "),
        (table(size=[None], colour=["red"]), r"the only row was rejected \(missing_value 1\)"),
    ],
)
def test_what_cannot_be_scored_is_refused(tmp_path, make, message):
    make(tmp_path / "in")
    with pytest.raises(DataError, match=message):
        score_csv(TenthsScorer(), tmp_path / "in", tmp_path / "out.parquet")
    assert not (tmp_path / "out.parquet").exists()


@pytest.mark.parametrize(
    ("of", "value", "said"),
    [
        (pa.time32("s"), 86_400, "86,400,000 ms"),
        (pa.time32("ms"), -1, "-1 ms"),
        (pa.time64("us"), 24 * 3_600_000_000, "86,400,000,000 µs"),
        (pa.time64("ns"), 2**62, "4,611,686,018,427,387,904 ns"),
    ],
)
@pytest.mark.parametrize("name", ["out.csv", "out.parquet"])
def test_a_time_that_no_clock_shows_is_refused_with_row_and_column(tmp_path, of, value, said, name):
    rows = 9_000  # the reader takes 8,192 rows at a time
    width = pa.int32() if pa.types.is_time32(of) else pa.int64()
    at = pa.array([None, *[1] * (rows - 3), value, value], width).view(of)
    table(size=[7.0] * rows, colour=["red"] * rows, at=at)(tmp_path / "in")
    message = rf'in row 8,999, column "at": {said} after midnight is no time of day before 24:00'
    with pytest.raises(DataError, match=message):
        score_csv(TenthsScorer(), tmp_path / "in", tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


@pytest.mark.parametrize(
    "at", [pa.array([2**62], pa.timestamp("us")), pa.array([2**31 - 1], pa.int32()).view("date32")]
)
def test_a_date_without_a_text_is_no_cell_of_a_csv(tmp_path, at):
    table(size=[7.0], colour=["red"], at=at)(tmp_path / "in")
    with pytest.raises(DataError, match=r'in, column "at": "<value out .* cannot be written as'):
        score_csv(TenthsScorer(), tmp_path / "in", tmp_path / "out.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["in"]
    score_csv(TenthsScorer(), tmp_path / "in", tmp_path / "out.parquet")
    assert pq.read_table(tmp_path / "out.parquet").column("at").combine_chunks() == at


@pytest.mark.parametrize("name", ["out.csv", "out.parquet"])
def test_texts_kept_as_views_are_texts(tmp_path, name):
    views = {
        "size": pa.array(["7", "8"], pa.string_view()),
        "colour": pa.array(["red", "blue"], pa.string_view()),
        "note": pa.array(["a", None], pa.string_view()),
        "raw": pa.array([b"x", b"y"], pa.binary_view()),
    }
    table(**views)(tmp_path / "in")
    assert pq.ParquetFile(tmp_path / "in").schema_arrow.field("note").type == pa.string_view()
    result = score_csv(TenthsScorer(), tmp_path / "in", tmp_path / name)
    assert result.class_counts == {"large": 1, "small": 1}
    if name == "out.csv":
        assert result.output.read_text().splitlines()[1] == "7,red,a,x,small,0.7000"
    else:
        assert pq.read_table(result.output).column("note").to_pylist() == ["a", None]


def test_rows_stay_rows_however_long_their_texts(tmp_path):
    """Some forty texts of 100,000 letters of four bytes would be longer than a record may be."""
    features = [Feature(name=f"f{n}", kind="categorical", missing=True) for n in range(45)]
    long, lines = "\U0001f98b" * 100_000, "a\nb"
    rows = {own.name: [lines, long, lines] for own in features}
    table(size=[1.0, 2.0, 3.0], colour=["red"] * 3, **rows)(tmp_path / "in")
    schema = dataclasses.replace(SCHEMA, features=(*SCHEMA.features, *features))
    result = score_csv(TenthsScorer(schema=schema), tmp_path / "in", tmp_path / "out.parquet")
    assert (result.rows, result.scored) == (3, 3)


def test_no_spreadsheet_reads_parquet(tmp_path):
    table(size=[1.0], colour=["red"])(tmp_path / "in")
    with pytest.raises(SettingsError, match=r"escape_formulas is for spreadsheets"):
        score_csv(TenthsScorer(), tmp_path / "in", tmp_path / "o.parquet", escape_formulas=True)


def test_a_table_without_rows_gives_one_without_rows(tmp_path):
    columns = {"size": pa.array([], pa.float64()), "colour": pa.array([], pa.string())}
    table(**columns)(tmp_path / "in")
    result = score_csv(TenthsScorer(), tmp_path / "in", tmp_path / "out.parquet")
    assert result.rows == 0
    assert pq.read_table(tmp_path / "out.parquet").num_rows == 0


def test_a_file_that_changes_is_refused(tmp_path):
    rows = 300_000
    table(size=[7.0] * rows, colour=["red"] * rows)(tmp_path / "in")

    def touch(_):
        os.utime(tmp_path / "in", ns=(0, 0))

    with pytest.raises(DataError, match=r"in changed while it was read"):
        score_csv(TenthsScorer(), tmp_path / "in", tmp_path / "out.parquet", on_progress=touch)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


PEAK = """
import resource, sys
from pathlib import Path
import numpy as np, pyarrow as pa, pyarrow.parquet as pq
from tests.helpers.scorers import TenthsScorer
from ffn.scoring.score_file import score_csv
source, rows = Path(sys.argv[1]), int(sys.argv[2])
sizes = pa.array(np.random.default_rng(0).uniform(0, 10, 100_000))
with pq.ParquetWriter(source, pa.schema([("size", pa.float64()), ("colour", pa.string())])) as file:
    for _ in range(rows // 100_000):
        file.write(pa.table({"size": sizes, "colour": pa.repeat("red", 100_000)}))
score_csv(TenthsScorer(), source, source.with_suffix(".parquet"))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_memory_does_not_grow_with_the_file(tmp_path):
    path = os.pathsep.join(sys.path)
    peaks = []
    for rows in (200_000, 1_000_000):
        done = subprocess.run(
            [sys.executable, "-c", PEAK, str(tmp_path / "in"), str(rows)],
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            check=True,
        )
        peaks.append(int(done.stdout))
    assert peaks[1] < peaks[0] * 1.15
