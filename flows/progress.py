"""Who hears of training progress."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from flows import interruption

__all__ = ["Sink", "listening", "on_epoch"]

Sink = Callable[[str, int, int], None]
"""Takes what is trained, the epochs done, and all epochs."""

# Tasks run in threads of this process and cannot be handed a listener through Prefect, which
# would have to serialise it; one list for the process is how they find it.
_sinks: list[Sink] = []


def on_epoch(label: str, epochs: int, *sinks: Sink) -> Callable[[int], None]:
    """Return the callback of one training: tells all listeners, and ends it if asked to."""

    def report(done: int) -> None:
        interruption.check()
        for sink in (*_sinks, *sinks):
            sink(label, done, epochs)

    return report


@contextlib.contextmanager
def listening(sink: Sink) -> Iterator[None]:
    """Let ``sink`` hear of every training while the block runs."""
    _sinks.append(sink)
    try:
        yield
    finally:
        _sinks.remove(sink)
