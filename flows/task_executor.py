"""Run the steps of a pipeline as Prefect tasks, trainings in parallel."""

from __future__ import annotations

import contextlib
import inspect
import os
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import BrokenExecutor
from functools import partial
from pathlib import Path
from typing import Any, Concatenate, Literal, NamedTuple, ParamSpec, TypeVar, cast

from prefect import get_run_logger
from prefect.client.schemas.objects import State
from prefect.futures import PrefectFuture
from prefect.runtime import flow_run
from prefect.task_runners import ProcessPoolTaskRunner, TaskRunner, ThreadPoolTaskRunner
from prefect.tasks import Task

from ffn.pipelines.execution import Gathered, Step, gather
from ffn.pipelines.progress import stage
from ffn.registry.actor import Actor, this_process
from ffn.settings.service_settings import RunnerSettings
from ffn.training.candidate_training import Elsewhere
from flows import tasks
from flows.crashed_tasks import marking_abandoned
from flows.failed_states import PartlyRefusedError

__all__ = ["TaskExecutor", "task_runner"]

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


class _Place(NamedTuple):
    """Where tasks run: whose pool they are given to, None for the flow's, and who computes."""

    runner: TaskRunner[Any] | None = None
    elsewhere: Elsewhere | None = None


def task_runner(name: Literal["thread", "process"], workers: int) -> TaskRunner[Any]:
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
    """Runs each step as a task of the current flow run.

    Parameters
    ----------
    settings
        Where tasks for several items run; by default in the threads of the flow's own runner.
    folder
        Folder to which paths in the settings are relative; the current one by default.
    """

    def __init__(self, settings: RunnerSettings | None = None, folder: Path = Path()) -> None:
        self._settings = settings or RunnerSettings()
        self._folder = folder

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

        On a cluster, the tasks are threads here, each of which waits for a worker there; if a
        worker is lost, another one takes its place. If a worker process here is killed, all
        unfinished tasks of its pool are lost and are run again, each in its own process.

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
        with self._place(len(items)) as place:
            futures = [(item, _submit(task, place, item, *args, **kwargs)) for item in items]
            if step.told is not None and self._settings.kind == "process":
                for _, future in futures:
                    future.add_done_callback(partial(_tell, step.told))
            with marking_abandoned([future for _, future in futures], place.runner):
                first = gather(step, _results(step, futures))
        broken = [item for item, error in first.failures if isinstance(error, BrokenExecutor)]
        again: Gathered[T, R] = _run_apart(task, broken, *args, **kwargs)
        failures = [one for one in first.failures if not isinstance(one[1], BrokenExecutor)]
        return Gathered([*first.results, *again.results], [*failures, *again.failures])

    def log(self, text: str) -> None:
        """Log ``text`` in the flow run."""
        get_run_logger().info(text)

    def warn(self, text: str) -> None:
        """Log ``text`` as a warning of the flow run."""
        get_run_logger().warning(text)

    @contextlib.contextmanager
    def _place(self, items: int) -> Iterator[_Place]:
        """Yield where the tasks for some items run; a cluster is there as long as the block."""
        kind, workers = self._settings.kind, self._settings.workers
        if kind == "thread" and workers is None:
            yield _Place()
        elif kind == "thread" or kind == "process":
            with task_runner(kind, workers or os.cpu_count() or 1) as runner:
                yield _Place(runner)
        else:
            from ffn.clusters.remote_training import RemoteTraining
            from ffn.clusters.workers import open_workers

            # The cluster goes first, which ends whatever still waits for it.
            with (
                task_runner("thread", items) as runner,
                open_workers(self._settings, self._folder) as there,
            ):
                training = RemoteTraining(there, self._settings.payload_mb)
                yield _Place(runner, training.train_until)


def _submit(
    task: Task[..., Any], place: _Place, /, *args: Any, **kwargs: Any
) -> PrefectFuture[Any]:
    """Submit a task to the pool of ``place``, with who computes it, if that is not this machine."""
    if place.elsewhere is not None:
        kwargs["elsewhere"] = place.elsewhere
    if place.runner is None:
        return cast(PrefectFuture[Any], task.submit(*args, **kwargs))
    parameters = inspect.signature(task.fn).bind(*args, **kwargs).arguments
    return cast(PrefectFuture[Any], place.runner.submit(task, parameters=parameters))


def _tell(told: Callable[[R], None], future: PrefectFuture[R]) -> None:
    """Tell the result of a task of another process, if it has one."""
    # Who waits for it hears of an error.
    with contextlib.suppress(Exception):
        told(future.result())


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
