"""A time of day is the same in whatever container, and however its column writes it."""

from __future__ import annotations

import csv
import datetime
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ffn.errors import DataError
from ffn.scoring.labelled_batch import label_batch
from ffn.scoring.rows.options import Options
from ffn.scoring.score_file import score_csv
from ffn.tabular.columns.arrow_columns import numbers_of_column
from ffn.tabular.memory.frames import read_frame
from tests.helpers.scorers import COLOUR, SCHEMA, TenthsScorer

# Hours from midnight are tenths of the scorer.
HOURS = [7.5, 0.25, 3.0, 2.0, 9.75, 6.0]
TIMES = [datetime.time(int(hour), int(hour % 1 * 60)) for hour in HOURS]
WRITTEN = {
    "time": ["07:30", "0:15:00", "03:00:00.000", " 2:00", "09:45", "06:00:00"],
    "time am/pm": ["7:30 AM", "12:15 am", "03:00:00 AM", "2:00AM", " 9:45 AM", "6:00:00.0 AM"],
}


class Hours:
    """Hours since midnight, which are what a plain number would be to the scorer."""

    def transform(self, numeric: npt.NDArray[Any], codes: npt.NDArray[Any]) -> npt.NDArray[Any]:
        hours = numeric / 3600
        return np.hstack((np.where(np.isnan(hours), 5, hours), codes == 1)).astype(np.float32)


def scorer(form: str = "time", *, missing: bool = False) -> TenthsScorer:
    day = {"name": "at", "minimum": 0.0, "maximum": 36_000.0, "format": form}
    feature = replace(SCHEMA.numeric[0], missing=missing, **day)
    schema = replace(SCHEMA, features=(feature, COLOUR), missing_values=("", "NA", "08:00"))
    return TenthsScorer(schema=schema, preparation=Hours())  # type: ignore[arg-type]


def scored(path: Path, model: TenthsScorer) -> list[tuple[str, str]]:
    output = path.with_suffix(".out.csv")
    score_csv(model, path, output)
    with output.open(newline="", encoding="utf-8") as file:
        return [(row["predicted_kind"], row["confidence"]) for row in csv.DictReader(file)]


EXPECTED = [
    ("large" if hour > 5 else "small", f"{max(hour, 10 - hour) / 10:.4f}") for hour in HOURS
]


def in_frame(table: Any, model: TenthsScorer) -> list[float]:
    found: list[float] = read_frame(table, model.schema, model.preparation)[:, 0].tolist()
    return found


@pytest.mark.parametrize("form", WRITTEN)
@pytest.mark.parametrize("repeated", [1, 500])
def test_texts_are_read_alike_in_csv_parquet_and_frames(
    tmp_path: Path, form: str, repeated: int
) -> None:
    texts = pd.DataFrame({"at": WRITTEN[form] * repeated, "colour": "blue"})
    model = scorer(form)
    texts.to_csv(tmp_path / "t.csv", index=False)
    assert scored(tmp_path / "t.csv", model) == EXPECTED * repeated
    texts.to_parquet(tmp_path / "t.parquet")
    assert scored(tmp_path / "t.parquet", model) == EXPECTED * repeated
    assert in_frame(texts, model) == HOURS * repeated
    assert in_frame(pl.from_pandas(texts), model) == HOURS * repeated
    labelled = label_batch(model, texts, Options())
    assert labelled["predicted_kind"].tolist() == [label for label, _ in EXPECTED] * repeated


@pytest.mark.parametrize("form", WRITTEN)
@pytest.mark.parametrize(
    "of", [pa.time32("s"), pa.time32("ms"), pa.time64("us"), pa.time64("ns")], ids=str
)
def test_typed_times_are_read_as_their_texts(tmp_path: Path, form: str, of: Any) -> None:
    model = scorer(form)
    times = pa.array(TIMES).cast(of)
    table = pa.table({"at": times, "colour": ["blue"] * 6})
    pq.write_table(table, tmp_path / "t.parquet")
    assert scored(tmp_path / "t.parquet", model) == EXPECTED
    for own in (table, table.set_column(0, "at", times.dictionary_encode()), table.to_pandas()):
        assert in_frame(own, model) == HOURS
    assert in_frame(pl.from_arrow(table), model) == HOURS
    labelled = label_batch(model, table, Options())
    assert labelled["predicted_kind"].to_pylist() == [label for label, _ in EXPECTED]


