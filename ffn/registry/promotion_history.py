"""The history of a registry: which version scored when, who decided it, and why.

``history.jsonl`` has a line for each promotion and each rollback and is only ever appended to.
Each line holds the SHA-256 of the one before it, so a line that was changed, taken out or put
between is seen. ``production.json`` is the newest entry once more and is written first: it is
the truth. Where a run ended between the two, the line is *owed*, and whoever changes the registry
next writes it first.
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
    """What ``history.jsonl`` says, and what is owed to it.

    Attributes
    ----------
    entries
        Oldest first; the owed one is the last.
    damaged
        Numbers, from 1, of lines that cannot be read or do not follow the line before.
    owed
        Bytes to append before the next entry; empty if nothing is owed.
    last_sha256
        Of the last line, the owed one included; empty if there is none.
    """

    entries: tuple[Promotion, ...]
    damaged: tuple[int, ...]
    owed: bytes
    last_sha256: str

    @property
    def stack(self) -> tuple[int, ...]:
        """The version that scores, last, and before it those that a rollback goes to, nearest last.

        A rollback undoes the last promotion that is not undone yet.
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
    """Read the history of a pipeline; what cannot be read is counted, and the rest is used.

    Raises
    ------
    OSError
        The file is there and cannot be read, or is longer than any history.
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
    # Whoever died in mid-line wrote the beginning of this very line.
    if pointed is not None and follows and pointed.line.startswith(begun):
        owed = pointed.line.removeprefix(begun)
        entries.append(pointed)
        last = hashlib.sha256(begun + owed).hexdigest()
    elif begun:
        # A line end makes a line of it, which is not readable and harms no other.
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
    # Reports stand by version: whoever died in one comes back under another number.
    for folder in (artifacts, artifacts / "reports", *artifacts.glob("reports/[0-9]*")):
        sweep(folder)
    history = read_history(artifacts)
    if history.owed:
        with (artifacts / HISTORY).open("ab", buffering=0) as file:
            append(file, history.owed)
    return history


def append(file: IO[bytes], content: bytes) -> None:
    """Append to the open history, unbuffered, and on to the disk."""
    while content:
        content = content[file.write(content) :]
        os.fsync(file.fileno())
