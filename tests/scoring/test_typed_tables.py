"""A value means the same whatever carries it: CSV, or a typed table of pandas, Arrow, polars."""

import datetime
import decimal
import warnings

import narwhals
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv
import pyarrow.dataset
import pyarrow.parquet as pq
import pytest

from ffn.errors import DataError, UnknownCategoryWarning
from ffn.scoring.export import RowPreparation
from ffn.scoring.model import Model
from ffn.tabular.schema import Feature, Schema
from tests.helpers.coded import FILL, MISSING, Codes, CodeScorer, asked, model

DAY = datetime.date(2024, 3, 9)
NOON = datetime.datetime(2024, 3, 9, 12)
UTC = datetime.UTC
TOKYO = pd.Timestamp("2024-03-09T21:00", tz="Asia/Tokyo")
LATER = "2024-03-09T12:00:00.000000001"


@pytest.mark.parametrize(
    ("categories", "cells", "expected"),
    [
        (("FALSE", "TRUE"), [True, False, None], [1, 0, -1]),
        (("false", "true"), pd.array([True, None], "boolean"), [1, -1]),
        (("no", "unknown", "yes"), [False, True], [0, 2]),
        (("0", "1"), [False, True], [0, 1]),
        (("0.0", "1.0"), [False, True], [0, 1]),
        (("01", "02", "XX"), [2, 1, 3], [1, 0, -2]),
        (("01", "02", "XX"), [2.0, np.nan, 1.0], [1, -1, 0]),
        (("1.0", "2.0"), [1, 2], [0, 1]),
        (("0", "1.50"), [1.5, -0.0], [1, 0]),
        (("0", "1.50"), [decimal.Decimal("1.5"), decimal.Decimal("-0")], [1, 0]),
        (("0.1", "0.2"), np.array([0.2, 0.1], np.float32), [1, 0]),
        (("0.1", "0.2"), np.array([0.2, 0.1], np.float16), [1, 0]),
        (("7", "9007199254740993"), [9007199254740993, 9007199254740992], [1, -2]),
        (("7", "18446744073709551615"), np.array([2**64 - 1], np.uint64), [1]),
        (("7", str(2**70)), [2**70, 2**70 + 1], [1, -2]),
        (("x", "7"), [-9, 7], [-1, 1]),
        (("2024-03-09", "x"), [DAY, datetime.date(9999, 1, 1), None], [0, -2, -1]),
        (("2024-03-09", "x"), np.array(["2024-03-09", "2024-03-09T01"], "M8[s]"), [0, -2]),
        (("2024-03-09 12:00:00", "2024-03-10"), [NOON, datetime.date(2024, 3, 10)], [0, 1]),
        (("2024-03-09T12:00", "2024-03-10"), np.array([NOON], "datetime64[s]"), [0]),
        (("2024-03-09T12:00:00.000000001",), np.array([LATER], "M8[ns]"), [0]),
        (("2024-03-09T12:00:00Z",), [NOON.replace(tzinfo=UTC)], [0]),
        (("2024-03-09T12:00:00Z",), pd.DatetimeIndex([TOKYO]), [0]),
        (("2024-03-09 13:00+01:00",), [NOON.replace(tzinfo=UTC)], [0]),
        (("2024-03", "2024-04"), [datetime.date(2024, 4, 1), datetime.date(2024, 4, 2)], [1, -2]),
        (("2024-03", "2024-04"), pd.period_range("2024-03", periods=2, freq="M"), [0, 1]),
        (("20240309",), [DAY], [0]),
        (("09.03.2024",), [DAY], [0]),
        (("09/03/2024", "13/03/2024"), [DAY], [0]),
        (("03/09/2024", "03/13/2024"), [DAY], [0]),
        (("03/03/2024", "01/02/2024"), [datetime.date(2024, 3, 3)], [0]),
        (("08:30", "21:15"), [datetime.time(8, 30), datetime.time(21, 15)], [0, 1]),
        (("08:30", "9:15 PM"), [datetime.time(21, 15)], [1]),
        (("(0, 1]", "(1, 2]"), pd.cut(pd.Series([0.5, 1.5]), [0, 1, 2]), [0, 1]),
        (("1", "True", "x"), [1, True, "x", "True"], [0, 1, 2, 1]),
        (("red", "1"), pd.Categorical([1, "red", 1]), [1, 0, 1]),
        (("FALSE", "TRUE"), pd.Categorical([True, False], categories=[True, False]), [1, 0]),
        (("é", "x"), [" é ", "x\t", "X"], [0, 1, -2]),
        (("blue", "red"), [b"red", b"blue"], [1, 0]),
        (("red",), [None, np.nan, pd.NA, "NA", "red"], [-1, -1, -1, -1, 0]),
    ],
)  # fmt: skip
def test_a_typed_value_is_the_text_it_stands_for(categories, cells, expected):
    frame = pd.DataFrame({"c": cells})
    assert asked(model(*categories), frame) == expected
    # The same where each cell is an object of its own.
    if not isinstance(cells, np.ndarray) or cells.dtype.kind != "f":
        assert asked(model(*categories), frame.astype(object)) == expected


