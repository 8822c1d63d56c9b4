"""Dates and times as texts, against Python's and pandas' own readers."""

import datetime

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffn.tabular.dates.moments import read_moments, read_time

EPOCH = datetime.datetime(1970, 1, 1)
MICROSECOND = datetime.timedelta(microseconds=1)


def since(moment):
    """Nanoseconds, by Python's whole numbers."""
    return (moment - EPOCH) // MICROSECOND * 1000


@given(st.datetimes(), st.sampled_from("T "), st.sampled_from(["auto", "microseconds"]))
def test_iso_8601_is_read_as_python_writes_it(moment, mark, precision):
    text = moment.isoformat(mark, precision)
    assert [found[:2] for found in read_moments(text)] == [(since(moment), False)]


@given(
    st.datetimes(datetime.datetime(1, 1, 2), datetime.datetime(9999, 12, 30)),
    st.integers(-14 * 60, 14 * 60),
)
def test_an_offset_is_told_and_subtracted(moment, minutes):
    zone = datetime.timezone(datetime.timedelta(minutes=minutes))
    text = moment.replace(tzinfo=zone).isoformat()
    utc = moment - datetime.timedelta(minutes=minutes)
    assert [found[:2] for found in read_moments(text)] == [(since(utc), True)]
    assert list(read_moments(text.replace(":", "", 0))) == list(read_moments(text))


@given(st.dates())
def test_a_date_is_its_midnight_in_every_spelling(date):
    midnight = since(datetime.datetime.combine(date, datetime.time()))
    year, month, day = f"{date.year:04d}", f"{date.month:02d}", f"{date.day:02d}"
    for text in (
        f"{year}-{month}-{day}",
        f"{year}/{date.month}/{date.day}",
        f"{year}{month}{day}",
        f"{date.day}.{month}.{year}",
        f"{day}.{month}.{year} 00:00",
        f"{year}-{month}-{day}T00:00:00.000000000",
    ):
        assert [found[:2] for found in read_moments(text)] == [(midnight, False)], text
    both = {found.order: found.nanoseconds for found in read_moments(f"{day}/{month}/{year}")}
    assert both["dm"] == midnight
    assert ("md" in both) == (date.day <= 12)


@given(st.times())
def test_times_of_day_are_read_as_python_writes_them(time):
    expected = since(datetime.datetime.combine(EPOCH, time))
    assert read_time(time.isoformat()) == expected
    if not time.microsecond:
        assert read_time(time.strftime("%I:%M:%S %p")) == expected


def test_nanoseconds_are_kept():
    text = "2024-03-09T12:00:00.123456789"
    assert next(read_moments(text)).nanoseconds == pd.Timestamp(text).value


@pytest.mark.parametrize(
    "text",
    ["", "2024", "2024-13", "2024-02-30", "24-02-03", "2024-2", "2024-01-01 24:00", "1:00",
     "2024-01-01T10", "2024-01-01 10:60", "2024-01-01 10:00 +1", "2024-01-01x", "31/31/2024",
     "1/2-2024", "٢٠٢٤-01-01", "2024-01-01 13:00 PM", "0000-01-01"],
)  # fmt: skip
def test_other_texts_are_no_dates(text):
    assert list(read_moments(text)) == []


@pytest.mark.parametrize(
    "text", ["", "8", "24:00", "8:5", "08:60", "0:30 AM", "13:00 PM", "8:00:61"]
)
def test_other_texts_are_no_times(text):
    assert read_time(text) is None
