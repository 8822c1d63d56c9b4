"""Tasks that are under way at the same time: as many as a limit allows, their results in order."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from ffn.errors import FFNError

__all__ = ["BoundedTasks"]

R = TypeVar("R")
T = TypeVar("T")

_MOMENT = 0.1
_MOST_THREADS = 1024


class _WithdrawnError(FFNError):
    """Nobody waits for a task any more."""


class BoundedTasks:
    """Lets several runs share one limit of bytes and of tasks under way.

    A task is under way until its result has been used, since whatever is done ahead of its turn is
    kept in memory.

    Parameters
    ----------
    most_bytes
        Limit of the bytes of all tasks under way; a larger task is alone.
    most_tasks
        Returns the limit of their number, which may change while tasks run.
    check
        Called again and again in all waits; what it raises ends them.
    """

    def __init__(
        self, most_bytes: int, most_tasks: Callable[[], int], check: Callable[[], None]
    ) -> None:
        self._most_bytes, self._most_tasks, self._check = most_bytes, most_tasks, check
        self._free = threading.Condition()
        self._bytes = self._tasks = 0

    def in_order(
        self,
        tasks: Iterable[T],
        size: Callable[[T], int],
        compute: Callable[[T, Callable[[], None]], R],
    ) -> Generator[tuple[T, R]]:
        """Yield each task with its result, in the order of the tasks; the next ones are under way.

        Parameters
        ----------
        tasks
            The tasks; taken one by one, as they are begun.
        size
            Returns the bytes of a task.
        compute
            Returns the result of a task; called in a thread with the task and a function to call
            while it waits, which raises an error once nobody needs the result.
        """
        left = iter(tasks)
        ended = threading.Event()

        def check() -> None:
            self._check()
            if ended.is_set():
                raise _WithdrawnError("nobody waits for this task any more")

        with ThreadPoolExecutor(_MOST_THREADS) as pool:
            waiting: deque[tuple[T, int, Future[R]]] = deque()
            upcoming = next(left, None)
            try:
                while waiting or upcoming is not None:
                    while upcoming is not None and self._begin(size(upcoming), wait=not waiting):
                        future = pool.submit(compute, upcoming, check)
                        waiting.append((upcoming, size(upcoming), future))
                        upcoming = next(left, None)
                    task, bytes_of_it, future = waiting[0]
                    yield task, self._result(future)
                    del future
                    waiting.popleft()
                    self._end(bytes_of_it)
            finally:
                ended.set()
                for _, bytes_of_it, future in waiting:
                    future.cancel()
                    self._end(bytes_of_it)

    def _begin(self, size: int, *, wait: bool) -> bool:
        """Make room for a task, and say whether there is; ``wait`` until there is."""
        with self._free:
            while self._tasks and (
                self._bytes + size > self._most_bytes or self._tasks >= self._most_tasks()
            ):
                if not wait:
                    return False
                self._check()
                self._free.wait(_MOMENT)
            self._bytes += size
            self._tasks += 1
            return True

    def _end(self, size: int) -> None:
        with self._free:
            self._bytes -= size
            self._tasks -= 1
            self._free.notify_all()

    def _result(self, future: Future[R]) -> R:
        while True:
            try:
                return future.result(_MOMENT)
            except TimeoutError:
                if future.done():
                    return future.result()
                self._check()
