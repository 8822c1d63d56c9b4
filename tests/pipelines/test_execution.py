"""What runs the steps of a sequence: order, spared errors, processes."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest

from ffn.pipelines.execution import Executor, InProcess, Step
from ffn.pipelines.worker_processes import WorkerProcesses


def inverse(number: int, of: int) -> float:
    return of / number


def outlived(number: int, parent: int) -> int:
    """Return the number, but kill the process if it is a worker with an odd one."""
    if number % 2 and os.getpid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def process(_number: int) -> int:
    return os.getpid()


def step(function: Any, *spares: type[Exception]) -> Step[..., Any]:
    return Step("try", function, lambda *_: "", spares=spares)


EXECUTORS = pytest.mark.parametrize(
    "executor", [InProcess(), WorkerProcesses(2)], ids=["in process", "worker processes"]
)


@EXECUTORS
def test_a_spared_error_costs_its_own_item_alone(executor: Executor) -> None:
    found = executor.run_each(step(inverse, ZeroDivisionError), [4, 0, 2, 0, 1], 8)
    assert found.results == [2, 4, 8]
    assert [item for item, _ in found.failures] == [0, 0]
    assert {type(error) for _, error in found.failures} == {ZeroDivisionError}


@EXECUTORS
def test_any_other_error_ends_the_sequence(executor: Executor) -> None:
    with pytest.raises(ZeroDivisionError, match="division by zero"):
        executor.run_each(step(inverse, OSError), [4, 0, 2], 8)


@EXECUTORS
def test_a_single_step_runs_here(executor: Executor) -> None:
    assert executor.run(step(process), 0) == os.getpid()


def test_what_a_killed_process_leaves_is_done_here() -> None:
    found = WorkerProcesses(2).run_each(step(outlived), range(6), os.getpid())
    assert (found.results, found.failures) == ([0, 1, 2, 3, 4, 5], [])
