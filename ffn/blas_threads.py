"""Limits BLAS and OpenMP to one thread, so that parallel trainings do not compete for cores."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator

from threadpoolctl import threadpool_info, threadpool_limits

__all__ = ["one_blas_thread", "one_openmp_thread", "threads_beside"]

_VARIABLES = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")


class _Limit:
    """The limit of this process, which holds until the last of its users has left.

    A worker of a cluster may train several candidates in threads. If each of them restored what it
    had found, the first to end would lift the limit for the others.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._waiting = 0
        self._restore = contextlib.ExitStack()

    def enter(self) -> None:
        """Set the limit, if nobody has."""
        with self._lock:
            if not self._users:
                self._waiting = _idle_of_openblas()
                before = {name: os.environ.get(name) for name in _VARIABLES}
                os.environ.update(dict.fromkeys(_VARIABLES, "1"))
                self._restore.callback(_set_variables, before)
                self._restore.enter_context(threadpool_limits(limits=1))
            self._users += 1

    def threads_beside(self) -> int:
        """Return how many threads OpenBLAS keeps, those included that the limit leaves idle."""
        with self._lock:
            return self._waiting if self._users else _idle_of_openblas()

    def leave(self) -> None:
        """Restore what was, if nobody else needs the limit."""
        with self._lock:
            self._users -= 1
            if not self._users:
                self._restore.close()


_limit = _Limit()


@contextlib.contextmanager
def one_openmp_thread() -> Iterator[None]:
    """Limit OpenMP, with which scikit-learn boosts trees, to one thread inside the block.

    With more, small tables take a hundred times as long, and sums are not reproducible.
    """
    with threadpool_limits(1, user_api="openmp"):
        yield


@contextlib.contextmanager
def one_blas_thread() -> Iterator[None]:
    """Limit BLAS to one thread, in this process and in processes started inside the block.

    The limit applies to the whole process, until the last such block ends.
    """
    _limit.enter()
    try:
        yield
    finally:
        _limit.leave()


def threads_beside() -> int:
    """Return how many threads OpenBLAS has started in this process, beside those that call it.

    They end before a fork and start again when they are needed. `one_blas_thread` does not end
    them: they are there, and do nothing.
    """
    return _limit.threads_beside()


def _idle_of_openblas() -> int:
    return sum(
        pool["num_threads"] - 1 for pool in threadpool_info() if pool["internal_api"] == "openblas"
    )


def _set_variables(values: dict[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
