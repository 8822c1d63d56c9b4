"""The history of promotions and rollbacks: which version was in production when, by whom, and why.

``history.jsonl`` has a line for each promotion and each rollback and is only ever appended to.
Each line holds the SHA-256 of the line before it, so that changed, removed and inserted lines are
detected. ``production.json`` is a copy of the newest entry that is written first and is
authoritative. If a process ends between the two writes, the line is *owed*, and the next change of
the registry writes it first.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ffn.registry.production import Promotion, parse_promotion, read_pointer
from ffn.storage.atomic import sweep
from ffn.storage.plain_files import read_plain

__all__ = [
    "HISTORY",
    "MOST_HISTORY_BYTES",
    "PromotionHistory",
    "append",
    "read_history",
    "recover",
]

HISTORY = "history.jsonl"
# A promotion every minute of a year.
MOST_HISTORY_BYTES = 512 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class PromotionHistory:
    """Content of ``history.jsonl``, with the line that is owed to it, if any.

    Attributes
    ----------
    entries
        Oldest first; an owed entry is the last.
    damaged
        Numbers, from 1, of lines that cannot be parsed or do not follow from the line before.
    owed
        Bytes to append before the next entry; empty if nothing is owed.
    last_sha256
        SHA-256 of the last line, including an owed one; empty if there is none.
    """

    entries: tuple[Promotion, ...]
    damaged: tuple[int, ...]
    owed: bytes
    last_sha256: str

    @property
    def stack(self) -> tuple[int, ...]:
        """The version in production, last, preceded by the versions that rollbacks return to.

        A rollback undoes the last promotion that has not been undone.
        """
        stack: list[int] = []
        for entry in self.entries:
            if entry.action == "rollback":
                stack.pop() if stack else None
                while stack and stack[-1] != entry.version:
                    stack.pop()
            if stack[-1:] != [entry.version]:
                stack.append(entry.version)
        return tuple(stack)


def read_history(artifacts: Path) -> PromotionHistory:
    """Read the history of a pipeline; damaged lines are counted and skipped.

    Parameters
    ----------
    artifacts
        Folder of the pipeline's results, ``artifacts/<pipeline>``.

    Raises
    ------
    OSError
        The file exists and cannot be read, or is larger than any history can be.
    """
    try:
        content = read_plain(artifacts / HISTORY, MOST_HISTORY_BYTES)
    except FileNotFoundError:
        content = b""
    *lines, begun = content.split(b"\n")
    entries: list[Promotion] = []
    damaged = []
    last = ""
    for number, line in enumerate(lines, 1):
        entry = parse_promotion(line)
        if entry is None or entry.line != line + b"\n" or entry.previous_sha256 != last:
            damaged.append(number)
        if entry is not None:
            entries.append(entry)
        last = hashlib.sha256(line + b"\n").hexdigest()
    pointed = read_pointer(artifacts).promotion
    owed = b""
    follows = pointed is not None and pointed not in entries and pointed.previous_sha256 == last
    # A process that was killed while writing left the beginning of this line.
    if pointed is not None and follows and pointed.line.startswith(begun):
        owed = pointed.line.removeprefix(begun)
        entries.append(pointed)
        last = hashlib.sha256(begun + owed).hexdigest()
    elif begun:
        # A line end separates the incomplete line from those that follow.
        damaged.append(len(lines) + 1)
        owed = b"\n"
        last = hashlib.sha256(begun + owed).hexdigest()
    return PromotionHistory(
        entries=tuple(entries), damaged=tuple(damaged), owed=owed, last_sha256=last
    )


def recover(artifacts: Path) -> PromotionHistory:
    """Do what a change that died has left undone, and return the history; under the lock.

    Raises
    ------
    OSError
        The history cannot be read or written.
    """
    # A report that was interrupted is not repeated: the next run has another version number.
    for folder in (artifacts, artifacts / "reports", *artifacts.glob("reports/[0-9]*")):
        sweep(folder)
    history = read_history(artifacts)
    if history.owed:
        with (artifacts / HISTORY).open("ab", buffering=0) as file:
            append(file, history.owed)
    return history


def append(file: IO[bytes], content: bytes) -> None:
    """Append ``content`` to the open, unbuffered history, and force it to the disk."""
    while content:
        content = content[file.write(content) :]
        os.fsync(file.fileno())
