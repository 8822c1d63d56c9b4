"""Run locks: one retraining of a pipeline at a time, and one pass over its inbox."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from ffn.errors import BusyError, RegistryError
from ffn.storage.descriptors import open_regular

__all__ = ["the_only_pass", "the_only_retraining"]


def the_only_retraining(artifacts: Path) -> contextlib.AbstractContextManager[None]:
    """Hold the retraining lock of a pipeline while the block runs.

    The kernel releases the lock when the process ends for any reason.

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


def the_only_pass(artifacts: Path) -> contextlib.AbstractContextManager[None]:
    """Hold the inbox lock of a pipeline while the block runs; as `the_only_retraining`."""
    return _alone(artifacts, ".inbox.lock", "already has its inbox scored")


@contextlib.contextmanager
def _alone(artifacts: Path, name: str, doing: str) -> Iterator[None]:
    artifacts.mkdir(parents=True, exist_ok=True)
    path = artifacts / name
    try:
        handle = open_regular(path, os.O_RDWR | os.O_CREAT)
    except OSError as error:
        if error.errno in (errno.EINVAL, errno.EISDIR, errno.ELOOP, errno.ENXIO):
            raise RegistryError(f"{path} is not a plain file. Remove it.") from None
        raise
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(handle, 20, 0).decode(errors="replace").strip() or "unknown"
            raise BusyError(
                f"{artifacts.name} {doing} by process {holder}. Wait for it, or end it."
            ) from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(handle)
