"""What is under way at the same time stays below its limits, however many tasks there are."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import NoReturn

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ffn.cluster_scoring.bounded_tasks import BoundedTasks

Check = Callable[[], None]


def nothing() -> None:
    """Do not end a wait."""


class UnderWay:
    """Counts tasks from their beginning until their result has been used."""

    def __init__(self) -> None:
        self.now: set[int] = set()
        self.most_tasks = self.most_bytes = 0
        self._lock = threading.Lock()

    def begin(self, task: int, sizes: list[int]) -> None:
        with self._lock:
            self.now.add(task)
            self.most_tasks = max(self.most_tasks, len(self.now))
            self.most_bytes = max(self.most_bytes, sum(sizes[one] for one in self.now))

    def end(self, task: int) -> None:
        with self._lock:
            self.now.discard(task)


@settings(max_examples=30)
@given(
    sizes=st.lists(st.integers(1, 50), max_size=30),
    most_bytes=st.integers(50, 120),
    most_tasks=st.integers(1, 6),
)
def test_results_come_in_order_within_the_limits(
    sizes: list[int], most_bytes: int, most_tasks: int
) -> None:
    under_way, tasks = UnderWay(), BoundedTasks(most_bytes, lambda: most_tasks, nothing)
    begun = iter(range(len(sizes)))

    def compute(task: int, _: Check) -> int:
        under_way.begin(task, sizes)
        return task * task

    found = []
    for task, result in tasks.in_order(begun, lambda task: sizes[task], compute):
        found.append((task, result))
        under_way.end(task)
    assert found == [(task, task * task) for task in range(len(sizes))]
    assert under_way.most_tasks <= most_tasks
    assert under_way.most_bytes <= most_bytes


def test_a_task_that_is_larger_than_the_limit_is_alone() -> None:
    sizes = [10, 500, 10, 10]
    under_way, tasks = UnderWay(), BoundedTasks(30, lambda: 4, nothing)

    def compute(task: int, _: Check) -> int:
        under_way.begin(task, sizes)
        return task

    for task, _ in tasks.in_order(range(4), lambda task: sizes[task], compute):
        under_way.end(task)
    assert under_way.most_bytes == 500


def test_tasks_are_taken_as_they_are_begun() -> None:
    taken = []

    def count() -> object:
        for task in range(100_000):
            taken.append(task)
            yield task

    tasks = BoundedTasks(10, lambda: 3, nothing)
    results = tasks.in_order(count(), lambda _: 1, lambda task, _: task)
    next(results)
    results.close()
    # Those under way, and the next one.
    assert len(taken) == 4


def test_several_runs_share_the_limit_and_each_of_them_ends() -> None:
    under_way, tasks = UnderWay(), BoundedTasks(100, lambda: 2, nothing)
    sizes = [1] * 150
    found: list[list[int]] = [[], [], []]

    def compute(task: int, _: Check) -> int:
        under_way.begin(task, sizes)
        return task

    def run(number: int) -> None:
        own = range(50 * number, 50 * number + 50)
        for task, _ in tasks.in_order(own, lambda _: 1, compute):
            found[number].append(task)
            under_way.end(task)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [list(range(first, first + 50)) for first in (0, 50, 100)]
    assert under_way.most_tasks <= 2


def test_an_error_ends_what_is_under_way() -> None:
    ended, all_begun = [], threading.Barrier(3)

    def compute(task: int, check: Check) -> int:
        all_begun.wait()
        if task == 0:
            raise ValueError("the first")
        try:
            while True:
                check()
        except Exception as error:
            ended.append(type(error).__name__)
            raise

    tasks = BoundedTasks(10, lambda: 3, nothing)
    with pytest.raises(ValueError, match="the first"):
        list(tasks.in_order(range(9), lambda _: 1, compute))
    assert len(ended) == 2
    # The room is free again.
    assert [task for task, _ in tasks.in_order(range(3), lambda _: 10, lambda *_: 0)] == [0, 1, 2]


class StoppedError(Exception):
    pass


def test_an_interruption_ends_all_waits() -> None:
    stop = threading.Event()

    def check() -> None:
        if stop.is_set():
            raise StoppedError("stopped")

    def compute(_: int, check: Check) -> NoReturn:
        stop.set()
        while True:
            check()

    tasks = BoundedTasks(10, lambda: 3, check)
    with pytest.raises(StoppedError, match="stopped"):
        list(tasks.in_order(range(3), lambda _: 1, compute))
