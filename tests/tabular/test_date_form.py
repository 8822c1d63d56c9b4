"""Dates are read as Python's datetime reads them, and no form reads two meanings of one cell."""

from __future__ import annotations

import datetime
import math
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ffn.tabular.cell_forms import cell_form, form_text
from ffn.tabular.date_form import DateForm
from ffn.tabular.number_format import NumberFormat

MOMENTS = st.datetimes(datetime.datetime(1, 1, 1), datetime.datetime(9999, 12, 31))
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu"])
EPOCH = datetime.datetime(1970, 1, 1)


def seconds(at: datetime.datetime) -> float:
    return (at - EPOCH) / datetime.timedelta(seconds=1)


@given(MOMENTS, st.sampled_from(["seconds", "microseconds", "minutes"]), st.sampled_from("T "))
def test_iso_dates_are_seconds_since_1970(at: datetime.datetime, to: str, between: str) -> None:
    text = at.isoformat(between, to)
    assert DateForm().number(text) == seconds(datetime.datetime.fromisoformat(text))


@given(st.dates())
def test_a_day_is_its_midnight(day: datetime.date) -> None:
    midnight = datetime.datetime.combine(day, datetime.time())
    assert DateForm().number(str(day)) == seconds(midnight)


@given(st.datetimes(datetime.datetime(1900, 1, 2), datetime.datetime(2200, 1, 1)), ZONES)
def test_a_time_with_a_zone_is_an_instant(at: datetime.datetime, zone: str) -> None:
    # datetime writes an offset of seconds, which zones had long ago; ISO 8601 has none.
    local = at.replace(tzinfo=ZoneInfo(zone))
    offset = local.utcoffset()
    assert offset is not None
    assume(not offset.total_seconds() % 60)
    found = DateForm(zoned=True).number(local.isoformat(" "))
    utc = local.astimezone(datetime.UTC).replace(tzinfo=None)
    assert found == seconds(utc)


def test_by_hand() -> None:
    # A day has 86,400 seconds; 2000-03-01 is the day after a leap day.
    assert DateForm().number("1970-01-02") == 86_400
    assert DateForm().number("1969-12-31 23:59:59.5") == -0.5
    assert DateForm().number("2000-03-01") - DateForm().number("2000-02-28") == 2 * 86_400
    assert DateForm(zoned=True).number("1970-01-01T01:00+01:00") == 0
    assert DateForm(zoned=True).number("1969-12-31 19:00:00-0500") == 0
    assert DateForm.of("%d/%m/%Y").number("02/01/1970") == 86_400
    assert DateForm.of("%m/%d/%Y %I:%M %p").number("01/01/1970 01:30 PM") == 13.5 * 3600
    assert DateForm.of("%d %b %Y %H:%M %z").number("01 Jan 1970 02:00 +0200") == 0
    assert DateForm(zoned=True).number("1970-01-01 01:00 +01:00") == 0
    # Characters that the pattern itself has, such as the signs for year, month and day.
    assert DateForm.of("%Y\u5e74%m\u6708%d\u65e5").number("1970\u5e741\u67082\u65e5") == 86_400


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("iso", "2025-02-29"),
        ("iso", "2025-1-31"),
        ("iso", "2025-01-31 24:00"),
        ("iso", "0000-01-01"),
        ("iso", "2025-01-31 10:30Z"),
        ("iso", "2025-01-31 10:30\n"),
        ("iso utc", "2025-01-31 10:30Z\n"),
        ("%Y\u5e74%m\u6708%d\u65e5", "\u0662\u0660\u0662\u0665\u5e741\u670831\u65e5"),
        ("%d %b %Y", "31\u00a0Jan\u00a02025"),
        ("iso", "20250131"),
        ("iso", "31/01/2025"),
        ("iso", "1738281600"),
        ("iso", ""),
        ("iso", "2025-01-31" + " " * 200),
        ("iso utc", "2025-01-31 10:30"),
        ("iso utc", "2025-01-31"),
        ("iso utc", "2025-01-31 10:30+99:00"),
        ("iso utc", "0001-01-01 00:00+02:00"),
        ("%d/%m/%Y", "01/31/2025"),
        ("%d/%m/%Y", "1/2/25"),
        ("%d/%m/%Y", "\u0663\u0661/\u0660\u0661/2025"),
        ("%d/%m/%Y %z", "31/01/2025"),
    ],
)
def test_what_is_no_date_in_a_form_is_none(form: str, text: str) -> None:
    assert math.isnan(DateForm.of(form).number(text))


@pytest.mark.parametrize(
    "form",
    [
        *("", "ISO", "iso zone", "%d/%m", "%H:%M", "%Y", "%x", "%c", "%d/%m/%Y %Z", "%d/%m/%Y %"),
        *("%Y-%d-%m", "%Y-%d-%m %H:%M", "%d/%m/%Y %I:%M", "%s", "%G-W%V-%u", "%d/%m/%Y %Q"),
    ],
)
def test_forms_that_would_guess_are_refused(form: str) -> None:
    with pytest.raises(ValueError, match=r"must be \"iso\", \"iso utc\""):
        DateForm.of(form)


@given(
    st.floats(-62_135_596_800, 253_402_300_799, allow_nan=False),
    st.sampled_from(["iso", "iso utc", "%d/%m/%Y", "%Y%m%d %H:%M"]),
)
def test_what_is_written_is_read_again(number: float, text: str) -> None:
    form = DateForm.of(text)
    ticked = round(number * 1_000_000) / 1_000_000
    assert form.number(form.written(ticked)) == ticked


@pytest.mark.parametrize(
    "declared", ["iso", "iso utc", "%d/%m/%Y", "true/false", "$1,234.50", "1234.5%", "1234,5 km/h"]
)
def test_a_form_is_declared_by_one_text(declared: str) -> None:
    assert form_text(cell_form(declared)) == declared


def test_numbers_with_a_percent_sign_are_no_dates() -> None:
    assert isinstance(cell_form("1234.5%"), NumberFormat)
    assert isinstance(cell_form("%1234.50"), NumberFormat)
    with pytest.raises(ValueError, match=r'must be 1234.5 as .*; or, for dates, "iso" or a format'):
        cell_form("yes/no")
