"""The figures as Markdown."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from benchmarks.rounds import Measured
from benchmarks.scoring.processes import Finished
from benchmarks.scoring.targets import (
    COMPARISON,
    CPU,
    MANY_FILES,
    PEAK_MEGABYTES,
    TWO_PROCESSES,
)
from benchmarks.training.tables import spread
from ffn.tabular.csv.parsing.position import Counts

__all__ = ["Found", "full_table", "targets_table"]


@dataclass
class Found:
    """What was measured.

    Attributes
    ----------
    rows, files
        In each shape; scored by one command.
    shapes, peaks, blocks
        By shape: CPU seconds; peak memory in bytes by side; how we read the file.
    lengths
        Our runs by rows.
    two_processes
        By rows: wall time of one process divided by that of two [rounds].
    comparison
        Share of CPU time that the comparison with training's rows takes [rounds].
    many, single
        One command for all files; CPU seconds of commands for one each.
    """

    rows: int
    files: int
    shapes: dict[str, Measured] = field(default_factory=dict)
    peaks: dict[str, dict[str, int]] = field(default_factory=dict)
    blocks: dict[str, Counts] = field(default_factory=dict)
    lengths: dict[int, Finished] = field(default_factory=dict)
    two_processes: dict[int, npt.NDArray[np.float64]] = field(default_factory=dict)
    comparison: npt.NDArray[np.float64] | None = None
    many: Finished | None = None
    single: npt.NDArray[np.float64] | None = None


def targets_table(found: Found) -> str:
    """Return a line for each target that was measured."""
    lines = ["| work | against | to reach | found: median [lowest, highest] | reached |"]
    lines.append("|---|---|---|---|---|")
    for shape, side, reach in CPU:
        own = found.shapes.get(shape)
        if own is None or side not in own.seconds:
            continue
        ratios = own.ratios(side)
        work = f"{found.rows:,} rows, {shape}"
        lines.append(_row(work, side, f"≥ {reach:g} times our CPU time", spread(ratios),
                          _yes(np.median(ratios) >= reach)))  # fmt: skip
    for rows, finished in found.lengths.items():
        peak = finished.found["peak"] / 1e6
        lines.append(_row(f"{rows:,} rows", "peak memory", f"≤ {PEAK_MEGABYTES} MB",
                          f"**{peak:.0f} MB**", _yes(peak <= PEAK_MEGABYTES)))  # fmt: skip
    if found.comparison is not None:
        shares = found.comparison
        low, middle, high = np.quantile(shares, (0, 0.5, 1))
        lines.append(_row(f"{found.rows:,} rows, comparison with training's", "all of ours",
                          f"< {COMPARISON:.0%} of our CPU time",
                          f"**{middle:.1%}** [{low:.1%}, {high:.1%}]",
                          _yes(middle < COMPARISON)))  # fmt: skip
    for rows, ratios in found.two_processes.items():
        lines.append(_row(f"{rows:,} rows, two processes", "one process, wall time",
                          f"≥ {TWO_PROCESSES:g} times ours", spread(ratios),
                          _yes(np.median(ratios) >= TWO_PROCESSES)))  # fmt: skip
    if found.many is not None and found.single is not None:
        ratios = found.single * found.files / found.many.cpu
        lines.append(_row(f"{found.files:,} files of 100 rows, one command",
                          "a process each", f"≥ {MANY_FILES:g} times our CPU time", spread(ratios),
                          _yes(np.median(ratios) >= MANY_FILES)))  # fmt: skip
    return "\n".join(lines)


def full_table(found: Found) -> str:
    """Return a line for each side of each shape, with how many blocks took which path."""
    paths = "blocks; regular; of these all records alike; records one by one"
    lines = [f"| rows | side | CPU seconds | peak memory | {paths} |"]
    lines.append("|---|---|---|---|---|")
    for shape, own in found.shapes.items():
        for side in own.seconds:
            blocks = found.blocks[shape]
            how = "; ".join(f"{count:,}" for count in blocks)
            lines.append(
                _row(
                    shape,
                    side,
                    f"{own.median(side):.2f}",
                    f"{found.peaks[shape][side] / 1e6:.0f} MB",
                    how if side == "ours" else "",
                )
            )
    return "\n".join(lines)


def _yes(reached: object) -> str:
    return "yes" if reached else "**no**"


def _row(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"
