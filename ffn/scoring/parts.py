"""What becomes of a stretch of a file before everything in front of it is scored."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Self

from ffn.scoring.rows import RowScorer
from ffn.tabular.places import Counts, Mark, Place
from ffn.tabular.records import Records
from ffn.tabular.rejects import Reason, Reject

__all__ = ["Part", "Stored", "score_part"]

_AT_ONCE = 256 * 1024


@dataclass(frozen=True)
class Stored:
    """The bytes at the beginning of a file, in pieces.

    What stood there before is written over: where the system has memory for a file, to write
    there again takes a fraction of what it takes to find some.
    """

    path: Path
    size: int

    @classmethod
    def write(cls, path: Path, pieces: Iterable[bytes]) -> Self:
        """Write ``pieces`` one after another."""
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o666), "wb") as file:
            file.writelines(pieces)
            return cls(path, file.tell())

    def __iter__(self) -> Iterator[bytes]:
        left = self.size
        with self.path.open("rb") as file:
            while left:
                some = file.read(min(left, _AT_ONCE))
                if not some:
                    raise OSError(errno.EIO, "cut short while it was in use", str(self.path))
                left -= len(some)
                yield some


class Part(NamedTuple):
    """What was made of a stretch of the input.

    Attributes
    ----------
    begin
        Byte of the input at which its first record begins.
    mark
        Where it ends, in rows and lines from its beginning.
    tally, counts
        ``Tally.state`` and ``Records.counts``.
    output
        Labelled records, in pieces.
    listed
        File of the rejects; see `rejects`.
    """

    begin: int
    mark: Mark
    tally: dict[str, Any]
    counts: Counts
    output: Iterable[bytes]
    listed: Path

    def rejects(self, place: Place) -> Iterator[Reject]:
        """Yield the rejects in order; the part begins behind ``place``."""
        with self.listed.open(encoding="utf-8") as lines:
            for line in lines:
                row, on_line, count, column, value, reason = json.loads(line)
                row, on_line = row + place.rows, on_line + place.lines
                yield Reject(row, on_line, count, column, value, Reason(reason), "")


def score_part(
    scorer: RowScorer, records: Records, start: int, until: int, name: Path, *, in_memory: bool
) -> Part:
    """Score the records that begin from byte ``start``, where all stand, to byte ``until``.

    Parameters
    ----------
    name
        Of its files, without what tells them apart.
    in_memory
        Keep labelled records there, for none but this process.
    """
    tally = scorer.new_tally()
    listed = name.with_suffix(".rejects")
    with listed.open("w", encoding="utf-8") as lines:

        def labelled() -> Iterator[bytes]:
            for block in records.blocks(until):
                tally.began = records.began
                scored, refused = scorer.score(block, tally)
                # Rows and lines count from the part's beginning until somebody knows where it is.
                lines.writelines(
                    json.dumps([r.row, r.line, r.lines, r.column, r.value, r.reason]) + "\n"
                    for r in refused
                )
                yield scored

        output: Iterable[bytes] = (
            list(labelled()) if in_memory else Stored.write(name.with_suffix(".output"), labelled())
        )
    return Part(start, records.mark, tally.state(), records.counts, output, listed)
