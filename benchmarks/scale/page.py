"""What docs/scale.md says of costs and of capacity, from the rates alone."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.section import with_section
from ffn.capacity.capacity_plan import CapacityPlan, Demand, plan_capacity
from ffn.capacity.capacity_text import capacity_text
from ffn.capacity.rates import Rates, Way

__all__ = ["costs_sentences", "page_text", "with_capacity"]

_DAILY, _HOURS = (10e9, 100e9, 1e12, 10e12), 8.0
# What is more than one machine has processors for.
_QUICKLY, _ONE_HOUR = (1e12, 10e12), 1.0
_ONE = "one process"
_COMPARED = {
    "parts, two processes": "parts in two processes of one machine",
    "parts on Dask": "parts on Dask",
    "parts on Ray": "parts on Ray",
    "Dask": "ranges on Dask",
    "Dask, no shared disk": "ranges on Dask, whose workers do not see the file",
}


def with_capacity(page: str, rates: Rates) -> str:
    """Return docs/scale.md with other figures between its marks.

    Parameters
    ----------
    page
        The page.
    rates
        What was measured.
    """
    return with_section(page, "capacity", page_text(rates))


def page_text(rates: Rates) -> str:
    """Return what stands between the marks of the page.

    Parameters
    ----------
    rates
        What was measured.
    """
    tables = [
        capacity_text(_plans(rates, _DAILY, _HOURS), rates),
        "The same within one hour, as after a weekend or a correction:",
        capacity_text(_plans(rates, _QUICKLY, _ONE_HOUR), rates, assumed=False),
    ]
    return "\n\n".join([costs_sentences(rates), *tables])


def _plans(
    rates: Rates, volumes: Sequence[float], hours: float
) -> list[tuple[Demand, CapacityPlan]]:
    demands = (Demand(daily=daily, hours=hours, row_bytes=rates.row_bytes) for daily in volumes)
    return [(demand, plan_capacity(demand, rates)) for demand in demands]


def costs_sentences(rates: Rates) -> str:
    """Say what a gigabyte takes in each way, and where the command's share of it ends.

    Parameters
    ----------
    rates
        What was measured.
    """
    one = rates.ways[_ONE]
    rows = 1e9 / rates.row_bytes / _total(one)
    lines = [
        f"One process takes {_total(one):.1f} CPU seconds for a gigabyte of rows of "
        f"{rates.row_bytes:.0f} bytes, after a start of {one.start:.1f}: "
        f"{1000 / _total(one):,.0f} MB, or {rows / 1e6:.1f} million rows, a CPU second. Compared "
        "with it:",
        "",
        "| way | a further gigabyte takes | of it the command | start, CPU seconds "
        "| a task by itself |",
        "|---|--:|--:|--:|--:|",
    ]
    for name, what in _COMPARED.items():
        way = rates.ways[name]
        task = f"{way.task_ms:.1f} ms" if way.task_ms else ""
        lines.append(
            f"| {what} | {_total(way) / _total(one) - 1:+.0%} | {way.command / _total(way):.0%} "
            f"| {way.start:.1f} | {task} |"
        )
    spread = rates.ways["parts on Dask"]
    lines += [
        "",
        "With parts on a cluster whose workers see files and output, the command takes "
        f"{spread.command:.2f} CPU seconds for each gigabyte, as it checks and notes what they "
        f"have written. {_busy(spread)}",
    ]
    return "\n".join(lines)


def _busy(way: Way) -> str:
    """Say how many workers a command keeps busy."""
    if not way.command:
        return "That is too little to be measured."
    return (
        f"So one command could keep {way.workers / way.command:,.0f} workers busy, and score "
        f"{1000 / way.command:,.0f} MB a second, if the disk allows it."
    )


def _total(way: Way) -> float:
    return way.command + way.workers
