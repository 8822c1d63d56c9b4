"""Executes the steps of a pipeline as Prefect tasks, with trainings in parallel."""

from __future__ import annotations

import inspect
import os
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import BrokenExecutor
from typing import Any, Concatenate, Literal, ParamSpec, TypeVar, cast

from prefect import get_run_logger
from prefect.futures import PrefectFuture
from prefect.runtime import flow_run
from prefect.task_runners import ProcessPoolTaskRunner, TaskRunner, ThreadPoolTaskRunner
from prefect.tasks import Task

from ffn.pipelines.execution import Gathered, Step
from ffn.pipelines.progress import stage
from ffn.registry.actor import Actor, this_process
from flows import tasks
from flows.crashed_tasks import marking_abandoned

__all__ = ["Runner", "TaskExecutor", "task_runner"]

Runner = Literal["thread", "process"]
P = ParamSpec("P")
R = TypeVar("R")


def task_runner(name: Runner, workers: int) -> TaskRunner[Any]:
    """Return a runner with ``workers`` threads of this process, or ``workers`` processes."""
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
        """Run the step's task and wait for it."""
        return cast(R, tasks.task_of(step)(*args, **kwargs))

    def run_each(
        self,
        step: Step[Concatenate[str, P], R],
        names: Collection[str],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Gathered[R]:
        """Submit a task for each name; a failure affects only its own result.

        If a worker process is killed, everything its pool had not finished is lost with it and is
        run again, each task in its own process.
        """
        task = tasks.task_of(step)
        futures = {name: task.submit(name, *args, **kwargs) for name in names}
        with marking_abandoned(futures.values()):
            first, broken = _collect(step, futures)
        again: Gathered[R] = _run_apart(task, broken, *args, **kwargs)
        return Gathered([*first.results, *again.results], first.failures | again.failures)


def _collect(
    step: Step[..., R], futures: Mapping[str, PrefectFuture[R]]
) -> tuple[Gathered[R], list[str]]:
    """Return results and failures, and the names whose worker was lost."""
    results, failures, broken = [], {}, []
    for place, (name, future) in enumerate(futures.items()):
        stage(f"{step.activity}, {place} of {len(futures)} done")
        try:
            results.append(future.result())
        except Exception as error:
            if isinstance(error, BrokenExecutor):
                broken.append(name)
                continue
            # The other optimizers may still give a model.
            failures[name] = str(error)
            get_run_logger().warning("%s is lost: %s", name, error)
    return Gathered(results, failures), broken


def _run_apart(
    task: Task[..., Any], names: Sequence[str], *args: Any, **kwargs: Any
) -> Gathered[R]:
    """Run each task in its own process, so that one that is killed again affects no other."""
    results, failures = [], {}
    for name in names:
        get_run_logger().warning("%s is run again: a worker was killed", name)
        parameters = inspect.signature(task.fn).bind(name, *args, **kwargs).arguments
        with task_runner("process", 1) as runner:
            future = runner.submit(task, parameters=parameters)
            try:
                results.append(future.result())
            except Exception as error:
                failures[name] = f"its process was killed twice ({error})"
                get_run_logger().warning("%s is lost: %s", name, error)
    return Gathered(results, failures)
