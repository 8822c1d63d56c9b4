"""One retraining of a pipeline at a time, and one pass over its inbox, whoever starts them."""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
from collections.abc import Iterator

from ffn.errors import BusyError, RegistryError
from ffn.models.settings.pipeline import Pipeline

__all__ = ["the_only_pass", "the_only_retraining"]


def the_only_retraining(pipeline: Pipeline) -> contextlib.AbstractContextManager[None]:
    """Hold the lock of retraining while the block runs. Raises ``BusyError`` if another does.

    The lock goes with the process, however that ends.
    """
    return _alone(pipeline, ".retraining.lock", "is being retrained already")


def the_only_pass(pipeline: Pipeline) -> contextlib.AbstractContextManager[None]:
    """Hold the lock of scoring the inbox, in the same way."""
    return _alone(pipeline, ".inbox.lock", "has its inbox scored already")


@contextlib.contextmanager
def _alone(pipeline: Pipeline, name: str, doing: str) -> Iterator[None]:
    pipeline.artifacts.mkdir(parents=True, exist_ok=True)
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    path = pipeline.artifacts / name
    handle = os.open(path, flags, 0o666)
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise RegistryError(f"{path} is no plain file, and locks are. Remove it.")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(handle, 20, 0).decode(errors="replace").strip() or "unknown"
            raise BusyError(
                f"{pipeline.name} {doing}, by process {holder}. Wait for it, or end it."
            ) from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(handle)
