"""Executes a step for several items in processes of their own."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from typing import Any, Concatenate, ParamSpec, TypeVar

from ffn.pipelines.execution import Gathered, InProcess, Step, gather
from ffn.scoring.model import Model
from ffn.scoring.parallel.processes import alone, way_to_start, without_fingerprints

__all__ = ["WorkerProcesses", "model_to_send"]

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


class WorkerProcesses(InProcess):
    """Runs single steps in this process, and those for several items in worker processes.

    Parameters
    ----------
    workers
        How many processes at most.
    """

    def __init__(self, workers: int) -> None:
        self._workers = workers

    def run_each(
        self,
        step: Step[Concatenate[T, P], R],
        items: Collection[T],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Gathered[T, R]:
        """Share the items out; what a killed process leaves is done here."""
        call: Callable[[T], R] = partial(_call, step.function, args, kwargs)
        # Sent once to each process, and not with each item.
        pool = ProcessPoolExecutor(
            min(self._workers, len(items)), way_to_start(), _begin, (step.function, args, kwargs)
        )
        with pool:
            try:
                futures = [(item, pool.submit(_work, item)) for item in items]
                return gather(step, _results(futures, call))
            finally:
                pool.shutdown(cancel_futures=True)


def model_to_send(model: Model) -> Model:
    """Return the model as a process needs it: what it was trained on may be large."""
    return Model(without_fingerprints(model.scorer))


def _results(
    futures: list[tuple[T, Future[R]]], call: Callable[[T], R]
) -> Iterator[tuple[T, Callable[[], R]]]:
    for item, future in futures:
        yield item, partial(_result, future, item, call)


def _result(future: Future[R], item: T, call: Callable[[T], R]) -> R:
    try:
        return future.result()
    except BrokenProcessPool:
        # One was killed, and the others with it.
        return call(item)


def _call(function: Callable[..., R], args: tuple[Any, ...], kwargs: dict[str, Any], item: T) -> R:
    return function(item, *args, **kwargs)


_begun: list[Callable[[Any], Any]] = []


def _begin(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    alone()
    _begun.append(partial(_call, function, args, kwargs))


def _work(item: Any) -> Any:
    (call,) = _begun
    return call(item)
