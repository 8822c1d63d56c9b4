"""What is known of a part that has been scored."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from ffn.scoring.output.work_folder import WorkFolder

__all__ = ["PartAccount", "Span", "read_state", "stamp_of", "write_account"]

_NAME = "{key}.part"


@dataclass(frozen=True, kw_only=True)
class Span:
    """Where the records of a range begin and end in the file.

    Attributes
    ----------
    begin, end
        First byte, and first byte behind them.
    until
        End of the range that was asked for; None for the end of the file.
    rows, lines, blank_lines
        Number of records, line ends and blank lines of the range; for the first range of a file
        also those of the header.
    after_stray
        Whether it ends with a line end that is not the file's.
    """

    begin: int
    end: int
    until: int | None
    rows: int
    lines: int
    blank_lines: int
    after_stray: bool


@dataclass(frozen=True, kw_only=True)
class PartAccount:
    """A scored part: what it was made of, and what came out.

    Attributes
    ----------
    name
        Path of the output below its folder.
    source
        The manifest's entry for the input.
    stamp
        Size, times and inode of the input when it was read.
    output, rejects
        Size and digest of the labelled rows, and of the rejected ones.
    counts
        Counts of the rows, as in the manifest of a file.
    confidence_units
        Sum of the confidences as written, in units of 1/10,000.
    columns
        Names of the columns of the input.
    dated
        Whether it has the column by which seasons are told.
    span
        Place of its records in the file; None if they are all of it.
    """

    name: str
    source: dict[str, Any]
    stamp: Sequence[int]
    output: dict[str, Any]
    rejects: dict[str, Any]
    counts: dict[str, Any]
    confidence_units: int
    columns: Sequence[str]
    dated: bool
    span: Span | None = field(default=None)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> PartAccount:
        """Return the account that ``asdict`` made ``value`` of. Raises as a dictionary does."""
        span = value["span"]
        return cls(**{**value, "span": None if span is None else Span(**span)})


def stamp_of(status: os.stat_result) -> list[int]:
    """Return size, times (ns) and inode of a file, which change when it is written or replaced."""
    return [
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
        status.st_dev,
        status.st_ino,
    ]


def write_account(
    folder: WorkFolder, key: str, work: dict[str, Any], account: PartAccount, state: dict[str, Any]
) -> None:
    """Record that a part is complete in the work folder.

    Parameters
    ----------
    folder
        The work folder.
    key
        Name of the part in it.
    work
        What determines the output besides the input.
    account
        The part.
    state
        Its counts, to be added to those of other parts.
    """
    found = {"work": work, "account": asdict(account), "state": state}
    content = json.dumps(found, ensure_ascii=False).encode()
    digest = hashlib.sha256(content).hexdigest().encode()
    with folder.write(_NAME.format(key=key)) as file:
        file.truncate()
        file.write(digest + b"\n" + content)


def read_state(
    folder: WorkFolder, key: str, work: dict[str, Any]
) -> tuple[PartAccount, dict[str, Any]] | None:
    """Return a part that is complete in the work folder, and its counts.

    None if there is none, or it was scored by another model or with other options.

    Parameters
    ----------
    folder, key, work
        As for `write_account`.
    """
    try:
        with folder.read(_NAME.format(key=key)) as file:
            digest, _, content = file.read().partition(b"\n")
        # After a kill or a power cut the file may be incomplete.
        if digest != hashlib.sha256(content).hexdigest().encode():
            return None
        found = json.loads(content)
        if found["work"] != work:
            return None
        return PartAccount.from_json(found["account"]), found["state"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
