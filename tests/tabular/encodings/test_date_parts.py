"""Parts of dates, as pandas and the calendar have them."""

from __future__ import annotations

import datetime

import numpy as np
import pandas as pd
import pytest

from ffn.tabular.encodings.date_parts import DatePart, part_of_dates, telling_parts

TIMES = pd.Series(pd.date_range("1959-12-30 21:13", "2041-01-03", freq="100003min"))
SECONDS = ((TIMES - pd.Timestamp(0)) / pd.Timedelta(seconds=1)).to_numpy()
DAY = 86_400


def cycle(part: DatePart, share: pd.Series) -> np.ndarray:
    angle = 2 * np.pi * share.to_numpy()
    return np.sin(angle) if part.name.endswith("_SINE") else np.cos(angle)


@pytest.mark.parametrize("part", [DatePart.YEAR_SINE, DatePart.YEAR_COSINE])
def test_the_season_is_the_day_of_the_year(part: DatePart) -> None:
    length = TIMES.dt.is_leap_year.map({True: 366, False: 365})
    expected = cycle(part, (TIMES.dt.day_of_year - 1) / length)
    np.testing.assert_allclose(part_of_dates(part, SECONDS, 0.0), expected, atol=1e-12)


@pytest.mark.parametrize("part", [DatePart.WEEK_SINE, DatePart.WEEK_COSINE])
def test_weekdays_are_those_of_the_calendar(part: DatePart) -> None:
    expected = cycle(part, TIMES.dt.day_of_week / 7)
    np.testing.assert_allclose(part_of_dates(part, SECONDS, 0.0), expected, atol=1e-12)


@pytest.mark.parametrize("part", [DatePart.DAY_SINE, DatePart.DAY_COSINE])
def test_the_time_of_the_day_goes_round_once(part: DatePart) -> None:
    expected = cycle(part, (TIMES - TIMES.dt.normalize()) / pd.Timedelta(days=1))
    np.testing.assert_allclose(part_of_dates(part, SECONDS, 0.0), expected, atol=1e-12)


def test_time_that_has_passed() -> None:
    origin = float(SECONDS[5])
    elapsed = (TIMES - TIMES[5]) / pd.Timedelta(days=1)
    np.testing.assert_allclose(part_of_dates(DatePart.ELAPSED, SECONDS, origin), elapsed)
    years = TIMES.dt.year - TIMES[5].year
    np.testing.assert_array_equal(part_of_dates(DatePart.YEAR, SECONDS, origin), years)


def test_by_hand() -> None:
    # Monday 6 January 2025, 06:00: the first weekday, a quarter of the day, the sixth of 365 days.
    at = np.array(
        [(datetime.datetime(2025, 1, 6, 6) - datetime.datetime(1970, 1, 1)).total_seconds()]
    )
    found = {part: float(part_of_dates(part, at, 0.0)[0]) for part in DatePart}
    assert found[DatePart.NUMBER] == at[0]
    assert found[DatePart.YEAR] == 55
    assert (found[DatePart.WEEK_SINE], found[DatePart.WEEK_COSINE]) == (0, 1)
    assert found[DatePart.DAY_SINE] == 1
    assert abs(found[DatePart.DAY_COSINE]) < 1e-15
    assert found[DatePart.YEAR_SINE] == pytest.approx(np.sin(2 * np.pi * 5 / 365))


@pytest.mark.parametrize("part", DatePart)
def test_what_is_missing_stays_missing(part: DatePart) -> None:
    found = part_of_dates(part, np.array([0.0, np.nan, DAY]), 0.0)
    assert np.isnan(found).tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("dates", "expected", "without_trend"),
    [
        (["2025-01-06"] * 3, "", ""),
        # Mondays of a month: neither the weekday nor the hour says anything.
        (["2025-01-06", "2025-01-13", "2025-01-20"], "", ""),
        (["2025-01-06 08:00", "2025-01-06 09:00"], "DAY_", "DAY_"),
        (["2024-12-30", "2025-01-07"], "WEEK_", "WEEK_"),
        (["2023-06-01 10:00", "2025-06-02 10:00"], "ELAPSED YEAR YEAR_ WEEK_", "YEAR_ WEEK_"),
        (["2024-06-01", "2025-05-31"], "YEAR_", "YEAR_"),
        # Twice 365 days with the first and the last of them, and a day less: by the calendar.
        (["2023-06-01", "2025-05-30"], "ELAPSED YEAR YEAR_ WEEK_", "YEAR_ WEEK_"),
        (["2023-06-01", "2025-05-29"], "YEAR_", "YEAR_"),
    ],
)
def test_parts_are_those_that_vary(dates: list[str], expected: str, without_trend: str) -> None:
    times = pd.to_datetime(dates, format="mixed")
    seconds = ((times - pd.Timestamp(0)) / pd.Timedelta(seconds=1)).to_numpy()
    for trend, parts in ((True, expected), (False, without_trend)):
        names = [
            name
            for part in parts.split()
            for name in ([f"{part}SINE", f"{part}COSINE"] if part.endswith("_") else [part])
        ]
        found = telling_parts(np.append(seconds, np.nan), trend=trend)
        assert [part.name for part in found] == names


def test_no_dates_have_no_parts() -> None:
    assert telling_parts(np.array([np.nan])) == ()
