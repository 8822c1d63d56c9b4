"""One file on its way: everything that moves on as its records are scored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ffn.scoring.journal import Journal
from ffn.scoring.outcome import Progress
from ffn.scoring.rows import REJECTS_HEADER, RowScorer
from ffn.scoring.tally import Tally
from ffn.tabular.records import Records
from ffn.tabular.sources import Source

__all__ = ["Run"]


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
        """Write the headers, or go on where an earlier run of the same work ended."""
        if not self.divisible:
            self.journal.start_anew()
        elif self.journal.take_up(self.stream, self.records, self.tally):
            return
        header = self.records.encode(self.scorer.header_line)
        self.journal.output.write(self.records.bom + header)
        self.journal.rejects.write(REJECTS_HEADER)

    def score(self, until: int | None = None) -> None:
        """Score the records that begin before byte ``until`` of the input; by default all."""
        for block in self.records.blocks(until):
            scored, refused = self.scorer.score(block, self.tally)
            self.journal.output.write(self.records.encode(scored))
            self.journal.rejects.write(b"".join(map(self.scorer.reject_line, refused)))
            self.tell()

    def tell(self) -> None:
        """Write down, and say, how far everything is."""
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

    def check_counts(self) -> None:
        """Make sure that every row is in the output or among the rejects."""
        rows, tally = self.records.rows, self.tally
        if rows != tally.scored + tally.rejected:
            raise RuntimeError(
                f"{rows} rows read, {tally.scored} scored, {tally.rejected} rejected"
            )
