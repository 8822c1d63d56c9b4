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
    """Size and times of a file, by which a change of its content is detected.

    Attributes
    ----------
    size
        Size in bytes.
    modified
        Time of the last change of the content, in nanoseconds since 1970.
    changed
        Time of the last change of content, name or rights, in nanoseconds since 1970. Unlike
        the other, a copying program cannot set it.
    """

    size: int
    modified: int
    changed: int


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Result of scoring a file with one version.

    Attributes
    ----------
    name
        Name of the file.
    sha256
        SHA-256 of its content.
    version
        Number of the version in the registry.
    at
        Time in UTC, ISO 8601.
    rows, rejected
        Number of rows, and of rejected ones; 0 if the file was refused.
    refusal
        Reason why the file was refused; empty if it was scored.
    """

    name: str
    sha256: str
    version: int
    at: str
    rows: int
    rejected: int
    refusal: str


class Ledger:
    """An open ledger; create it with `opened`. Each method commits its change before it returns.

    Parameters
    ----------
    connection
        Connection to the database.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @classmethod
    @contextlib.contextmanager
    def opened(cls, path: Path) -> Iterator[Ledger]:
        """Open the ledger while the block runs, and create it if there is none.

        Parameters
        ----------
        path
            Path of the database.

        Raises
        ------
        DataError
            It is damaged, cannot be written, belongs to another user, or is a link.
        """
        if path.is_symlink():
            raise DataError(f"{path} is a link; the ledger must be a regular file. Remove it.")
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
        """Return by file name the stamp, the time of that stamp's first scan, and the SHA-256.

        The time is in seconds since 1970; the SHA-256 is None if the file was not read yet.
        """
        rows = self._connection.execute("SELECT * FROM files")
        return {
            name: (Stamp(size=size, modified=modified, changed=changed), seen, sha256)
            for name, size, modified, changed, seen, sha256 in rows
        }

    def keep_stamps(
        self, stamps: dict[str, tuple[Stamp, float, str | None]], gone: set[str]
    ) -> None:
        """Add or replace files, and delete others.

        Parameters
        ----------
        stamps
            Files to add or replace, in the form that ``stamps`` returns.
        gone
            Names of the files to delete.
        """
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
        """Return the reasons, by name, of the files that the last scan could not read."""
        return dict(self._connection.execute("SELECT name, reason FROM unreadable"))

    def keep_unreadable(self, reasons: dict[str, str]) -> None:
        """Replace the unreadable files of the previous scan by ``reasons``, by file name."""
        # Scans run every few seconds, and nearly always find no change.
        if reasons == self.unreadable():
            return
        with self._connection:
            self._connection.execute("DELETE FROM unreadable")
            self._connection.executemany("INSERT INTO unreadable VALUES (?, ?)", reasons.items())

    def record(self, outcome: Outcome) -> None:
        """Add ``outcome``, or replace an earlier one of the same file."""
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
        """Return the latest outcome of each file, by name."""
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
    """Make the file accessible to its owner only, because refusals quote cells of the inputs."""
    # By its path: closing a descriptor of a SQLite file releases the locks of other threads.
    state = path.stat()
    if stat.S_IMODE(state.st_mode) & 0o077 and state.st_uid == os.geteuid():
        path.chmod(0o600)
