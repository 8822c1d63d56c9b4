"""What is under way at the same time stays below its limits, however many tasks there are."""

from __future__ import annotations

import threading
from typing import NoReturn

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ffn.cluster_scoring.bounded_tasks import BoundedTasks, UnderWay


def nothing() -> None:
    """Do not end a wait."""


class Counted:
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
    counted, tasks = Counted(), BoundedTasks(most_bytes, lambda: most_tasks, nothing)
    begun = iter(range(len(sizes)))

    def compute(task: int, under_way: UnderWay) -> int:
        under_way.cross(sizes[task])
        counted.begin(task, sizes)
        return task * task

    found = []
    for task, result in tasks.in_order(begun, compute):
        found.append((task, result))
        counted.end(task)
    assert found == [(task, task * task) for task in range(len(sizes))]
    assert counted.most_tasks <= most_tasks
    assert counted.most_bytes <= most_bytes


def test_a_task_that_is_larger_than_the_limit_is_alone() -> None:
    sizes = [10, 500, 10, 10]
    counted, tasks = Counted(), BoundedTasks(30, lambda: 4, nothing)

    def compute(task: int, under_way: UnderWay) -> int:
        under_way.cross(sizes[task])
        counted.begin(task, sizes)
        return task

    for task, _ in tasks.in_order(range(4), compute):
        counted.end(task)
    assert counted.most_bytes == 500


def test_what_does_not_cross_has_no_limit_but_the_number() -> None:
    all_begun = threading.Barrier(5)
    tasks = BoundedTasks(1, lambda: 5, nothing)

    def compute(task: int, _: UnderWay) -> int:
        # Broken unless five of them are under way at once.
        all_begun.wait(60)
        return task

    assert [task for task, _ in tasks.in_order(range(10), compute)] == list(range(10))


def test_room_is_given_in_order_though_later_tasks_ask_first() -> None:
    asked = [threading.Event() for _ in range(4)]
    found, crossed = [], []
    tasks = BoundedTasks(10, lambda: 4, nothing)

    def compute(task: int, under_way: UnderWay) -> int:
        # The last one asks first; in that order, it would hold the room that the first one needs.
        if task < 3:
            assert asked[task + 1].wait(60)
        asked[task].set()
        under_way.cross(10)
        under_way.cross(10)
        crossed.append(task)
        return task

    for task, _ in tasks.in_order(range(4), compute):
        found.append(task)
    assert found == crossed == [0, 1, 2, 3]


def test_a_task_that_needs_no_room_lets_the_next_one_have_it() -> None:
    tasks = BoundedTasks(10, lambda: 4, nothing)
    crossed = threading.Event()

    def compute(task: int, under_way: UnderWay) -> int:
        if task == 2:
            under_way.cross(10)
            crossed.set()
        return task

    results = tasks.in_order(range(3), compute)
    assert next(results) == (0, 0)
    # The results of the first two have not been used yet.
    assert crossed.wait(60)
    assert list(results) == [(1, 1), (2, 2)]


def test_open_files_have_a_limit() -> None:
    counted, tasks = Counted(), BoundedTasks(10, lambda: 100, nothing)
    files = [100, 300, 200, 600, 1, 511, 512] * 3

    def compute(task: int, _: UnderWay) -> int:
        counted.begin(task, files)
        return task

    for task, _ in tasks.in_order(range(len(files)), compute, files=files.__getitem__):
        counted.end(task)
    # The one with 600 is alone.
    assert counted.most_bytes == 600


def test_tasks_are_taken_as_they_are_begun() -> None:
    taken = []

    def count() -> object:
        for task in range(100_000):
            taken.append(task)
            yield task

    tasks = BoundedTasks(10, lambda: 3, nothing)
    results = tasks.in_order(count(), lambda task, _: task)
    next(results)
    results.close()
    # Those under way, and the next one.
    assert len(taken) == 4


def test_several_runs_share_the_limit_and_each_of_them_ends() -> None:
    counted, tasks = Counted(), BoundedTasks(100, lambda: 2, nothing)
    sizes = [1] * 150
    found: list[list[int]] = [[], [], []]

    def compute(task: int, _: UnderWay) -> int:
        counted.begin(task, sizes)
        return task

    def run(number: int) -> None:
        own = range(50 * number, 50 * number + 50)
        for task, _ in tasks.in_order(own, compute):
            found[number].append(task)
            counted.end(task)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [list(range(first, first + 50)) for first in (0, 50, 100)]
    assert counted.most_tasks <= 2


def test_an_error_ends_what_is_under_way() -> None:
    ended, all_begun = [], threading.Barrier(3)

    def compute(task: int, under_way: UnderWay) -> int:
        if task == 0:
            under_way.cross(10)
        all_begun.wait()
        if task == 0:
            raise ValueError("the first")
        try:
            while True:
                under_way.check()
        except Exception as error:
            ended.append(type(error).__name__)
            raise

    tasks = BoundedTasks(10, lambda: 3, nothing)
    with pytest.raises(ValueError, match="the first"):
        list(tasks.in_order(range(9), compute))
    assert len(ended) == 2
    # The room is free again.
    crossing = tasks.in_order(range(3), lambda _, under_way: under_way.cross(10))
    assert [task for task, _ in crossing] == [0, 1, 2]


class StoppedError(Exception):
    pass


def test_an_interruption_ends_all_waits() -> None:
    stop = threading.Event()

    def check() -> None:
        if stop.is_set():
            raise StoppedError("stopped")

    def compute(_: int, under_way: UnderWay) -> NoReturn:
        stop.set()
        while True:
            under_way.check()

    tasks = BoundedTasks(10, lambda: 3, check)
    with pytest.raises(StoppedError, match="stopped"):
        list(tasks.in_order(range(3), compute))
