"""Result of scoring one byte range of a file ahead of its turn."""

from __future__ import annotations

import errno
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from ffn.scoring.output.work_folder import WorkFolder
from ffn.scoring.rows.row_scorer import RowScorer
from ffn.tabular.csv.parsing.position import Counts, Mark, Place
from ffn.tabular.csv.parsing.rejects import Reason, Reject
from ffn.tabular.csv.reader import Records

__all__ = ["Part", "Stored", "score_part"]

_AT_ONCE = 256 * 1024


@dataclass(frozen=True)
class Stored:
    """The bytes at the beginning of a file, in pieces.

    What stood there before is written over: where the system has memory for a file, to write
    there again takes a fraction of what it takes to find some.
    """

    name: str
    size: int

    @classmethod
    def write(cls, folder: WorkFolder, name: str, pieces: Iterable[bytes]) -> Self:
        """Write ``pieces`` one after another into a file of ``folder``."""
        with folder.write(name) as file:
            file.writelines(pieces)
            return cls(name, file.tell())

    def read(self, folder: WorkFolder) -> Iterator[bytes]:
        """Yield the bytes, from the file's beginning."""
        left = self.size
        with folder.read(self.name) as file:
            while left:
                some = file.read(min(left, _AT_ONCE))
                if not some:
                    what = str(folder.path / self.name)
                    raise OSError(errno.EIO, "cut short while it was in use", what)
                left -= len(some)
                yield some


class Part(NamedTuple):
    """Result of scoring one byte range of the input.

    Attributes
    ----------
    begin
        Byte of the input at which its first record begins.
    mark
        Where it ends, in rows and lines from its beginning.
    tally, counts
        ``Tally.state`` and ``Records.counts``.
    output
        Labelled records, in pieces or in a file; see `labelled`.
    listed
        Name of the file of the rejects; see `rejects`.
    """

    begin: int
    mark: Mark
    tally: dict[str, Any]
    counts: Counts
    output: list[bytes] | Stored
    listed: str

    def labelled(self, folder: WorkFolder) -> Iterable[bytes]:
        """Return the labelled records, in pieces."""
        return self.output.read(folder) if isinstance(self.output, Stored) else self.output

    def rejects(self, folder: WorkFolder, place: Place) -> Iterator[Reject]:
        """Yield the rejects in order; the part begins behind ``place``."""
        with folder.read(self.listed) as lines:
            for line in lines:
                row, on_line, count, column, value, reason = json.loads(line)
                row, on_line = row + place.rows, on_line + place.lines
                yield Reject(row, on_line, count, column, value, Reason(reason), "")


def score_part(
    scorer: RowScorer,
    records: Records,
    start: int,
    until: int,
    folder: WorkFolder,
    slot: int,
    *,
    in_memory: bool,
) -> Part:
    """Score the records that begin from byte ``start``, where all stand, to byte ``until``.

    Parameters
    ----------
    folder, slot
        Where its files go, and the number that tells them from those of others.
    in_memory
        Keep labelled records there, for none but this process.
    """
    tally = scorer.new_tally()
    listed = f"{slot}.rejects"
    with folder.write(listed) as lines:
        lines.truncate()

        def labelled() -> Iterator[bytes]:
            for block in records.blocks(until):
                tally.began = records.began
                scored, refused = scorer.score(block, tally)
                # Rows and lines count from the part's beginning until somebody knows where it is.
                lines.writelines(
                    json.dumps([r.row, r.line, r.lines, r.column, r.value, r.reason]).encode()
                    + b"\n"
                    for r in refused
                )
                yield scored

        output: list[bytes] | Stored
        if in_memory:
            output = list(labelled())
        else:
            output = Stored.write(folder, f"{slot}.output", labelled())
    return Part(start, records.mark, tally.state(), records.counts, output, listed)
