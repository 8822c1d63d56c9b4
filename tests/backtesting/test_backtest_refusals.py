"""What a backtest refuses, in one line each."""

from __future__ import annotations

from pathlib import Path

import pytest

import ffn
from ffn.errors import DataError, SettingsError
from tests.backtesting.histories_of_months import SETTINGS, months, write


@pytest.mark.parametrize(
    ("change", "arguments", "message"),
    [
        (('time = "day"', ""), {}, r"pipeline\.toml: a backtest needs to know when each row was"),
        (
            ('time = "day"', 'time = "day"\ntest = "x.csv"'),
            {},
            r'split\.test names "x\.csv", and a backtest holds out the latest rows',
        ),
        (
            ("[data]", '[data]\nweight = "w"'),
            {},
            r'data\.weight names "w", and a backtest counts all rows of a period alike',
        ),
        (('"better"', '"never"'), {}, r'gate\.mode is "never", so no schedule would ever'),
        (("", ""), {"every": "1month"}, r'^every is "1month"; it must be a whole number'),
        (("", ""), {"every": "3"}, r'^every is "3"; it must be a whole number and a unit'),
        (("", ""), {"first": "soon"}, r'^first \(--from\) is "soon"; it must be'),
        (("", ""), {"window": "1"}, r'^window is "1"; it must be'),
    ],
)
def test_settings_and_options_are_refused(
    tmp_path: Path, change: tuple[str, str], arguments: dict[str, str], message: str
) -> None:
    root = write(tmp_path, months(3), SETTINGS.replace(*change))
    with pytest.raises(SettingsError, match=message) as refused:
        ffn.backtest("months", root=root, **arguments)  # type: ignore[arg-type]
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("arguments", [{"every": "1y"}, {"first": "5mo"}, {"first": "900y"}])
def test_too_few_periods_are_refused(tmp_path: Path, arguments: dict[str, str]) -> None:
    root = write(tmp_path, months(8, rows=30))
    with pytest.raises(DataError, match=r"period.* of .* with at least 25 rows, and 4 are needed"):
        ffn.backtest("months", root=root, **arguments)  # type: ignore[arg-type]


def test_a_first_model_at_the_last_time_of_all_is_too_late(tmp_path: Path) -> None:
    # The second class comes in June, and the latest fifth of the rows judges: in July none of it
    # is left to train on, and August is the last month.
    rows = [row.replace(",yes", ",no") if row < "2023-06" else row for row in months(8, rows=40)]
    root = write(tmp_path, rows)
    with pytest.raises(DataError, match="1 period can be judged") as refused:
        ffn.backtest("months", root=root, every="1mo")
    told = str(refused.value)
    assert told.startswith(
        "months: 1 period can be judged, and 4 are needed: that from 2023-08-01 with 40 rows; no "
        "model would have gone into production before 2023-08-01, in "
    )
    assert "(of that of 2023-07-01 is said: " in told
    assert told.endswith("). Retrain more often, or add rows.")


def test_periods_whose_rows_cannot_be_judged_are_named_with_the_reason(tmp_path: Path) -> None:
    """From June on a third class takes the place of one, which no model had seen before."""
    rows = [row.replace(",yes", ",maybe") if row > "2023-06" else row for row in months(9, rows=40)]
    root = write(tmp_path, rows)
    unseen = [
        sum(row.startswith(f"2023-0{month}") and row.endswith("maybe") for row in rows)
        for month in (6, 7, 8)
    ]
    with pytest.raises(DataError, match=r"^months: 3 periods can be judged, and 4 are") as refused:
        ffn.backtest("months", root=root, first="2mo")
    told = str(refused.value)
    assert "that from 2023-03-01 with 40 rows, that from 2023-04-01" in told
    for month, n in zip((6, 7, 8), unseen, strict=True):
        assert (
            f"; not that from 2023-0{month}-01: {40 - n} of 40 rows can be judged, and 25 are "
            f'needed ({n} of a class that a model had never seen ("maybe"))'
        ) in told
    assert told.endswith(
        "nor 1 period more. Begin later, when the first model knows more, or add rows."
    )


def test_one_period_is_one(tmp_path: Path) -> None:
    root = write(tmp_path, months(6, rows=30))
    one = r"there is 1 period of 1mo with at least 25 rows, and 4 are needed: that from 2023-06-01 "
    with pytest.raises(DataError, match=one + r"has 30 rows \("):
        ffn.backtest("months", root=root, first="5mo")


def test_too_few_rows_a_period_are_counted_for_each(tmp_path: Path) -> None:
    root = write(tmp_path, months(6, rows=10))
    with pytest.raises(DataError, match=r"there are 0 periods of 1mo with at least 25") as refused:
        ffn.backtest("months", root=root, first="4mo")
    assert (
        "are needed: that from 2023-05-01 has 10 rows, that from 2023-06-01 has 10 rows (60 rows "
        "from 2023-01-01 to 2023-06-28). Retrain more often"
    ) in str(refused.value)


def test_a_gate_that_lets_nothing_pass_is_said(tmp_path: Path) -> None:
    toml = SETTINGS.replace('"better"', '"better"\nmin_accuracy = 0.999')
    root = write(tmp_path, months(6, rows=40), toml)
    with pytest.raises(
        DataError, match=r"months: no model would have gone into production in 4 .*min_accuracy"
    ):
        ffn.backtest("months", first="2mo", root=root)
