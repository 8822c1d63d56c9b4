"""What the backtests of flights say of their figures."""

from __future__ import annotations

from benchmarks.accuracy.backtested_flights import backtested_flights_table
from tests.backtesting.made_backtest import made


def test_the_table_and_its_sentence() -> None:
    """By hand: two of four months within for the accuracy, four for the log-loss, of each."""
    one = made()
    pair = one.comparisons[0].log_loss
    text = backtested_flights_table({"AA": one, "UA": one})
    shown = f"{pair.value:+.4f} [{pair.low:+.4f}, {pair.high:+.4f}]"
    assert f"| AA | {one.recommendation.every} | {shown} | 1 of 3 | 4 of 4 | 0 of 2 |" in text
    assert text.endswith(
        "Of 8 months, the accuracy was within the interval for held-out rows in 4 and the log-loss "
        "in 8. Of the 4 for which a later period was foretold, they were within its prediction "
        "interval in 4 and 0. A difference between the schedules is shown for none of them."
    )
