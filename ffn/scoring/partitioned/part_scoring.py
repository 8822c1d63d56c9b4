"""Score one part of a partitioned output into the work folder of its run."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ffn.errors import OutputError
from ffn.scoring.columnar.detect import is_columnar, names_parquet
from ffn.scoring.output.manifest import input_of
from ffn.scoring.parallel.file_run import keep_freed_memory
from ffn.scoring.parallel.record_start import guess_start
from ffn.scoring.partitioned.part_account import (
    PartAccount,
    Span,
    stamp_of,
    write_account,
)
from ffn.scoring.partitioned.part_plan import InputPart, Stretch
from ffn.scoring.partitioned.staged_parts import Staging, left_part, part_file, range_digest
from ffn.scoring.rows.options import Options
from ffn.scoring.rows.row_scorer import REJECTS_HEADER, RowScorer
from ffn.scoring.rows.scorer import Scorer
from ffn.scoring.rows.tally import Tally
from ffn.scoring.score_file import check_labels
from ffn.storage.hashed_file import HashedFile
from ffn.storage.source import Source
from ffn.tabular.csv.parsing.position import Mark, Place
from ffn.tabular.csv.reader import Records

__all__ = ["naming_part", "score_input_part", "score_opened_part"]


class _Drafts:
    """Output and rejects of a part."""

    def __init__(self, output: HashedFile, rejects: HashedFile) -> None:
        self.output, self.rejects = output, rejects

    def restart(self) -> None:
        self.output.restart()
        self.rejects.restart()


def score_input_part(
    part: InputPart,
    model: Scorer,
    options: Options,
    staging: Staging,
    *,
    start: Mark | None = None,
    to_end: bool = False,
) -> PartAccount | None:
    """Score a part; nothing outside the work folder is written.

    A part that an interrupted run has left complete is taken as it is.

    Parameters
    ----------
    part
        The part.
    model
        The model.
    options
        Options of scoring; limits of rejects and drift are not applied here.
    staging
        Where to put it.
    start
        Where the first record of a range begins; None, the default, to look for it.
    to_end
        Whether a range goes to the end of the file, whatever its own end.

    Returns
    -------
    PartAccount or None
        None if the first record of the range cannot be told from its bytes.

    Raises
    ------
    DataError
        The input cannot be read, or does not match the model's schema.
    OutputError
        The work folder cannot be written.
    """
    with part.opened() as stream, naming_part(part):
        if start is None and (left := left_part(part, stream, staging)):
            return left
        keep_freed_memory()
        staging.folder.unlink(part_file(part.key, "part"))
        with contextlib.ExitStack() as stack:
            output, rejects = (
                stack.enter_context(staging.folder.update(part_file(part.key, kind)))
                for kind in ("output", "rejects")
            )
            found = score_opened_part(
                part, stream, model, options, output, rejects, start=start, to_end=to_end
            )
            if found is None:
                return None
        # A part is published by renaming it; its content has to be on the disk by then.
        staging.folder.sync(part_file(part.key, "output"))
        account, state = found
        write_account(staging.folder, part.key, staging.work, account, state)
        return account


def score_opened_part(
    part: InputPart,
    stream: Source,
    model: Scorer,
    options: Options,
    output: Any,
    rejects: Any,
    *,
    start: Mark | None = None,
    to_end: bool = False,
) -> tuple[PartAccount, dict[str, Any]] | None:
    """Score a part into two files, and return what is known of it, and its counts.

    Parameters
    ----------
    part
        The part.
    stream
        Its input.
    model, options
        As for `score_input_part`.
    output, rejects
        Binary files for the labelled rows and the rejected ones, which are written over.
    start, to_end
        As for `score_input_part`, which also says when there is no result, and what is raised.
    """
    drafts = _Drafts(HashedFile(output), HashedFile(rejects))
    drafts.restart()
    done = _Scoring(part, model, options, stream, drafts)
    found = done.within(part.stretch, start, to_end) if part.stretch else done.whole()
    if found is not None:
        drafts.output.flush()
        drafts.rejects.flush()
    return found


class _Scoring(NamedTuple):
    """One part, its input and its files."""

    part: InputPart
    model: Scorer
    options: Options
    stream: Source
    drafts: _Drafts

    def whole(self) -> tuple[PartAccount, dict[str, Any]]:
        """Score all of the file."""
        part, stream, options = self.part, self.stream, self.options
        if is_columnar(stream, Path(part.name)):
            return self._columnar()
        records = self._records(stream)
        scorer = RowScorer(self.model, records.header, options, stream.name, part.given)
        tally = self._score(records, scorer, None)
        stream.check_unchanged()
        tally.check_rows(records.rows)
        return self._account(
            tally, input_of(part.below, stream, records), list(records.header.names)
        )

    def within(
        self, stretch: Stretch, start: Mark | None, to_end: bool
    ) -> tuple[PartAccount, dict[str, Any]] | None:
        """Score the records that begin in the range of the part."""
        part, stream, options = self.part, self.stream, self.options
        until = None if to_end else stretch.until
        with stream.shared.open() as file:
            records = self._records(file)
            if start is None and not stretch.first:
                at = guess_start(file, stretch.begin, records)
                if at is None:
                    return None
                start = Mark(at, Place(rows=0, lines=0))
            if start is not None:
                file.seek(start.offset)
                # Rows and lines count from the range's beginning.
                stray = start.place.after_stray
                records.go_to(Mark(start.offset, Place(rows=0, lines=0, after_stray=stray)))
            begin = records.mark.offset
            if names_parquet(Path(part.name)):
                tally = self._range_as_columns(records, until)
            else:
                scorer = RowScorer(self.model, records.header, options, stream.name)
                tally = self._score(records, scorer, until)
            tally.check_rows(records.rows)
            end = stream.size or 0 if records.given_up or to_end else records.mark.offset
        # The header is in the first range.
        since = 0 if stretch.first else begin
        digest = range_digest(stream, since, end)
        stream.check_untouched()
        place = records.mark.place
        span = Span(
            begin=begin,
            end=end,
            until=until,
            rows=place.rows,
            lines=place.lines,
            blank_lines=place.blank_lines,
            after_stray=place.after_stray,
        )
        source = {
            "path": part.below,
            "bytes": end - since,
            "sha256": digest,
            "compression": None,
            "encoding": records.encoding,
            "blank_lines": place.blank_lines,
        }
        return self._account(tally, source, list(records.header.names), span)

    def _columnar(self) -> tuple[PartAccount, dict[str, Any]]:
        # Imported here, because CSV alone does not need pyarrow, a large library.
        from ffn.scoring.columnar.score_columnar import open_pieces, score_pieces

        part, options = self.part, self.options
        output = Path(part.name)
        with open_pieces(self.model, self.stream, output, options, part.given) as pieces:
            score_pieces(pieces, self.model, options, output, self.drafts, None)
            source = {**pieces.input(), "path": part.below}
            return self._account(pieces.tally, source, pieces.columns)

    def _range_as_columns(self, records: Records, until: int | None) -> Tally:
        from ffn.scoring.columnar.csv_pieces import RangePieces
        from ffn.scoring.columnar.score_columnar import score_pieces

        stream, options, output = self.stream, self.options, Path(self.part.name)
        pieces = RangePieces(stream, records, self.model, options, stream.name, until)
        score_pieces(pieces, self.model, options, output, self.drafts, None)
        return pieces.tally

    def _records(self, file: Any) -> Records:
        return Records(
            file,
            self.stream.name,
            delimiter=self.options.delimiter,
            given_encoding=self.options.encoding,
        )

    def _score(self, records: Records, scorer: RowScorer, until: int | None) -> Tally:
        check_labels(self.model, records.encoding, self.stream.name)
        tally = scorer.new_tally()
        output, rejects = self.drafts.output, self.drafts.rejects
        output.write(records.bom + records.encode(scorer.header_line))
        rejects.write(REJECTS_HEADER)
        for block in records.blocks(until):
            tally.began = records.began
            scored, refused = scorer.score(block, tally)
            output.write(records.encode(scored))
            rejects.write(b"".join(map(scorer.reject_line, refused)))
        return tally

    def _account(
        self, tally: Tally, source: dict[str, Any], columns: list[str], span: Span | None = None
    ) -> tuple[PartAccount, dict[str, Any]]:
        state = tally.state()
        account = PartAccount(
            name=self.part.name,
            source=source,
            stamp=stamp_of(self.stream.status),
            output=self.drafts.output.to_json(),
            rejects=self.drafts.rejects.to_json(),
            counts=tally.to_json(),
            confidence_units=state["confidence_units"],
            columns=columns,
            dated=tally.days is not None and tally.days.there,
            span=span,
        )
        return account, state


@contextlib.contextmanager
def naming_part(part: InputPart) -> Iterator[None]:
    """Say of which part it is that the disk fails."""
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"{part.name}, of {part.path}, cannot be written: {error.strerror or error}. Make room "
            "or give another output; the same command goes on from here."
        ) from None
