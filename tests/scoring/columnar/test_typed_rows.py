"""Parquet scored from its columns: every count and reject is that of the CSV of the same table."""

import csv
import json

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ffn.scoring.score_file import score_csv
from ffn.tabular.schema import Schema
from tests.helpers.scorers import REFERENCE, SCHEMA, TenthsScorer

# Of numbers some mean "no value", some are no numbers, some are none; of texts some are unknown,
# or equal but for spaces, or end a record of CSV where they are not quoted.
SIZES = st.sampled_from([None, 0.0, -0.0, 2.5, 7.25, 10.0, -9.0, 1e300, float("inf"), float("nan")])
COLOURS = st.sampled_from([None, "", "red", " red", "blue", "NA", "x\0y", "é,\r\n", '"', "green"])
COUNTS = ("rows", "scored", "rejected", "classes", "rejects", "mean_confidence", "out_of_range")
COUNTS += ("unseen_categories", "unknown_columns", "drift", "warnings")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("typed")


def told(folder, name, model, **options):
    """Manifest and rejects, without what a file without lines cannot have."""
    result = score_csv(model, folder / name, folder / "out.csv", force=True, **options)
    manifest = json.loads(result.manifest.read_bytes())
    with result.rejects.open(newline="", encoding="utf-8") as file:
        rejects = [(r["row"], r["column"], r["reason"]) for r in csv.DictReader(file)]
    with result.output.open(newline="", encoding="utf-8") as file:
        labels = [(r["predicted_kind"], r["confidence"]) for r in csv.DictReader(file)]
    return {key: manifest[key] for key in COUNTS}, rejects, labels


@settings(max_examples=25)
@given(
    rows=st.lists(st.tuples(SIZES, COLOURS), min_size=2, max_size=40),
    coded=st.booleans(),
    on_unknown=st.sampled_from(["score", "reject"]),
    missing=st.sampled_from([("", "NA", "-9"), ("NA",), ("", "inf")]),
)
def test_every_count_is_that_of_the_csv(folder, rows, coded, on_unknown, missing):
    # A row that is scored, as a file whose rows are all rejected is refused.
    sizes, colours = zip((1.0, "blue"), *rows, strict=True)
    table = pa.table({"size": pa.array(sizes, pa.float64()), "colour": pa.array(colours)})
    # Arrow would write "nan", which is a text.
    numbers = pa.array([None if size is None or size != size else size for size in sizes])
    pyarrow.csv.write_csv(pa.table({"size": numbers, "colour": table["colour"]}), folder / "in.csv")
    if coded:
        table = table.set_column(1, "colour", table["colour"].dictionary_encode())
    pq.write_table(table, folder / "in.parquet", row_group_size=7)
    features, target, classes = SCHEMA.features, SCHEMA.target, SCHEMA.classes
    schema = Schema(features=features, target=target, classes=classes, missing_values=missing)
    model = TenthsScorer(reference=REFERENCE, schema=schema)
    ours = told(folder, "in.parquet", model, on_unknown=on_unknown, drift_min_rows=1)
    theirs = told(folder, "in.csv", model, on_unknown=on_unknown, drift_min_rows=1)
    assert ours == theirs


@pytest.mark.parametrize("options", [{}, {"decimal": ","}, {"escape_formulas": True}])
@pytest.mark.parametrize("extra", ["=1", "a,b", 'a"b', "a;b", "", None, "x" * 60_000])
def test_cells_are_written_as_csv_writes_them(folder, options, extra):
    """Python's own reader gets back what was in the table."""
    notes = pa.array([extra, "plain", extra])
    table = pa.table({"note": notes, "size": [1.5, 2.5, 3.0], "colour": ["red", None, "blue"]})
    pq.write_table(table, folder / "notes.parquet")
    result = score_csv(
        TenthsScorer(), folder / "notes.parquet", folder / "notes.csv", force=True, **options
    )
    csv.field_size_limit(2**20)
    with result.output.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    expected = f"'{extra}" if options.get("escape_formulas") and extra == "=1" else extra or ""
    mark = options.get("decimal", ".")
    assert [row[:3] for row in rows[1:]] == [
        [expected, f"1{mark}5", "red"],
        ["plain", f"2{mark}5", ""],
        [expected, "3", "blue"],
    ]


def test_a_category_that_is_long_is_unknown(folder):
    long = "red" + "x" * 120_000
    table = pa.table({"size": [1.0, 2.0], "colour": [long, "red"]})
    pq.write_table(table, folder / "long.parquet")
    result = score_csv(TenthsScorer(), folder / "long.parquet", folder / "long.csv", force=True)
    manifest = json.loads(result.manifest.read_bytes())
    (seen,) = manifest["unseen_categories"].values()
    assert (seen["rows"], len(seen["examples"][0])) == (1, 200)


def test_a_batch_without_a_good_row_is_between_others(folder):
    """Rejects keep their numbers across batches, and rows their order."""
    n = 20_000
    sizes = np.arange(n) % 10 / 1.0
    sizes[8_192:16_384] = np.inf
    sizes[5] = np.nan
    table = pa.table({"id": np.arange(n), "size": sizes, "colour": ["blue"] * n})
    pq.write_table(table, folder / "gap.parquet")
    for name in ("gap.csv", "gap_out.parquet"):
        result = score_csv(TenthsScorer(), folder / "gap.parquet", folder / name, force=True)
        with result.rejects.open(newline="") as file:
            rows = [int(row["row"]) for row in csv.DictReader(file)]
        assert rows == [6, *range(8_193, 16_385)]
        assert result.scored == n - len(rows)
    kept = pq.read_table(folder / "gap_out.parquet")["id"].to_pylist()
    rejected = set(rows)
    assert kept == [i for i in range(n) if i + 1 not in rejected]