@pytest.mark.parametrize(
    ("categories", "cells", "message"),
    [
        (("blue", "red"), [1], r'type int64, such as "1", where the model has "blue", "red", none'),
        (("0", "1", "2"), [True], r"none of which are true and false"),
        (("f", "g"), [False], r"none of which are true and false"),
        (("true", "TRUE"), [True], r'do not tell whether "True" is "TRUE" or "true"\.'),
        (("t", "f", "yes", "no"), [True], r'whether "True" is "yes" or "t"'),
        (("1", "01"), [2, 1], r'do not tell whether "1" is "01" or "1"'),
        (("1", "2"), [3.0, None], None),
        (("9007199254740993", "1"), [9007199254740992.0], r'is "9007199254740993" or ano'),
        (("01/02/2024", "03/04/2024"), [datetime.date(2024, 2, 1)], r'is "01/02/2024" or another'),
        (("2024-03-09",), [NOON.replace(tzinfo=UTC)], r"none of which are times with"),
        (("2024-03-09T12:00:00Z",), [NOON], r"none of which are dates or times without"),
        (("red",), [DAY], r"none of which are dates"),
        (("red",), [datetime.timedelta(1)], r"type duration\[us\] are not plain values"),
        (("red",), [[1]], r"cells of the type list are not plain values"),
        (("red",), [b"\xff"], r"cells of the type binary are not plain values"),
        (("red",), [1j], r"none of which are|not plain values|training never saw"),
    ],
)  # fmt: skip
def test_a_column_that_cannot_be_told_is_refused_by_name(categories, cells, message):
    frame = pd.DataFrame({"c": cells})
    if message is None:
        with pytest.warns(UnknownCategoryWarning, match=r'column "c": training never saw any'):
            assert asked(model(*categories), frame) == [-2, -1]
        return
    with (
        warnings.catch_warnings(),
        pytest.raises(
            (DataError, UnknownCategoryWarning), match=rf'the rows, column "c": .*{message}'
        ),
    ):
        model(*categories).predict(frame)


def test_a_missing_value_and_a_category_of_one_value_are_told_apart_by_texts_alone():
    own = model("0", "7", missing=("", "00"))
    with pytest.raises(DataError, match=r'whether "0" is "0" or a missing value\.'):
        own.predict(pd.DataFrame({"c": [0]}))
    assert asked(own, pd.DataFrame({"c": ["0", "00"]})) == [0, -1]


def test_a_warning_points_to_the_caller():
    own = model("red")
    for ask in (own.predict, own.predict_proba):
        with pytest.warns(
            UnknownCategoryWarning, match=r'any of its 2 values, such as "x", "y";'
        ) as told:
            ask(pd.DataFrame({"c": ["x", "y", None]}))
        assert told[0].filename == __file__
    # One that is known is enough; and where there is none, nothing is wrong.
    for cells in (["red", "x"], [None], []):
        own.predict(pd.DataFrame({"c": cells}))


