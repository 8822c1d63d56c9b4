"""Find the files of a table: a file, all tables of a folder, or those that match a pattern.

Hidden files and those that other programs are still writing are passed over. Links are not
followed: a link in a folder might lead to files that were never meant to be read.
"""

from __future__ import annotations

import fnmatch
import glob
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from ffn.errors import DataError, quote
from ffn.storage.compression import without_compression_suffix

__all__ = [
    "TableFile",
    "check_partitions",
    "is_one_csv",
    "is_passed_over",
    "partition_of",
    "split_pattern",
    "table_files",
]

_TABLES = (".csv", ".tsv", ".tab", ".parquet")
# Spark and Hadoop name what is no data with an underscore; the others are unfinished downloads,
# copies and backups.
_PASSED_OVER = (".", "_")
_UNFINISHED = ("~", ".tmp", ".temp", ".part", ".partial", ".crdownload", ".inprogress", ".swp")
_PARQUET = b"PAR1"
# What Hive and Spark write for a partition of rows without the value.
_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"


class TableFile(NamedTuple):
    """A file of a table.

    Attributes
    ----------
    path
        Path of the file.
    name
        Its path below the folder that was named, with slashes; files are in the order of these.
    partition
        Columns that the folders of the file give, by their names ``column=value``.
    given
        Whether the file itself was named, and may therefore be a link.
    """

    path: Path
    name: str
    partition: tuple[tuple[str, str], ...] = ()
    given: bool = False


def is_one_csv(path: Path) -> bool:
    """Say whether ``path`` names a single file that is no Parquet file, or that cannot be read.

    Only the kind is looked at; who reads the file opens it once, for digest and content.
    """
    if not os.path.lexists(path):
        return not glob.has_magic(str(path))
    if path.is_dir():
        return False
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return True
    try:
        return os.pread(handle, len(_PARQUET), 0) != _PARQUET
    except OSError:
        return True
    finally:
        os.close(handle)


def table_files(path: Path) -> list[TableFile]:
    """Return the files of a table in the order of their names.

    Parameters
    ----------
    path
        A file; a folder, of which all tables are taken, those in folders named ``column=value``
        included; or a pattern with ``*``, ``?``, ``[…]``, or ``**`` for folders at any depth.

    Raises
    ------
    DataError
        There is no file, a file is a link or no plain file, a name is not valid UTF-8, or the
        folders of the files do not name the same columns.
    """
    there = os.path.lexists(path)
    if not path.is_dir() if there else not glob.has_magic(str(path)):
        return [TableFile(path, path.name, given=True)]
    base, parts = (path, ()) if there else split_pattern(path)
    try:
        walk = _walk(base, "", parts) if parts else _walk_folder(base, "")
        found = sorted({_checked(base, name) for name in walk})
    except OSError as error:
        where = error.filename or base
        if parts and isinstance(error, FileNotFoundError):
            message = f"no file matches {quote(path, 200)}: there is no folder {quote(where, 200)}."
            raise DataError(message) from None
        raise DataError(f"{where} cannot be read: {error.strerror}.") from None
    if not found:
        known = ", ".join(_TABLES)
        if parts:
            raise DataError(f"no file matches {quote(path, 200)}. Give files of a table ({known}).")
        raise DataError(f"{path} holds no table ({known}). Put the files of the table there.")
    files = [TableFile(base / name, name, partition_of(name)) for name in found]
    check_partitions(files, base)
    return files


def split_pattern(path: Path) -> tuple[Path, tuple[str, ...]]:
    """Return the folder that the pattern ``path`` begins with, and its parts below that."""
    parts = path.parts
    fixed = next(n for n, part in enumerate(parts) if glob.has_magic(part))
    return Path(*parts[:fixed]), parts[fixed:]


def _walk(base: Path, below: str, parts: Sequence[str]) -> Iterator[str]:
    """Yield the names below ``base`` that match the ``parts`` of a pattern."""
    part, *rest = parts
    if part == "**":
        if rest:
            yield from _walk(base, below, rest)
        for name, is_folder in _entries(base, below):
            if is_folder:
                yield from _walk(base, f"{_checked(base, name)}/", parts)
            elif not rest and _is_table(name):
                yield name
        return
    for name, is_folder in _entries(base, below):
        if not fnmatch.fnmatchcase(name.rpartition("/")[2], part):
            continue
        if is_folder:
            if rest:
                yield from _walk(base, f"{_checked(base, name)}/", rest)
        elif not rest:
            yield name


