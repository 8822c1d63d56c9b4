"""Locks on open files and folders.

A lock belongs to what was opened, not to a name, and ends when that is closed: the kernel does so
when a process ends, however it ends.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from ffn.storage.descriptors import open_regular

__all__ = ["lock", "lock_if_possible", "locked_folder", "open_lock_file", "try_lock"]

Opened = int | IO[bytes]


def lock(opened: Opened, *, shared: bool = False, wait: bool = True) -> None:
    """Lock an open file or folder, or its descriptor.

    Parameters
    ----------
    opened
        An open file, or the descriptor of a file or folder.
    shared
        Others may hold a shared lock at the same time.
    wait
        Wait until it is free.

    Raises
    ------
    BlockingIOError
        Somebody else holds it, and ``wait`` is false.
    OSError
        Nothing can be locked there, as on some network file systems.
    """
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    fcntl.flock(opened, kind if wait else kind | fcntl.LOCK_NB)


def try_lock(opened: Opened) -> bool:
    """Lock an open file or folder for this process alone, and say whether it was free.

    Raises
    ------
    OSError
        As for ``lock``.
    """
    try:
        lock(opened, wait=False)
    except BlockingIOError:
        return False
    return True


def lock_if_possible(opened: Opened, *, shared: bool = False) -> None:
    """Wait for a lock as ``lock`` does; where nothing can be locked, go on without one."""
    with contextlib.suppress(OSError):
        lock(opened, shared=shared)


@contextlib.contextmanager
def locked_folder(folder: Path) -> Iterator[None]:
    """Wait until nobody else is in such a block for ``folder``, and keep others waiting.

    Where nothing can be locked, nobody waits.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        lock_if_possible(handle)
        yield
    finally:
        os.close(handle)


@contextlib.contextmanager
def open_lock_file(path: Path) -> Iterator[int]:
    """Open a file that is there to be locked, made if need be, and give its descriptor.

    Raises
    ------
    OSError
        As for ``open_regular``: a link is no lock.
    """
    handle = open_regular(path, os.O_RDWR | os.O_CREAT)
    try:
        yield handle
    finally:
        os.close(handle)
