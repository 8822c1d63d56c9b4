"""The figures as Markdown."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from benchmarks.scale.measured import SIDES, WATCHED, Found
from ffn.quantities import counted

__all__ = ["PARTS_OVERHEAD", "memory_table", "parts_verdict", "sides_table", "tasks_table"]

PARTS_OVERHEAD = 0.10
"""Share of one process's CPU time that scoring in parts may take more."""

_PARTS = ("parts, one process", "parts, two processes", "parts on Dask", "parts on Ray")
# Lengths of the ranges and of the parts, of which each is a task.
_RANGE_MIB, _PART_MIB = 8, 64

Array = npt.NDArray[np.float64]


def sides_table(found: Found) -> str:
    """Return a line for each side.

    Parameters
    ----------
    found
        What was measured.
    """
    rounds = len(found.runs[next(iter(SIDES)), "long"])
    lines = [
        f"{found.rows['long']:,} rows, {found.bytes['long'] / 1e6:,.0f} MB; "
        f"{counted(rounds, 'round')}, medians [lowest, highest]. *A further GB* is the "
        "difference to a file of "
        f"{found.bytes['short'] / 1e6:,.0f} MB, and *start* what is left of that.",
        "",
        "| side | CPU seconds | more than one process | CPU seconds: start | a further GB "
        "| of it the command |",
        "|---|--:|---|--:|--:|--:|",
    ]
    for side in SIDES:
        cpu, gigabyte = found.seconds(side, "long"), found.a_gigabyte(side)
        more = "" if side == next(iter(SIDES)) else _percents(found.overhead(side))
        own = found.a_gigabyte(side, "own")
        lines.append(
            f"| {side} | {np.median(cpu):.2f} | {more} | {np.median(found.start(side)):.2f} "
            f"| {np.median(gigabyte):.2f} | {np.median(own):.2f} |"
        )
    return "\n".join(lines)


def parts_verdict(found: Found) -> str:
    """Say of each way of scoring in parts whether it takes as little more as it should.

    Parameters
    ----------
    found
        What was measured.
    """
    lines = [
        f"Wanted of parts: at most {PARTS_OVERHEAD:.0%} more CPU time than one process takes for "
        "the same file.",
        "",
        "| parts | this file | a further GB | reached |",
        "|---|---|---|---|",
    ]
    for side in _PARTS:
        overhead = found.overhead(side)
        further = found.a_gigabyte(side) / found.a_gigabyte(next(iter(SIDES))) - 1
        reached = "yes" if np.median(overhead) <= PARTS_OVERHEAD else "**no**"
        lines.append(f"| {side} | {_percents(overhead)} | {_percents(further)} | {reached} |")
    return "\n".join(lines)


def tasks_table(found: Found) -> str:
    """Return a line for each cluster: what a task costs that computes nothing.

    Parameters
    ----------
    found
        What was measured.
    """
    lines = [
        "| a task that computes nothing | CPU milliseconds | of them the command |",
        "|---|--:|--:|",
    ]
    for cluster, (few, many, more) in found.tasks.items():
        own = 1000 * (many.own - few.own) / more
        lines.append(f"| {cluster} | {found.task_milliseconds(cluster):.1f} | {own:.1f} |")
    return "\n".join(lines)


def memory_table(found: Found) -> str:
    """Return a line for each length of a file: how much memory the command takes on a cluster.

    Parameters
    ----------
    found
        What was measured.
    """
    sides = list(dict.fromkeys(side for side, _ in found.memory))
    lines = [
        f"| the command's private memory at most | {' | '.join(sides)} |",
        f"|---|{'--:|' * len(sides)}",
    ]
    for size in dict.fromkeys(size for _, size in found.memory):
        cells = [
            f"{found.memory[side, size].private / 1e6:,.0f} MB, {_tasks(side, size):,} tasks"
            for side in sides
        ]
        lines.append(f"| {size / 1e9:.2f} GB | {' | '.join(cells)} |")
    return "\n".join(lines)


def _tasks(side: str, size: int) -> int:
    """Return into how many ranges or parts a file is divided."""
    mib = _PART_MIB if "--partitioned" in WATCHED[side][0] else _RANGE_MIB
    return -(-size // (mib * 1024 * 1024))


def _percents(values: Array) -> str:
    return f"**{np.median(values):+.0%}** [{values.min():+.0%}, {values.max():+.0%}]"
