"""Whether a worker sees the file that is to be scored: on a disk that is shared, under its path."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from ffn.storage.source import Source

__all__ = ["Sighting", "is_at_its_path", "is_still", "seen", "sighting"]

_SAMPLE_BYTES = 4096

Sighting = dict[str, Any]
"""What a worker recognises a file by: path, size, time, and a digest of some of its bytes."""


def sighting(stream: Source, begin: int, until: int) -> Sighting | None:
    """Return by what a worker recognises the file; None if its path does not lead to it.

    Parameters
    ----------
    stream
        The open file.
    begin, until
        The range that is to be scored; the samples are taken from its ends, and from the file's
        beginning.
    """
    if not is_at_its_path(stream):
        return None
    return {
        "path": str(Path(stream.name).absolute()),
        "bytes": stream.size,
        "mtime_ns": stream.status.st_mtime_ns,
        "begin": begin,
        "until": until,
        "sha256": _digest(stream.peek, begin, until),
    }


def is_at_its_path(stream: Source) -> bool:
    """Return whether the path of an open file leads to it.

    Parameters
    ----------
    stream
        The file.
    """
    try:
        return os.path.samestat(Path(stream.name).stat(), stream.status)
    except (OSError, ValueError):
        return False


@contextlib.contextmanager
def seen(found: Sighting) -> Iterator[IO[bytes] | None]:
    """Open the file while the block runs; None if there is none, or another one.

    Parameters
    ----------
    found
        What `sighting` returned on the other machine.
    """
    with contextlib.ExitStack() as stack:
        file = None
        with contextlib.suppress(OSError, ValueError):
            # A pipe of this name would be waited for.
            if stat.S_ISREG(Path(found["path"]).stat().st_mode):
                file = stack.enter_context(Path(found["path"]).open("rb"))
        yield file if file is not None and is_still(file, found) else None


def is_still(file: IO[bytes], found: Sighting) -> bool:
    """Return whether an open file is the one that was meant, as far as its samples tell.

    Parameters
    ----------
    file
        The file.
    found
        What `sighting` returned on the other machine.
    """
    status = os.fstat(file.fileno())
    if (status.st_size, status.st_mtime_ns) != (found["bytes"], found["mtime_ns"]):
        return False

    def peek(size: int, offset: int) -> bytes:
        return os.pread(file.fileno(), size, offset)

    try:
        return _digest(peek, found["begin"], found["until"]) == str(found["sha256"])
    except OSError:
        return False


def _digest(peek: Any, begin: int, until: int) -> str:
    digest = hashlib.sha256()
    for offset in (0, begin, max(begin, until - _SAMPLE_BYTES)):
        digest.update(peek(_SAMPLE_BYTES, offset))
    return digest.hexdigest()
