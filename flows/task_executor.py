"""Run the steps of a pipeline as Prefect tasks, trainings in parallel."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import BrokenExecutor
from functools import partial
from typing import Any, Concatenate, Literal, ParamSpec, TypeVar, cast

from prefect import get_run_logger
from prefect.client.schemas.objects import State
from prefect.futures import PrefectFuture
from prefect.runtime import flow_run
from prefect.task_runners import ProcessPoolTaskRunner, TaskRunner, ThreadPoolTaskRunner
from prefect.tasks import Task

from ffn.pipelines.execution import Gathered, Step, gather
from ffn.pipelines.progress import stage
from ffn.registry.actor import Actor, this_process
from flows import tasks
from flows.crashed_tasks import marking_abandoned
from flows.failed_states import PartlyRefusedError

__all__ = ["Runner", "TaskExecutor", "task_runner"]

Runner = Literal["thread", "process"]
P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


def task_runner(name: Runner, workers: int) -> TaskRunner[Any]:
    """Return a runner with threads of this process, or with worker processes.

    Parameters
    ----------
    name
        ``thread`` or ``process``.
    workers
        Number of threads or processes.
    """
    if name == "thread":
        return ThreadPoolTaskRunner(max_workers=workers)
    # Terminated workers leave semaphores; the tracker removes them and need not warn.
    os.environ.setdefault("PYTHONWARNINGS", "ignore:resource_tracker:UserWarning")
    return ProcessPoolTaskRunner(max_workers=workers)


class TaskExecutor:
    """Runs each step as a task of the current flow run."""

    @property
    def actor(self) -> Actor:
        """The user and the command of this process, and the id of the flow run."""
        return this_process(str(flow_run.get_id() or ""))

    def run(self, step: Step[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run the task of ``step`` with ``args`` and ``kwargs``, and wait for its result."""
        done = tasks.task_of(step)(*args, **kwargs)
        # Prefect returns the state that a task returned, instead of raising what it holds.
        return cast(R, done.result() if isinstance(done, State) else done)

    def run_each(
        self,
        step: Step[Concatenate[T, P], R],
        items: Collection[T],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Gathered[T, R]:
        """Submit a task for each item.

        If a worker process is killed, all unfinished tasks of its pool are lost and are run again,
        each in its own process.

        Parameters
        ----------
        step
            The step, whose function takes the item as its first argument.
        items
            The items.
        *args, **kwargs
            Further arguments of its function.
        """
        task = tasks.task_of(step)
        futures = [(item, task.submit(item, *args, **kwargs)) for item in items]
        with marking_abandoned([future for _, future in futures]):
            first = gather(step, _results(step, futures))
        broken = [item for item, error in first.failures if isinstance(error, BrokenExecutor)]
        again: Gathered[T, R] = _run_apart(task, broken, *args, **kwargs)
        failures = [one for one in first.failures if not isinstance(one[1], BrokenExecutor)]
        return Gathered([*first.results, *again.results], [*failures, *again.failures])

    def warn(self, text: str) -> None:
        """Log ``text`` as a warning of the flow run."""
        get_run_logger().warning(text)


def _results(
    step: Step[..., R], futures: Sequence[tuple[T, PrefectFuture[R]]]
) -> Iterator[tuple[T, Callable[[], R]]]:
    """Yield each item with a function that returns its result, and report the finished ones."""
    for place, (item, future) in enumerate(futures):
        if step.activity:
            stage(f"{step.activity}, {place} of {len(futures)} done")
        yield item, partial(_result, future)


def _result(future: PrefectFuture[R]) -> R:
    """Return the result of a task, also if it refused some of its files."""
    try:
        return future.result()
    except PartlyRefusedError as refusal:
        return cast(R, refusal.result)


def _run_apart(
    task: Task[..., Any], items: Sequence[T], *args: Any, **kwargs: Any
) -> Gathered[T, R]:
    """Run each item in a process of its own, so that a killed one does not affect the others."""
    results: list[R] = []
    failures: list[tuple[T, Exception]] = []
    for item in items:
        get_run_logger().warning("%s is run again: a worker was killed", item)
        parameters = inspect.signature(task.fn).bind(item, *args, **kwargs).arguments
        with task_runner("process", 1) as runner:
            future = runner.submit(task, parameters=parameters)
            try:
                results.append(future.result())
            except Exception as error:
                twice = ChildProcessError(f"its process was killed twice ({error})")
                failures.append((item, twice))
    return Gathered(results, failures)
