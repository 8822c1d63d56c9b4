"""Who hears how far a run is."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from ffn.pipelines import interruption
from ffn.quantities import counted
from ffn.scoring.output.score_result import Progress

__all__ = ["Listener", "Pace", "Sink", "listening", "on_block", "on_epoch", "stage"]

Sink = Callable[[str, int, int, str], None]
"""Takes what is worked on, the epochs or bytes done, all of them (0: not known), and a note."""


class Listener(Protocol):
    """Hears of everything that runs in this process; called from several threads."""

    def stage(self, text: str) -> None:
        """Hear what the run as a whole is at."""
        ...

    def step(self, label: str, done: int, total: int, note: str) -> None:
        """Hear how far one training or file is; a ``Sink``."""
        ...


# Tasks run in threads of this process and cannot be handed a listener through Prefect, which
# would have to serialise it; one list for the process is how they find it.
_listeners: list[Listener] = []


def stage(text: str) -> None:
    """Say what the run as a whole is at."""
    for listener in _listeners:
        listener.stage(text)


def on_epoch(label: str, epochs: int, *sinks: Sink) -> Callable[[int], None]:
    """Return the callback of one training: tells everyone, and ends it if asked to."""

    def report(done: int) -> None:
        interruption.check()
        _tell(label, done, epochs, "", sinks)

    return report


def on_block(source: Path, *sinks: Sink) -> Callable[[Progress], None]:
    """Return the callback of one file's scoring: tells everyone, and ends it if asked to."""
    pace = Pace()

    def report(at: Progress) -> None:
        interruption.check()
        _tell(source.name, at.bytes_read, at.size or 0, pace.note(at, time.monotonic()), sinks)

    return report


class Pace:
    """How fast rows go, since the first time it was asked."""

    def __init__(self) -> None:
        self._first: tuple[Progress, float] | None = None

    def note(self, at: Progress, now: float) -> str:
        """Return rows done, rows a second and time left, as far as they can be told.

        Parameters
        ----------
        now
            Seconds of a clock that only goes forward.
        """
        self._first = self._first or (at, now)
        begin, then = self._first
        parts = [counted(at.rows, "row")]
        seconds, bytes_read = now - then, at.bytes_read - begin.bytes_read
        # What was done before the first report, a resumed run's share above all, has no pace.
        if seconds > 0 and bytes_read > 0:
            parts.append(f"{(at.rows - begin.rows) / seconds:,.0f} rows/s")
            if at.size:
                left = round(seconds * (at.size - at.bytes_read) / bytes_read)
                parts.append(f"{timedelta(seconds=left)} left")
        return ", ".join(parts)


@contextlib.contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Let ``listener`` hear of everything while the block runs."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


def _tell(label: str, done: int, total: int, note: str, sinks: tuple[Sink, ...]) -> None:
    for sink in (*(listener.step for listener in _listeners), *sinks):
        sink(label, done, total, note)
