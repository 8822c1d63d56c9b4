"""Workers in this process that score."""

from __future__ import annotations

import json
from typing import Any

from ffn.cluster_scoring.cluster_scoring import ClusterScoring
from ffn.clusters.parcels import pack, unpack
from tests.helpers.near_workers import Change, NearWorkers

SEES: dict[str, dict[str, bool]] = {
    "all": {},
    "the input": {"apart": True},
    "the folder": {"far": True},
    "nothing": {"far": True, "apart": True},
}
"""What workers see of the disk."""


class Near(NearWorkers):
    """Workers that see the disk, unless they are ``far``, and are ``asked`` something else.

    Those that are ``apart`` see another folder in the place of the work folder. What is done to
    answers is not done to those that say what is not seen.
    """

    def __init__(
        self,
        *,
        far: bool = False,
        apart: bool = False,
        asked: dict[str, Any] | None = None,
        change: Change = lambda answer: answer,
        **how: Any,
    ) -> None:
        super().__init__(ask=self._asked, change=of_result(change), **how)
        self.far, self.apart, self.asked = far, apart, asked or {}

    def scoring(self, payload_mb: int = 1) -> ClusterScoring:
        return ClusterScoring(lambda: self, payload_mb)

    def _asked(self, request: bytes) -> bytes:
        pieces = unpack(request)
        asked = json.loads(pieces["asked.json"]) | self.asked
        if self.apart and asked["folder"]:
            asked["folder"]["content"] = "of another folder"
        if self.far:
            for one in asked.get("parts", [asked]):
                if one.get("seen"):
                    one["seen"]["path"] = "/nowhere/at/all"
        return pack({**pieces, "asked.json": json.dumps(asked).encode()})


def of_result(change: Change) -> Change:
    def changed(pieces: dict[str, bytes]) -> dict[str, bytes] | bytes:
        said = json.loads(pieces["answer.json"])
        return pieces if said.keys() & {"unseen", "unshared"} else change(pieces)

    return changed
