"""What the sides took, and the rates that follow from it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks.scale.families import Counted
from ffn.capacity.rates import Rates, Way
from ffn.storage.documents import canonical_json

__all__ = ["ONE_PROCESS", "SIDES", "WATCHED", "Found", "Pair", "rates_document"]

ONE_PROCESS = "one process"

SIDES: dict[str, tuple[tuple[str, ...], str]] = {
    ONE_PROCESS: ((), ""),
    "two processes": (("--workers", "2"), ""),
    "parts, one process": (("--partitioned",), ""),
    "parts, two processes": (("--partitioned", "--workers", "2"), ""),
    "Dask": ((), "Dask"),
    "Dask, no shared disk": ((), "Dask, no shared disk"),
    "parts on Dask": (("--partitioned",), "Dask"),
    "Ray": ((), "Ray"),
    "parts on Ray": (("--partitioned",), "Ray"),
}
"""Options of the command, and its cluster; the first is what all are compared with."""

WATCHED: dict[str, tuple[tuple[str, ...], str]] = {
    "Dask": SIDES["Dask"],
    "parts on Dask": SIDES["parts on Dask"],
    "parts on Dask, no shared disk": (("--partitioned",), "Dask, no shared disk"),
}
"""Sides whose memory is watched."""

Array = npt.NDArray[np.float64]


class Pair(NamedTuple):
    """What one process took and what a side took, for the same file in the same round."""

    one: Counted
    side: Counted


@dataclass
class Found:
    """What was measured.

    Attributes
    ----------
    rows, bytes
        Of the file ``short`` and of the file ``long``.
    written
        Bytes of the output for the long file.
    runs
        By side and file, one for each round.
    tasks
        By cluster: runs with few and with many empty tasks, and how many more they were.
    memory
        By side and bytes of the file.
    prefect
        Runs an hour that Prefect took, by database.
    """

    rows: dict[str, int] = field(default_factory=dict)
    bytes: dict[str, int] = field(default_factory=dict)
    written: int = 0
    runs: dict[tuple[str, str], list[Pair]] = field(default_factory=dict)
    tasks: dict[str, tuple[Counted, Counted, int]] = field(default_factory=dict)
    memory: dict[tuple[str, int], Counted] = field(default_factory=dict)
    prefect: dict[str, float] = field(default_factory=dict)

    def seconds(self, side: str, length: str, part: str = "cpu") -> Array:
        """Return CPU seconds [rounds]: of all processes, or ``own`` or ``elsewhere`` of them.

        They are what one process takes, in the median of all rounds of all sides, times the ratio
        to what it took in the same round: what was measured while the machine was slow can be
        compared.
        """
        pairs = self.runs[side, length]
        ratios = np.array([getattr(pair.side, part) / pair.one.cpu for pair in pairs])
        return ratios * self._one_process(length)

    def overhead(self, side: str) -> Array:
        """Return by which share the long file took more than one process [rounds]."""
        return np.array([pair.side.cpu / pair.one.cpu - 1 for pair in self.runs[side, "long"]])

    def _one_process(self, length: str) -> float:
        every = [
            pair.one.cpu for (_, its), pairs in self.runs.items() if its == length for pair in pairs
        ]
        return float(np.median(every))

    def a_gigabyte(self, side: str, part: str = "cpu") -> Array:
        """Return CPU seconds for a further gigabyte of input [rounds]: the start is not in it."""
        more = (self.bytes["long"] - self.bytes["short"]) / 1e9
        slope: Array = (self.seconds(side, "long", part) - self.seconds(side, "short", part)) / more
        return slope

    def start(self, side: str) -> Array:
        """Return CPU seconds that do not depend on the length of the file [rounds]."""
        rest: Array = (
            self.seconds(side, "short") - self.a_gigabyte(side) * self.bytes["short"] / 1e9
        )
        return rest

    def task_milliseconds(self, cluster: str) -> float:
        """Return CPU milliseconds of a task that computes nothing."""
        few, many, more = self.tasks[cluster]
        return 1000 * (many.cpu - few.cpu) / more


def rates_document(found: Found, machine: str) -> bytes:
    """Return the rates that `ffn capacity` computes with, as a file.

    Parameters
    ----------
    found
        What was measured.
    machine
        What it was measured on.
    """

    def median(values: Array) -> float:
        # What is next to nothing may be measured to be less.
        return max(0.0, round(float(np.median(values)), 3))

    ways = {
        side: Way(
            start=median(found.start(side)),
            command=median(found.a_gigabyte(side, "own")),
            workers=median(found.a_gigabyte(side, "elsewhere")),
            task_ms=round(found.task_milliseconds(cluster.partition(",")[0]), 2)
            if cluster
            else 0.0,
        )
        for side, (_, cluster) in SIDES.items()
    }
    long = found.bytes["long"]
    rates = Rates(
        machine=machine,
        row_bytes=round(long / found.rows["long"], 2),
        written=round(found.written / long, 3),
        ways=ways,
        runs_an_hour={name: round(value) for name, value in found.prefect.items()},
    )
    return canonical_json(asdict(rates))
