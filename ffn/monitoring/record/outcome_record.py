"""The record of predictions and of the labels that came later: ``outcomes/record.sqlite``.

It is a SQLite database, so what one transaction adds is there whole or not at all, whatever ends
the process. Rows are only added, never changed. Ids are kept as digests.

============  ====================================================================================
``models``    bundles that scored, by version and SHA-256: a number that was used again is another
``scorings``  scored tables that were taken up: name, model, time, week
``predictions`` label and confidence of every row in them that has an id
``deliveries`` files of labels that were taken up, by the SHA-256 of their content
``labels``    the label of each id, with the place where it was first given
``joined``    rows of which label and prediction are known, in the order in which they became known
``notes``     what was told or done once: an alert, a rollback
============  ====================================================================================
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path

from ffn.errors import DataError, OutputError
from ffn.storage.locks import lock, open_lock_file

__all__ = [
    "RECORD",
    "OutcomeRecord",
    "changing_record",
    "id_digest",
    "reading_record",
    "record_path",
]

RECORD = "record.sqlite"
_FORMAT = 1
_OWNER_ALONE = stat.S_IRUSR | stat.S_IWUSR
_TABLES = """
CREATE TABLE IF NOT EXISTS models (
    model INTEGER PRIMARY KEY, version INTEGER NOT NULL, bundle_sha256 TEXT NOT NULL,
    UNIQUE (version, bundle_sha256)
);
CREATE TABLE IF NOT EXISTS classes (class INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS scorings (
    scoring INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
    model INTEGER NOT NULL, at REAL NOT NULL, week TEXT NOT NULL, rows INTEGER NOT NULL,
    confidence INTEGER NOT NULL, checked INTEGER NOT NULL, beside INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS predictions (
    id BLOB NOT NULL, scoring INTEGER NOT NULL, predicted INTEGER NOT NULL,
    confidence INTEGER NOT NULL, shares BLOB, known INTEGER NOT NULL, PRIMARY KEY (id, scoring)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS classes_of (
    scoring INTEGER NOT NULL, place INTEGER NOT NULL, class INTEGER NOT NULL,
    PRIMARY KEY (scoring, place)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS deliveries (
    delivery INTEGER PRIMARY KEY, sha256 TEXT NOT NULL UNIQUE, name TEXT NOT NULL, at REAL NOT NULL,
    rows INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS labels (
    id BLOB PRIMARY KEY, class INTEGER NOT NULL, delivery INTEGER NOT NULL, row INTEGER NOT NULL,
    line INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS joined (
    place INTEGER PRIMARY KEY, id BLOB NOT NULL, model INTEGER NOT NULL, scoring INTEGER NOT NULL,
    class INTEGER NOT NULL, predicted INTEGER NOT NULL, confidence INTEGER NOT NULL,
    truth INTEGER, UNIQUE (id, model)
);
CREATE TABLE IF NOT EXISTS notes (
    note INTEGER PRIMARY KEY, model INTEGER NOT NULL, kind TEXT NOT NULL, at REAL NOT NULL,
    text TEXT NOT NULL, UNIQUE (model, kind)
);
"""


def record_path(artifacts: Path) -> Path:
    """Return the path of a pipeline's record, in the folder ``artifacts`` of its results."""
    return artifacts / "outcomes" / RECORD


def id_digest(text: str) -> bytes:
    """Return the 16 bytes by which the record knows an id, a trimmed cell ``text``."""
    return blake2b(text.encode(errors="surrogatepass"), digest_size=16).digest()


class OutcomeRecord:
    """An open record; create it with `changing_record` or `reading_record`.

    Parameters
    ----------
    connection
        Connection to the database.

    Attributes
    ----------
    connection
        As given; for queries.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self._classes: dict[str, int] = {}

    def class_code(self, name: str) -> int:
        """Return the number of a class by its ``name``, a new one if need be."""
        if name not in self._classes:
            self.connection.execute("INSERT OR IGNORE INTO classes (name) VALUES (?)", (name,))
            (code,) = self.connection.execute(
                "SELECT class FROM classes WHERE name = ?", (name,)
            ).fetchone()
            self._classes[name] = code
        return self._classes[name]

    def class_names(self) -> dict[int, str]:
        """Return the names of the classes by number."""
        return dict(self.connection.execute("SELECT class, name FROM classes"))

    def known_classes(self) -> tuple[str, ...]:
        """Return the names of the classes that versions predict, sorted."""
        found = self.connection.execute(
            "SELECT DISTINCT name FROM classes_of JOIN classes USING (class) ORDER BY name"
        )
        return tuple(name for (name,) in found)

    def model_code(self, version: int, bundle_sha256: str) -> int:
        """Return the number of a model, a new one if need be.

        Parameters
        ----------
        version
            Number in the registry.
        bundle_sha256
            SHA-256 of its bundle.
        """
        key = version, bundle_sha256
        self.connection.execute(
            "INSERT OR IGNORE INTO models (version, bundle_sha256) VALUES (?, ?)", key
        )
        (code,) = self.connection.execute(
            "SELECT model FROM models WHERE version = ? AND bundle_sha256 = ?", key
        ).fetchone()
        return int(code)

    def find_model(self, version: int, bundle_sha256: str) -> int | None:
        """Return the number of a model; None if the record does not know it.

        Parameters
        ----------
        version, bundle_sha256
            As for `model_code`.
        """
        found = self.connection.execute(
            "SELECT model FROM models WHERE version = ? AND bundle_sha256 = ?",
            (version, bundle_sha256),
        ).fetchone()
        return None if found is None else int(found[0])

    def note_once(self, model: int, kind: str, at: float, text: str) -> bool:
        """Add a note, and return whether it is the first of its kind for the model.

        Parameters
        ----------
        model
            Number of the model.
        kind
            ``alert`` or ``rollback``.
        at
            Time in seconds since 1970.
        text
            What is told.
        """
        done = self.connection.execute(
            "INSERT OR IGNORE INTO notes (model, kind, at, text) VALUES (?, ?, ?, ?)",
            (model, kind, at, text),
        )
        return done.rowcount == 1


@contextlib.contextmanager
def changing_record(artifacts: Path) -> Iterator[OutcomeRecord]:
    """Open the record for one transaction: committed at the end of the block, or undone.

    Another process that changes the record is waited for.

    Parameters
    ----------
    artifacts
        Folder of the pipeline's results, ``artifacts/<pipeline>``.

    Raises
    ------
    OutputError
        The record is damaged or cannot be written.
    DataError
        It is a link, or of a newer format.
    """
    path = record_path(artifacts)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open_lock_file(path.with_name(".lock")) as handle:
            lock(handle)
            with _connected(path, create=True) as record:
                record.connection.executescript(_TABLES)
                # Setting it writes to the disk, even if it is the same.
                if record.connection.execute("PRAGMA user_version").fetchone() != (_FORMAT,):
                    record.connection.execute(f"PRAGMA user_version = {_FORMAT}")
                os.chmod(path, _OWNER_ALONE)  # noqa: PTH101
                record.connection.execute("BEGIN IMMEDIATE")
                try:
                    yield record
                    record.connection.execute("COMMIT")
                except BaseException:
                    with contextlib.suppress(sqlite3.Error):
                        record.connection.execute("ROLLBACK")
                    raise
    except sqlite3.Error as error:
        raise _unusable(path, str(error)) from None
    except OSError as error:
        if error.filename is None or not str(error.filename).startswith(str(path.parent)):
            raise
        raise _unusable(path, error.strerror or str(error)) from None


@contextlib.contextmanager
def reading_record(artifacts: Path) -> Iterator[OutcomeRecord | None]:
    """Open the record for reading while the block runs; None if there is none.

    Parameters
    ----------
    artifacts
        Folder of the pipeline's results, ``artifacts/<pipeline>``.

    Raises
    ------
    OutputError
        The record is damaged.
    DataError
        It belongs to another user, is a link, or is of a newer format.
    """
    path = record_path(artifacts)
    if not os.path.lexists(path):
        yield None
        return
    if not path.is_symlink() and not os.access(path, os.R_OK):
        raise DataError(
            f"{path} is readable by its owner only. Use the account that runs the pipeline."
        )
    try:
        with _connected(path, create=False) as record:
            # One snapshot for all queries of the block.
            record.connection.execute("BEGIN")
            made = record.connection.execute(
                "SELECT count(*) FROM sqlite_master WHERE name = 'notes'"
            ).fetchone()
            yield record if made[0] else None
    except sqlite3.Error as error:
        raise _unusable(path, str(error)) from None


@contextlib.contextmanager
def _connected(path: Path, *, create: bool) -> Iterator[OutcomeRecord]:
    if path.is_symlink():
        raise DataError(f"{path} is a link; the record must be a regular file. Remove it.")
    mode = "rwc" if create else "rw"
    address = f"{path.absolute().as_uri()}?mode={mode}"
    opened = sqlite3.connect(address, timeout=60, isolation_level=None, uri=True)
    with contextlib.closing(opened) as connection:
        (found,) = connection.execute("PRAGMA user_version").fetchone()
        if found > _FORMAT:
            raise DataError(
                f"{path} has the format {found}; this release knows {_FORMAT}. Use a newer one."
            )
        yield OutcomeRecord(connection)


def _unusable(path: Path, why: str) -> OutputError:
    return OutputError(
        f"{path} cannot be used ({why}). Make room or restore it from a backup; if it is removed, "
        "outcomes are counted anew from the files that are given again."
    )
