"""Where our own time goes: a training without its last part, without the last two, and so on."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any
from unittest import mock

import numpy as np

from benchmarks.training.contestant import Ours
from benchmarks.training.work import Work
from ffn.nn import OptimizerState
from ffn.nn.engine.batches import Batches
from ffn.nn.engine.evaluation import Evaluation
from ffn.nn.propagation import Propagation

__all__ = ["PARTS", "parts_of"]

PARTS = (
    "evaluation after each epoch",
    "gathering shuffled rows",
    "drawing their order",
    "Adam",
    "backward",
    "forward",
    "the loop itself",
)
"""In the order in which they are left out; the last is what remains."""


def parts_of(work: Work, *, rounds: int, least_seconds: float) -> dict[str, float]:
    """Return the CPU seconds of each part in a training; their sum is the whole.

    A part's time is the difference that leaving it out makes, between the lowest of ``rounds``
    times with it and without it. What is left out learns nothing; it takes as many steps.
    """
    lowest = []
    for number in range(len(PARTS)):
        with contextlib.ExitStack() as replaced:
            for part in PARTS[:number]:
                replaced.enter_context(_without(part))
            # The first fills what later ones find.
            run = Ours(work).run
            times = [_seconds(run, least_seconds) for _ in range(rounds + 1)][1:]
            lowest.append(min(times))
    left = [*lowest[1:], 0.0]
    return {
        part: max(0.0, whole - rest) for part, whole, rest in zip(PARTS, lowest, left, strict=True)
    }


def _seconds(run: Any, least_seconds: float) -> float:
    started, count = time.process_time(), 0
    while not count or time.process_time() - started < least_seconds:
        run()
        count += 1
    return (time.process_time() - started) / count


def _without(part: str) -> Any:
    """Replace what does a part by something that takes no time."""
    if part in ("backward", "forward"):
        return mock.patch.object(Propagation, part, _nothing)
    if part == "Adam":
        return mock.patch.object(OptimizerState, "step", _nothing)
    if part == "drawing their order":
        return mock.patch("ffn.nn.engine.batches.epoch_orders", _in_order)
    if part == "gathering shuffled rows":
        return mock.patch.object(Batches, "_gather", _gather_once(Batches._gather))
    return mock.patch.object(Evaluation, "__call__", _no_figures)


def _nothing(*_: Any) -> None:
    pass


def _in_order(_rows: Any, n_rows: int, generators: Any, epochs: int) -> Iterator[list[np.ndarray]]:
    order = np.broadcast_to(np.arange(n_rows), (len(generators), n_rows))
    return iter([[order]] * epochs)


def _gather_once(gather: Any) -> Any:
    def kept(self: Batches, rows: np.ndarray) -> Any:
        known = self._batches.get(rows.shape[1])
        return gather(self, rows) if known is None else known

    return kept


def _no_figures(self: Evaluation) -> np.ndarray:
    return np.zeros((len(self.watched), 2, *self.network.parameters.shape[:-1]))