def test_fractions_are_cut_to_microseconds() -> None:
    feature = scorer().schema.numeric[0]
    typed = pa.array([86_399_999_999_999, 1_999, None], pa.time64("ns"))
    values, wrong = numbers_of_column(typed, feature, ("",), "here")
    np.testing.assert_array_equal(values, [86_399.999999, 0.000001, np.nan])
    assert not wrong.any()


def test_gaps_are_gaps_in_every_container(tmp_path: Path) -> None:
    model = scorer(missing=True)
    # 08:00 means "no value", in any notation of a typed column.
    table = pa.table(
        {"at": pa.array([None, datetime.time(7), datetime.time(8)]), "colour": ["blue"] * 3}
    )
    for own in (table, table.to_pandas(), pl.from_arrow(table)):
        assert in_frame(own, model) == [5, 7, 5]
    for nothing in ([None] * 3, [np.nan] * 3, ["", "NA", "08:00"]):
        assert in_frame(pd.DataFrame({"at": nothing, "colour": "blue"}), model) == [5] * 3
    pq.write_table(table, tmp_path / "t.parquet")
    assert [label for label, _ in scored(tmp_path / "t.parquet", model)] == ["large"] * 3


@pytest.mark.parametrize(
    ("cells", "type_"),
    [
        ([1.5, 2.5], "double"),
        ([830, 900], "int64"),
        ([True, False], "bool"),
        ([datetime.datetime(2025, 1, 31, 8)] * 2, r"timestamp\[us\]"),
        ([datetime.date(2025, 1, 31)] * 2, r"date32\[day\]"),
        ([datetime.timedelta(hours=8)] * 2, r"duration\[us\]"),
    ],
)
def test_other_types_are_refused_with_their_column(
    tmp_path: Path, cells: list[Any], type_: str
) -> None:
    table = pa.table({"at": pa.array(cells), "colour": ["blue"] * 2})
    pq.write_table(table, tmp_path / "t.parquet")
    message = f'column "at": cells of the type {type_}, where the model has times of day'
    with pytest.raises(DataError, match=message):
        score_csv(scorer(), tmp_path / "t.parquet", tmp_path / "out.csv")
    with pytest.raises(DataError, match=message):
        in_frame(table, scorer())
    assert not (tmp_path / "out.csv").exists()


def test_a_time_with_a_zone_is_no_time_of_day() -> None:
    """Arrow would drop the zone without a word."""
    zoned = datetime.time(8, 30, tzinfo=datetime.UTC)
    frame = pd.DataFrame({"at": [datetime.time(8, 30), zoned], "colour": "blue"})
    with pytest.raises(DataError, match='row 2, column "at": not a time of day such as "08:30"'):
        in_frame(frame, scorer())
    with pytest.raises(DataError, match='row 1, column "at": not a time of day such as "08:30"'):
        in_frame(frame[1:], scorer())


def test_what_is_no_time_is_rejected_and_says_what_was_expected(tmp_path: Path) -> None:
    cells = ["08:30", "24:00", "36:15", "8:30 AM", "", "noon", "2025-01-31 08:30", "08:30Z"]
    rows = "".join(f'"{cell}",blue\n' for cell in cells)
    (tmp_path / "t.csv").write_text(f"at,colour\n{rows}", encoding="utf-8")
    outcome = score_csv(scorer(), tmp_path / "t.csv", tmp_path / "out.csv")
    with (tmp_path / "out.csv.rejects.csv").open(newline="", encoding="utf-8") as file:
        found = [(row["row"], row["column"], row["reason"]) for row in csv.DictReader(file)]
    wrong = [(str(i), "at", "not_a_time") for i in (2, 3, 4, 6, 7, 8)]
    assert found == sorted([*wrong, ("5", "at", "missing_value")])
    assert (outcome.rows, outcome.scored) == (8, 1)
    frame = pd.DataFrame({"at": cells[:2], "colour": "blue"})
    labelled = label_batch(scorer(), frame, Options())
    assert labelled["reject_reason"].fillna("").tolist() == ["", "not_a_time"]
    with pytest.raises(DataError, match='column "at": not a time of day with AM or PM, such as'):
        in_frame(frame, scorer("time am/pm"))


@pytest.mark.parametrize("form", WRITTEN)
def test_a_typed_time_that_no_clock_shows_is_refused_in_a_frame(form: str) -> None:
    """Databases know 24:00, which Arrow carries as so many microseconds."""
    at = pa.array([3 * 3_600_000_000, 24 * 3_600_000_000, None], pa.time64("us"))
    with pytest.raises(DataError, match=r'^row 2, column "at": not a time of day'):
        in_frame(pa.table({"at": at, "colour": ["blue"] * 3}), scorer(form, missing=True))
