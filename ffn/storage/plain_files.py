"""Plain files and nothing else: no link, pipe or device is read in a file's place."""

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
    """Open a plain file to read, and give it with its size.

    Raises
    ------
    OSError
        There is none: a link, a folder, a pipe or a device is no plain file, and not waited for.
    """
    with os.fdopen(open_regular(path), "rb") as file:
        yield file, os.fstat(file.fileno()).st_size


def read_plain(path: Path, at_most: int) -> bytes:
    """Return the content of a plain file of no more than ``at_most`` bytes.

    Raises
    ------
    OSError
        There is none, or it is longer: no such file is, and memory may not hold it.
    """
    with open_plain(path) as (file, size):
        if size > at_most:
            raise OSError(errno.EFBIG, f"longer than {at_most:,} bytes", str(path))
        # Not one byte more than was measured, should the file grow now.
        return file.read(size)
