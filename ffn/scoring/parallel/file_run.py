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
    """Let the C library keep the memory of freed arrays for the next block.

    Otherwise it returns some of it to the system after each block, and getting every page back by a
    page fault takes a tenth of the time. glibc keeps twice the size of the largest mapped
    allocation that was ever freed: this one, of which no byte is touched. Other libraries are not
    affected.
    """
    np.empty(_KEPT_BYTES, dtype=np.uint8)


@dataclass(frozen=True, eq=False)
class Run:
    """Input, output and counts of scoring one file, all at the same record.

    Attributes
    ----------
    stream
        The input.
    records
        Reader of ``stream``.
    scorer
        Scorer of the input's records.
    tally
        Counts so far.
    journal
        The run's files.
    on_progress
        Called after each block; None for no reports.
    divisible
        Whether reading can start at any record: an uncompressed UTF-8 file.
    """

    stream: Source
    records: Records
    scorer: RowScorer
    tally: Tally
    journal: Journal
    on_progress: Callable[[Progress], None] | None

    @property
    def divisible(self) -> bool:
        """Whether reading can start at any record: an uncompressed UTF-8 file, not a pipe."""
        plain = self.records.compression is None and self.records.encoding == "utf-8"
        return plain and self.stream.size is not None

    def begin(self) -> None:
        """Write the headers, or resume at the checkpoint of an earlier run of the same work."""
        if not self.divisible:
            self.journal.restart()
        elif self.journal.resume(self.stream, self.records, self.tally):
            return
        header = self.records.encode(self.scorer.header_line)
        self.journal.output.write(self.records.bom + header)
        self.journal.rejects.write(REJECTS_HEADER)

    def score(self, until: int | None = None) -> None:
        """Score the records that begin before byte ``until`` of the input; None for all."""
        for block in self.records.blocks(until):
            self.tally.began = self.records.began
            scored, refused = self.scorer.score(block, self.tally)
            self.journal.output.write(self.records.encode(scored))
            self.journal.rejects.write(b"".join(map(self.scorer.reject_line, refused)))
            self.tell()

    def go_to_mark(self) -> None:
        """Move input and reader to the next unscored record."""
        mark = self.records.mark
        self.stream.go_to(mark.offset)
        self.records.go_to(mark)

    def fits(self, part: Part) -> bool:
        """Return whether ``part`` begins at the present position, as was guessed."""
        mark = self.records.mark
        return part.begin == mark.offset and not mark.place.after_stray

    def join(self, part: Part) -> None:
        """Append ``part``, which was scored ahead of its turn, and continue after it."""
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
        """Write a checkpoint if one is due, and report the progress."""
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
