"""How the learning rate moves: a factor for every optimizer step, counted from 0."""

from __future__ import annotations

import math
from collections.abc import Callable

__all__ = ["Schedule", "constant", "cosine"]

Schedule = Callable[[int], float]


def constant(warmup_steps: int = 0) -> Schedule:
    """Return the factor 1, reached over ``warmup_steps`` in equal steps from above 0."""

    def factor(step: int) -> float:
        return min(1.0, (step + 1) / (warmup_steps + 1))

    return factor


def cosine(total_steps: int, warmup_steps: int = 0, final: float = 0.0) -> Schedule:
    """Return half a cosine from 1 down to ``final``, after a linear warm-up.

    Loshchilov and Hutter 2017, "SGDR", equation 5, one period without restarts. The last of
    ``total_steps`` still has a factor above ``final``.
    """
    warmup = constant(warmup_steps)

    def factor(step: int) -> float:
        if step < warmup_steps:
            return warmup(step)
        share = min(1.0, (step - warmup_steps) / max(1, total_steps - warmup_steps))
        return final + (1.0 - final) * 0.5 * (1.0 + math.cos(math.pi * share))

    return factor
