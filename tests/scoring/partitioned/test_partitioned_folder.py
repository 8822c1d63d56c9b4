"""A folder of partitions in, a folder of the same layout out, and one manifest."""

import csv
import hashlib
import io
import shutil

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from ffn.errors import DataError, SettingsError
from ffn.scoring.score_file import score_csv
from tests.helpers.scorers import REFERENCE, TenthsScorer
from tests.scoring.partitioned.lakes import (
    LAKE,
    content,
    manifest_of,
    published,
    rejects_of,
    score,
    write_lake,
)


@pytest.fixture
def lake(tmp_path):
    return write_lake(tmp_path / "lake", LAKE)


def test_a_partition_column_is_a_feature_like_others(lake, tmp_path):
    """The labels are those of one CSV file that has the column in its records."""
    whole = ["id,size,colour\n"]
    for name in sorted(LAKE):
        colour = name.partition("=")[2].partition("/")[0].replace("__HIVE_DEFAULT_PARTITION__", "")
        for record in csv.reader(io.StringIO(LAKE[name].partition("\n")[2])):
            cells = [f'"{cell}"' if "\n" in cell else cell for cell in record]
            whole.append(",".join([*cells, colour]) + "\n")
    (tmp_path / "one.csv").write_text("".join(whole))
    one = score_csv(TenthsScorer(reference=REFERENCE), tmp_path / "one.csv", tmp_path / "out.csv")

    result = score(lake, tmp_path / "scored", TenthsScorer(reference=REFERENCE))

    labels = {}
    for path in (tmp_path / "scored").rglob("*.csv"):
        with path.open(newline="") as file:
            labels |= {row["id"]: row["predicted_kind"] for row in csv.DictReader(file)}
    with one.output.open(newline="") as file:
        assert labels == {row["id"]: row["predicted_kind"] for row in csv.DictReader(file)}
    # Red turns the answer round.
    assert labels == {"1": "small", "3": "large", "4\n": "large", "6": "small"}
    assert (result.rows, result.scored, result.rejected) == (7, 4, 3)
    for name in ("class_counts", "reject_reasons", "mean_confidence", "unknown_columns"):
        assert getattr(result, name) == getattr(one, name)
    assert result.drift.to_json() == one.drift.to_json()


def test_the_layout_is_kept_and_the_manifest_describes_every_file(lake, tmp_path):
    score(lake, tmp_path / "scored")
    found = published(tmp_path / "scored")
    assert set(found) == {
        *(f"scored/{name}" for name in LAKE),
        "scored.rejects.csv",
        "scored.manifest.json",
    }
    assert (
        found["scored/colour=red/part-0.csv"]
        == b"id,size,predicted_kind,confidence\n1,7,small,0.7000\n"
    )
    manifest = manifest_of(tmp_path / "scored")
    assert [part["name"] for part in manifest["parts"]] == sorted(LAKE)
    for part in manifest["parts"]:
        output = found[f"scored/{part['name']}"]
        assert part["output"] == {
            "bytes": len(output),
            "sha256": hashlib.sha256(output).hexdigest(),
        }
        assert part["input"]["sha256"] == hashlib.sha256(LAKE[part["name"]].encode()).hexdigest()
        assert part["rows"] == part["scored"] + part["rejected"]
    for key in ("rows", "scored", "rejected"):
        assert manifest[key] == sum(part[key] for part in manifest["parts"])
    digest = hashlib.sha256(found["scored.rejects.csv"]).hexdigest()
    assert manifest["files"]["rejects"]["sha256"] == digest


def test_rejects_have_file_and_row(lake, tmp_path):
    score(lake, tmp_path / "scored")
    told = [(r["file"], r["row"], r["line"], r["column"]) for r in rejects_of(tmp_path / "scored")]
    assert told == [
        ("colour=blue/part-0.csv", "2", "4", "size"),
        ("colour=blue/part-0.csv", "3", "5", "size"),
        ("colour=red/part-0.csv", "2", "3", "size"),
    ]


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_engines_read_what_comes_out(lake, tmp_path, form):
    result = score(lake, tmp_path / "scored", partitioned=form)
    schema = ds.partitioning(pa.schema([("colour", pa.string())]), flavor="hive")
    found = ds.dataset(tmp_path / "scored", format=form, partitioning=schema)
    by_arrow = found.to_table(columns=["size", "predicted_kind", "colour"]).to_pandas()
    assert len(by_arrow) == result.scored
    pattern = f"{tmp_path}/scored/**/*.{form}"
    read = pl.read_parquet if form == "parquet" else pl.read_csv
    by_polars = read(pattern) if form == "csv" else read(pattern, hive_partitioning=True)
    assert len(by_polars) == result.scored
    assert dict(by_arrow["predicted_kind"].value_counts()) == result.class_counts