def containers(table):
    """The same Arrow table in each library's own."""
    frame = pl.from_arrow(table)
    yield from (table, table.to_reader(), pyarrow.dataset.dataset(table), frame, frame.lazy())
    yield from table.to_batches()
    yield from (narwhals.from_native(frame), narwhals.from_native(frame.lazy()))
    yield from (table.to_pandas(), table.to_pandas(types_mapper=pd.ArrowDtype))
    yield narwhals.from_native(table.to_pandas())


def test_every_library_may_bring_the_rows():
    table = pa.table({"other": [1, 2, 3], "c": pa.array([True, None, False])})
    own = model("FALSE", "TRUE")
    for rows in containers(table):
        assert asked(own, rows) == [1, -1, 0], type(rows)
    words = pa.table({"c": pa.array(["no", None, "yes"]).dictionary_encode()})
    prepared = RowPreparation(own.scorer.schema, own.scorer.preparation)
    for rows in containers(words):
        assert asked(model("no", "yes"), rows) == [0, -1, 1], type(rows)
    for rows in containers(table):
        assert prepared.transform(rows).tolist() == [[1], [-1], [0]]


def test_polars_has_types_of_its_own():
    own = model("no", "yes")
    for of in (pl.Categorical, pl.Enum(["yes", "no", "never"])):
        frame = pl.DataFrame({"c": pl.Series(["yes", None, "no"], dtype=of), "o": [object()] * 3})
        assert asked(own, frame) == [1, -1, 0]
        assert asked(own, frame.lazy()) == [1, -1, 0]
    # What polars takes whole numbers beyond 64 bits for.
    wide = pl.DataFrame({"c": pl.Series([2**70, 1, None], dtype=pl.Int128)})
    for rows in (wide, wide.lazy()):
        assert asked(model("01", str(2**70)), rows) == [1, 0, -1]
    with pytest.raises(
        DataError, match=r"the rows, a polars DataFrame, cannot be read: .*'c' for 1"
    ):
        own.predict(pl.DataFrame({"c": pl.Series([10**38], dtype=pl.Int128)}))


def test_what_is_no_table_of_columns_is_refused():
    own = model("red")
    for rows, message in [
        (
            {"c": ["red"]},
            r"rows are of the type dict; give a DataFrame of pandas or polars, or a table of",
        ),
        (np.array([["red"]]), r"rows are of the type ndarray"),
        (pd.Series(["red"], name="c"), r"rows are of the type Series; give a DataFrame"),
        (pl.Series(["red"]), r"rows are of the type Series; give a DataFrame"),
        (pa.chunked_array([["red"]]), r"a pyarrow ChunkedArray, cannot be read"),
        (pl.LazyFrame({"c": ["red"]}).filter(pl.col("x") == 1), r"cannot be read"),
        (pa.table({"C": ["red"]}), r'the rows have no column "c"\. Did you mean "C"\?'),
        (pl.LazyFrame({"C": ["red"]}), r'the rows have no column "c"\. Did you mean "C"\?'),
        (pa.table([["red"], ["red"]], ["c", "c"]), r'the rows have the column "c" twice'),
        (
            pa.table({"c": pa.array([b"\xff"])}),
            r'column "c": cells of the type binary are not plain',
        ),
    ]:
        with pytest.raises(DataError, match=message):
            own.predict(rows)


