"""Score one file whose input, output or both are Parquet."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from ffn.errors import DataError, SettingsError
from ffn.scoring.columnar.csv_pieces import CsvPieces
from ffn.scoring.columnar.detect import is_parquet, names_parquet
from ffn.scoring.columnar.table_reader import ParquetPieces
from ffn.scoring.columnar.table_writer import CsvSink, ParquetSink, Sink
from ffn.scoring.output.score_result import Progress
from ffn.scoring.rows.options import Options
from ffn.scoring.rows.row_scorer import REJECTS_HEADER
from ffn.scoring.rows.scorer import Scorer
from ffn.storage.hashed_file import HashedFile
from ffn.storage.source import Source
from ffn.tabular.csv.reader import Records
from ffn.tabular.parquet.decoding_process import DecodedParquet

__all__ = ["Drafts", "open_pieces", "score_pieces"]

Pieces = ParquetPieces | CsvPieces


class Drafts(Protocol):
    """Output and rejects that are being written."""

    @property
    def output(self) -> HashedFile:
        """The labelled rows."""
        ...

    @property
    def rejects(self) -> HashedFile:
        """The rejected rows."""
        ...

    def restart(self) -> None:
        """Empty both."""
        ...


@contextmanager
def open_pieces(
    model: Scorer,
    stream: Source,
    output: Path,
    options: Options,
    given: Sequence[tuple[str, str]] = (),
) -> Iterator[Pieces]:
    """Open an input that is scored batch by batch; yield its batches while the block runs.

    Parameters
    ----------
    model
        A bundle, or any object with the same interface.
    stream
        The input, CSV or Parquet, at its beginning.
    output
        Path of the output; its suffix decides the format.
    options
        Options of scoring.
    given
        Names and cells of columns that every row has besides those of the file; none by default.

    Raises
    ------
    DataError
        The input cannot be read, or does not match the model's schema.
    SettingsError
        ``escape_formulas`` is set, but the output is Parquet, which spreadsheets do not read.
    """
    if options.escape_formulas and names_parquet(output):
        raise SettingsError("escape_formulas is for spreadsheets, which do not read Parquet.")
    name = stream.name
    if not is_parquet(stream):
        records = Records(
            stream, name, delimiter=options.delimiter, given_encoding=options.encoding
        )
        yield CsvPieces(stream, records, model, options, name, given)
        return
    digest = stream.read_through()
    with DecodedParquet.opened(stream.shared, name) as table:
        yield ParquetPieces(stream, digest, table, model, options, name, given)


def score_pieces(
    pieces: Pieces,
    model: Scorer,
    options: Options,
    output: Path,
    journal: Drafts,
    on_progress: Callable[[Progress], None] | None,
) -> None:
    """Score every row into the files of ``journal``, from their beginning.

    Parameters
    ----------
    pieces
        The input, opened by `open_pieces`.
    model
        The model that scores it.
    options
        Options of scoring.
    output
        Path of the output; its suffix decides the format.
    journal
        The output and the rejects, not published yet.
    on_progress
        Called after each batch; None for no reports.

    Raises
    ------
    DataError
        The input is damaged, or changed while it was read.
    """
    journal.restart()
    journal.rejects.write(REJECTS_HEADER)
    sink: Sink = (
        ParquetSink(journal.output, pieces.schema, model, options)
        if names_parquet(output)
        else CsvSink(journal.output, pieces.schema, model, options, pieces.name)
    )
    try:
        for piece in pieces:
            sink.write(piece)
            journal.rejects.write(piece.rejects)
            if on_progress is not None:
                on_progress(_progress(pieces))
        sink.finish()
    except (pa.ArrowException, UnicodeError) as error:
        sink.abandon()
        first = next(iter(str(error).splitlines()), "")
        raise DataError(f"{pieces.name} has cells that cannot be written: {first}.") from None
    except BaseException:
        sink.abandon()
        raise
    pieces.check()


def _progress(pieces: Pieces) -> Progress:
    return Progress(
        rows=pieces.tally.scored + pieces.tally.rejected,
        rejected=pieces.tally.rejected,
        bytes_read=pieces.bytes_read,
        size=pieces.stream.size,
    )
