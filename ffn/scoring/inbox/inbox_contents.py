"""What a look at an inbox finds."""

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
    sha256, seen
        Its content, and the file itself, when it was looked at.
    folder
        Device and number of the inbox, then.
    """

    name: str
    path: Path
    output: Path
    sha256: str
    seen: Seen
    folder: tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class InboxScan:
    """What is in an inbox.

    Attributes
    ----------
    waiting
        To be scored, in the order of their names.
    new
        Files not read yet; none unless the look was not to read any.
    settling
        By name, files that were written to a moment ago, and in how many seconds they will have
        been quiet for long enough.
    scored
        Names of files that are done.
    refused
        Reasons by name.
    """

    waiting: tuple[Waiting, ...] = ()
    new: int = 0
    settling: dict[str, float] = field(default_factory=dict)
    scored: tuple[str, ...] = ()
    refused: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return counts, and the refused files."""
        return {
            "scored": len(self.scored),
            "waiting": len(self.waiting) + self.new,
            "being_written": len(self.settling),
            "refused": self.refused,
        }
