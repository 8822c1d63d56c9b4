"""Parquet in and out: labels and rejects of the CSV of the same table, columns as they were."""

import csv
import datetime
import decimal
import hashlib
import json
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ffn.errors import DataError
from ffn.scoring.score_file import score_csv
from tests.helpers.scorers import TenthsScorer

NOTES = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
COLOURS = st.sampled_from([None, "", "red", "blue", " red ", 'g"r,een\n', "NA"])
SIZES = {
    pa.float64(): st.one_of(st.none(), st.floats()),
    pa.float32(): st.one_of(st.none(), st.floats(width=32)),
    pa.int64(): st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)),
    pa.uint8(): st.integers(0, 255),
    pa.string(): st.sampled_from([None, "", "7.5", "1e3", "x", "-9", "1_4", "nan", " 2 "]),
    pa.decimal128(6, 2): st.decimals(-999, 999, places=2),
    pa.bool_(): st.booleans(),
}


def labelled(path):
    """Label and confidence of each row of a scored file."""
    table = pq.read_table(path)
    return list(
        zip(
            table["predicted_kind"].to_pylist(),
            [f"{share:.4f}" for share in table["confidence"].to_pylist()],
            strict=True,
        )
    )


def rejects(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("parquet")


@settings(max_examples=8)
@given(data=st.data())
@pytest.mark.parametrize("kind", SIZES, ids=str)
def test_labels_and_rejects_are_those_of_the_csv(folder, kind, data):
    rows = data.draw(st.lists(st.tuples(SIZES[kind], COLOURS, NOTES), min_size=1, max_size=9))
    sizes, colours, notes = zip(*rows, strict=True)
    table = pa.table(
        {
            "note": pa.array(notes, pa.string()),
            "colour": pa.array(colours, pa.string()).dictionary_encode(),
            "size": pa.array(sizes, kind),
        }
    )
    for name in list(folder.iterdir()):
        name.unlink()
    pq.write_table(table, folder / "in.parquet", row_group_size=4)
    pyarrow.csv.write_csv(table.select(["colour", "size"]), folder / "in.csv")
    refusals = []
    for name in ("in.csv", "in.parquet"):
        try:
            score_csv(TenthsScorer(), folder / name, folder / f"out{Path(name).suffix}")
        except DataError as error:
            refusals.append(str(error).partition(": ")[2].partition(" See ")[0])
    ours, theirs = (rejects(folder / f"out{s}.rejects.csv") for s in (".parquet", ".csv"))
    # Where in a text file it is.
    assert {(line["line"], line["lines"]) for line in ours} <= {("", "")}
    for line in (*ours, *theirs):
        del line["line"], line["lines"]
        # A record as a whole has other columns beside in its CSV.
        line["value"] = line["value"] if line["column"] else ""
        # pyarrow writes "true", and pandas, which most files come from, "True".
        line["value"] = line["value"].lower()
        # NaN in a column of floats is no text, but no value.
        if pa.types.is_floating(kind) and line["value"] == "nan":
            line |= {"value": "", "reason": "missing_value"}
    assert ours == theirs
    assert len(refusals) in (0, 2)
    if refusals:
        assert len(ours) == len(rows)
        return
    with (folder / "out.csv").open(newline="") as file:
        found = [(row["predicted_kind"], row["confidence"]) for row in csv.DictReader(file)]
    assert labelled(folder / "out.parquet") == found
    good = [i for i in range(len(rows)) if str(i + 1) not in {line["row"] for line in ours}]
    written = pq.read_table(folder / "out.parquet").select(table.schema.names)
    assert written.equals(table.take(good))


def test_columns_of_any_type_pass_through_and_so_does_what_pandas_noted(tmp_path):
    frame = pd.DataFrame(
        {
            "size": [7.0, 2.5],
            "colour": pd.Categorical(["red", "blue"]),
            "when": pd.to_datetime(["2024-01-01", "2024-02-29"]).tz_localize("Europe/Zurich"),
            "many": [[1, 2], []],
            "deep": [{"a": 1}, {"a": None}],
            "raw": [b"\0\xff", None],
            "exact": [decimal.Decimal("1.50"), None],
            "day": [datetime.date(2024, 1, 1), None],
        },
        index=pd.Index(["x", "y"], name="key"),
    )
    frame.to_parquet(tmp_path / "in.parquet")
    score_csv(TenthsScorer(), tmp_path / "in.parquet", tmp_path / "out.parquet", probabilities=True)
    before, after = (pq.read_table(tmp_path / f"{name}.parquet") for name in ("in", "out"))
    assert after.select(before.schema.names).equals(before)
    assert after.schema.metadata[b"pandas"] == before.schema.metadata[b"pandas"]
    found = pd.read_parquet(tmp_path / "out.parquet")
    pd.testing.assert_frame_equal(found[frame.columns], frame)
    added = ["predicted_kind", "confidence", "probability_large", "probability_small"]
    assert found[added].to_numpy().tolist() == [
        ["small", 0.7, 0.3, 0.7],
        ["small", 0.75, 0.25, 0.75],
    ]


def test_the_account_is_that_of_any_file(tmp_path):
    table = pa.table({"size": [7.0, None, 99.0, 1e39], "colour": ["red", "red", "pink", None]})
    pq.write_table(table, tmp_path / "in")
    seen = []
    result = score_csv(
        TenthsScorer(), tmp_path / "in", tmp_path / "out.parquet", on_progress=seen.append
    )
    found = json.loads(result.manifest.read_bytes())
    content = (tmp_path / "in").read_bytes()
    assert found["input"] == {
        "path": str(tmp_path / "in"),
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "compression": None,
        "encoding": "parquet",
        "blank_lines": 0,
    }
    assert (found["rows"], found["scored"], found["rejected"]) == (4, 2, 2)
    assert found["unseen_categories"] == {"colour": {"rows": 1, "examples": ["pink"]}}
    assert found["out_of_range"] == {"size": 1}
    assert result.rejects.read_text().splitlines() == [
        "row,line,column,value,reason,lines",
        "2,,size,,missing_value,",
        '4,,,"""1e+39"",",not_finite,',
    ]
    assert (seen[-1].rows, seen[-1].bytes_read) == (4, len(content))


def test_csv_goes_to_parquet_as_text(tmp_path):
    (tmp_path / "in.csv").write_bytes(
        'id;size;colour\n007;"7,5";\n8;x;\n9; 2 ;"r""ed"'.encode("utf-16")
    )
    options = {"delimiter": ";", "decimal": ","}
    score_csv(TenthsScorer(), tmp_path / "in.csv", tmp_path / "out.parquet", **options)
    assert pq.read_table(tmp_path / "out.parquet").to_pydict() == {
        "id": ["007", "9"],
        "size": ["7,5", " 2 "],
        "colour": ["", 'r"ed'],
        "predicted_kind": ["large", "small"],
        "confidence": [0.75, 0.8],
    }
    assert rejects(tmp_path / "out.parquet.rejects.csv")[0]["line"] == "3"
    (tmp_path / "in.csv").write_text("a,size,colour,a\n1,7,,2\n")
    with pytest.raises(DataError, match=r'2 columns are named "a"'):
        score_csv(TenthsScorer(), tmp_path / "in.csv", tmp_path / "out.parquet")


def test_parquet_goes_to_csv_as_text(tmp_path):
    table = pa.table(
        {
            "id": ["007", 'a "b", c', "=1+1"],
            "size": [7.25, 2.0, 9.0],
            "colour": [None, "red", "blue"],
            "n": [1, None, 10**18],
            "yes": [True, False, None],
        }
    )
    pq.write_table(table, tmp_path / "in.parquet")
    score_csv(TenthsScorer(), tmp_path / "in.parquet", tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text() == (
        "id,size,colour,n,yes,predicted_kind,confidence\n"
        "007,7.25,,1,True,large,0.7250\n"
        '"a ""b"", c",2,red,,False,large,0.8000\n'
        "=1+1,9,blue,1000000000000000000,,large,0.9000\n"
    )
    options = {"delimiter": ";", "decimal": ",", "only_id": "size", "escape_formulas": True}
    score_csv(TenthsScorer(), tmp_path / "in.parquet", tmp_path / "slim.csv", **options)
    assert (tmp_path / "slim.csv").read_text().splitlines()[1] == "7,25;large;0,7250"


def test_one_column_alone_keeps_its_type(tmp_path):
    table = pa.table({"size": [7.0], "colour": ["red"], "id": pa.array([3], pa.int16())})
    pq.write_table(table, tmp_path / "in.parquet")
    score_csv(TenthsScorer(), tmp_path / "in.parquet", tmp_path / "out.parquet", only_id="id")
    found = pq.read_table(tmp_path / "out.parquet")
    assert found.schema.names == ["id", "predicted_kind", "confidence"]
    assert found.schema.field("id").type == pa.int16()
