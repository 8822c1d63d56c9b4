"""A date is the same in whatever container, and however its column writes it."""

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
from hypothesis import given
from hypothesis import strategies as st

from ffn.errors import DataError
from ffn.scoring.labelled_batch import label_batch
from ffn.scoring.rows.options import Options
from ffn.scoring.score_file import score_csv
from ffn.tabular.columns.arrow_columns import numbers_of_column
from ffn.tabular.columns.arrow_texts import plain_texts
from ffn.tabular.columns.formatted_column import formatted_numbers
from ffn.tabular.memory.frames import read_frame
from tests.helpers.scorers import COLOUR, SCHEMA, TenthsScorer

# Hours from midnight are tenths of the scorer.
START = pd.Timestamp("2025-01-31")
HOURS = [7.5, 0.25, 3.0, 2.0, 9.75, 6.0]
TIMES = [START + pd.Timedelta(hours=hour) for hour in HOURS]
WRITTEN = {
    "iso": [
        *("2025-01-31 07:30", "2025-01-31T00:15:00", "2025-01-31 03:00:00.000"),
        *("2025-01-31 02:00", " 2025-01-31 09:45", "2025-01-31T06:00"),
    ],
    "iso utc": [
        *("2025-01-31 08:30+01:00", "2025-01-31 00:15Z", "2025-01-30T22:00:00-0500"),
        *("2025-01-31 02:00Z", "2025-01-31 15:30+0545", "2025-01-31 06:00:00.000z"),
    ],
    "%d/%m/%Y %H:%M": [
        *("31/01/2025 07:30", "31/1/2025 0:15", "2025-01-31 03:00"),
        *("31/01/2025 02:00", "31/01/2025 09:45", "31/01/2025 06:00"),
    ],
}


class Hours:
    """Hours from `START`, which are what a plain number would be to the scorer."""

    def transform(self, numeric: npt.NDArray[Any], codes: npt.NDArray[Any]) -> npt.NDArray[Any]:
        hours = (numeric - START.timestamp()) / 3600
        return np.hstack((np.where(np.isnan(hours), 5, hours), codes == 1)).astype(np.float32)


def scorer(form: str, *, missing: bool = False) -> TenthsScorer:
    low = START.timestamp()
    day = {"name": "at", "minimum": low, "maximum": low + 36_000, "format": form}
    feature = replace(SCHEMA.numeric[0], missing=missing, **day)
    schema = replace(
        SCHEMA, features=(feature, COLOUR), missing_values=("", "NA", "1900-01-01", "01/01/1900")
    )
    return TenthsScorer(schema=schema, preparation=Hours())  # type: ignore[arg-type]


def scored(path: Path, model: TenthsScorer, **options: Any) -> list[tuple[str, str]]:
    output = path.with_suffix(".out.csv")
    score_csv(model, path, output, **options)
    with output.open(newline="", encoding="utf-8") as file:
        return [(row["predicted_kind"], row["confidence"]) for row in csv.DictReader(file)]


