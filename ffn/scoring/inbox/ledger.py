"""The ledger of an inbox, a SQLite database: ``artifacts/<pipeline>/inbox.sqlite``.

It has three tables. ``files`` has the digest of each file's content, so that a file whose size and
times are unchanged is not read again. ``unreadable`` has the files that the last scan could not
read, with the reasons. ``outcomes`` has the latest outcome of each file: scored, or refused with
the reason. The database may be removed; every file in the inbox is then new.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ffn.errors import DataError

__all__ = ["Ledger", "Outcome", "Stamp"]

_TABLES = """
CREATE TABLE IF NOT EXISTS files (
    name TEXT PRIMARY KEY, size INTEGER NOT NULL, modified INTEGER NOT NULL,
    changed INTEGER NOT NULL, seen REAL NOT NULL, sha256 TEXT
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS unreadable (name TEXT PRIMARY KEY, reason TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS outcomes (
    name TEXT PRIMARY KEY, sha256 TEXT NOT NULL, version INTEGER NOT NULL, at TEXT NOT NULL,
    rows INTEGER NOT NULL, rejected INTEGER NOT NULL, refusal TEXT NOT NULL
) WITHOUT ROWID;
"""


@dataclass(frozen=True, kw_only=True)
class Stamp:
    """A file as a look at its folder has it.

    Attributes
    ----------
    size
        Bytes.
    modified, changed
        Nanoseconds since 1970: of the content, and of content or name. The second cannot be set
        by who copies a file.
    """

    size: int
    modified: int
    changed: int


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a version made of a file.

    Attributes
    ----------
    name, sha256
        The file and its content.
    at
        UTC, ISO 8601.
    rows, rejected
        Counts of rows; 0 if it was refused.
    refusal
        Why it was not scored; empty if it was.
    """

    name: str
    sha256: str
    version: int
    at: str
    rows: int
    rejected: int
    refusal: str


class Ledger:
    """An open ledger. Each change is on the disk, whole, when its method returns."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @classmethod
    @contextlib.contextmanager
    def opened(cls, path: Path) -> Iterator[Ledger]:
        """Open the ledger at ``path``, making it if there is none.

        Raises
        ------
        DataError
            It is damaged, cannot be written, or is another user's or a link.
        """
        if path.is_symlink():
            raise DataError(f"{path} is a link, and the ledger is a file. Remove it.")
        if path.exists() and not os.access(path, os.R_OK):
            raise DataError(
                f"{path} is readable by its owner only. Use the account that runs the pipeline."
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with contextlib.closing(sqlite3.connect(path, timeout=30)) as connection:
                connection.executescript(_TABLES)
                _close_to_others(path)
                yield cls(connection)
        except sqlite3.Error as error:
            raise DataError(
                f"{path} cannot be used ({error}). Make room, or remove it: every file in the "
                "inbox is then scored again."
            ) from None

    def stamps(self) -> dict[str, tuple[Stamp, float, str | None]]:
        """Return by name: what a file looked like, since when, and its SHA-256 if it was read."""
        rows = self._connection.execute("SELECT * FROM files")
        return {
            name: (Stamp(size=size, modified=modified, changed=changed), seen, sha256)
            for name, size, modified, changed, seen, sha256 in rows
        }

    def keep_stamps(
        self, stamps: dict[str, tuple[Stamp, float, str | None]], gone: set[str]
    ) -> None:
        """Add or replace files, and forget those that are ``gone``."""
        with self._connection:
            self._connection.executemany(
                "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (name, stamp.size, stamp.modified, stamp.changed, seen, sha256)
                    for name, (stamp, seen, sha256) in stamps.items()
                ],
            )
            self._connection.executemany(
                "DELETE FROM files WHERE name = ?", [(name,) for name in gone]
            )

    def unreadable(self) -> dict[str, str]:
        """Return the reasons by name of the files that the last look could not read."""
        return dict(self._connection.execute("SELECT name, reason FROM unreadable"))

    def keep_unreadable(self, reasons: dict[str, str]) -> None:
        """Put these files and reasons in place of those of the look before."""
        # A look comes every few seconds, and nearly always finds what is there already.
        if reasons == self.unreadable():
            return
        with self._connection:
            self._connection.execute("DELETE FROM unreadable")
            self._connection.executemany("INSERT INTO unreadable VALUES (?, ?)", reasons.items())

    def record(self, outcome: Outcome) -> None:
        """Add what became of a file."""
        with self._connection:
            self._connection.execute(
                "INSERT OR REPLACE INTO outcomes VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    outcome.name,
                    outcome.sha256,
                    outcome.version,
                    outcome.at,
                    outcome.rows,
                    outcome.rejected,
                    outcome.refusal,
                ),
            )

    def outcomes(self) -> dict[str, Outcome]:
        """Return by name what became of each file last."""
        rows = self._connection.execute(
            "SELECT name, sha256, version, at, rows, rejected, refusal FROM outcomes"
        )
        return {
            name: Outcome(
                name=name,
                sha256=sha256,
                version=version,
                at=at,
                rows=count,
                rejected=rejected,
                refusal=refusal,
            )
            for name, sha256, version, at, count, rejected, refusal in rows
        }


def _close_to_others(path: Path) -> None:
    """Leave the file to its owner: what refusals quote is not for all who may look here."""
    # By its name, for to close a file of SQLite's lets go of the locks that other threads hold.
    state = path.stat()
    if stat.S_IMODE(state.st_mode) & 0o077 and state.st_uid == os.geteuid():
        path.chmod(0o600)
