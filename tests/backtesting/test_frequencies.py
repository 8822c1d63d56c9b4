"""How often to retrain: lengths in words, calendar months, round points in time."""

from __future__ import annotations

import datetime

import pandas as pd
import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import given
from hypothesis import strategies as st

from ffn.backtesting.frequencies import read_frequencies, read_length
from ffn.errors import SettingsError

EPOCH = datetime.datetime(1970, 1, 1)
TICK = datetime.timedelta(microseconds=1)
UNITS = {"h": "hours", "d": "days", "w": "weeks", "mo": "months", "y": "years"}
WHEN = st.datetimes(datetime.datetime(1900, 1, 1), datetime.datetime(2200, 1, 1))


def ticks(at: datetime.datetime) -> int:
    return (at - EPOCH) // TICK


@given(WHEN, st.sampled_from(sorted(UNITS)), st.integers(1, 40), st.integers(-3, 20))
def test_a_shift_is_that_of_dateutil(
    at: datetime.datetime, unit: str, count: int, times: int
) -> None:
    found = read_length("every", f"{count}{unit}", "date").shifted(ticks(at), times)
    assert found == ticks(at + relativedelta(**{UNITS[unit]: count * times}))  # type: ignore[arg-type]


def test_months_are_counted_from_the_start_not_from_the_month_before() -> None:
    month = read_length("every", "1mo", "date")
    start = ticks(datetime.datetime(2024, 1, 31))
    found = [EPOCH + month.shifted(start, n) * TICK for n in range(4)]
    assert [f"{at:%m-%d}" for at in found] == ["01-31", "02-29", "03-31", "04-30"]


@pytest.mark.parametrize(
    ("text", "alias"),
    [
        ("1d", "D"),
        ("6h", "6h"),
        ("1w", "W-MON"),
        ("1mo", "MS"),
        ("3mo", "QS"),
        ("6mo", "6MS"),
        ("1y", "YS"),
    ],
)
def test_boundaries_are_those_of_pandas(text: str, alias: str) -> None:
    first, last = datetime.datetime(2021, 12, 17, 13, 5), datetime.datetime(2024, 3, 1)
    start = datetime.datetime(2021, 7, 1) if text == "6mo" else first
    expected = [
        at.to_pydatetime()
        for at in pd.date_range(pd.Timestamp(start).normalize(), last, freq=alias)
        if at > first
    ]
    found = read_length("every", text, "date").boundaries(ticks(first), ticks(last))
    assert [EPOCH + int(at) * TICK for at in found] == expected


def test_numbers_are_counted_exactly_from_the_first() -> None:
    found = read_length("every", "0.1", "number").boundaries(2.0, 2.5)
    assert found == [2.1, 2.2, 2.3, 2.4, 2.5]


def test_frequencies_are_ordered_and_never_is_no_length() -> None:
    found = read_frequencies("1y, 30d,never,1mo,2w,30d", "instant")
    assert [one.text for one in found] == ["2w", "30d", "1mo", "1y"]
    assert [one.words for one in found] == ["2 weeks", "30 days", "month", "year"]


@pytest.mark.parametrize("text", ["", "1", "month", "1m", "0d", "-1d", "1.5mo", "1 mo", "\uff11d"])
def test_what_is_no_length_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match=r"it must be a whole number and a unit, such as"):
        read_frequencies(["1d", text], "date")


def test_a_length_of_millennia_is_refused() -> None:
    with pytest.raises(SettingsError, match=r'every is "99999y"; it must be no longer than'):
        read_frequencies("99999y", "date")


@pytest.mark.parametrize("text", ["1mo", "0", "0.0", "-1", "1e3", "x"])
def test_numbers_need_a_number(text: str) -> None:
    with pytest.raises(SettingsError, match=r"must be a number above 0 in their unit"):
        read_frequencies(text, "number")


def test_never_alone_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"names nothing but"):
        read_frequencies("never", "date")


def test_a_list_of_no_texts_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"must be a text such as"):
        read_frequencies([1], "date")  # type: ignore[list-item]
