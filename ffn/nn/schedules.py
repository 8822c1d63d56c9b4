"""Learning-rate schedules: functions from the number of a step, from 0, to a factor."""

from __future__ import annotations

import math
from collections.abc import Callable

__all__ = ["Schedule", "constant", "cosine"]

Schedule = Callable[[int], float]


def constant(warmup_steps: int = 0) -> Schedule:
    """Return the schedule whose factor is 1, after a linear warm-up.

    Parameters
    ----------
    warmup_steps
        Steps with smaller factors, 1/(n + 1), 2/(n + 1) and so on. Default 0: no warm-up.
    """

    def factor(step: int) -> float:
        return min(1.0, (step + 1) / (warmup_steps + 1))

    return factor


def cosine(total_steps: int, warmup_steps: int = 0, final: float = 0.0) -> Schedule:
    """Return the schedule that falls from 1 along half a cosine, after a linear warm-up.

    Loshchilov and Hutter 2017, "SGDR", equation 5, one period without restarts.

    Parameters
    ----------
    total_steps
        Steps until ``final`` is reached, warm-up included. The last of them is still above it.
    warmup_steps
        As for ``constant``. Default 0: no warm-up.
    final
        Factor at the end and after it, from 0 to 1. Default 0, as in the paper.
    """
    warmup = constant(warmup_steps)

    def factor(step: int) -> float:
        if step < warmup_steps:
            return warmup(step)
        share = min(1.0, (step - warmup_steps) / max(1, total_steps - warmup_steps))
        return final + (1.0 - final) * 0.5 * (1.0 + math.cos(math.pi * share))

    return factor
