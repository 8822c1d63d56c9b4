"""Registry lock: one process at a time changes a registry."""

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
    """Hold the registry's exclusive lock while the block runs, waiting for other holders.

    The kernel releases the lock when the process ends for any reason, so no stale lock remains.
    Scoring never takes it.

    Parameters
    ----------
    artifacts
        Folder of the pipeline's artifacts.

    Raises
    ------
    RegistryError
        The folder does not exist, or its lock file is a link.
    """
    path = artifacts / ".lock"
    try:
        handle = open_regular(path, os.O_RDWR | os.O_CREAT)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise RegistryError(f"{path} is a link, not a lock file. Remove it.") from None
        if error.errno == errno.ENOENT:
            raise RegistryError(
                f"{artifacts.name}: no versions yet ({artifacts} does not exist). "
                f"Make one with: ffn retrain {artifacts.name}"
            ) from None
        raise
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
