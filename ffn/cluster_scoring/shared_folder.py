"""The work folder of a run as workers see it: on a shared disk they write what they score into it.

A worker recognises the folder by a file that the command has put there for the run, by its name and
its content. Each attempt of a task writes files of its own, so that two attempts of one task, of
which one was given up, never write the same file; the command takes those that it is told of and
finds to be there. Where a worker does not see the folder, or the command not the files, everything
crosses as bytes.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from ffn.errors import DataError
from ffn.scoring.output.work_folder import WorkFolder

__all__ = ["Offer", "OfferedFolder", "SharedFolder", "StoredNames", "range_key", "shared_folder"]

Offer = Mapping[str, str]
"""By what a worker recognises the folder: its path, and name and content of a file in it."""

StoredNames = tuple[str, str]
"""Names of the files with the output and the rejects of one attempt."""

_KINDS = ("output", "rejects")
_KEY_DIGITS, _ATTEMPT_BYTES, _MOST_BYTES = 24, 8, 1024

T = TypeVar("T")


class OfferedFolder:
    """The work folder of a run, offered to workers for as long as it is found to be shared.

    Create it with `offered`.

    Parameters
    ----------
    folder
        The folder.
    offer
        What workers are told.
    """

    def __init__(self, folder: WorkFolder, offer: Offer) -> None:
        self._folder = folder
        self._offer: Offer | None = offer

    @classmethod
    @contextlib.contextmanager
    def offered(cls, folder: WorkFolder) -> Iterator[OfferedFolder]:
        """Offer a folder while the block runs; what earlier attempts have left in it is deleted.

        Parameters
        ----------
        folder
            The folder, which this process has locked.
        """
        folder.sweep_workers()
        token, content = f"{secrets.token_hex(16)}.shared", secrets.token_hex(32)
        with folder.write(token) as file:
            file.write(content.encode())
        path = str(folder.path.absolute())
        try:
            yield cls(folder, {"path": path, "token": token, "content": content})
        finally:
            # A worker that finds it gone deletes what it has written.
            folder.unlink(token)

    @property
    def offer(self) -> Offer | None:
        """What workers are told; None once the folder was found not to be shared."""
        return self._offer

    def withdraw(self) -> None:
        """Offer it no more."""
        self._offer = None

    def found(self, names: Any, key: str, sizes: tuple[int, int]) -> StoredNames | None:
        """Return the files of an attempt; None if they are not seen here as they were written.

        Parameters
        ----------
        names
            What the worker says that their names are.
        key
            What they begin with.
        sizes
            Bytes of the output and of the rejects, as the worker says.

        Raises
        ------
        ValueError
            They are no names of these files.
        """
        patterns = [rf"{key}\.[0-9a-f]{{{2 * _ATTEMPT_BYTES}}}\.{kind}" for kind in _KINDS]
        if not isinstance(names, list) or len(names) != len(_KINDS):
            raise ValueError("the names of the files")
        if not all(map(re.fullmatch, patterns, map(str, names))):
            raise ValueError("the names of the files")
        for name, size in zip(names, sizes, strict=True):
            try:
                with self._folder.read(name) as file:
                    if os.fstat(file.fileno()).st_size != size:
                        return None
            except OSError:
                return None
        output, rejects = names
        return output, rejects


class SharedFolder:
    """The work folder of another process, which is seen here.

    Parameters
    ----------
    folder
        The open folder.
    offer
        By what it is recognised.
    mode
        Permissions that its files get.
    """

    def __init__(self, folder: WorkFolder, offer: Offer, mode: int) -> None:
        self._folder, self._offer, self._mode = folder, offer, mode

    def write(
        self, key: str, score: Callable[[Any, Any], T | None], *, durable: bool
    ) -> tuple[T, list[str]] | tuple[None, None]:
        """Have files written that no other attempt writes; return the result and their names.

        Parameters
        ----------
        key
            What the names of the files begin with, 24 hexadecimal digits.
        score
            Writes into two empty binary files, for the output and the rejects; what it returns is
            the result. If that is None, the files are deleted.
        durable
            Whether the output has to be on the disk by then, as it is published by renaming it.

        Raises
        ------
        DataError
            The run that has asked has ended.
        OSError
            They cannot be written.
        """
        attempt = secrets.token_hex(_ATTEMPT_BYTES)
        names = [f"{key}.{attempt}.{kind}" for kind in _KINDS]
        kept = False
        try:
            with contextlib.ExitStack() as stack:
                files = [stack.enter_context(self._folder.update(name)) for name in names]
                for file in files:
                    os.fchmod(file.fileno(), self._mode)
                found = score(*files)
            if found is None:
                return None, None
            if durable:
                self._folder.sync(names[0])
            if _mode_of(self._folder, self._offer) is None:
                raise DataError("the run that has asked for these rows has ended.")
            kept = True
            return found, names
        finally:
            if not kept:
                for name in names:
                    self._folder.unlink(name)


@contextlib.contextmanager
def shared_folder(offer: Offer | None) -> Iterator[SharedFolder | None]:
    """Open the work folder of another process while the block runs; None if it is not seen here.

    Parameters
    ----------
    offer
        What `OfferedFolder` says; None for no folder.
    """
    with contextlib.ExitStack() as stack:
        found = None
        if offer is not None:
            with contextlib.suppress(OSError, DataError):
                folder = stack.enter_context(WorkFolder.joined(Path(offer["path"])))
                mode = _mode_of(folder, offer)
                if mode is not None and _takes_files(folder, mode):
                    found = SharedFolder(folder, offer, mode)
        yield found


def range_key(begin: int) -> str:
    """Return what the names of a range's files begin with.

    Parameters
    ----------
    begin
        Its first byte.
    """
    return hashlib.sha256(b"%d" % begin).hexdigest()[:_KEY_DIGITS]


def _mode_of(folder: WorkFolder, offer: Offer) -> int | None:
    """Return the permissions of the file by which the folder is recognised; None if it is not."""
    try:
        with folder.read(offer["token"]) as file:
            if file.read(_MOST_BYTES) == offer["content"].encode():
                return stat.S_IMODE(os.fstat(file.fileno()).st_mode)
    except OSError:
        pass
    return None


def _takes_files(folder: WorkFolder, mode: int) -> bool:
    """Say whether files can be written here: the disk may be mounted for reading alone."""
    name = f"{secrets.token_hex(_KEY_DIGITS // 2)}.{secrets.token_hex(_ATTEMPT_BYTES)}.output"
    try:
        with folder.write(name) as file:
            os.fchmod(file.fileno(), mode)
        folder.unlink(name)
    except OSError:
        return False
    return True
