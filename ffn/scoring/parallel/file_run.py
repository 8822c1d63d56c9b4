"""State of scoring one file: input, output and counts, which advance together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ffn.scoring.output.checkpoint import Journal
from ffn.scoring.output.score_result import Progress
from ffn.scoring.parallel.part_result import Part
from ffn.scoring.rows.row_scorer import REJECTS_HEADER, RowScorer
from ffn.scoring.rows.tally import Tally
from ffn.storage.source import Source
from ffn.tabular.csv.parsing.position import Mark
from ffn.tabular.csv.reader import Records

__all__ = ["Run", "keep_freed_memory"]

_KEPT_BYTES = 16 * 1024 * 1024


def keep_freed_memory() -> None:
    """Have the C library keep what a block's arrays free, for the next block's.

    By itself it hands some back to the system after each block, and every page of it comes back
    by a fault: a tenth of the time. What it keeps is twice the largest piece it ever mapped and
    freed, as this one is; no byte of it is touched. Another library than glibc loses nothing.
    """
    np.empty(_KEPT_BYTES, dtype=np.uint8)


@dataclass(frozen=True, eq=False)
class Run:
    """Input, output and counts: all of them stand at the same record.

    Attributes
    ----------
    divisible
        True if the input can be read from any record on: a plain file of UTF-8.
    """

    stream: Source
    records: Records
    scorer: RowScorer
    tally: Tally
    journal: Journal
    on_progress: Callable[[Progress], None] | None

    @property
    def divisible(self) -> bool:
        """Whether the input can be read from any record on: a plain file, of UTF-8."""
        plain = self.records.compression is None and self.records.encoding == "utf-8"
        return plain and self.stream.size is not None

    def begin(self) -> None:
        """Write the headers, or resume where an earlier run of the same work ended."""
        if not self.divisible:
            self.journal.restart()
        elif self.journal.resume(self.stream, self.records, self.tally):
            return
        header = self.records.encode(self.scorer.header_line)
        self.journal.output.write(self.records.bom + header)
        self.journal.rejects.write(REJECTS_HEADER)

    def score(self, until: int | None = None) -> None:
        """Score the records that begin before byte ``until`` of the input; by default all."""
        for block in self.records.blocks(until):
            self.tally.began = self.records.began
            scored, refused = self.scorer.score(block, self.tally)
            self.journal.output.write(self.records.encode(scored))
            self.journal.rejects.write(b"".join(map(self.scorer.reject_line, refused)))
            self.tell()

    def go_to_mark(self) -> None:
        """Seek input and reader to the next unscored record."""
        mark = self.records.mark
        self.stream.go_to(mark.offset)
        self.records.go_to(mark)

    def fits(self, part: Part) -> bool:
        """Return whether a part begins at the present position, as its maker assumed."""
        mark = self.records.mark
        return part.begin == mark.offset and not mark.place.after_stray

    def join(self, part: Part) -> None:
        """Append a part that was scored ahead of its turn, and continue after it."""
        place = self.records.mark.place
        folder = self.journal.folder
        for some in part.labelled(folder):
            self.journal.output.write(some)
        for reject in part.rejects(folder, place):
            self.journal.rejects.write(self.scorer.reject_line(reject))
        self.tally.add(part.tally)
        self.records.add_counts(part.counts)
        self.stream.go_to(part.mark.offset)
        self.records.go_to(Mark(part.mark.offset, place.followed_by(part.mark.place)))
        self.tell()

    def tell(self) -> None:
        """Write a checkpoint, and report the progress."""
        if self.divisible:
            self.journal.note(self.stream, self.records, self.tally)
        if self.on_progress is not None:
            self.on_progress(
                Progress(
                    rows=self.tally.scored + self.tally.rejected,
                    rejected=self.tally.rejected,
                    bytes_read=self.stream.bytes_read,
                    size=self.stream.size,
                )
            )
