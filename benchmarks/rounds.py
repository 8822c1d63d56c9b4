"""CPU time of several sides of the same work, run in turns so that all meet the same machine."""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

__all__ = ["Measured", "ThreadsError", "measure"]

Array = npt.NDArray[Any]
_T = TypeVar("_T")

# CPU beyond wall time that is no second thread at work: clocks differ, JAX hands over between two.
_SLACK, _SLACK_SECONDS = 1.05, 0.05


class ThreadsError(RuntimeError):
    """A side used more than one processor, so its CPU time is not what a user waits for."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """CPU seconds of one run of each side [rounds], by its name; ``ours`` is one of them."""

    work: str
    seconds: dict[str, Array]

    def ratios(self, side: str) -> Array:
        """Return a side's time divided by ours [rounds]: above 1 where ours is faster."""
        quotient: Array = self.seconds[side] / self.seconds["ours"]
        return quotient

    def median(self, side: str) -> float:
        """Return a side's median seconds."""
        return float(np.median(self.seconds[side]))


def measure(
    work: str,
    sides: Mapping[str, Callable[[], _T]],
    *,
    check: Callable[[str, _T], None],
    rounds: int,
    least_seconds: float,
    may_use_threads: Sequence[str] = (),
) -> Measured:
    """Run all sides ``rounds`` times, after one run of each that does not count.

    What that first run of a side returns is handed to ``check``, with the side's name. A side
    that takes less than ``least_seconds`` is run several times in a row and the time divided. Who
    begins a round changes from round to round. The time is the process's own, user and system, of
    all its threads: what others do on the machine shows only through shared caches and clock
    rates, which is why the sides are interleaved.

    Raises
    ------
    ThreadsError
        A side not among ``may_use_threads`` had more CPU time than wall time.
    """
    repeats = {}
    for name, run in sides.items():
        check(name, run())
        seconds, _ = _timed(run, 1)
        repeats[name] = max(1, math.ceil(least_seconds / seconds))
    found: dict[str, list[float]] = {name: [] for name in sides}
    wall = dict.fromkeys(found, 0.0)
    names = list(sides)
    for number in range(rounds):
        first = number % len(sides)
        for name in (*names[first:], *names[:first]):
            seconds, elapsed = _timed(sides[name], repeats[name])
            found[name].append(seconds / repeats[name])
            wall[name] += elapsed / repeats[name]
    for name in found.keys() - set(may_use_threads):
        used = sum(found[name])
        if used > _SLACK * wall[name] + _SLACK_SECONDS / repeats[name]:
            raise ThreadsError(f"{work}: {name} used {used / wall[name]:.2f} processors, not one")
    return Measured(work=work, seconds={name: np.array(times) for name, times in found.items()})


def _timed(run: Callable[[], object], repeats: int) -> tuple[float, float]:
    """Return CPU and wall seconds."""
    gc.collect()
    wall, started = time.perf_counter(), time.process_time()
    for _ in range(repeats):
        run()
    return time.process_time() - started, time.perf_counter() - wall