def expected() -> list[tuple[str, str]]:
    shares = [hour / 10 for hour in HOURS]
    return [
        ("large" if share > 0.5 else "small", f"{max(share, 1 - share):.4f}") for share in shares
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
    assert scored(tmp_path / "t.csv", model) == expected() * repeated
    texts.to_parquet(tmp_path / "t.parquet")
    assert scored(tmp_path / "t.parquet", model) == expected() * repeated
    assert in_frame(texts, model) == HOURS * repeated
    assert in_frame(pl.from_pandas(texts), model) == HOURS * repeated
    labelled = label_batch(model, texts, Options())
    assert labelled["predicted_kind"].tolist() == [label for label, _ in expected()] * repeated


UNITS = [pa.timestamp("s"), pa.timestamp("ms"), pa.timestamp("us"), pa.timestamp("ns")]


@pytest.mark.parametrize("of", UNITS, ids=str)
@pytest.mark.parametrize("zone", [None, "UTC", "Asia/Kathmandu"])
def test_typed_times_are_read_as_their_texts(tmp_path: Path, of: Any, zone: str | None) -> None:
    model = scorer("iso utc" if zone else "iso")
    times = pa.array(TIMES, pa.timestamp("ns", zone and "UTC")).cast(pa.timestamp(of.unit, zone))
    table = pa.table({"at": times, "colour": ["blue"] * 6})
    pq.write_table(table, tmp_path / "t.parquet")
    assert scored(tmp_path / "t.parquet", model) == expected()
    assert in_frame(table, model) == HOURS
    coded = table.set_column(0, "at", times.dictionary_encode())
    assert in_frame(coded, model) == HOURS
    pandas = table.to_pandas()
    assert in_frame(pandas, model) == HOURS
    assert in_frame(pandas.astype({"at": object}), model) == HOURS
    assert in_frame(pl.from_arrow(table), model) == HOURS


@pytest.mark.parametrize("form", ["iso", "%d/%m/%Y", "%m/%d/%Y", "%Y%m%d"])
def test_days_are_their_midnights(tmp_path: Path, form: str) -> None:
    model = scorer(form)
    days = [datetime.date(2025, 1, 31)] * 3
    for column in (pa.array(days), pa.array(days).cast(pa.date64()), pa.array(days).cast(UNITS[1])):
        table = pa.table({"at": column, "colour": ["blue"] * 3})
        pq.write_table(table, tmp_path / "t.parquet")
        assert scored(tmp_path / "t.parquet", model) == [("small", "1.0000")] * 3
        assert in_frame(table, model) == [0] * 3
    written = [day.strftime("%Y-%m-%d" if form == "iso" else form) for day in days]
    frames: list[list[Any]] = [days, written, [np.datetime64(day) for day in days]]
    if form == "%Y%m%d":
        frames += [[20250131] * 3, [20250131.0] * 3]
    for cells in frames:
        assert in_frame(pd.DataFrame({"at": cells, "colour": "blue"}), model) == [0] * 3


def test_gaps_are_gaps_in_every_container(tmp_path: Path) -> None:
    model = scorer("iso", missing=True)
    day = datetime.datetime(2025, 1, 31, 7)
    gap = datetime.datetime(1900, 1, 1)
    table = pa.table({"at": pa.array([None, day, gap]), "colour": ["blue"] * 3})
    for column in (table["at"], table["at"].cast(pa.timestamp("s"))):
        own = table.set_column(0, "at", column)
        pq.write_table(own, tmp_path / "t.parquet")
        assert [label for label, _ in scored(tmp_path / "t.parquet", model)] == [
            *("large", "large", "large")
        ]
        assert in_frame(own, model) == [5, 7, 5]
    assert in_frame(table.to_pandas(), model) == [5, 7, 5]
    for nothing in ([None] * 3, [np.nan] * 3, [pd.NaT] * 3, ["", "NA", "1900-01-01"]):
        assert in_frame(pd.DataFrame({"at": nothing, "colour": "blue"}), model) == [5] * 3
    nulls = pa.table({"at": pa.nulls(3), "colour": ["blue"] * 3})
    pq.write_table(nulls, tmp_path / "t.parquet")
    assert len(scored(tmp_path / "t.parquet", model)) == 3


DATES, ZONES = "where the model has dates without a time zone", "where the model has times with a"


@pytest.mark.parametrize(
    ("form", "cells", "message"),
    [
        ("iso", pa.array([1.5, 2.5]), f"type double, {DATES}"),
        ("iso", pa.array([20250131, 20250131]), f"type int64, {DATES}"),
        ("iso", pa.array([True, False]), f"type bool, {DATES}"),
        ("%Y%m%d", pa.array([True, False]), f"type bool, {DATES}"),
        ("iso", pa.array([datetime.time(1)] * 2), rf"type time64\[us\], {DATES}"),
        ("iso", pa.array(TIMES[:2], pa.timestamp("us", "UTC")), f"have a time zone, {DATES}"),
        ("iso utc", pa.array(TIMES[:2], pa.timestamp("us")), f"have no time zone, {ZONES}"),
        ("iso utc", pa.array([START.date()] * 2), rf"date32\[day\] have no time zone, {ZONES}"),
    ],
)
def test_other_types_are_refused_with_their_column(
    tmp_path: Path, form: str, cells: Any, message: str
) -> None:
    table = pa.table({"at": cells, "colour": ["blue"] * 2})
    pq.write_table(table, tmp_path / "t.parquet")
    with pytest.raises(DataError, match=rf'column "at": cells of the .*{message}'):
        score_csv(scorer(form), tmp_path / "t.parquet", tmp_path / "out.csv")
    with pytest.raises(DataError, match=rf'column "at": cells of the .*{message}'):
        in_frame(table, scorer(form))
    assert not (tmp_path / "out.csv").exists()


def test_what_is_no_date_is_rejected_and_says_what_was_expected(tmp_path: Path) -> None:
    cells = ["2025-01-31", "2025-02-30", "31.01.2025", "2025-01-31 10:00Z", "", "soon", "2025-1-1"]
    rows = "".join(f'"{cell}",blue\n' for cell in cells)
    (tmp_path / "t.csv").write_text(f"at,colour\n{rows}", encoding="utf-8")
    outcome = score_csv(scorer("iso"), tmp_path / "t.csv", tmp_path / "out.csv")
    with (tmp_path / "out.csv.rejects.csv").open(newline="", encoding="utf-8") as file:
        found = [(row["row"], row["column"], row["reason"]) for row in csv.DictReader(file)]
    wrong = [(str(i), "at", "not_a_date") for i in (2, 3, 4, 6, 7)]
    assert found == sorted([*wrong, ("5", "at", "missing_value")])
    assert (outcome.rows, outcome.scored) == (7, 1)
    frame = pd.DataFrame({"at": cells[:2], "colour": "blue"})
    message = (
        r'row 2, column "at": not a date such as "2025-01-31" or "2025-01-31 10:30", without a '
    )
    with pytest.raises(DataError, match=message):
        in_frame(frame, scorer("iso"))
    with pytest.raises(DataError, match=r'not a date written as "%d/%m/%Y", or in ISO 8601\.'):
        in_frame(frame, scorer("%d/%m/%Y"))
    labelled = label_batch(scorer("iso"), frame, Options())
    assert labelled["reject_reason"].fillna("").tolist() == ["", "not_a_date"]
    assert labelled["reject_column"].fillna("").tolist() == ["", "at"]


def test_where_all_rows_are_rejected_the_form_is_told(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("at,colour\n31/01/2025,red\n30/01/2025,blue\n")
    message = (
        r"all 2 rows were rejected \(not_a_date 2\), so no output was written\. Column "
        r'"at" is read as dates without a time zone written as "iso"\.'
    )
    with pytest.raises(DataError, match=message):
        score_csv(scorer("iso"), tmp_path / "t.csv", tmp_path / "out.csv")


def test_dates_far_from_training_are_counted(tmp_path: Path) -> None:
    # The range of training is ten hours; as much again on either side is plausible.
    (tmp_path / "t.csv").write_text(
        "at,colour\n2025-01-31 19:59,blue\n2025-01-31 20:01,blue\n1925-01-31,blue\n"
    )
    score_csv(scorer("iso"), tmp_path / "t.csv", tmp_path / "out.csv")
    manifest = next(tmp_path.glob("out.csv*manifest*.json")).read_text()
    assert '"out_of_range": {\n    "at": 2\n  }' in manifest or '"at": 2' in manifest


FLOORED = {"s": 1_000_000, "ms": 1_000, "us": 1}


@given(
    st.lists(st.none() | st.datetimes(), min_size=1, max_size=8),
    st.sampled_from(["s", "ms", "us"]),
    st.sampled_from([None, "UTC", "America/New_York"]),
)
def test_any_moment_is_the_same_number_typed_and_as_its_text(
    moments: list[datetime.datetime | None], unit: str, zone: str | None
) -> None:
    """What is expected is counted by datetime, from the moment cut to the unit."""
    step = datetime.timedelta(microseconds=FLOORED[unit])
    ticks = [None if at is None else (at - datetime.datetime(1970, 1, 1)) // step for at in moments]
    expected = [np.nan if n is None else n * FLOORED[unit] / 1_000_000 for n in ticks]
    typed = pa.array(ticks, pa.int64()).cast(pa.timestamp(unit, zone))
    feature = replace(SCHEMA.numeric[0], format="iso utc" if zone else "iso", missing=True)
    values, wrong = numbers_of_column(typed, feature, ("",), "here")
    np.testing.assert_array_equal(values, expected)
    assert not wrong.any()
    texts = [text or "" for text in plain_texts(typed, "here", ".").to_pylist()]
    values, bad = formatted_numbers(texts * 16, feature.form, ("",))  # type: ignore[arg-type]
    np.testing.assert_array_equal(values, expected * 16)
    assert bad == []


def test_moments_beyond_the_calendar_are_no_dates() -> None:
    feature = replace(SCHEMA.numeric[0], format="iso")
    typed = pa.array([0, 10**12, -(10**12)], pa.timestamp("s"))
    values, wrong = numbers_of_column(typed, feature, ("",), "here")
    assert wrong.tolist() == [False, True, True]
    assert values[0] == 0
