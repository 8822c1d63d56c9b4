"""Locks of a pipeline: for changing its registry, for retraining it, and for scoring its inbox.

The kernel releases a lock when its process ends for any reason, so none is ever left behind.
Scoring named files takes no lock.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from ffn.errors import BusyError, RegistryError
from ffn.storage.locks import lock, open_lock_file, try_lock

__all__ = ["backtest_lock", "inbox_lock", "registry_lock", "retraining_lock"]

_NO_PLAIN_FILE = (errno.EINVAL, errno.EISDIR, errno.ELOOP, errno.ENXIO)


@contextlib.contextmanager
def registry_lock(artifacts: Path) -> Iterator[None]:
    """Hold the lock of the registry while the block runs; wait for it if another process has it.

    Parameters
    ----------
    artifacts
        Folder of the pipeline's artifacts.

    Raises
    ------
    RegistryError
        The folder does not exist, or the lock file is a link.
    """
    path = artifacts / ".lock"
    with contextlib.ExitStack() as stack:
        try:
            handle = stack.enter_context(open_lock_file(path))
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise RegistryError(f"{path} is a link, not a lock file. Remove it.") from None
            if error.errno == errno.ENOENT:
                raise RegistryError(
                    f"{artifacts.name}: no versions yet ({artifacts} is not there). "
                    f"Make one with: ffn retrain {artifacts.name}"
                ) from None
            raise
        lock(handle)
        yield


def retraining_lock(artifacts: Path) -> contextlib.AbstractContextManager[None]:
    """Hold the retraining lock of a pipeline while the block runs.

    Parameters
    ----------
    artifacts
        Folder of the pipeline's artifacts, created if missing.

    Raises
    ------
    BusyError
        Another process holds the lock; the message gives its id.
    RegistryError
        The lock file is not a plain file.
    """
    return _alone(artifacts, ".retraining.lock", "is already being retrained")


def inbox_lock(artifacts: Path) -> contextlib.AbstractContextManager[None]:
    """Hold the inbox lock of a pipeline while the block runs; as `retraining_lock`."""
    return _alone(artifacts, ".inbox.lock", "already has its inbox scored")


def backtest_lock(artifacts: Path) -> contextlib.AbstractContextManager[None]:
    """Hold the lock of a pipeline's backtest while the block runs; as `retraining_lock`."""
    return _alone(artifacts, ".backtest.lock", "already has a backtest run")


@contextlib.contextmanager
def _alone(artifacts: Path, name: str, doing: str) -> Iterator[None]:
    """Hold a lock whose file names the process that does; refuse at once if another does."""
    artifacts.mkdir(parents=True, exist_ok=True)
    path = artifacts / name
    with contextlib.ExitStack() as stack:
        try:
            handle = stack.enter_context(open_lock_file(path))
        except OSError as error:
            if error.errno in _NO_PLAIN_FILE:
                raise RegistryError(f"{path} is not a plain file. Remove it.") from None
            raise
        if not try_lock(handle):
            holder = os.pread(handle, 20, 0).decode(errors="replace").strip() or "unknown"
            raise BusyError(
                f"{artifacts.name} {doing} by process {holder}. Wait for it, or end it."
            )
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        yield
