"""Workers in this process, which note what they were sent."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

from ffn.cluster_scoring.cluster_scoring import ClusterScoring
from ffn.clusters.parcels import pack, unpack


class Near:
    """Workers that see the disk, unless they are ``far``; ``change`` is done to their answers.

    The task of number ``lost`` raises ``error``, as a cluster that is gone.
    """

    name = "the cluster"
    slots = 2

    def __init__(
        self,
        *,
        far: bool = False,
        change: Callable[[dict[str, bytes]], dict[str, bytes] | bytes] = lambda answer: answer,
        asked: dict[str, Any] | None = None,
        error: Exception | None = None,
        lost: int = 0,
    ) -> None:
        self.far, self.change, self.asked = far, change, asked or {}
        self.error, self.lost = error, lost
        self.requests: list[bytes] = []
        self.models: dict[str, bytes] = {}
        self.calls = 0
        self._lock = threading.Lock()

    def compute(
        self,
        function: Callable[[bytes, bytes], bytes],
        request: bytes,
        key: str,
        shared: Callable[[], bytes],
        check: Callable[[], None],
    ) -> bytes:
        check()
        with self._lock:
            self.requests.append(request)
            self.calls += 1
            if key not in self.models:
                self.models[key] = shared()
            if self.error is not None and self.calls > self.lost:
                raise self.error
        pieces = unpack(request)
        asked = json.loads(pieces["asked.json"]) | self.asked
        if self.far:
            for one in asked.get("parts", [asked]):
                if one.get("seen"):
                    one["seen"]["path"] = "/nowhere/at/all"
        pieces["asked.json"] = json.dumps(asked).encode()
        changed = self.change(unpack(function(pack(pieces), self.models[key])))
        return changed if isinstance(changed, bytes) else pack(changed)

    def scoring(self, payload_mb: int = 1) -> ClusterScoring:
        return ClusterScoring(lambda: self, payload_mb)


def saying(**of_answer: object) -> Callable[[dict[str, bytes]], dict[str, bytes]]:
    """Change the document of an answer; a function makes an entry of what was there."""

    def change(pieces: dict[str, bytes]) -> dict[str, bytes]:
        said = json.loads(pieces["answer.json"])
        said |= {
            name: made(said.get(name)) if callable(made) else made
            for name, made in of_answer.items()
        }
        return {**pieces, "answer.json": json.dumps(said).encode()}

    return change
