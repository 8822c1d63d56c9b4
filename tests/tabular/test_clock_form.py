"""Times of day are read as Python's own library reads them, and nothing else is."""

from __future__ import annotations

import datetime
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffn.tabular.cell_forms import as_cell, cell_form, expected_in, form_text, held_in
from ffn.tabular.clock_form import ClockForm
from ffn.tabular.dates.date_cells import date_numbers, dates_of_bytes

PLAIN, HALVES = ClockForm(), ClockForm(halves=True)
MIDNIGHT = datetime.datetime(2000, 1, 1)


def seconds(at: datetime.time) -> float:
    return (datetime.datetime.combine(MIDNIGHT, at) - MIDNIGHT).total_seconds()


@given(st.times(), st.sampled_from(["auto", "minutes", "seconds", "milliseconds"]))
def test_iso_times_are_those_of_datetime(at: datetime.time, exactness: str) -> None:
    text = at.isoformat(exactness)
    assert PLAIN.number(text) == seconds(datetime.time.fromisoformat(text))
    assert math.isnan(HALVES.number(text))


@given(st.times(), st.sampled_from(["%I:%M %p", "%I:%M:%S %p", "%I:%M%p"]), st.booleans())
def test_halves_are_those_of_strptime(at: datetime.time, form: str, lower: bool) -> None:
    text = at.strftime(form).lower() if lower else at.strftime(form).removeprefix("0")
    assert HALVES.number(text) == seconds(datetime.datetime.strptime(text, form).time())
    assert math.isnan(PLAIN.number(text))


@given(st.times())
def test_what_is_written_is_read_as_the_same(at: datetime.time) -> None:
    for form in (PLAIN, HALVES):
        assert form.number(form.written(seconds(at))) == seconds(at)


def test_by_hand() -> None:
    assert PLAIN.number("8:30") == PLAIN.number("08:30:00.000") == 8.5 * 3600
    assert PLAIN.number("23:59:59,5") == 86_399.5
    assert PLAIN.number("00:00:00.123456789") == 0.123456
    assert HALVES.number("12:00 AM") == 0
    assert HALVES.number("12:00 pm") == 43_200
    assert PLAIN.written(8.5 * 3600) == "08:30"
    assert PLAIN.written(86_399.5) == "23:59:59.5"
    # A bound between two bins may round to midnight, which is no time of the same day.
    assert PLAIN.written(86_399.99999999) == "23:59:59.999999"
    assert HALVES.written(0) == "12:00 AM"
    assert HALVES.written(13 * 3600 + 5) == "1:00:05 PM"


@pytest.mark.parametrize(
    "text",
    [
        *("24:00", "23:60", "23:59:60", "8", "8:3", "0830", "108:30", "-1:30", "1:30:00:00"),
        *("08:30Z", "08:30+01:00", "2025-01-31 08:30", "08:30:15.", "8h30", "", "36:15", "3:2"),
        *("\u0660\u0668:30", "08:30:00.1234567890", "13:30 PM", "0:30 AM", "8:30 M", "8 AM"),
    ],
)
def test_what_is_no_time_of_day_is_none(text: str) -> None:
    assert math.isnan(PLAIN.number(text))
    assert math.isnan(HALVES.number(text))


def test_forms_are_declared_by_their_texts() -> None:
    for form, text in ((PLAIN, "time"), (HALVES, "time am/pm")):
        assert cell_form(text) == form
        assert form_text(form) == text
        assert held_in(form) == "times of day"
    assert as_cell(30_600.0, HALVES) == "8:30 AM"
    assert expected_in(HALVES) == 'a time of day with AM or PM, such as "8:30 AM"'
    with pytest.raises(ValueError, match='for times of day, "time" or "time am/pm"; or "true/'):
        cell_form("times")


CELLS = st.one_of(
    st.times().map(str),
    st.from_regex(r"\A[0-2]?[0-9]:[0-6][0-9](:[0-6][0-9]([.,][0-9]{1,9})?)?( ?[AaPp][Mm])?\Z"),
    st.text(max_size=12),
    st.sampled_from(["", " 08:30", "08:30\t", "00:00", "24:00"]),
)


@given(st.lists(CELLS, max_size=20), st.sampled_from([PLAIN, HALVES]), st.sampled_from([1, 10]))
def test_all_at_once_is_one_by_one(cells: list[str], form: ClockForm, repeated: int) -> None:
    values, wrong = date_numbers(cells * repeated, form, ("", "00:00"))
    trimmed = [cell.strip(" \t") for cell in cells] * repeated
    absent = [text in ("", "00:00") for text in trimmed]
    expected = [
        math.nan if gap else form.number(text) for text, gap in zip(trimmed, absent, strict=True)
    ]
    np.testing.assert_array_equal(values, expected)
    assert wrong == [i for i, number in enumerate(expected) if math.isnan(number) and not absent[i]]


@pytest.mark.parametrize("layout", ["%H:%M", "%H:%M:%S", "%H:%M:%S.%f"])
def test_common_layouts_are_read_down_the_column(layout: str) -> None:
    moments = [MIDNIGHT + datetime.timedelta(seconds=61.25 * i) for i in range(1400)]
    texts = [at.strftime(layout) for at in moments]
    data = np.frombuffer("".join(texts).encode(), np.uint8)
    ends = np.cumsum([len(text) for text in texts])
    values, sure = dates_of_bytes(data, ends - len(texts[0]), ends, PLAIN)
    assert sure.all()
    assert values.tolist() == [seconds(datetime.time.fromisoformat(text)) for text in texts]
