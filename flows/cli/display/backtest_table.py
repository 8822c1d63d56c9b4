"""Terminal output of a backtest: periods, schedules, and what follows."""

from __future__ import annotations

import sys

from rich.box import SIMPLE_HEAD
from rich.table import Table

from ffn.backtesting.backtest_result import Backtest, backtest_lines
from ffn.backtesting.backtest_text import period_rows, schedule_rows
from ffn.errors import one_line
from flows.cli.display.terminal import plain_console, print_paths

__all__ = ["print_backtest"]

# Not in the terminal, which is narrow; whether this promise was kept is.
_IN_THE_REPORT = {"later period"}


def print_backtest(found: Backtest) -> None:
    """Print realised beside promised figures by period, the schedules, and the recommendation.

    Parameters
    ----------
    found
        The result.
    """
    console = plain_console(sys.stdout)
    for title, rows in (
        (
            f"{found.pipeline}, retraining every {found.every}: log-loss",
            period_rows(found),
        ),
        ("schedules: means over the periods", schedule_rows(found)),
    ):
        table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
        headings = [heading for heading in rows[0] if heading not in _IN_THE_REPORT]
        for heading in headings:
            table.add_column(heading, no_wrap=True)
        for row in rows:
            table.add_row(*(one_line(row[heading]) for heading in headings))
        console.print(table)
    for line in backtest_lines(found):
        console.print(one_line(line))
    print_paths(console, found.report)
