"""Parts in the work folder of a run, and those that an interrupted run has left there."""

from __future__ import annotations

import hashlib
from typing import Any, NamedTuple

from ffn.scoring.output.work_folder import WorkFolder
from ffn.scoring.partitioned.part_account import PartAccount, read_state, stamp_of
from ffn.scoring.partitioned.part_plan import InputPart
from ffn.storage.source import Source

__all__ = ["Staging", "left_part", "part_file", "range_digest"]

_AT_ONCE = 1024 * 1024


class Staging(NamedTuple):
    """Where parts are put, and what they are made with.

    Attributes
    ----------
    folder
        Work folder of the run.
    work
        What determines the output besides the input, for the account.
    """

    folder: WorkFolder
    work: dict[str, Any]


def part_file(key: str, kind: str) -> str:
    """Return the name in a work folder of a part's ``kind`` of file: ``output``, ``rejects``."""
    return f"{key}.{kind}"


def left_part(part: InputPart, stream: Source, staging: Staging) -> PartAccount | None:
    """Return a part that an interrupted run has scored from the same input; None if there is none.

    Parameters
    ----------
    part
        The part.
    stream
        Its input.
    staging
        Where parts are put.
    """
    found = read_state(staging.folder, part.key, staging.work)
    if found is None:
        return None
    account, _ = found
    stretch = part.stretch
    same_range = (account.span is None) == (stretch is None) and (
        account.span is None or stretch is None or account.span.until == stretch.until
    )
    if (
        account.name != part.name
        or not same_range
        or list(account.stamp) != stamp_of(stream.status)
        or account.source["path"] != part.below
    ):
        return None
    for kind, expected in (("output", account.output), ("rejects", account.rejects)):
        try:
            if staging.folder.digest(part_file(part.key, kind)) != expected["sha256"]:
                return None
        except OSError:
            return None
    return account


def range_digest(stream: Source, begin: int, end: int) -> str:
    """Return the SHA-256 of a range of a file, in hexadecimal.

    Parameters
    ----------
    stream
        The file.
    begin, end
        First byte, and the first one behind the range.
    """
    digest = hashlib.sha256()
    while begin < end:
        some = stream.peek(min(_AT_ONCE, end - begin), begin)
        if not some:
            break
        digest.update(some)
        begin += len(some)
    return digest.hexdigest()
