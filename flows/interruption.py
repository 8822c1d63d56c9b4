"""SIGINT and SIGTERM end a run in seconds: trainings stop first, then Prefect cleans up."""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import threading
from collections.abc import Iterator
from types import FrameType

__all__ = ["Interrupted", "check", "end_on", "end_trainings", "ending_trainings"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_ending = threading.Event()


class Interrupted(BaseException):
    """Raised inside a training that was asked to stop."""


def check() -> None:
    """Raise ``Interrupted`` if the trainings of this process are to stop."""
    if _ending.is_set():
        raise Interrupted


def end_trainings() -> None:
    """Stop the trainings in threads after the epochs they are at, and those in processes."""
    _ending.set()
    for process in multiprocessing.active_children():
        process.terminate()


@contextlib.contextmanager
def ending_trainings() -> Iterator[None]:
    """While the block runs, a signal first ends the trainings, then does what it did before.

    Prefect's task runners wait for their tasks when a flow is interrupted, however long those
    take; and Prefect replaces the handler of SIGTERM while a flow runs, so this belongs inside
    the flow. Off the main thread, where Python takes no signals, nothing happens.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in _SIGNALS}

    def handle(number: int, frame: FrameType | None) -> None:
        end_trainings()
        handler = before[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)

    for number in _SIGNALS:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def end_on(number: int, _frame: FrameType | None) -> None:
    """Handle a signal outside a flow: an orderly exit, which also stops Prefect's server."""
    end_trainings()
    raise SystemExit(128 + number)
