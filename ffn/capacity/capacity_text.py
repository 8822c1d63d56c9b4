"""A plan in words: a line for each volume, and what to change where it bends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ffn.capacity.capacity_plan import (
    BUSY,
    CARD,
    COMMAND,
    CORES,
    PREFECT,
    PROCESS,
    CapacityPlan,
    Demand,
    Limit,
)
from ffn.capacity.rates import Rates
from ffn.quantities import counted, percent, size

__all__ = ["capacity_document", "capacity_text"]

_HEADINGS = (
    "a day",
    "rows",
    "core-hours",
    "way of scoring",
    "workers",
    "commands",
    "used up first",
    "with",
)
_THEN: Mapping[str, str] = {
    PROCESS: "Use more processors of the machine: `--partitioned --workers N`.",
    CORES: "Score in parts on a cluster, whose workers see the files: `--partitioned "
    "--dask-address ADDRESS`; or take longer.",
    COMMAND: "Run several commands side by side, each with a folder of its own to read and to "
    "write. One file that is too long for one command has to be cut before.",
    CARD: "Divide the files among several disks, each on a machine with a card of its own; or "
    "take longer.",
    PREFECT: "Make fewer runs: larger files, or a folder for one command; or score with "
    "`--direct`, which asks no server.",
}


def capacity_text(
    plans: Sequence[tuple[Demand, CapacityPlan]], rates: Rates, *, assumed: bool = True
) -> str:
    """Return a table of plans as Markdown, with what it assumes and what to change.

    Parameters
    ----------
    plans
        Demands that differ in the daily volume only, with their plans.
    rates
        The rates with which the plans were made.
    assumed
        Whether to say what was assumed, and on what it was measured; by default it is said.
    """
    rows = [_HEADINGS, *(_cells(demand, plan) for demand, plan in plans)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    lines = [_line(cells, widths) for cells in rows]
    lines.insert(1, f"|{'|'.join('-' * (width + 2) for width in widths)}|")
    text = ["\n".join(lines)]
    names = dict.fromkeys(plan.first.name for _, plan in plans)
    text.append("\n".join(f"- {name}, when it is used up: {_THEN[name]}" for name in names))
    if assumed and plans:
        text.insert(0, _assumed(plans[0][0], rates))
    return "\n\n".join(text)


def _assumed(demand: Demand, rates: Rates) -> str:
    hours = f"{demand.hours:g} {'hour' if demand.hours == 1 else 'hours'}"
    return (
        f"Within {hours} of a day, rows of {demand.row_bytes:g} bytes in files of "
        f"{_size(demand.file_bytes)}, machines of {counted(demand.cores, 'core')} with a card of "
        f"{demand.network / 1e9:g} Gbit/s, Prefect on {demand.database}, processors at work "
        f"{percent(BUSY)} of the time. Rates measured on: {rates.machine}."
    )


def _cells(demand: Demand, plan: CapacityPlan) -> tuple[str, ...]:
    limit = plan.first
    return (
        _size(demand.daily),
        f"{plan.rows:,.0f}",
        f"{plan.core_hours:,.2f}" if plan.core_hours < 10 else f"{plan.core_hours:,.0f}",
        plan.way.replace("parts, two processes", "parts, processes"),
        f"{plan.workers:,}",
        f"{plan.commands:,}",
        f"{limit.name}, {_share(limit)} used",
        f"{_size(limit.daily)} a day",
    )


def _share(limit: Limit) -> str:
    return percent(limit.used) if limit.used < 1 else f"{100 * limit.used:,.0f} %"


def _size(amount: float) -> str:
    return size(round(amount))


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    return f"| {' | '.join(padded)} |"


def capacity_document(plans: Sequence[tuple[Demand, CapacityPlan]], rates: Rates) -> dict[str, Any]:
    """Return plans for another program.

    Parameters
    ----------
    plans, rates
        As for `capacity_text`.
    """
    told = []
    for demand, plan in plans:
        limits = [{**limit._asdict(), "then": _THEN[limit.name]} for limit in plan.limits]
        told.append({**plan._asdict(), "daily": demand.daily, "limits": limits})
    (first, _) = plans[0]
    assumed = {name: value for name, value in asdict(first).items() if name != "daily"}
    return {"assumed": {**assumed, "busy": BUSY}, "plans": told, "rates": asdict(rates)}
