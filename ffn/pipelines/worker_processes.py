"""Run a step for several items in worker processes."""

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
    """Runs single steps in this process, and steps for several items in worker processes.

    Parameters
    ----------
    workers
        Largest number of processes.
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
        """Divide the items among worker processes.

        If a process is killed, this one runs the step for the items that are left.

        Parameters
        ----------
        step
            The step, whose function takes the item as its first argument.
        items
            The items.
        *args, **kwargs
            Further arguments of its function.
        """
        call: Callable[[T], R] = partial(_call, step.function, args, kwargs)
        # The arguments are sent once to each process, not with each item.
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
    """Return ``model`` without the fingerprints of its training rows, which may be large."""
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
        # A process was killed, which breaks the whole pool.
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
