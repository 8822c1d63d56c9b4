"""Start and end worker processes for scoring."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing import resource_tracker
from multiprocessing.context import ForkContext, ForkProcess, SpawnContext, SpawnProcess
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_info

from ffn.bundles.bundle import Bundle
from ffn.scoring.rows.scorer import Scorer

_SAFE_PATH = "PYTHONSAFEPATH"
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

__all__ = ["ApartFromTheFolder", "Copies", "alone", "way_to_start", "without_fingerprints"]


def way_to_start() -> Any:
    """Return multiprocessing's context for new processes: copies of this one, if it may be copied.

    A copy is at work at once; another process imports everything for a third of a second. But in
    a copy no other thread goes on, and what one holds at that moment is held for ever. Those of
    OpenBLAS, which end before a copy is made and come back, are no hindrance; any other is.
    """
    threads = Path("/proc/self/task")
    copied = (
        threads.exists()
        and threading.active_count() == 1
        and len(list(threads.iterdir())) == 1 + _threads_of_openblas()
    )
    return Copies() if copied else ApartFromTheFolder()


class _Copy(ForkProcess):
    @staticmethod
    def _Popen(process_obj: Any) -> Any:  # noqa: N802
        # A copy begins with the handlers of this process: what a signal finds before `alone` has
        # replaced them may swallow it, or act in the name of this process. So it waits until then.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        try:
            return ForkProcess._Popen(process_obj)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Copies(ForkContext):
    """Starts copies of this process, to which signals are held back until they call `alone`."""

    Process = _Copy


class _Process(SpawnProcess):
    @staticmethod
    def _Popen(process_obj: Any) -> Any:  # noqa: N802
        with _safe_path():
            return SpawnProcess._Popen(process_obj)


class ApartFromTheFolder(SpawnContext):
    """Starts interpreters to which the current folder is no place to import from.

    A new interpreter imports ``multiprocessing`` before it takes over the path of this process.
    """

    Process = _Process

    def __init__(self) -> None:
        super().__init__()
        # It is started with the first semaphore, and is an interpreter as well.
        with _safe_path():
            resource_tracker.ensure_running()


@contextlib.contextmanager
def _safe_path() -> Iterator[None]:
    """Give interpreters that the block starts Python's option ``-P``."""
    before = os.environ.get(_SAFE_PATH)
    os.environ[_SAFE_PATH] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_SAFE_PATH]
        else:
            os.environ[_SAFE_PATH] = before


def _threads_of_openblas() -> int:
    pools = threadpool_info()
    return sum(pool["num_threads"] - 1 for pool in pools if pool["internal_api"] == "openblas")


def alone() -> None:
    """Leave signals to the process that began this one, and end with it."""
    # Ctrl-C goes to all; the one that began decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # A copy has the handlers of what it is a copy of.
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def without_fingerprints(model: Scorer) -> Scorer:
    """Return the model as a process needs it: what it was trained on may be large."""
    if isinstance(model, Bundle):
        return replace(model, fingerprints=model.fingerprints[:0])
    return model


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)
