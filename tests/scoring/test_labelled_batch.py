"""A batch in memory is labelled like a Parquet file of the same rows, row by row."""

from __future__ import annotations

import csv
import io
import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ffn.decision_rules.rule import DecisionRule
from ffn.errors import DataError, SettingsError, UnknownCategoryWarning
from ffn.scoring.model import Model
from tests.helpers.coded import model as coded
from tests.helpers.scorers import TenthsScorer

MODEL = Model(TenthsScorer())
ROWS = pa.table(
    {
        "id": range(8),
        "size": ["1", " 9 ", "x", None, "1e300", "5\0", "-9", "5.00004"],
        "colour": ["red", "blue", None, "green", "red", "red", "x\0", ""],
    }
)
LABELS = ["large", "large", None, None, None, None, None, "large"]
CONFIDENCES = [0.9, 0.9, None, None, None, None, None, 0.5]
REASONS = [None, None, "not_a_number", "missing_value", "not_finite", "nul_byte", "nul_byte", None]
COLUMNS = [None, None, "size", "size", "", "", "", None]


def coded_texts(table: pa.Table) -> pa.Table:
    """The same table with its texts as dictionaries."""
    return pa.table(
        {
            name: own.dictionary_encode() if pa.types.is_string(own.type) else own
            for name, own in zip(table.column_names, table.columns, strict=True)
        }
    )


def containers(table: pa.Table) -> list[Any]:
    """The same rows in each type that is taken."""
    batch = pa.RecordBatch.from_arrays(
        [column.combine_chunks() for column in table.columns], schema=table.schema
    )
    return [table, batch, pl.from_arrow(table), table.to_pandas()]


def listed(labelled: Any) -> dict[str, list[Any]]:
    """The columns of any container as lists, None for no value."""
    if isinstance(labelled, pd.DataFrame):
        cells = labelled.astype(object)
        return cells.where(labelled.notna(), None).to_dict("list")
    columns: dict[str, list[Any]] = (
        labelled.to_dict(as_series=False)
        if isinstance(labelled, pl.DataFrame)
        else labelled.to_pydict()
    )
    return columns


@pytest.mark.parametrize("table", [ROWS, coded_texts(ROWS)], ids=["texts", "dictionaries"])
@pytest.mark.parametrize("place", range(4), ids=["table", "batch", "polars", "pandas"])
def test_a_row_out_for_each_row_in_and_the_same_container(table: pa.Table, place: int) -> None:
    rows = containers(table)[place]
    labelled = MODEL.predict_batch(rows)
    assert type(labelled) is type(rows)
    found = listed(labelled)
    assert list(found) == [
        "id",
        "size",
        "colour",
        "predicted_kind",
        "confidence",
        "reject_reason",
        "reject_column",
    ]
    # By hand: a size of 1 is "small" with 9/10, which red turns round.
    assert found["predicted_kind"] == LABELS
    assert found["confidence"] == CONFIDENCES
    assert found["reject_reason"] == REASONS
    assert found["reject_column"] == COLUMNS
    assert found["id"] == list(range(8))


@pytest.mark.parametrize("of", [pa.float64(), pa.float32(), pa.string()], ids=str)
@pytest.mark.parametrize("place", range(4), ids=["table", "batch", "polars", "pandas"])
def test_a_gap_is_no_value_where_an_empty_cell_is_none(of: pa.DataType, place: int) -> None:
    # A CSV file of the rows has an empty cell there, and only "NA" means "no value".
    feature = replace(TenthsScorer().schema.numeric[0], missing=True)
    others = TenthsScorer().schema.features[1:]
    schema = replace(TenthsScorer().schema, features=(feature, *others), missing_values=("NA",))
    sizes = pa.array([1, None, 9]).cast(of)
    rows = containers(pa.table({"size": sizes, "colour": ["red"] * 3}))[place]
    found = listed(Model(TenthsScorer(schema=schema)).predict_batch(rows))
    assert found["reject_reason"] == [None, "not_a_number", None]
    assert found["reject_column"] == [None, "size", None]


