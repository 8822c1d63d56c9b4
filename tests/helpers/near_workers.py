"""Workers of a cluster in this process, which note what they were sent, and what they answer."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

from ffn.clusters.parcels import pack, unpack
from ffn.clusters.workers import RemoteTask

Change = Callable[[dict[str, bytes]], dict[str, bytes] | bytes]


class NearWorkers:
    """Workers that do at once what they are asked.

    Parameters
    ----------
    ask
        Is done to each request before the work.
    change
        Is done to each answer after it.
    error, lost
        The first ``lost`` tasks are done, those behind them raise ``error``, as where a cluster is
        gone; with None, the default, all are done.

    Attributes
    ----------
    sent
        Each request, with what it shares with others.
    shared
        What several tasks share, by its key; it is asked for once.
    """

    name = "the cluster"
    slots = 2

    def __init__(
        self,
        *,
        ask: Callable[[bytes], bytes] = lambda request: request,
        change: Change = lambda answer: answer,
        error: Exception | None = None,
        lost: int = 0,
    ) -> None:
        self.ask, self.change, self.error, self.lost = ask, change, error, lost
        self.sent: list[tuple[bytes, bytes]] = []
        self.shared: dict[str, bytes] = {}
        self._lock = threading.Lock()

    @property
    def requests(self) -> list[bytes]:
        return [request for request, _ in self.sent]

    def compute(self, task: RemoteTask, check: Callable[[], None]) -> bytes:
        check()
        with self._lock:
            if task.key not in self.shared:
                self.shared[task.key] = task.shared()
            shared = self.shared[task.key]
            self.sent.append((task.request, shared))
            if self.error is not None and len(self.sent) > self.lost:
                raise self.error
        return changed(task.function(self.ask(task.request), shared), self.change)


def changed(answer: bytes, change: Change) -> bytes:
    """An answer after a change of its pieces."""
    found = change(unpack(answer))
    return found if isinstance(found, bytes) else pack(found)


def saying(**of_answer: Any) -> Change:
    """Change the document of an answer; a function makes an entry of what was there."""

    def change(pieces: dict[str, bytes]) -> dict[str, bytes]:
        said = json.loads(pieces["answer.json"])
        said |= {
            name: made(said.get(name)) if callable(made) else made
            for name, made in of_answer.items()
        }
        return {**pieces, "answer.json": json.dumps(said).encode()}

    return change
