"""Read plain files only: links, pipes and devices are refused."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from ffn.storage.descriptors import open_regular

__all__ = ["open_plain", "read_plain"]


@contextlib.contextmanager
def open_plain(path: Path) -> Iterator[tuple[IO[bytes], int]]:
    """Open the plain file ``path`` for reading; yield the binary file and its size in bytes.

    Raises
    ------
    OSError
        The file does not exist, or is a link, folder, pipe or device (opening never blocks).
    """
    with os.fdopen(open_regular(path), "rb") as file:
        yield file, os.fstat(file.fileno()).st_size


def read_plain(path: Path, at_most: int) -> bytes:
    """Return the content of a plain file.

    Parameters
    ----------
    path
        Path of the file.
    at_most
        Largest size in bytes: a longer file is not of the expected kind, and may exceed memory.

    Raises
    ------
    OSError
        There is no plain file at ``path``, or it is longer.
    """
    with open_plain(path) as (file, size):
        if size > at_most:
            raise OSError(errno.EFBIG, f"longer than {at_most:,} bytes", str(path))
        # The file may grow meanwhile; the limit holds all the same.
        return file.read(size)