def test_types_do_not_depend_on_the_rows() -> None:
    for whole, none in zip(containers(ROWS), containers(ROWS[:0]), strict=True):
        some, empty = MODEL.predict_batch(whole), MODEL.predict_batch(none)
        if isinstance(whole, pd.DataFrame):
            assert some.dtypes.to_dict() == empty.dtypes.to_dict()
        else:
            assert some.schema == empty.schema
    numbered = coded("x", "y", classes=("3", "7"))
    frame = pd.DataFrame({"c": ["x", "y\0", None]}, index=[5, 5, 2])
    labelled = numbered.predict_batch(frame)
    assert labelled.index.tolist() == [5, 5, 2]
    assert labelled["predicted_y"].dtype == pd.Int64Dtype()
    # (code + 3) / 100 is the probability of the first class, 3: the second one is the label.
    assert labelled["predicted_y"].tolist() == [7, pd.NA, 7]
    assert labelled["confidence"].tolist()[::2] == [0.97, 0.98]
    assert numbered.predict_batch(pa.table({"c": ["x"]})).schema.field("predicted_y").type == (
        pa.int64()
    )


def test_abstentions_label_sets_and_probabilities() -> None:
    rule = DecisionRule(abstain_below=0.75, set_limits=(0.3, 0.3))
    own = Model(replace(TenthsScorer(), rule=rule))
    rows = pa.table({"size": ["9", "6", "?"], "colour": ["blue"] * 3})
    found = own.predict_batch(rows, probabilities=True).to_pydict()
    assert found["predicted_kind"] == ["large", None, None]
    assert found["confidence"] == [0.9, 0.6, None]
    assert found["probability_small"] == [0.1, 0.4, None]
    assert found["possible_kind"] == [["large"], ["large", "small"], None]
    assert found["reject_reason"] == [None, None, "not_a_number"]


def test_unknown_categories_are_scored_or_rejected() -> None:
    rows = pa.table({"size": ["9", "1"], "colour": pa.array(["green", "red"]).dictionary_encode()})
    assert MODEL.predict_batch(rows)["reject_reason"].to_pylist() == [None, None]
    found = MODEL.predict_batch(rows, on_unknown="reject").to_pydict()
    assert found["reject_reason"] == ["unknown_category", None]
    assert found["reject_column"] == ["colour", None]
    # Nothing to warn of where no such row is scored; the tests turn a warning into an error.
    assert MODEL.predict_batch(rows[:1], on_unknown="reject")["confidence"].null_count == 1
    with pytest.raises(SettingsError, match=r'on_unknown "drop" is not one of "score" "reject"'):
        MODEL.predict_batch(rows, on_unknown="drop")


