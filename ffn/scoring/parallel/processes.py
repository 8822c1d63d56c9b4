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

from ffn.blas_threads import threads_beside
from ffn.bundles.bundle import Bundle
from ffn.scoring.rows.scorer import Scorer

_SAFE_PATH = "PYTHONSAFEPATH"
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

__all__ = ["ApartFromTheFolder", "Copies", "alone", "way_to_start", "without_fingerprints"]


def way_to_start() -> Any:
    """Return the multiprocessing context for worker processes: fork if that is safe, else spawn.

    A forked process works at once; a spawned one first imports everything, for a third of a second.
    But other threads do not continue in a forked process, and locks that they held at that moment
    stay locked for ever. The threads of OpenBLAS are harmless, because they end before a fork and
    restart afterwards. With any other thread, processes are spawned.
    """
    threads = Path("/proc/self/task")
    copied = (
        threads.exists()
        and threading.active_count() == 1
        and len(list(threads.iterdir())) in (1, 1 + threads_beside())
    )
    return Copies() if copied else ApartFromTheFolder()


class _Copy(ForkProcess):
    @staticmethod
    def _Popen(process_obj: Any) -> Any:  # noqa: N802
        # A forked process starts with the signal handlers of this one, which could swallow a
        # signal or act for this process. So signals are blocked until `alone` has replaced them.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        try:
            return ForkProcess._Popen(process_obj)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Copies(ForkContext):
    """Context that forks this process; signals are blocked in the child until it calls `alone`."""

    Process = _Copy


class _Process(SpawnProcess):
    @staticmethod
    def _Popen(process_obj: Any) -> Any:  # noqa: N802
        with _safe_path():
            return SpawnProcess._Popen(process_obj)


class ApartFromTheFolder(SpawnContext):
    """Context that spawns interpreters which do not import from the current folder.

    A new interpreter imports ``multiprocessing`` before it takes over the path of this process.
    """

    Process = _Process

    def __init__(self) -> None:
        super().__init__()
        # The resource tracker, started with the first semaphore, is an interpreter, too.
        with _safe_path():
            resource_tracker.ensure_running()


@contextlib.contextmanager
def _safe_path() -> Iterator[None]:
    """Start interpreters in the block with Python's option ``-P``."""
    before = os.environ.get(_SAFE_PATH)
    os.environ[_SAFE_PATH] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_SAFE_PATH]
        else:
            os.environ[_SAFE_PATH] = before


def alone() -> None:
    """Leave the handling of signals to the parent process, and exit when it ends."""
    # Ctrl-C reaches all processes; the parent decides what to do.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # A forked process has the handlers of its parent.
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def without_fingerprints(model: Scorer) -> Scorer:
    """Return ``model`` without the fingerprints of its training rows, which may be large."""
    if isinstance(model, Bundle):
        return replace(model, fingerprints=model.fingerprints[:0])
    return model


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)
