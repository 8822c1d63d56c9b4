from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffn.tabular.splitting.points_in_time import fitting_forms, parse_time, time_text


@pytest.mark.parametrize(
    ("text", "kind", "seconds"),
    [
        ("1970-01-02", "date", 86_400),
        ("1970-02", "date", 31 * 86_400),
        ("1969-12-31 23:59:59", "date", -1),
        ("1970-01-01T00:00:01.5", "date", 1.5),
        ("1970-01-01T00:00:00.123456789", "date", 0.123456),
        ("1970-01-01T00:00Z", "instant", 0),
        ("1970-01-01T02:00:00+02:00", "instant", 0),
        ("1970-01-01 00:00:00 -0130", "instant", 5_400),
        ("2024-02-29T12:30:00+05", "instant", 1_709_191_800),
    ],
)
def test_iso_8601_is_read(text: str, kind: str, seconds: float) -> None:
    assert parse_time(text) == (kind, round(seconds * 1e6))


@pytest.mark.parametrize("text", ["2024", "1709191800", "-3.5", "1e9"])
def test_plain_numbers_are_times(text: str) -> None:
    assert parse_time(text) == ("number", float(text))


@pytest.mark.parametrize(
    "text",
    ["", "31/12/2024", "2024-13-01", "2023-02-29", "2024-1-5", "24:00", "now", "inf", "٢٠٢٤"],
)
def test_anything_else_is_no_time(text: str) -> None:
    assert parse_time(text) is None


def test_a_format_reads_other_forms_and_nothing_else() -> None:
    assert parse_time("02/01/1970", "%d/%m/%Y") == ("date", 86_400_000_000)
    assert parse_time("01/02/1970", "%m/%d/%Y") == ("date", 86_400_000_000)
    assert parse_time("1970-01-02", "%d/%m/%Y") is None


def test_formats_are_suggested_only_where_they_fit_every_cell() -> None:
    assert fitting_forms(["31/12/2024", "01/02/2024"]) == ["%d/%m/%Y"]
    assert fitting_forms(["03/04/2024"]) == ["%d/%m/%Y", "%m/%d/%Y"]
    assert fitting_forms(["soon"]) == []


@given(st.datetimes(datetime.datetime(1600, 1, 1), datetime.datetime(2900, 1, 1)))
def test_times_are_written_so_that_they_are_read_as_the_same(at: datetime.datetime) -> None:
    point = parse_time(at.isoformat())
    assert point is not None
    assert parse_time(time_text(*point)) == point
    # Python's own reckoning, in whole seconds.
    utc = at.replace(tzinfo=datetime.UTC, microsecond=0)
    assert int(point.value) // 1_000_000 == int(utc.timestamp())
