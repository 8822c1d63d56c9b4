"""Result of scanning an inbox."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ffn.scoring.inbox.listing import Seen

__all__ = ["InboxScan", "Waiting"]


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A file that the version in production has not scored yet.

    Attributes
    ----------
    name, path, output
        Name of the file, its path, and the path of its output.
    sha256, seen
        SHA-256 of its content, and the state of the file, at the time of the scan.
    folder
        Device and inode of the inbox at that time.
    """

    name: str
    path: Path
    output: Path
    sha256: str
    seen: Seen
    folder: tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class InboxScan:
    """Files in an inbox, by state.

    Attributes
    ----------
    waiting
        Files to be scored, sorted by name.
    new
        Number of files that have not been read; 0 unless the scan was made without reading.
    settling
        Files that are still being written, by name, each with the number of seconds after which
        it counts as complete if it does not change.
    scored
        Names of files that have been scored.
    refused
        Reasons by name, for files that could not be scored.
    """

    waiting: tuple[Waiting, ...] = ()
    new: int = 0
    settling: dict[str, float] = field(default_factory=dict)
    scored: tuple[str, ...] = ()
    refused: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the counts and the refused files as a JSON object."""
        return {
            "scored": len(self.scored),
            "waiting": len(self.waiting) + self.new,
            "being_written": len(self.settling),
            "refused": self.refused,
        }
