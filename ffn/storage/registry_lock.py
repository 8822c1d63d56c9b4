"""The lock of a registry: one process at a time changes it, and the lock dies with its process."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from ffn.errors import RegistryError
from ffn.storage.descriptors import open_regular

__all__ = ["registry_lock"]


@contextlib.contextmanager
def registry_lock(artifacts: Path) -> Iterator[None]:
    """Wait until nobody else changes the registry, and keep others waiting while the block runs.

    The kernel holds the lock for an open file, and closes what a process had open when it
    ends, however it ends: no lock is ever left behind. Scoring never waits.
    """
    path = artifacts / ".lock"
    try:
        handle = open_regular(path, os.O_RDWR | os.O_CREAT)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise RegistryError(f"{path} is a link, and locks are none. Remove it.") from None
        if error.errno == errno.ENOENT:
            raise RegistryError(
                f"{artifacts.name}: no versions yet ({artifacts} is not there). "
                f"Make one with: ffn retrain {artifacts.name}"
            ) from None
        raise
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