def test_a_dictionary_is_read_only_where_rows_have_it() -> None:
    own = coded("blue", "red")
    never = pa.DictionaryArray.from_arrays([0, None, 0], ["red", "green"])
    nothing = pa.DictionaryArray.from_arrays([0, 1, 0], ["blue", None])
    chunks = pa.chunked_array([never, nothing])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = own.predict_batch(pa.table({"c": chunks}), probabilities=True)
    # Codes 1, missing, 1, then 0, missing, 0; as (code + 3) / 100.
    assert found["probability_a"].to_pylist() == [0.04, 0.02, 0.04, 0.03, 0.02, 0.03]
    unknown = pa.DictionaryArray.from_arrays([1, 0, 1, 2], ["green", "grey", None])
    with pytest.warns(
        UnknownCategoryWarning, match=r'any of its 3 values, such as "grey", "green"'
    ) as told:
        own.predict_batch(pa.table({"c": unknown}))
    assert told[0].filename == __file__


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            {"size": [1]},
            r"rows are of the type dict; give a RecordBatch or Table of pyarrow, or a Data",
        ),
        (pl.LazyFrame({"size": [1]}), r"rows are of the type LazyFrame; give a RecordBatch"),
        (pa.table({"size": [1]}), r'the rows have no column "colour"'),
        (
            pa.table({"size": [1], "colour": ["red"], "confidence": [1]}),
            r'already have a column "confidence", which scoring would add\. Rename',
        ),
        (
            pa.table({"size": [1], "colour": ["red"], "reject_reason": ["x"]}),
            r'already have a column "reject_reason"',
        ),
        (pa.table({"size": [1], "colour": [[1]]}), r'column "colour": cells of the type list'),
    ],
)
def test_what_cannot_be_labelled_is_refused(rows: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        MODEL.predict_batch(rows)


CELLS = st.sampled_from(
    ["0", "1", "2.5", "007", " 9 ", "-9", "-9.0", "NA", "", "1e300", "1_0", "inf", "x", "4\0", None]
)
WORDS = st.sampled_from(["red", " red\t", "blue", "Red", "NA", "", "x", "a\nb", 'q"', "r\0", None])
NUMBERS = st.sampled_from([0.0, 1.0, 2.5, -9.0, 1e300, float("inf"), float("nan"), None])


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    sizes=st.lists(CELLS, min_size=1) | st.lists(NUMBERS, min_size=1),
    words=st.lists(WORDS, min_size=1),
    as_dictionary=st.booleans(),
    place=st.integers(0, 3),
    on_unknown=st.sampled_from(["score", "reject"]),
)
def test_a_batch_means_what_a_file_of_its_rows_means(
    tmp_path: Any,
    sizes: list[Any],
    words: list[Any],
    as_dictionary: bool,
    place: int,
    on_unknown: str,
) -> None:
    n = min(len(sizes), len(words))
    # One row that is scored, since a file without any is refused.
    texts = not any(isinstance(size, float) for size in sizes)
    of = pa.string() if texts else pa.float64()
    table = pa.table(
        {
            "id": [*range(n + 1)],
            "size": pa.array(["3" if texts else 3.0, *sizes[:n]], of),
            "colour": pa.array(["blue", *words[:n]], pa.string()),
        }
    )
    if as_dictionary:
        table = coded_texts(table)
    pq.write_table(table, tmp_path / "in.parquet")
    result = MODEL.score_csv(
        tmp_path / "in.parquet",
        tmp_path / "out.parquet",
        probabilities=True,
        on_unknown=on_unknown,
        drift="off",
        force=True,
    )
    scored = pq.read_table(tmp_path / "out.parquet").to_pylist()
    lines = result.rejects.read_text("utf-8") if result.rejected else ""
    rejects = list(csv.DictReader(io.StringIO(lines, newline="")))
    labelled = MODEL.predict_batch(
        containers(table)[place], probabilities=True, on_unknown=on_unknown
    )
    columns = listed(labelled)
    found = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    added = ("id", "predicted_kind", "confidence", "probability_large", "probability_small")
    assert [[row[name] for name in added] for row in scored] == [
        [row[name] for name in added] for row in found if row["reject_reason"] is None
    ]
    assert [(int(row["row"]), row["reason"], row["column"]) for row in rejects] == [
        (number, row["reject_reason"], row["reject_column"])
        for number, row in enumerate(found, 1)
        if row["reject_reason"] is not None
    ]


def test_a_lazy_frame_of_polars_maps_its_batches() -> None:
    rows = pl.from_arrow(coded_texts(ROWS[3:]))
    assert isinstance(rows, pl.DataFrame)
    schema = MODEL.predict_batch(rows.head(0)).schema
    labelled = rows.lazy().map_batches(MODEL.predict_batch, schema=schema)
    assert labelled.select("confidence", "reject_reason").collect().to_dict(as_series=False) == {
        "confidence": CONFIDENCES[3:],
        "reject_reason": REASONS[3:],
    }


def test_a_reader_is_labelled_batch_by_batch() -> None:
    reader = pa.RecordBatchReader.from_batches(ROWS.schema, ROWS.to_batches(max_chunksize=3))
    schema = MODEL.predict_batch(reader.schema.empty_table()).schema
    batches = (MODEL.predict_batch(batch) for batch in reader)
    labelled = pa.RecordBatchReader.from_batches(schema, batches).read_all()
    assert labelled.equals(MODEL.predict_batch(ROWS).cast(schema))


def test_a_batch_means_what_predict_says() -> None:
    generator = np.random.default_rng(5)
    frame = pd.DataFrame(
        {
            "size": generator.uniform(0, 10, 500),
            "colour": pd.Categorical(generator.choice(["red", "blue", "grey"], 500)),
        }
    )
    labelled = MODEL.predict_batch(frame)
    assert labelled["predicted_kind"].tolist() == MODEL.predict(frame).tolist()
    assert labelled["confidence"].to_numpy() == pytest.approx(
        MODEL.predict_proba(frame).max(axis=1), abs=0.5e-4 + 1e-9
    )
