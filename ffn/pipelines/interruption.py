"""Interruption by signals: tasks stop within seconds, then Prefect cleans up."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Collection, Iterator
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

__all__ = ["Interrupted", "check", "end_on_signals", "end_tasks", "ending_tasks"]

# A closed terminal sends SIGHUP.
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_ending = threading.Event()


class Interrupted(BaseException):
    """Raised inside a task that has to stop."""


def check() -> None:
    """Raise ``Interrupted`` if the tasks of this process have to stop."""
    if _ending.is_set():
        raise Interrupted


def end_tasks(spare: Collection[BaseProcess] = ()) -> None:
    """Stop tasks in threads after their current epoch or block, and terminate worker processes.

    Parameters
    ----------
    spare
        Child processes that do not belong to the run and are left running.
    """
    _ending.set()
    for process in _children():
        if process not in spare:
            process.terminate()


@contextlib.contextmanager
def ending_tasks() -> Iterator[None]:
    """While the block runs, let a signal stop the tasks before its previous handler is called.

    When a flow is interrupted, Prefect's task runners wait for their tasks, however long those
    take. Use this inside the flow, because Prefect replaces the handler of SIGTERM while a flow
    runs. Outside the main thread, where Python handles no signals, it does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    # A process that survives an interrupted run, such as a notebook, may start another.
    _ending.clear()
    others = _children()
    found = {number: signal.getsignal(number) for number in _SIGNALS}
    before = {number: handler for number, handler in found.items() if handler != signal.SIG_IGN}

    def handle(number: int, frame: FrameType | None) -> None:
        end_tasks(spare=others)
        handler = before[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)

    for number in before:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def end_on_signals() -> None:
    """Let signals outside a flow exit the process cleanly, which also stops Prefect's server.

    Ignored signals stay ignored: ``nohup`` and background jobs of a shell rely on it.
    """
    for number in _SIGNALS:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _end)


def _children() -> list[BaseProcess]:
    """Return the live processes that were started from here.

    There are none until ``multiprocessing`` has been imported, which takes as long as scoring a
    few rows. A signal may come in the middle of that import.
    """
    found: list[BaseProcess] = getattr(
        sys.modules.get("multiprocessing"), "active_children", list
    )()
    return found


def _end(number: int, _frame: FrameType | None) -> None:
    end_tasks()
    raise SystemExit(128 + number)
