"""How many workers score a daily volume in time, and which limit is reached first.

All is arithmetic with measured rates: CPU seconds of a gigabyte of input, of a start and of a task.
A row takes what a row of the measured file takes, so a table of longer rows has fewer rows in a
gigabyte, and takes less time for it. Nothing is divided without end: the command that joins what
comes back is one process, its machine has one network card, and Prefect takes so many runs an hour.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from ffn.capacity.rates import Rates, Way
from ffn.errors import SettingsError

__all__ = [
    "BUSY",
    "CARD",
    "COMMAND",
    "CORES",
    "PREFECT",
    "PROCESS",
    "CapacityPlan",
    "Demand",
    "Limit",
    "plan_capacity",
]

BUSY = 0.7
"""Share of the time that a processor is planned to be at work; the rest is for what was not."""

CARD, COMMAND, CORES, PREFECT, PROCESS = "network card", "command", "cores", "Prefect", "process"
"""Names of limits."""

_GIGABYTE = 1e9
_HOUR = 3600.0
_BITS = 8
# Parts of one file are so long; `plan_parts`.
_PART_BYTES = 64 * 1024 * 1024
_ONE, _HERE, _CLUSTER = "one process", "parts, two processes", "parts on Dask"


@dataclass(frozen=True, kw_only=True)
class Demand:
    """What is to be scored, and with what.

    Attributes
    ----------
    daily
        Bytes of input a day.
    hours
        Within how many hours of the day they are scored.
    row_bytes
        Bytes of a row of input.
    file_bytes
        Bytes of a file; each file is a run of its own.
    cores
        Processors of one machine.
    network
        Bits a second of the network card of a machine.
    database
        Prefect's database: ``SQLite`` or ``PostgreSQL``.
    """

    daily: float
    hours: float
    row_bytes: float
    file_bytes: float = 10e9
    cores: int = 16
    network: float = 10e9
    database: str = "PostgreSQL"

    def __post_init__(self) -> None:
        for name, (option, least, most, bounds) in _BOUNDS.items():
            value = getattr(self, name)
            # NaN is within no bounds.
            if not least <= value <= most:
                shown = value / _GIGABIT if name == "network" else value
                raise SettingsError(f"{option} is {shown:g}; give {bounds}.")


_GIGABIT = 1e9
# By attribute: the option of `ffn capacity`, the bounds, and the same in words. A demand within
# them has a finite plan, which fits into a table.
_BOUNDS: Mapping[str, tuple[str, float, float, str]] = {
    "daily": ("--daily", 1, 1e18, "1 byte to 1000PB"),
    "hours": ("--within", 0.01, 24, "0.01 to 24 hours of a day"),
    "row_bytes": ("--row-bytes", 1, 1e9, "1 to 1,000,000,000 bytes"),
    "file_bytes": ("--file-size", 1, 1e18, "1 byte to 1000PB"),
    "cores": ("--cores", 1, 1_000_000, "1 to 1,000,000 processors"),
    "network": ("--gigabits", 1e-3 * _GIGABIT, 1e6 * _GIGABIT, "0.001 to 1,000,000 Gbit/s"),
}


class Limit(NamedTuple):
    """What cannot be divided further.

    Attributes
    ----------
    name
        `PROCESS`: the one process; `CORES`: all of one machine; `COMMAND`, `CARD` or `PREFECT`.
    used
        Share of it that the demand takes; above 1 it is not enough.
    daily
        Bytes a day with which it is used up.
    """

    name: str
    used: float
    daily: float


class CapacityPlan(NamedTuple):
    """What a demand takes.

    Attributes
    ----------
    way
        Name of the way of scoring: the simplest one that is enough.
    rows
        Rows a day.
    core_hours
        CPU hours a day, of all processes.
    workers
        Processes or workers, with one thread each.
    commands
        Commands that have to run side by side, each with a share of the files.
    runs
        Runs of Prefect's in an hour.
    limits
        What is used up in the end, the first one first.
    """

    way: str
    rows: float
    core_hours: float
    workers: int
    commands: int
    runs: float
    limits: tuple[Limit, ...]

    @property
    def first(self) -> Limit:
        """The limit that is reached first."""
        return self.limits[0]


def plan_capacity(demand: Demand, rates: Rates) -> CapacityPlan:
    """Return the simplest way that is enough for a demand, and what it takes.

    Parameters
    ----------
    demand
        What is to be scored.
    rates
        What was measured.

    Raises
    ------
    SettingsError
        No rate is known of that database.
    """
    if demand.database not in rates.runs_an_hour:
        known = " or ".join(rates.runs_an_hour)
        raise SettingsError(f"there is no rate of {demand.database}. Give {known}.")
    window = demand.hours * _HOUR * BUSY
    alone = _seconds(rates.ways[_ONE], demand, rates)
    if alone.command <= window:
        return _planned(_ONE, demand, rates, alone, {PROCESS: alone.command / window}, 1)
    together = _seconds(rates.ways[_HERE], demand, rates)
    if together.command <= window * demand.cores:
        used = {CORES: together.command / (window * demand.cores)}
        return _planned(_HERE, demand, rates, together, used, _whole(together.command / window))
    spread = _seconds(rates.ways[_CLUSTER], demand, rates)
    # Whoever writes what is labelled: it crosses one card, that of the machine with the disk.
    card = demand.hours * _HOUR * BUSY * demand.network / _BITS
    used = {
        COMMAND: spread.command / window,
        CARD: demand.daily * max(1.0, rates.written) / card,
    }
    return _planned(_CLUSTER, demand, rates, spread, used, _whole(spread.workers / window))


class _Seconds(NamedTuple):
    """CPU seconds a day: of the commands, and of their workers."""

    command: float
    workers: float


def _seconds(way: Way, demand: Demand, rates: Rates) -> _Seconds:
    # What is measured is a gigabyte of the measured rows.
    gigabytes = demand.daily / demand.row_bytes * rates.row_bytes / _GIGABYTE
    starts = math.ceil(demand.daily / demand.file_bytes) * way.start
    tasks = demand.daily / _PART_BYTES * way.task_ms / 1000
    return _Seconds(gigabytes * way.command + starts, gigabytes * way.workers + tasks)


def _planned(
    way: str,
    demand: Demand,
    rates: Rates,
    seconds: _Seconds,
    used: Mapping[str, float],
    workers: int,
) -> CapacityPlan:
    runs = math.ceil(demand.daily / demand.file_bytes) / demand.hours
    every = {**used, PREFECT: runs / rates.runs_an_hour[demand.database]}
    limits = [Limit(name, share, demand.daily / share) for name, share in every.items()]
    # What a cluster does not divide is divided among commands, each with files of its own.
    beside = max(used.values()) if way == _CLUSTER else 1.0
    return CapacityPlan(
        way=way,
        rows=demand.daily / demand.row_bytes,
        core_hours=sum(seconds) / _HOUR,
        workers=workers,
        commands=_whole(beside),
        runs=runs,
        limits=tuple(sorted(limits, key=lambda limit: -limit.used)),
    )


def _whole(share: float) -> int:
    return max(1, math.ceil(share))