def _walk_folder(base: Path, below: str) -> Iterator[str]:
    """Yield the names of all tables in a folder, and in its folders named ``column=value``."""
    for name, is_folder in _entries(base, below):
        if not is_folder:
            if _is_table(name):
                yield name
        elif "=" in name.rpartition("/")[2]:
            yield from _walk_folder(base, f"{_checked(base, name)}/")


def _entries(base: Path, below: str) -> Iterator[tuple[str, bool]]:
    """Yield name and "is a folder" of what is in a folder and not passed over."""
    with os.scandir(base / below) as entries:
        for entry in entries:
            if not _is_left_out(entry.name):
                yield f"{below}{entry.name}", entry.is_dir()


def _is_left_out(part: str) -> bool:
    """Say whether a file or folder of this name is hidden, an engine's own, or unfinished."""
    return part.startswith(_PASSED_OVER) or part.lower().endswith(_UNFINISHED)


def _checked(base: Path, name: str) -> str:
    """Return the name of a file or folder that is wanted, and is no link or device."""
    path = base / name
    if path.is_symlink():
        raise DataError(
            f"{path} is a link, which may lead out of the folder. Put the file itself there."
        )
    if not path.is_dir() and not path.is_file():
        raise DataError(f"{path} is a device or pipe. Put plain files there.")
    try:
        name.encode()
    except UnicodeEncodeError:
        raise DataError(f"the name of {path} is not valid UTF-8. Rename it.") from None
    return name


def _is_table(name: str) -> bool:
    return without_compression_suffix(name).lower().endswith(_TABLES)


def is_passed_over(name: str, *, partitions_alone: bool) -> bool:
    """Say whether a table consists of its files without this one, by the names alone.

    Parameters
    ----------
    name
        Path of the file below the folder of the table, with slashes.
    partitions_alone
        Whether only folders named ``column=value`` are looked into, and only tables are taken: as
        of a folder that was named, not of a pattern.
    """
    *folders, own = name.split("/")
    if any(map(_is_left_out, (*folders, own))):
        return True
    return partitions_alone and not (_is_table(own) and all("=" in part for part in folders))


def partition_of(name: str) -> tuple[tuple[str, str], ...]:
    """Return the columns that the folders of a file give, as Hive and Spark name them.

    Parameters
    ----------
    name
        Path of the file below the folder of the table, with slashes.
    """
    found = []
    for folder in name.split("/")[:-1]:
        column, sign, value = folder.partition("=")
        if sign and column:
            column, value = _decoded(column, name), _decoded(value, name)
            found.append((column, "" if value == _NO_VALUE else value))
    return tuple(found)


def _decoded(text: str, name: str) -> str:
    """Return what a folder's name stands for, in which ``%2F`` is a slash."""
    try:
        decoded = unquote_to_bytes(text).decode()
    except UnicodeDecodeError:
        decoded = "\0"
    if "\0" in decoded:
        raise DataError(
            f"{name}: {quote(text)} in the name of its folder does not stand for a text in UTF-8. "
            "Rename the folder."
        )
    return decoded


def check_partitions(files: Sequence[TableFile], base: Path) -> None:
    """Refuse files whose folders do not name the same columns.

    Parameters
    ----------
    files
        The files of a table.
    base
        Folder that they are below, for the message.

    Raises
    ------
    DataError
        They do not.
    """
    first = [column for column, _ in files[0].partition]
    if len(set(first)) < len(first):
        raise DataError(f"{files[0].path}: two of its folders name the same column. Rename one.")
    for file in files:
        columns = [column for column, _ in file.partition]
        if columns != first:
            raise DataError(
                f"{file.path}: its folders below {base} name the columns "
                f"{_in_words(columns)}, and those of {files[0].name} {_in_words(first)}. Put all "
                "files into folders of the same columns."
            )


def _in_words(columns: Sequence[str]) -> str:
    return ", ".join(map(quote, columns)) or "(none)"