NUMERIC = Feature(name="n", kind="numeric", missing=True, minimum=0.0, maximum=1.0)


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (pa.array([True, None]), [1, FILL]),
        (pa.array([decimal.Decimal("0.10"), None]), [0.1, FILL]),
        # As the shortest text of the 32-bit float, which was 0.1 before it was one.
        (pa.array([0.1, -9], pa.float32()), [0.1, FILL]),
        (pa.array(np.array([0.1, -9], np.float16)), [0.1, FILL]),
        (pa.array(["0.1", " NA "]), [0.1, FILL]),
        (pa.array([b"0.1", None]), [0.1, FILL]),
        (pa.array(["0.1", "0.1", None]).dictionary_encode(), [0.1, 0.1, FILL]),
        (pa.array([2**53 + 1, -9]), [float(2**53), FILL]),
        (pa.nulls(2), [FILL, FILL]),
    ],
)
def test_numbers_of_any_type_are_those_of_the_csv(tmp_path, cells, expected):
    schema = Schema(features=(NUMERIC,), target="y", classes=("a", "b"), missing_values=MISSING)
    prepared = RowPreparation(schema, Codes())
    table = pa.table({"n": cells})
    for rows in (table, table.to_pandas(), pl.from_arrow(table)):
        found = prepared.transform(rows)[:, 0]
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (pa.array([DAY]), r'column "n": cells of the type date32\[day\], where the model has num'),
        (pa.array([datetime.timedelta(1)]), r'column "n": cells of the type duration'),
        (pa.array([NOON]), r'column "n": cells of the type timestamp'),
        (pa.array([{"a": 1}]), r'column "n": cells of the type struct<a: int64> are not plain'),
    ],
)
def test_numbers_are_no_dates(tmp_path, cells, message):
    schema = Schema(features=(NUMERIC,), target="y", classes=("a", "b"))
    table = pa.table({"n": cells})
    with pytest.raises(DataError, match=message):
        RowPreparation(schema, Codes()).transform(table)
    pq.write_table(table, tmp_path / "in.parquet")
    with pytest.raises(DataError, match=message):
        Model(CodeScorer(schema)).score_csv(tmp_path / "in.parquet", tmp_path / "out.csv")


def test_truth_is_a_number_only_where_training_had_0_and_1():
    wide = Feature(name="n", kind="numeric", minimum=0.0, maximum=10.0)
    schema = Schema(features=(wide,), target="y", classes=("a", "b"))
    with pytest.raises(DataError, match=r'row 1, column "n": not a finite decimal number'):
        RowPreparation(schema, Codes()).transform(pd.DataFrame({"n": [True]}))


def test_a_column_of_nothing_known_is_told_of_files(tmp_path):
    own = model("FALSE", "TRUE")
    (tmp_path / "in.csv").write_text("id,c\n1,yes\n2,\n3,no\n")
    pq.write_table(pa.table({"c": ["yes", None, "no"]}), tmp_path / "in.parquet")
    for source, force in (("in.csv", True), ("in.csv", False), ("in.parquet", True)):
        with pytest.warns(
            UnknownCategoryWarning, match=rf'{source}: Training never .*"c", such as "yes"'
        ):
            result = own.score_csv(tmp_path / source, tmp_path / "out.csv", force=force)
        assert result.unknown_columns == {"c": ["yes", "no"]}
        assert result.unchanged is not force
        assert '"unknown_columns":["c"]' in result.manifest.read_text().replace(" ", "").replace(
            "\n", ""
        )
    (tmp_path / "in.csv").write_text("id,c\n" + "1,yes\n" * 9 + "2,TRUE\n")
    assert own.score_csv(tmp_path / "in.csv", tmp_path / "out.csv").unknown_columns == {}
    (tmp_path / "in.csv").write_text("id,c\n1,yes\n2,no\n3,no\n")
    with pytest.raises(DataError, match=r"all 3 rows were rejected \(unknown_category 3\)"):
        own.score_csv(tmp_path / "in.csv", tmp_path / "out.csv", on_unknown="reject")


def test_parquet_without_a_possible_category_is_refused_by_the_columns_name(tmp_path):
    table = pa.table({"c": pa.array([None] * 9_000 + [1])})
    pq.write_table(table, tmp_path / "in.parquet")
    with pytest.raises(DataError, match=r'in\.parquet, column "c": cells of the type int64, such'):
        model("blue", "red").score_csv(tmp_path / "in.parquet", tmp_path / "out.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["in.parquet"]
