"""Result of scoring one byte range of a file ahead of its turn."""

from __future__ import annotations

import errno
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO, Any, NamedTuple, Self

from ffn.scoring.output.work_folder import WorkFolder
from ffn.scoring.rows.row_scorer import RowScorer
from ffn.scoring.rows.tally import Tally
from ffn.tabular.csv.parsing.position import Counts, Mark, Place
from ffn.tabular.csv.parsing.rejects import Reason, Reject
from ffn.tabular.csv.reader import Records

__all__ = ["Part", "Stored", "score_part", "score_records"]

_AT_ONCE = 256 * 1024


@dataclass(frozen=True)
class Stored:
    """Bytes at the beginning of a file.

    Earlier content of the file is overwritten: writing to pages that the system already has in
    memory takes a fraction of the time of allocating new ones.

    Attributes
    ----------
    name
        Name of the file in the work folder.
    size
        Number of bytes.
    """

    name: str
    size: int

    @classmethod
    def write(cls, folder: WorkFolder, name: str, pieces: Iterable[bytes]) -> Self:
        """Write bytes to the beginning of a file.

        Parameters
        ----------
        folder
            The work folder.
        name
            Name of the file.
        pieces
            The bytes, in pieces.
        """
        with folder.write(name) as file:
            file.writelines(pieces)
            return cls(name, file.tell())

    def read(self, folder: WorkFolder) -> Iterator[bytes]:
        """Yield the bytes from the file in ``folder``, in pieces.

        Raises
        ------
        OSError
            The file is shorter than it was.
        """
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
        Position of its end, counted in rows and lines from its beginning.
    tally, counts
        Counts over the rows (``Tally.state``), and over the blocks (``Records.counts``).
    output
        Labelled records, in memory or in a file; see `labelled`.
    listed
        Name of the file with the rejects, or its content; see `rejects`.
    """

    begin: int
    mark: Mark
    tally: dict[str, Any]
    counts: Counts
    output: list[bytes] | Stored
    listed: str | bytes

    def labelled(self, folder: WorkFolder) -> Iterable[bytes]:
        """Return the labelled records, in pieces.

        Parameters
        ----------
        folder
            The work folder.
        """
        return self.output.read(folder) if isinstance(self.output, Stored) else self.output

    def rejects(self, folder: WorkFolder, place: Place) -> Iterator[Reject]:
        """Yield the rejects in order, with row and line numbers of the whole file.

        Parameters
        ----------
        folder
            The work folder.
        place
            Position at which the part begins.
        """
        listed = self.listed
        with io.BytesIO(listed) if isinstance(listed, bytes) else folder.read(listed) as lines:
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
    """Score the records that begin in a byte range.

    Parameters
    ----------
    scorer
        Scorer of the records.
    records
        Reader of the input, which is at byte ``start``.
    start
        Byte at which the first record begins.
    until
        Byte at which the range ends; a record that begins before it is included.
    folder
        The work folder, for the results.
    slot
        Number in the names of the files, unique among the parts that exist at the same time.
    in_memory
        Whether to keep the labelled records in memory, for use by this process only.
    """
    tally = scorer.new_tally()
    listed = f"{slot}.rejects"
    with folder.write(listed) as lines:
        lines.truncate()
        labelled = score_records(scorer, records, until, tally, lines)
        output: list[bytes] | Stored
        name = f"{slot}.output"
        output = list(labelled) if in_memory else Stored.write(folder, name, labelled)
    return Part(start, records.mark, tally.state(), records.counts, output, listed)


def score_records(
    scorer: RowScorer, records: Records, until: int, tally: Tally, lines: IO[bytes]
) -> Iterator[bytes]:
    """Yield the labelled records that begin in a range, and list its rejects as `Part` has them.

    Parameters
    ----------
    scorer
        Scorer of the records.
    records
        Reader of the input, which is at the first record of the range.
    until
        Byte at which the range ends.
    tally
        Counts of the range, to which its records are added.
    lines
        File for the rejects.
    """
    for block in records.blocks(until):
        tally.began = records.began
        scored, refused = scorer.score(block, tally)
        # Rows and lines count from the part's beginning, as its position is still unknown.
        lines.writelines(
            json.dumps([r.row, r.line, r.lines, r.column, r.value, r.reason]).encode() + b"\n"
            for r in refused
        )
        yield scored
