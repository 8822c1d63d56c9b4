"""The figures as Markdown."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from benchmarks.scale.measured import ONE_PROCESS, SIDES, WATCHED, Found
from ffn.quantities import counted, signed, told_apart

__all__ = ["PARTS_OVERHEAD", "memory_table", "parts_verdict", "sides_table", "tasks_table"]

PARTS_OVERHEAD = 0.10
"""Share of one process's CPU time that scoring in parts may take more."""

_PARTS = ("parts, one process", "parts, two processes", "parts on Dask", "parts on Ray")
_PART_BYTES = 64 * 1024 * 1024

Array = npt.NDArray[np.float64]


def sides_table(found: Found) -> str:
    """Return a line for each side.

    Parameters
    ----------
    found
        What was measured.
    """
    rounds = len(found.runs[ONE_PROCESS, "long"])
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
        more = "" if side == ONE_PROCESS else _percents(found.overhead(side))
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
        "the same file. Where only a longer file has it, the length follows from the medians of "
        "starts and of further gigabytes.",
        "",
        "| parts | this file | a further GB | reached |",
        "|---|---|---|---|",
    ]
    one_start, one_gigabyte = (
        float(np.median(of(ONE_PROCESS))) for of in (found.start, found.a_gigabyte)
    )
    for side in _PARTS:
        overhead = found.overhead(side)
        further = found.a_gigabyte(side) / found.a_gigabyte(ONE_PROCESS) - 1
        start = float(np.median(found.start(side))) - one_start
        gigabyte = float(np.median(found.a_gigabyte(side))) - one_gigabyte
        # Seconds of each gigabyte that the start may take.
        left = PARTS_OVERHEAD * one_gigabyte - gigabyte
        if np.median(overhead) <= PARTS_OVERHEAD:
            reached = "yes"
        elif left > 0:
            gigabytes = (start - PARTS_OVERHEAD * one_start) / left
            reached = f"from {gigabytes:,.1f} GB on"
        else:
            reached = "**no**"
        lines.append(
            f"| {side} | {_percents(overhead, PARTS_OVERHEAD)} | {_percents(further)} | {reached} |"
        )
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
            f"{found.memory[side, size].private / 1e6:,.0f} MB{_parts(side, size)}"
            for side in sides
        ]
        lines.append(f"| {size / 1e9:.2f} GB | {' | '.join(cells)} |")
    return "\n".join(lines)


def _parts(side: str, size: int) -> str:
    """Return into how many parts a file is divided; nothing for ranges, whose length varies."""
    if "--partitioned" not in WATCHED[side][0]:
        return ""
    return f", {-(-size // _PART_BYTES):,} parts"


def _percents(values: Array, limit: float = math.inf) -> str:
    """Return median and range of shares, the median with the decimals that set it off a limit."""
    middle, low, high = (100 * float(of(values)) for of in (np.median, np.min, np.max))
    _, _, decimals = told_apart(middle, 100 * limit, 0).partition(".")
    return f"**{signed(middle, len(decimals))}%** [{signed(low, 0)}%, {signed(high, 0)}%]"
