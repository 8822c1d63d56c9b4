"""The history of promotions and rollbacks: which version was in production when, by whom, and why.

``history.jsonl`` has a line for each promotion and each rollback and is only ever appended to.
Each line holds the SHA-256 of the line before it, so that changed, removed and inserted lines are
detected. ``production.json`` is a copy of the newest entry that is written first and is
authoritative. If a process ends between the two writes, the line is *owed*, and the next change of
the registry writes it first.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Literal

from ffn.bundles.bundle_files import parse_json
from ffn.registry.actor import Actor
from ffn.storage.atomic import canonical_json, sweep
from ffn.storage.plain_files import open_plain, read_plain

__all__ = [
    "HISTORY",
    "MOST_HISTORY_BYTES",
    "MOST_POINTER_BYTES",
    "POINTER",
    "Promotion",
    "PromotionHistory",
    "append",
    "is_canonical",
    "is_version",
    "read_history",
    "read_pointer",
    "settle",
]

POINTER = "production.json"
HISTORY = "history.jsonl"
MOST_POINTER_BYTES = 64 * 1024
# Enough for a promotion every minute of a year.
MOST_HISTORY_BYTES = 512 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Promotion:
    """One entry of the history: ``version`` is in production from now on.

    Attributes
    ----------
    action
        ``promote``, or ``rollback`` to a version that was in production before.
    at
        Time, UTC, ISO 8601.
    version, bundle_sha256
        The version in production, and the SHA-256 that its bundle must have.
    replaced
        Version that was in production before; None if there was none.
    reason, by
        Why, and who or what did it.
    previous_sha256
        SHA-256 of the previous line of the history; empty for the first.
    """

    action: Literal["promote", "rollback"]
    at: str
    version: int
    bundle_sha256: str
    replaced: int | None
    reason: str
    by: Actor
    previous_sha256: str

    def to_json(self) -> dict[str, Any]:
        """Return the entry as the JSON object that both files hold."""
        entry = asdict(self)
        entry["from"] = entry.pop("replaced")
        return entry

    @property
    def line(self) -> bytes:
        """The entry as a line of the history."""
        return json.dumps(self.to_json(), sort_keys=True, ensure_ascii=False).encode() + b"\n"


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


def is_version(value: object) -> bool:
    """Return whether ``value`` is a valid version number, which becomes the name of a folder."""
    return type(value) is int and 0 < value < 10**9


def read_pointer(artifacts: Path) -> Promotion | None:
    """Return the entry in ``production.json``; None if the file is missing or damaged."""
    try:
        with open_plain(artifacts / POINTER) as (file, size):
            text = file.read(min(size, MOST_POINTER_BYTES))
    except OSError:
        return None
    return _parse(text)


def is_canonical(artifacts: Path, entry: Promotion) -> bool:
    """Return whether ``production.json`` has exactly the bytes that were written for ``entry``."""
    try:
        text = read_plain(artifacts / POINTER, MOST_POINTER_BYTES)
    except OSError:
        return False
    return text == canonical_json(entry.to_json())


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
        entry = _parse(line)
        if entry is None or entry.line != line + b"\n" or entry.previous_sha256 != last:
            damaged.append(number)
        if entry is not None:
            entries.append(entry)
        last = hashlib.sha256(line + b"\n").hexdigest()
    pointed = read_pointer(artifacts)
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


def settle(artifacts: Path) -> PromotionHistory:
    """Complete a change of the registry that was interrupted, and return the history.

    The caller holds the lock.

    Parameters
    ----------
    artifacts
        Folder of the pipeline's results, ``artifacts/<pipeline>``.

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


def _parse(text: bytes) -> Promotion | None:
    try:
        document = parse_json(text)
        entry = Promotion(replaced=document.pop("from"), by=Actor(**document.pop("by")), **document)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    texts = (entry.at, entry.bundle_sha256, entry.reason, entry.previous_sha256)
    sound = (
        is_version(entry.version)
        and (entry.replaced is None or is_version(entry.replaced))
        and entry.action in ("promote", "rollback")
        and all(isinstance(text, str) for text in (*texts, *vars(entry.by).values()))
    )
    return entry if sound else None
