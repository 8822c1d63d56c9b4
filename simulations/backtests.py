"""Backtests of tables of which is known whether retraining is worth anything."""

from __future__ import annotations

import calendar
import datetime
import tempfile
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.backtesting.backtest_result import Backtest, backtest_lines
from ffn.backtesting.backtest_run import run_backtest
from ffn.backtesting.backtest_text import schedule_rows
from ffn.evaluation.inference.statistics import wilson
from ffn.quantities import interval
from ffn.settings.document import check_settings
from ffn.settings.pipeline import Pipeline

__all__ = [
    "BACKTESTED",
    "FULL_BACKTESTS",
    "QUICK_BACKTESTS",
    "BacktestedSize",
    "backtested_table",
    "backtests_section",
    "example_backtest",
    "example_section",
    "simulate_backtests",
]

Array = npt.NDArray[Any]

_MONTHS, _FIRST = 12, "4mo"
_SHOWN = 20.0
BACKTESTED = {"stays as it is": 0.0, "turns by 12 degrees a month": 12.0}
"""Degrees by which the concept turns in a month, by what is said of it."""


@dataclass(frozen=True)
class BacktestedSize:
    """Number of tables of each kind, and of rows in a month."""

    tables: int
    rows: int


FULL_BACKTESTS = BacktestedSize(20, 100)
QUICK_BACKTESTS = BacktestedSize(2, 40)


def backtested_table(turn: float, rows: int, generator: np.random.Generator) -> list[str]:
    """Return the records of a year, ``day,a,b,y``; the label is on one side of a line that turns.

    Parameters
    ----------
    turn
        Degrees in a month.
    rows
        Rows of each month.
    generator
        Source of randomness.
    """
    found, start = [], generator.uniform(0, 2 * np.pi)
    for month in range(_MONTHS):
        angle = start + np.deg2rad(turn) * month
        days = calendar.monthrange(2023, month + 1)[1]
        x = generator.normal(size=(rows, 2))
        score = x @ [np.cos(angle), np.sin(angle)]
        labels = generator.random(rows) < 1 / (1 + np.exp(-3 * score))
        for row, ((a, b), label) in enumerate(zip(x, labels.tolist(), strict=True)):
            day = datetime.date(2023, month + 1, 1 + row * days // rows)
            found.append(f"{day},{a:.4f},{b:.4f},{'ny'[label]}")
    return found


def _backtest(records: list[str], every: str = "1mo") -> Backtest:
    document = {
        "data": {"source": "t.csv", "target": "y"},
        "split": {"time": "day"},
        "network": {"hidden_layers": [8]},
        "training": {"epochs": 15, "networks": 2, "batch_size": 32},
        "gate": {"mode": "better"},
        "optimizers": {"adam": {"learning_rate": 0.02}},
    }
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "t.csv").write_text("\n".join(["day,a,b,y", *records]) + "\n")
        pipeline = Pipeline(
            name="turning",
            settings=check_settings(document, "pipeline.toml"),
            folder=Path(folder),
            artifacts=Path(folder) / "turning",
        )
        return run_backtest(pipeline, every=every, first=_FIRST)


def example_backtest() -> Backtest:
    """Return the backtest that the page shows: one table whose concept turns, two schedules."""
    records = backtested_table(_SHOWN, FULL_BACKTESTS.rows, np.random.default_rng(5))
    return _backtest(records, "1mo,3mo")


def example_section(found: Backtest) -> str:
    """Return what the page shows of an example, as the terminal does.

    Parameters
    ----------
    found
        Of `example_backtest`.
    """
    rows = schedule_rows(found)
    table = [list(rows[0]), *(list(row.values()) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = [
        " ".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip()
        for cells in table
    ]
    said = [line for text in backtest_lines(found)[:2] for line in textwrap.wrap(text, 100)]
    shown = "\n".join([*lines, "", *said])
    return (
        f"A table of {found.rows:,} rows in a year, whose concept turns by {_SHOWN:g} degrees a "
        f"month, with `--every 1mo,3mo --from {_FIRST}`:\n\n```text\n{shown}\n```"
    )


def simulate_backtests(size: BacktestedSize) -> dict[str, list[Backtest]]:
    """Return the backtests of tables of each kind in `BACKTESTED`, ``size`` of them."""
    return {
        name: [
            _backtest(backtested_table(turn, size.rows, np.random.default_rng([number, table])))
            for table in range(size.tables)
        ]
        for number, (name, turn) in enumerate(BACKTESTED.items())
    }


def backtests_section(size: BacktestedSize, found: dict[str, list[Backtest]]) -> str:
    """Return what was recommended, as a table in Markdown.

    Parameters
    ----------
    size
        How much was simulated.
    found
        Of `simulate_backtests`.
    """
    lines = [
        f"{size.tables:,} tables of each kind, a year of {size.rows:,} rows a month, retrained "
        "every month from the fifth on, with the gate in the mode `better`:",
        "",
        "| the concept | retraining shown to be better | never shown to be better | promotions, "
        "mean | difference in log-loss, mean | months within the promised log-loss |",
        "|---|---|---|--:|--:|--:|",
    ]
    for name, backtests in found.items():
        better = [one.comparisons[0].better for one in backtests]
        shares = [interval(wilson(better.count(one), len(better))) for one in ("1mo", "never")]
        promotions = np.mean([one.schedules[0].promotions for one in backtests])
        mean = np.mean([one.comparisons[0].log_loss.value for one in backtests])
        kept, periods = (
            sum(getattr(one.kept, what) for one in backtests) for what in ("log_loss", "periods")
        )
        figures = (name, *shares, f"{promotions:.1f}", f"{mean:+.3f}", f"{kept / periods:.2f}")
        lines.append(f"| {' | '.join(figures)} |")
    return "\n".join(lines)
