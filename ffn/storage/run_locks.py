"""One retraining of a pipeline at a time, and one pass over its inbox, whoever starts them."""

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
    """Hold the lock of retraining while the block runs. Raises ``BusyError`` if another does.

    The lock goes with the process, however that ends.
    """
    return _alone(artifacts, ".retraining.lock", "is being retrained already")


def the_only_pass(artifacts: Path) -> contextlib.AbstractContextManager[None]:
    """Hold the lock of scoring the inbox, in the same way."""
    return _alone(artifacts, ".inbox.lock", "has its inbox scored already")


@contextlib.contextmanager
def _alone(artifacts: Path, name: str, doing: str) -> Iterator[None]:
    artifacts.mkdir(parents=True, exist_ok=True)
    path = artifacts / name
    try:
        handle = open_regular(path, os.O_RDWR | os.O_CREAT)
    except OSError as error:
        if error.errno in (errno.EINVAL, errno.EISDIR, errno.ELOOP, errno.ENXIO):
            raise RegistryError(f"{path} is no plain file, and locks are. Remove it.") from None
        raise
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(handle, 20, 0).decode(errors="replace").strip() or "unknown"
            raise BusyError(
                f"{artifacts.name} {doing}, by process {holder}. Wait for it, or end it."
            ) from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(handle)
