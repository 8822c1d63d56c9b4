"""List and open the files of an inbox without following links or opening swapped files.

Users who can write to the inbox must not gain access to the files of the account that scores them.
Between scan and reading, they could replace a file by a link, or the folder by another. Therefore
the folder is kept open, names are resolved relative to it, and an opened file is compared with the
scanned one by its descriptor before a byte is read.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Self

from ffn.errors import DataError
from ffn.scoring.inbox.ledger import Stamp
from ffn.scoring.inputs import is_table_name, output_name
from ffn.scoring.output.targets import COMPANIONS
from ffn.storage.descriptors import open_folder, open_regular
from ffn.storage.source import Source

__all__ = ["ChangedError", "InboxFolder", "Seen", "quiet_for"]

_NANOSECONDS = 1_000_000_000
_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH
# Errors of opening a name that no longer exists, or is no longer a regular file.
_NO_MORE = {errno.ENOENT, errno.ELOOP, errno.EINVAL, errno.EISDIR, errno.ENXIO, errno.ENODEV}


class ChangedError(DataError):
    """A file changed or disappeared since the scan; the next scan will find its new state."""


class Seen(NamedTuple):
    """State of a file at the time of a scan.

    Attributes
    ----------
    stamp
        Size and times.
    inode
        Device and inode, which differ if another file takes its name.
    """

    stamp: Stamp
    inode: tuple[int, int]

    @classmethod
    def of(cls, state: os.stat_result) -> Self:
        """Return the state of a file from ``state``, a result of ``os.stat``."""
        stamp = Stamp(size=state.st_size, modified=state.st_mtime_ns, changed=state.st_ctime_ns)
        return cls(stamp, (state.st_dev, state.st_ino))


class InboxFolder:
    """The open folder of an inbox; create it with `opened`.

    Parameters
    ----------
    path
        Path of the folder.
    descriptor
        Descriptor of the open folder, through which all files are opened.

    Attributes
    ----------
    path
        Path of the folder, for errors.
    inode
        Device and inode of the folder.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor
        state = os.fstat(descriptor)
        self.inode = state.st_dev, state.st_ino
        owners = {os.geteuid(), 0}
        self._shared = bool(state.st_mode & _OTHERS_MAY_WRITE) or state.st_uid not in owners
        self._owners = owners | {state.st_uid}

    @classmethod
    @contextlib.contextmanager
    def opened(cls, path: Path) -> Iterator[InboxFolder]:
        """Open the folder at ``path`` while the block runs; unlike a file, it may be a link.

        Raises
        ------
        FileNotFoundError
            It does not exist.
        """
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            yield cls(path, descriptor)
        finally:
            os.close(descriptor)

    def list_tables(self) -> tuple[dict[str, Seen], dict[str, str]]:
        """Return the states of the tables by name, and the reasons why others are refused."""
        found: dict[str, Seen] = {}
        refused: dict[str, str] = {}
        with os.scandir(self._descriptor) as entries:
            for entry in entries:
                if not is_table_name(entry.name):
                    continue
                with contextlib.suppress(FileNotFoundError):
                    state = entry.stat(follow_symlinks=False)
                    reason = self._why_not(entry.name, state)
                    if reason:
                        refused[entry.name] = reason
                    else:
                        found[entry.name] = Seen.of(state)
        outputs: dict[str, str] = {}
        for name in sorted(found):
            first = outputs.setdefault(output_name(name), name)
            if first != name:
                refused[name] = f"its output would have the same name as that of {first}; rename it"
        return {name: seen for name, seen in found.items() if name not in refused}, refused

    def _why_not(self, name: str, state: os.stat_result) -> str:
        if not stat.S_ISREG(state.st_mode):
            return "it is a link, a folder or a device; put a file there"
        if self._shared and state.st_nlink > 1:
            return (
                "it has another name elsewhere (a hard link), and other users can write to the "
                "inbox; put a copy there"
            )
        if name.lower().endswith(COMPANIONS):
            return "its output could have the same name as another file's rejects; rename it"
        try:
            name.encode()
        except UnicodeEncodeError:
            return "its name is not valid UTF-8; rename it"
        return ""

    def seen(self, name: str) -> Seen | None:
        """Return the present state of the file ``name``; None if it does not exist."""
        try:
            return Seen.of(os.stat(name, dir_fd=self._descriptor, follow_symlinks=False))
        except OSError:
            return None

    @contextlib.contextmanager
    def open_source(self, name: str, seen: Seen, sha256: str = "") -> Iterator[Source]:
        """Open a file for reading while the block runs, if it has not changed since the scan.

        Parameters
        ----------
        name
            Name of the file.
        seen
            State of the file at the time of the scan.
        sha256
            SHA-256 of the content at that time, as for `Source`; empty, the default, if
            unknown.

        Raises
        ------
        ChangedError
            It is another file, or was changed. Nothing of it has been read.
        DataError
            This user may not read it.
        """
        path = self.path / name
        try:
            handle = open_regular(name, within=self._descriptor)
        except OSError as error:
            if error.errno in _NO_MORE:
                raise _changed(path) from None
            raise DataError(f"{path} cannot be read: {error.strerror}.") from None
        with os.fdopen(handle, "rb") as file:
            state = os.fstat(handle)
            if Seen.of(state) != seen or self._why_not(name, state):
                raise _changed(path)
            yield Source(file, str(path), sha256=sha256)

    def move(self, name: str, seen: Seen, folder: str, other_name: str) -> None:
        """Move a file to a folder of the inbox, without replacing an existing file.

        Nothing is done if the file was replaced by another one.

        Parameters
        ----------
        name
            Name of the file.
        seen
            State of the file at the time of the scan.
        folder
            Name of the folder.
        other_name
            New name of the file if the folder already has one called ``name``.

        Raises
        ------
        DataError
            The folder is a link, not a folder, or belongs to another user; or the move failed.
        """
        target = self.path / folder
        try:
            with contextlib.suppress(FileExistsError):
                os.mkdir(folder, dir_fd=self._descriptor)
            into = open_folder(folder, within=self._descriptor)
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENOTDIR):
                raise _no_folder(target, name, "is a link or not a folder") from None
            raise _no_folder(target, name, f"cannot be used ({error.strerror})") from None
        try:
            if os.fstat(into).st_uid not in self._owners:
                raise _no_folder(target, name, "belongs to another user")
            if self.seen(name) != seen:
                return
            taken = _is_there(name, into)
            new = other_name if taken else name
            os.rename(name, new, src_dir_fd=self._descriptor, dst_dir_fd=into)
            self._give_back(name, seen, new, into)
            os.fsync(into)
            os.fsync(self._descriptor)
        except FileNotFoundError:
            # Somebody else has moved or deleted it in the meantime.
            return
        except OSError as error:
            raise _no_folder(target, name, f"cannot be used ({error.strerror})") from None
        finally:
            os.close(into)

    def _give_back(self, name: str, seen: Seen, new: str, into: int) -> None:
        """Undo the move of a file that replaced the scored one in the last moment."""
        state = os.stat(new, dir_fd=into, follow_symlinks=False)
        if (state.st_dev, state.st_ino) != seen.inode:
            with contextlib.suppress(FileExistsError):
                os.link(
                    new,
                    name,
                    src_dir_fd=into,
                    dst_dir_fd=self._descriptor,
                    follow_symlinks=False,
                )
                os.unlink(new, dir_fd=into)


def _is_there(name: str, folder: int) -> bool:
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _changed(path: Path) -> ChangedError:
    return ChangedError(
        f"{path} has changed or disappeared since the inbox was scanned. Scan it again."
    )


def _no_folder(target: Path, name: str, why: str) -> DataError:
    return DataError(
        f"{target.parent / name}: the folder {target.name}, to which it should be moved, {why}. "
        f"The file has been processed and stays in the inbox. Remove {target.name}, or set "
        "move = false in [inbox]."
    )


def quiet_for(stamp: Stamp) -> float:
    """Return the seconds since the last change in ``stamp``, by the clock of this machine."""
    return time.time() - max(stamp.modified, stamp.changed) / _NANOSECONDS
