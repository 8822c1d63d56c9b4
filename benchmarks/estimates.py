"""Compares what ``ffn init`` says a retraining will take with what it takes, on several tables."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.growth.mixed_table import TARGET, write_mixed_table
from benchmarks.machine import describe_machine
from benchmarks.section import Section
from ffn.durations.retraining_time import Estimate, duration_text

__all__ = ["FULL", "QUICK", "Compared", "Extent", "estimates_table", "missing", "run", "verdict"]


@dataclass(frozen=True, kw_only=True)
class Extent:
    """Rows and columns of the tables."""

    tables: tuple[tuple[int, int], ...]


FULL = Extent(tables=((150, 5), (1_000, 20), (10_000, 20)))
QUICK = Extent(tables=((150, 5),))


@dataclass(frozen=True, kw_only=True)
class Compared:
    """An estimate beside the time that was taken.

    Attributes
    ----------
    rows, columns
        Of the table.
    estimate
        What ``ffn init`` said.
    seconds
        What ``ffn retrain --direct`` took, on a clock on the wall, from start to exit.
    """

    rows: int
    columns: int
    estimate: Estimate
    seconds: float

    @property
    def inside(self) -> bool:
        """Whether the range held the time."""
        return self.estimate.low <= self.seconds <= self.estimate.high


def missing() -> list[str]:
    """Return nothing: there is no peer."""
    return []


def run(root: Path, extent: Extent) -> Section:
    """Estimate, retrain, and return the section of the page."""
    found = [_compare(root, rows, columns) for rows, columns in extent.tables]
    parts = [f"{describe_machine(('numpy', 'scikit-learn'))}.", verdict(found)]
    return Section(text="\n\n".join([*parts, estimates_table(found)]))


def _compare(root: Path, rows: int, columns: int) -> Compared:
    from ffn.profiling.scaffold import create_pipeline

    sys.stderr.write(f"estimates: {rows:,} rows of {columns} columns\n")
    build = root / "build"
    build.mkdir(exist_ok=True)
    estimates: list[Estimate] = []
    with TemporaryDirectory(dir=build, prefix="estimates-") as folder:
        table = Path(folder) / "table.csv"
        write_mixed_table(table, rows, columns)
        create_pipeline(
            "table", source=table, target=TARGET, root=Path(folder), on_estimate=estimates.append
        )
        started = time.perf_counter()
        subprocess.run(  # noqa: S603
            [sys.executable, "-m", "flows", "retrain", "table", "--direct", "--root", folder],
            cwd=root,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        seconds = time.perf_counter() - started
    return Compared(rows=rows, columns=columns, estimate=estimates[0], seconds=seconds)


def estimates_table(found: Sequence[Compared]) -> str:
    """Return the comparisons as a Markdown table.

    Parameters
    ----------
    found
        One for each table.
    """
    lines = ["| rows | columns | said | seconds taken | inside |", "|--:|--:|--:|--:|---|"]
    for one in found:
        said = f"{duration_text(one.estimate.low)} to {duration_text(one.estimate.high)}"
        inside = "yes" if one.inside else "**no**"
        lines.append(f"| {one.rows:,} | {one.columns} | {said} | {one.seconds:.1f} | {inside} |")
    return "\n".join(lines)


def verdict(found: Sequence[Compared]) -> str:
    """Say how many of the ranges held the time, and how wide they are.

    Parameters
    ----------
    found
        One for each table.
    """
    held = sum(one.inside for one in found)
    widths = sorted(one.estimate.high / one.estimate.low for one in found)
    return (
        f"{held} of {len(found)} retrainings took as long as `ffn init` had said. The upper end is "
        f"{widths[0]:.1f} to {widths[-1]:.1f} times the lower one."
    )