@pytest.mark.parametrize("form", ["same", "csv"])
def test_parquet_means_what_csv_means(lake, tmp_path, form):
    """The same rows as Parquet files with typed columns."""
    twin = tmp_path / "twin"
    for name, text in LAKE.items():
        frame = pd.read_csv(io.StringIO(text), dtype={"id": "string", "size": "string"})
        path = (twin / name).with_suffix(".parquet")
        path.parent.mkdir(parents=True, exist_ok=True)
        frame.to_parquet(path)
    ours = score(twin, tmp_path / "typed", partitioned=form)
    theirs = score(lake, tmp_path / "scored")
    assert (ours.class_counts, ours.reject_reasons) == (theirs.class_counts, theirs.reject_reasons)
    cells = [
        [
            (stem(r["file"]), r["row"], r["column"], r["value"], r["reason"])
            for r in rejects_of(tmp_path / name)
        ]
        for name in ("typed", "scored")
    ]
    assert cells[0] == cells[1]
    if form == "same":
        kept = pq.ParquetFile(tmp_path / "typed/colour=red/part-0.parquet").schema_arrow
        assert kept.names == ["id", "size", "predicted_kind", "confidence"]


def stem(name):
    return name.rpartition(".")[0]


def test_the_bytes_do_not_depend_on_the_number_of_processes(lake, tmp_path):
    for workers in (1, 3):
        score(lake, tmp_path / str(workers) / "scored", workers=workers)
    assert published(tmp_path / "1/scored") == published(tmp_path / "3/scored")


def test_what_is_no_data_is_passed_over(lake, tmp_path):
    score(lake, tmp_path / "scored")
    expected = content(tmp_path / "scored")
    shutil.rmtree(tmp_path / "scored")
    write_lake(
        lake,
        {
            "_SUCCESS": "",
            "_temporary/0/part-0.csv": "half",
            "colour=red/.part-0.csv.crc": "crc",
            "colour=red/part-2.csv.tmp": "half",
            "colour=green/part-0.csv": "",
            "notes.txt": "text",
        },
    )
    (lake / "colour=yellow").mkdir()
    (tmp_path / "scored.manifest.json").unlink()
    result = score(lake, tmp_path / "scored")
    assert result.parts.empty == 1
    assert "Passed over: 1 empty file" in result.parts.sentence()
    assert content(tmp_path / "scored") == expected


def test_limits_hold_for_all_rows_together(lake, tmp_path):
    """One bad row is all of its file; of seven rows three are bad."""
    write_lake(lake, {"colour=blue/part-7.csv": "id,size\n9,x\n"})
    assert score(lake, tmp_path / "scored", max_reject_rate=0.5).rejected == 4
    before = published(tmp_path / "scored")
    write_lake(lake, {"colour=blue/part-8.csv": "id,size\n9,x\n"})
    with pytest.raises(
        DataError, match=r"the only row was rejected .* What was published before stays"
    ):
        score(lake, tmp_path / "scored", max_reject_rate=0.5)
    assert published(tmp_path / "scored") == before
    refused = (tmp_path / "scored.refused.csv").read_text()
    assert refused.splitlines()[1:] == ["colour=blue/part-8.csv,1,2,size,x,not_a_number,1"]


def test_one_refused_file_publishes_nothing(lake, tmp_path):
    score(lake, tmp_path / "scored")
    before = published(tmp_path / "scored")
    write_lake(lake, {"colour=red/bad.csv": "id\n1\n", "colour=red/good.csv": "id,size\n1,2\n"})
    with pytest.raises(DataError, match=r'1 of 2 parts refused, .*bad.csv has no column "size"'):
        score(lake, tmp_path / "scored")
    assert published(tmp_path / "scored") == before
    # The other one was put aside, and is not scored again.
    (account,) = (tmp_path / ".scored.ffn-unfinished").glob("*.part")
    aside = account.with_suffix(".output")
    written = aside.stat().st_mtime_ns
    with pytest.raises(DataError, match=r"1 of 2 parts refused"):
        score(lake, tmp_path / "scored")
    assert aside.stat().st_mtime_ns == written
    (lake / "colour=red/bad.csv").unlink()
    assert score(lake, tmp_path / "scored").parts.new == 1
    assert not (tmp_path / ".scored.ffn-unfinished").exists()


def test_columns_may_differ_and_it_is_said(lake, tmp_path):
    write_lake(lake, {"colour=red/part-5.csv": "note,size\nx,2\n"})
    result = score(lake, tmp_path / "scored")
    assert result.scored == 5
    assert any("do not have the same columns" in warning for warning in result.warnings)


def test_a_format_that_does_not_exist(lake, tmp_path):
    with pytest.raises(SettingsError, match=r'partitioned is "orc"; give one of "same"'):
        score(lake, tmp_path / "scored", partitioned="orc")
