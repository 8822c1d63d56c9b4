"""A column of dates is read at once exactly as its cells are read one by one."""

from __future__ import annotations

import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffn.tabular.date_form import DateForm
from ffn.tabular.dates.date_cells import date_numbers, dates_of_bytes

FORMS = [
    *("iso", "iso utc", "%d/%m/%Y", "%m/%d/%Y %H:%M", "%Y%m%d", "%d.%m.%y", "%d %B %Y"),
    *("%Y/%m/%d %H:%M:%S", "%Y%m%dT%H%M%S", "%d/%m/%Y %z"),
]
LIKE_DATES = st.from_regex(
    r"\A[0-9]{4}-[0-3][0-9]-[0-4][0-9]([T ][0-2][0-9]:[0-6][0-9](:[0-6][0-9])?Z?)?\Z"
)
OF_A_FORM = st.builds(
    lambda at, form: at.replace(tzinfo=datetime.UTC).strftime(form),
    st.datetimes(datetime.datetime(1900, 1, 1)),
    st.sampled_from([form for form in FORMS if "%" in form]),
)
CELLS = st.one_of(
    st.datetimes().map(lambda at: at.isoformat(" ", "seconds")),
    st.builds(
        lambda at, to, between, more: at.isoformat(between, to) + more,
        st.datetimes(),
        st.sampled_from(["minutes", "seconds", "milliseconds", "microseconds"]),
        st.sampled_from("T "),
        st.sampled_from(
            ["", "789", "Z", "+02:00", "-11:30", "+23:59", "+24:00", "+01:75", "+0200"]
        ),
    ),
    st.from_regex(r"\A(0001-01-01|9999-12-31)T[02][03]:59(:59\.9{3,6})?[+-]0[0-9]:30\Z"),
    st.dates().map(str),
    LIKE_DATES,
    OF_A_FORM,
    st.text(max_size=20),
    st.sampled_from(["", " 2025-01-31", "2025-01-31\t", "2025-02-29", "2025-00-10", "0000-01-01"]),
)


@given(st.lists(CELLS, max_size=20), st.sampled_from(FORMS), st.sampled_from([1, 10]))
def test_all_at_once_is_one_by_one(cells: list[str], declared: str, repeated: int) -> None:
    form = DateForm.of(declared)
    # From 64 cells on they are read down the column.
    values, wrong = date_numbers(cells * repeated, form, ("", "2025-01-31"))
    expected = [
        np.nan if (text := cell.strip(" \t")) in ("", "2025-01-31") else form.number(text)
        for cell in cells
    ] * repeated
    np.testing.assert_array_equal(values, expected)
    assert wrong == [
        i
        for i, cell in enumerate(cells * repeated)
        if np.isnan(expected[i]) and cell.strip(" \t") not in ("", "2025-01-31")
    ]


@pytest.mark.parametrize(
    ("declared", "form"),
    [
        ("iso", "%Y-%m-%d"),
        ("iso", "%Y-%m-%d %H:%M"),
        ("iso", "%Y-%m-%dT%H:%M:%S"),
        ("iso utc", "%Y-%m-%d %H:%MZ"),
        ("%d/%m/%Y", "%d/%m/%Y"),
        ("%Y%m%d %H:%M", "%Y%m%d %H:%M"),
        ("iso", "%Y-%m-%d %H:%M:%S.%f"),
        ("iso utc", "%Y-%m-%dT%H:%M:%S.%fZ"),
    ],
)
def test_common_layouts_are_read_down_the_column_as_pandas_reads_them(
    declared: str, form: str
) -> None:
    times = pd.Series(pd.date_range("1890-02-27 23:17", "2110-03-02", freq="475140001ms"))
    texts = times.dt.strftime(form)
    data = "".join(texts).encode()
    ends = np.cumsum(texts.str.len().to_numpy())
    values, sure = dates_of_bytes(
        np.frombuffer(data, np.uint8), ends - len(texts[0]), ends, DateForm.of(declared)
    )
    assert sure.all()
    expected = pd.to_datetime(texts.str.removesuffix("Z"), format=form.removesuffix("Z"))
    microseconds = (expected - pd.Timestamp(0)) // pd.Timedelta(microseconds=1)
    np.testing.assert_array_equal(values, microseconds / 1_000_000)


def test_a_date_may_mean_no_value_in_its_own_notation_alone() -> None:
    cells = ["1900-01-01", "1900-01-01 00:00", "2025-01-31", ""] * 20
    values, wrong = date_numbers(cells, DateForm(), ("", "1900-01-01"))
    assert wrong == []
    assert np.isnan(values[:4]).tolist() == [True, False, False, True]
