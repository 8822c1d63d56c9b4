"""Progress of a run, reported to listeners."""

from __future__ import annotations

import contextlib
import math
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ffn.pipelines import interruption
from ffn.quantities import counted
from ffn.scoring.output.score_result import Progress

if TYPE_CHECKING:
    from ffn.racing.standings import Standing, Standings
    from ffn.training.selection.candidate import Candidate

__all__ = [
    "EpochPace",
    "Listener",
    "Pace",
    "ProgressLines",
    "Sink",
    "leaders",
    "listening",
    "notice",
    "on_block",
    "on_epoch",
    "searching",
    "stage",
    "trained",
]

Sink = Callable[[str, int, int, str], None]
"""Receives a label, the epochs or bytes done, their total (0 if unknown), and a note."""


class Listener(Protocol):
    """Receives the progress of all runs in this process; called from several threads."""

    def stage(self, text: str) -> None:
        """Receive ``text``, the current stage of the whole run."""
        ...

    def notice(self, text: str) -> None:
        """Receive ``text``, something that is to be known before the run goes on."""
        ...

    def step(self, label: str, done: int, total: int, note: str) -> None:
        """Receive the progress of one training or file, as a ``Sink`` does.

        Parameters
        ----------
        label
            Name of the training or file.
        done
            Number of epochs or bytes so far.
        total
            Their total number; 0 if unknown.
        note
            Further text to show; may be empty.
        """
        ...

    def leaders(self, standings: Sequence[Standing]) -> None:
        """Receive how the candidates of a search stand, best first: ``standings``."""
        ...


class ProgressLines:
    """A listener that prints lines on standard error: stages, and about ten for each training."""

    _LINES = 10

    def __init__(self) -> None:
        self._told: dict[str, int] = {}
        self._lock = threading.Lock()

    def stage(self, text: str) -> None:
        """Print ``text``, the current stage."""
        sys.stderr.write(f"{text}\n")

    def notice(self, text: str) -> None:
        """Print ``text``, a notice."""
        sys.stderr.write(f"Note: {text}\n")

    def step(self, label: str, done: int, total: int, note: str) -> None:
        """Print how far one training or file is, if a tenth more of it is done.

        Parameters
        ----------
        label, done, total, note
            As for `Listener.step`.
        """
        due = done * self._LINES // total if total else 0
        with self._lock:
            if due <= self._told.get(label, 0):
                return
            self._told[label] = due
        sys.stderr.write(f"{label}: {done:,} of {total:,}{f', {note}' if note else ''}\n")

    def leaders(self, standings: Sequence[Standing]) -> None:
        """Print who leads, of ``standings``."""
        # Scoring reports its progress, too, and must start fast.
        from ffn.racing.standings import standings_in_words

        sys.stderr.write(f"{standings_in_words(standings)}\n")


# Tasks run in threads of this process. A listener cannot be passed to them through Prefect, which
# would have to serialise it, so they find it in this list.
_listeners: list[Listener] = []
_searches: list[Standings] = []


def stage(text: str) -> None:
    """Report ``text`` as the current stage of the whole run."""
    for listener in _listeners:
        listener.stage(text)


def leaders(standings: Sequence[Standing]) -> None:
    """Report how the candidates of a search stand."""
    for listener in _listeners:
        listener.leaders(standings)


def trained(candidate: Candidate, *_: Any) -> None:
    """Report a candidate that was trained, to the searches that are ``searching``."""
    for standings in _searches:
        standings.trained(candidate)


@contextlib.contextmanager
def searching(standings: Standings) -> Iterator[None]:
    """Give the candidates that are trained while the block runs to ``standings``."""
    _searches.append(standings)
    try:
        yield
    finally:
        _searches.remove(standings)


def notice(text: str) -> None:
    """Report ``text``, which is to be known before the run goes on; its outcome has it, too."""
    for listener in _listeners:
        listener.notice(text)


def on_epoch(label: str, epochs: int, *sinks: Sink) -> Callable[[int], None]:
    """Return a callback for one training, which reports epochs and stops it on interruption.

    Parameters
    ----------
    label
        Name of the training.
    epochs
        Total number of epochs.
    *sinks
        Receive the progress in addition to all listeners.
    """
    pace = EpochPace()

    def report(done: int) -> None:
        interruption.check()
        _tell(label, done, epochs, pace.note(done, epochs, time.monotonic()), sinks)

    return report


def on_block(source: Path, *sinks: Sink) -> Callable[[Progress], None]:
    """Return a callback for scoring one file, which reports bytes and stops it on interruption.

    Parameters
    ----------
    source
        The file.
    *sinks
        Receive the progress in addition to all listeners.
    """
    pace = Pace()

    def report(at: Progress) -> None:
        interruption.check()
        _tell(source.name, at.bytes_read, at.size or 0, pace.note(at, time.monotonic()), sinks)

    return report


class EpochPace:
    """Time that is left of a training, from the time that its epochs took so far."""

    def __init__(self) -> None:
        self._first: tuple[int, float] | None = None

    def note(self, done: int, epochs: int, now: float) -> str:
        """Return the longest time that is left, if epochs go on as so far; empty if unknown.

        With early stopping, networks usually stop long before the last epoch.

        Parameters
        ----------
        done, epochs
            Number of epochs so far, and in all.
        now
            Current time of a monotonic clock, in seconds.
        """
        # Another training of the same name begins at the first epoch again.
        if self._first is None or done < self._first[0]:
            self._first = (done, now)
        begin, then = self._first
        # Work before the first report, such as reading the rows, is no epoch.
        if done <= begin or done >= epochs or now <= then:
            return ""
        left = math.ceil((now - then) * (epochs - done) / (done - begin))
        return f"at most {timedelta(seconds=left)} left"


class Pace:
    """Speed of scoring since the first report."""

    def __init__(self) -> None:
        self._first: tuple[Progress, float] | None = None

    def note(self, at: Progress, now: float) -> str:
        """Return rows done, rows per second and time left, as far as they are known.

        Parameters
        ----------
        at
            Progress so far.
        now
            Current time of a monotonic clock, in seconds.
        """
        self._first = self._first or (at, now)
        begin, then = self._first
        parts = [counted(at.rows, "row")]
        seconds, bytes_read = now - then, at.bytes_read - begin.bytes_read
        # Work before the first report, such as the share of a resumed run, has no known duration.
        if seconds > 0 and bytes_read > 0:
            parts.append(f"{(at.rows - begin.rows) / seconds:,.0f} rows/s")
            if at.size:
                left = round(seconds * (at.size - at.bytes_read) / bytes_read)
                parts.append(f"{timedelta(seconds=left)} left")
        return ", ".join(parts)


@contextlib.contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Send all progress to ``listener`` while the block runs."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


def _tell(label: str, done: int, total: int, note: str, sinks: tuple[Sink, ...]) -> None:
    for sink in (*(listener.step for listener in _listeners), *sinks):
        sink(label, done, total, note)
