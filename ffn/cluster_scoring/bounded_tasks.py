"""Tasks that are under way at the same time: as many as a limit allows, their results in order."""

from __future__ import annotations

import itertools
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from ffn.errors import FFNError

__all__ = ["BoundedTasks", "UnderWay"]

R = TypeVar("R")
T = TypeVar("T")

_MOMENT = 0.1
_MOST_THREADS = 1024
# Half of what a process may usually have open.
_MOST_FILES = 512


class _WithdrawnError(FFNError):
    """Nobody waits for a task any more."""


class UnderWay:
    """A task that is under way, for what computes it; `BoundedTasks` makes it.

    Parameters
    ----------
    tasks
        The limits.
    run
        All tasks of the run that are under way, in order.
    check
        Raises an error once nobody needs the result.
    files
        How many files the task keeps open.

    Attributes
    ----------
    check
        The function given.
    files
        The number given.
    bytes
        Bytes that cross for it.
    settled
        Whether no more bytes will be asked for: they have room, or its result is there.
    """

    def __init__(
        self, tasks: BoundedTasks, run: Sequence[UnderWay], check: Callable[[], None], files: int
    ) -> None:
        self.check, self.files = check, files
        self.bytes = 0
        self.settled = False
        self._tasks, self._run = tasks, run

    def cross(self, size: int) -> None:
        """Wait until so many bytes may cross for this task; they count until its end.

        The tasks of a run get their room in order: otherwise later ones, whose results wait for
        their turn, could hold all that the first one needs.

        Parameters
        ----------
        size
            The bytes; only those of the first call count.
        """
        if not self.bytes:
            self._tasks.make_room(self, self._run, size)


class BoundedTasks:
    """Lets several runs share limits of the tasks under way, and of the bytes that cross for them.

    A task is under way until its result has been used, since whatever is done ahead of its turn is
    kept.

    Parameters
    ----------
    most_bytes
        Limit of the bytes that cross for all tasks under way; those of a larger one cross alone.
    most_tasks
        Returns the limit of the number of tasks, which may change while tasks run.
    check
        Called again and again in all waits; what it raises ends them.
    """

    def __init__(
        self, most_bytes: int, most_tasks: Callable[[], int], check: Callable[[], None]
    ) -> None:
        self._most_bytes, self._most_tasks, self._check = most_bytes, most_tasks, check
        self._changed = threading.Condition()
        self._bytes = self._tasks = self._files = 0

    def in_order(
        self,
        tasks: Iterable[T],
        compute: Callable[[T, UnderWay], R],
        files: Callable[[T], int] = lambda _: 0,
    ) -> Generator[tuple[T, R]]:
        """Yield each task with its result, in the order of the tasks; the next ones are under way.

        Parameters
        ----------
        tasks
            The tasks; taken one by one, as they are begun.
        compute
            Returns the result of a task; called in a thread with the task and with what it asks
            before bytes cross, and again and again while it waits.
        files
            Returns how many files a task keeps open; by default none.
        """
        left = iter(tasks)
        ended = threading.Event()
        run: deque[UnderWay] = deque()

        def check() -> None:
            self._check()
            if ended.is_set():
                raise _WithdrawnError("nobody waits for this task any more")

        def begun(task: T) -> UnderWay:
            return UnderWay(self, run, check, files(task))

        with ThreadPoolExecutor(_MOST_THREADS) as pool:
            waiting: deque[tuple[T, Future[R]]] = deque()
            upcoming = next(left, None)
            try:
                while waiting or upcoming is not None:
                    while upcoming is not None and self._begin(
                        one := begun(upcoming), run, wait=not waiting
                    ):
                        future = pool.submit(self._computed, compute, upcoming, one)
                        waiting.append((upcoming, future))
                        upcoming = next(left, None)
                    task, future = waiting[0]
                    yield task, self._result(future)
                    del future
                    waiting.popleft()
                    self._end(run)
            finally:
                ended.set()
                for _, future in waiting:
                    future.cancel()
                while run:
                    self._end(run)

    def make_room(self, one: UnderWay, run: Sequence[UnderWay], size: int) -> None:
        """Wait until bytes may cross for a task; see `UnderWay.cross`.

        Parameters
        ----------
        one
            The task.
        run
            All tasks of its run that are under way, in order.
        size
            The bytes.
        """
        with self._changed:
            while True:
                one.check()
                before = itertools.takewhile(lambda other: other is not one, run)
                fits = self._bytes == 0 or self._bytes + size <= self._most_bytes
                if fits and all(other.settled for other in before):
                    break
                self._changed.wait(_MOMENT)
            self._bytes += size
            one.bytes, one.settled = size, True
            self._changed.notify_all()

    def _begin(self, one: UnderWay, run: deque[UnderWay], *, wait: bool) -> bool:
        """Make room for a task, and say whether there is; ``wait`` until there is."""
        with self._changed:
            while self._tasks and (
                self._tasks >= self._most_tasks() or self._files + one.files > _MOST_FILES
            ):
                if not wait:
                    return False
                self._check()
                self._changed.wait(_MOMENT)
            self._tasks += 1
            self._files += one.files
            run.append(one)
            return True

    def _computed(self, compute: Callable[[T, UnderWay], R], task: T, one: UnderWay) -> R:
        try:
            return compute(task, one)
        finally:
            with self._changed:
                one.settled = True
                self._changed.notify_all()

    def _end(self, run: deque[UnderWay]) -> None:
        """Free the room of the first task of a run."""
        with self._changed:
            one = run.popleft()
            self._bytes -= one.bytes
            self._files -= one.files
            self._tasks -= 1
            self._changed.notify_all()

    def _result(self, future: Future[R]) -> R:
        while True:
            try:
                return future.result(_MOMENT)
            except TimeoutError:
                if future.done():
                    return future.result()
                self._check()
