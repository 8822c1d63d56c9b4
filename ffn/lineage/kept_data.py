"""Training tables, kept by content: ``training-data/<SHA-256>.zst``, each of them once.

A file is named by the digest of what it holds, so that equal tables are one file, and so that
damage is noticed whenever one is read.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import stat
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ffn.errors import DataError, OutputError, RegistryError
from ffn.quantities import counted, size
from ffn.storage.atomic import atomic_file, remove, sweep
from ffn.storage.compression import CompressingWriter, DecompressingReader
from ffn.storage.descriptors import open_folder
from ffn.storage.locks import lock_if_possible, try_lock
from ffn.storage.plain_files import open_plain
from ffn.storage.source import open_source

__all__ = [
    "DATA_FOLDER",
    "KeptTable",
    "damaged_tables",
    "data_in_use",
    "extract_table",
    "keep_table",
    "kept_in_words",
    "kept_path",
    "kept_tables",
    "remove_unneeded",
]

DATA_FOLDER = "training-data"
_SUFFIX = ".zst"
_DIGEST = re.compile(r"[0-9a-f]{64}")
_AT_ONCE = 1024 * 1024
_NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@dataclass(frozen=True, kw_only=True)
class KeptTable:
    """A training table that is kept.

    Attributes
    ----------
    sha256
        Digest of the table, as it was before compression.
    bytes
        Size of the compressed file.
    """

    sha256: str
    bytes: int


def keep_table(source: Path, artifacts: Path, sha256: str) -> Path:
    """Keep a training table, unless it is kept already, and return the path of the kept file.

    The file is as readable as the table itself, at most.

    Parameters
    ----------
    source
        The table.
    artifacts
        Folder of the pipeline's results, ``artifacts/<pipeline>``.
    sha256
        Digest that the table had when it was read for training.

    Raises
    ------
    DataError
        The table cannot be read, or has changed since.
    OutputError
        The disk is full.
    RegistryError
        The folder of kept tables is a link, and may lead outside.
    """
    path = kept_path(artifacts, sha256)
    sweep(path.parent)
    if path.is_file() and not _problem(path, sha256):
        return path
    try:
        with open_source(source) as table, atomic_file(path) as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode) & table.status.st_mode
            os.fchmod(file.fileno(), mode | stat.S_IRUSR | stat.S_IWUSR)
            packer = CompressingWriter(file, "zstd")
            while chunk := table.read(_AT_ONCE):
                packer.write(chunk)
            packer.finish()
            table.check_unchanged()
            if table.sha256 != sha256:
                raise DataError(
                    f"{source} changed after it was read for training, so it cannot be kept. "
                    "Try again when nothing is writing to it."
                )
    except OSError as error:
        if error.errno not in _NO_SPACE:
            raise
        raise OutputError(
            f"{path.parent}: {error.strerror} while the training table was kept; nothing was "
            "trained. Free some space, or set keep = false in [data]."
        ) from None
    return path


def extract_table(artifacts: Path, sha256: str, target: Path) -> None:
    """Write a kept training table to ``target``, as it was.

    Parameters
    ----------
    artifacts
        Folder of the pipeline's results, ``artifacts/<pipeline>``.
    sha256
        Digest of the table.
    target
        File to write; it is not complete if an error is raised.

    Raises
    ------
    DataError
        The table is not kept, or its file is damaged.
    OSError
        ``target`` cannot be written.
    """
    path, failed = kept_path(artifacts, sha256), []
    with target.open("wb") as file:

        def write(chunk: bytes) -> None:
            try:
                file.write(chunk)
            except OSError as error:
                failed.append(error)
                raise

        problem = _problem(path, sha256, write)
    if failed:
        raise failed[0]
    if problem:
        raise DataError(f"{path} {problem}")


def kept_tables(artifacts: Path) -> list[KeptTable]:
    """Return the kept tables of a pipeline, sorted by digest; none where they cannot be listed.

    Parameters
    ----------
    artifacts
        Folder of the pipeline's results, ``artifacts/<pipeline>``.
    """
    folder, found = artifacts / DATA_FOLDER, []
    if folder.is_symlink():
        return []
    with contextlib.suppress(OSError):
        for entry in sorted(folder.iterdir()):
            digest = entry.name.removesuffix(_SUFFIX)
            if _DIGEST.fullmatch(digest) and entry.name == digest + _SUFFIX:
                status = entry.lstat()
                if stat.S_ISREG(status.st_mode):
                    found.append(KeptTable(sha256=digest, bytes=status.st_size))
    return found


def damaged_tables(artifacts: Path) -> Iterator[tuple[Path, str]]:
    """Yield the path of every kept table that is damaged, with what is wrong with it.

    Parameters
    ----------
    artifacts
        Folder of the pipeline's results, ``artifacts/<pipeline>``.
    """
    if (artifacts / DATA_FOLDER).is_symlink():
        yield artifacts / DATA_FOLDER, "is a link"
    for table in kept_tables(artifacts):
        path = kept_path(artifacts, table.sha256)
        if problem := _problem(path, table.sha256):
            yield path, problem


def kept_in_words(tables: Sequence[KeptTable]) -> str:
    """Return number and size of the kept tables, such as ``2 training tables kept, 1.2 MB``."""
    return f"{counted(len(tables), 'training table')} kept, {size(sum(t.bytes for t in tables))}"


@contextlib.contextmanager
def data_in_use(artifacts: Path) -> Iterator[None]:
    """Keep `remove_unneeded` from removing anything while the block runs.

    A retraining keeps its table first and registers the version that needs it last.

    Parameters
    ----------
    artifacts
        Folder of the pipeline's results, ``artifacts/<pipeline>``.

    Raises
    ------
    RegistryError
        The folder of kept tables is a link.
    """
    folder = _folder(artifacts)
    folder.mkdir(parents=True, exist_ok=True)
    handle = open_folder(folder)
    try:
        lock_if_possible(handle, shared=True)
        yield
    finally:
        os.close(handle)
        # A retraining that kept nothing leaves no empty folder.
        with contextlib.suppress(OSError):
            folder.rmdir()


def remove_unneeded(
    artifacts: Path, needed: Collection[str], *, dry_run: bool = False
) -> list[KeptTable]:
    """Remove the kept tables that no version needs, and return them.

    Nothing is removed while a retraining is in `data_in_use`.

    Parameters
    ----------
    artifacts
        Folder of the pipeline's results, ``artifacts/<pipeline>``.
    needed
        Digests of the tables to keep.
    dry_run
        Only return what would be removed.
    """
    unneeded = [table for table in kept_tables(artifacts) if table.sha256 not in needed]
    if not unneeded:
        return []
    handle = open_folder(artifacts / DATA_FOLDER)
    try:
        if not try_lock(handle):
            return []
        if not dry_run:
            sweep(artifacts / DATA_FOLDER)
            for table in unneeded:
                remove(kept_path(artifacts, table.sha256))
            with contextlib.suppress(OSError):
                (artifacts / DATA_FOLDER).rmdir()
    finally:
        os.close(handle)
    return unneeded


def _folder(artifacts: Path) -> Path:
    folder = artifacts / DATA_FOLDER
    if folder.is_symlink():
        raise RegistryError(
            f"{folder} is a link; training data is kept in a plain folder. Put the folder itself "
            "there."
        )
    return folder


def kept_path(artifacts: Path, sha256: str) -> Path:
    """Return where the training table of the digest ``sha256`` is kept, whether it is or not."""
    if not _DIGEST.fullmatch(sha256):
        raise DataError(f"training data: {sha256[:80]!r} is not a SHA-256 in hexadecimal.")
    return _folder(artifacts) / f"{sha256}{_SUFFIX}"


def _problem(path: Path, sha256: str, write: Callable[[bytes], object] | None = None) -> str:
    """Return what is wrong with a kept file, empty if nothing is; ``write`` is given its table."""
    digest = hashlib.sha256()
    try:
        with open_plain(path) as (file, _):
            for chunk in _chunks(file, path):
                digest.update(chunk)
                if write is not None:
                    write(chunk)
    except FileNotFoundError:
        return "is missing."
    except OSError as error:
        return f"cannot be read ({error.strerror})."
    except DataError as error:
        return f"is damaged: {error}"
    return "" if digest.hexdigest() == sha256 else "is damaged: it holds another table."


def _chunks(file: IO[bytes], path: Path) -> Iterator[bytes]:
    stream = DecompressingReader(file, path.name)
    while chunk := stream.read(_AT_ONCE):
        yield chunk
