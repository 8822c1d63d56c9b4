"""The locks of a pipeline: on its registry, on retraining it, and on scoring its inbox.

Each dies with its process: none is ever left behind. Scoring never waits for any.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from ffn.errors import BusyError, RegistryError
from ffn.storage.locks import lock, open_lock_file, try_lock

__all__ = ["inbox_lock", "registry_lock", "retraining_lock"]

_NO_PLAIN_FILE = (errno.EINVAL, errno.EISDIR, errno.ELOOP, errno.ENXIO)


@contextlib.contextmanager
def registry_lock(artifacts: Path) -> Iterator[None]:
    """Wait until nobody else changes the registry, and keep others waiting while the block runs."""
    path = artifacts / ".lock"
    with contextlib.ExitStack() as stack:
        try:
            handle = stack.enter_context(open_lock_file(path))
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise RegistryError(f"{path} is a link, and locks are none. Remove it.") from None
            if error.errno == errno.ENOENT:
                raise RegistryError(
                    f"{artifacts.name}: no versions yet ({artifacts} is not there). "
                    f"Make one with: ffn retrain {artifacts.name}"
                ) from None
            raise
        lock(handle)
        yield


def retraining_lock(artifacts: Path) -> contextlib.AbstractContextManager[None]:
    """Hold the lock of retraining while the block runs. Raises ``BusyError`` if another does."""
    return _alone(artifacts, ".retraining.lock", "is being retrained already")


def inbox_lock(artifacts: Path) -> contextlib.AbstractContextManager[None]:
    """Hold the lock of scoring the inbox, in the same way."""
    return _alone(artifacts, ".inbox.lock", "has its inbox scored already")


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
                raise RegistryError(f"{path} is no plain file, and locks are. Remove it.") from None
            raise
        if not try_lock(handle):
            holder = os.pread(handle, 20, 0).decode(errors="replace").strip() or "unknown"
            raise BusyError(
                f"{artifacts.name} {doing}, by process {holder}. Wait for it, or end it."
            )
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        yield
