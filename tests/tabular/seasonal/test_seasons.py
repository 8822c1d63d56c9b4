"""Columns by month of the year, and how much more than chance days and weeks differ."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from ffn.scoring.drift.psi import f_quantile
from ffn.tabular.seasonal.season_counts import (
    SeasonColumn,
    Seasons,
    day_of_text,
    days_of,
    month_names,
    months_of,
    units_by_month,
    weeks_of,
)
from ffn.tabular.seasonal.spreads import NO_SPREAD, measure_spread


def day(text: str) -> int:
    return int(np.datetime64(text, "D").astype(int))


def test_days_months_and_weeks_are_those_of_the_calendar() -> None:
    dates = np.array(
        ["1969-12-31", "1970-01-01", "2024-02-29", "2024-12-31"], dtype="datetime64[D]"
    )
    times = dates.astype("datetime64[us]").astype(np.int64) + 3_600_000_000
    days = days_of(times)
    assert days.tolist() == dates.astype(int).tolist()
    assert months_of(days).tolist() == [11, 0, 1, 11]
    november = np.array([day(f"2024-11-{d:02}") for d in range(1, 31)])
    # Seven, seven, seven, and the rest.
    assert np.unique(weeks_of(november), return_counts=True)[1].tolist() == [7, 7, 7, 9]
    assert len(np.unique(weeks_of(np.append(november, november + 365)))) == 8
    assert month_names([0, 10]) == "January and November"


@pytest.mark.parametrize(
    ("text", "form", "expected"),
    [
        (" 2024-11-05 ", None, "2024-11-05"),
        ("2024-11-05T23:30:00-02:00", None, "2024-11-06"),
        ("05/11/2024", "%d/%m/%Y", "2024-11-05"),
        ("2024-11-05 00:00:00", "%d/%m/%Y", "2024-11-05"),
        ("12", None, None),
        ("", None, None),
        ("soon", "%d/%m/%Y", None),
    ],
)
def test_a_cell_is_a_day_or_none(text: str, form: str | None, expected: str | None) -> None:
    assert day_of_text(text, form, ".") == (None if expected is None else day(expected))


def test_units_count_by_what_they_say() -> None:
    # Two days of January with 3 rows and 1: (3 + 1)² / (9 + 1).
    days = np.array([day("2024-01-01")] * 3 + [day("2024-01-02")] + [day("2024-03-05")])
    found = units_by_month(days, np.asarray)
    assert found[0] == pytest.approx(1.6)
    assert found[2] == pytest.approx(1)
    assert sum(found) == pytest.approx(2.6)


def test_independent_rows_differ_by_chance_alone() -> None:
    rng = np.random.default_rng(0)
    days = np.repeat(np.arange(360) + day("2023-01-01"), 50)
    scales = []
    for _ in range(20):
        codes = rng.integers(5, size=len(days))
        scales.append(measure_spread(codes, 5, days, months_of(days)).scale)
    # Of 50 rows a day PSI by chance is 4 / 50; what is left is a tenth of that on average.
    assert np.mean(scales) < 0.1 * 4 / 50


def test_days_of_one_value_each_are_one_observation_each() -> None:
    """The distance of a day from its month is that of one row: B - 1, with B - 1 degrees."""
    rng = np.random.default_rng(1)
    of_day = rng.integers(4, size=720)
    days = np.repeat(np.arange(720) + day("2023-01-01"), 40)
    found = measure_spread(np.repeat(of_day, 40), 4, days, months_of(days))
    assert found.known == 720 - 12
    assert found.scale * found.degrees == pytest.approx(3, rel=0.1)
    assert found.degrees == pytest.approx(3, rel=0.15)


def test_two_bins_by_hand() -> None:
    """Shares of 1/4 and 3/4 around 1/2: V is 2 (1/4)² / 1 for each bin, with -V between them."""
    days = np.repeat([day("2024-05-01"), day("2024-05-02")], 400)
    codes = np.concatenate([np.arange(400) < 300, np.arange(400) < 100]).astype(int)
    found = measure_spread(codes, 2, days, months_of(days))
    # Trace of P^-1/2 V P^-1/2: twice 1/8 over 1/2; one eigenvalue, so one degree.
    assert found.degrees == pytest.approx(1)
    assert found.scale == pytest.approx(0.5 - 1 / 400, rel=1e-2)
    assert found.known == 1


def test_what_cannot_be_measured_has_no_spread() -> None:
    one_day = np.full(10, day("2024-05-01"))
    assert measure_spread(np.arange(10) % 2, 2, one_day, months_of(one_day)) == NO_SPREAD
    days = one_day + np.arange(10)
    assert measure_spread(np.zeros(10, dtype=int), 1, days, months_of(days)) == NO_SPREAD


@pytest.mark.parametrize("degrees", [1.0, 4.6, 9.0, 19.0])
@pytest.mark.parametrize("known", [20, 36, 350])
def test_the_quantile_of_f_is_scipy_s(degrees: float, known: int) -> None:
    for alpha in (0.01, 0.001 / 5):
        expected = degrees * stats.f.isf(alpha, degrees, known)
        assert f_quantile(1 - alpha, degrees, known) == pytest.approx(expected, rel=0.08)


def seasons(**changes: Any) -> dict[str, Any]:
    days = np.repeat(np.arange(365) + day("2023-01-01"), 2)
    column = SeasonColumn.learn(np.arange(730) % 3, 2, days, np.arange(730.0))
    other = SeasonColumn.learn(np.arange(730) % 2, 3, days)
    found = Seasons(
        column="when",
        form=None,
        decimal=".",
        days=units_by_month(days, np.asarray),
        weeks=units_by_month(days, weeks_of),
        numeric=(column,),
        categorical=(other,),
    )
    return found.to_json() | changes


def test_seasons_are_read_as_they_were_written() -> None:
    again = Seasons.from_json(seasons(), [2], [3], 2)
    assert again.to_json() == seasons()
    assert again.days == pytest.approx([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
    assert sum(map(sum, again.numeric[0].counts)) == 730


@pytest.mark.parametrize(
    "changes",
    [
        {"column": 3},
        {"form": 3},
        {"decimal": ";"},
        {"days": [[1.0] * 11, []]},
        {"weeks": [[float("nan")] * 12, []]},
        {"numeric": []},
        {"more": 1},
        {"predicted": {"counts": []}},
    ],
)
def test_forged_seasons_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises((ValueError, KeyError, TypeError), match=r"."):
        Seasons.from_json(seasons(**changes), [2], [3], 2)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("counts", [[-1, 0, 0]] * 12),
        ("counts", [[1, 0]] * 12),
        ("moments", [[0.0, -1.0]] * 12),
        ("moments", []),
        ("day", [-1.0, 1.0, 3]),
        ("week", [1.0, 0.0, 3]),
    ],
)
def test_forged_columns_are_refused(key: str, value: Any) -> None:
    column = seasons()["numeric"][0] | {key: value}
    with pytest.raises(ValueError, match="a season is not of this format"):
        SeasonColumn.from_json(column, 2, numeric=True)
