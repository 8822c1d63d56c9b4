"""Who hears how far a run is."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from ffn.scoring.outcome import Progress
from flows import interruption

__all__ = ["Listener", "Sink", "listening", "on_block", "on_epoch", "stage"]

Sink = Callable[[str, int, int], None]
"""Takes what is worked on, the epochs or bytes done, and all of them."""


class Listener(Protocol):
    """Hears of everything that runs in this process; called from several threads."""

    def stage(self, text: str) -> None:
        """Hear what the run as a whole is at."""
        ...

    def step(self, label: str, done: int, total: int) -> None:
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
        _tell(label, done, epochs, sinks)

    return report


def on_block(source: Path, *sinks: Sink) -> Callable[[Progress], None]:
    """Return the callback of one file's scoring: tells everyone, and ends it if asked to."""

    def report(at: Progress) -> None:
        interruption.check()
        if at.size:
            _tell(source.name, at.bytes_read, at.size, sinks)

    return report


@contextlib.contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Let ``listener`` hear of everything while the block runs."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


def _tell(label: str, done: int, total: int, sinks: tuple[Sink, ...]) -> None:
    for sink in (*(listener.step for listener in _listeners), *sinks):
        sink(label, done, total)
