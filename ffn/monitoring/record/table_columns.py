"""Read some columns of a CSV or Parquet file as texts, with every record accounted for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ffn.errors import DataError, quote
from ffn.scoring.columnar.detect import is_parquet
from ffn.storage.source import Source
from ffn.tabular.cells import trim
from ffn.tabular.columns.feature_columns import columns_found
from ffn.tabular.csv.header import Header, check_distinct
from ffn.tabular.csv.parsing.rejects import Reject
from ffn.tabular.csv.reader import Records
from ffn.tabular.schema import Schema

__all__ = ["CellTexts", "TableColumns", "open_columns"]


@dataclass(frozen=True, kw_only=True)
class CellTexts:
    """Some rows [n] of a table.

    Attributes
    ----------
    rows, lines
        Row number, from 1, and first line of each row; in Parquet, which has no lines, 0.
    texts
        Trimmed cell texts [n] by column.
    rejects
        Records of the same range that cannot be read.
    """

    rows: list[int]
    lines: list[int]
    texts: dict[str, list[str]]
    rejects: tuple[Reject, ...] = ()


class TableColumns:
    """An open table; create it with `open_columns`.

    Parameters
    ----------
    header
        Its header.
    pieces
        Its records: blocks of a CSV file, or record batches.
    name
        Name of the file in errors.
    decimal
        Decimal mark of numbers that Parquet holds as such.
    digest
        Returns the SHA-256 of the file, once all parts were read.
    schema
        Schema of a model: typed Parquet columns of its features get the texts that its training
        CSV would have. None for plain texts.

    Attributes
    ----------
    header, digest
        As given.
    """

    def __init__(
        self,
        header: Header,
        pieces: Any,
        name: str,
        decimal: str,
        digest: Callable[[], str],
        schema: Schema | None = None,
    ) -> None:
        self.header, self.digest = header, digest
        self._pieces, self._name, self._decimal, self._schema = pieces, name, decimal, schema

    def require(self, column: str, told: str) -> None:
        """Check that there is one column of this name.

        Parameters
        ----------
        column
            Its header.
        told
            What names it, for the error: ``outcomes.id``.

        Raises
        ------
        DataError
            There is none, or there are several.
        """
        if column not in self.header.names:
            raise DataError(
                f"{self._name} has no column {quote(column)}, which {told} names"
                f"{columns_found(column, self.header.names)}"
            )
        check_distinct(self.header, [column], self._name)

    def parts(self, columns: Sequence[str], every: int = 1) -> Iterator[CellTexts]:
        """Yield the table part by part, with the texts of some columns.

        Parameters
        ----------
        columns
            Their headers.
        every
            Distance of the rows to yield: 1, the default, for all of them, 3 for the rows 1, 4, 7
            and so on. Cells of the others are not decoded.
        """
        places = {column: self.header.names.index(column) for column in columns}
        before = 0
        for piece in self._pieces:
            if hasattr(piece, "rejects"):
                rejects = piece.rejects
                part = piece if every == 1 else piece.take((piece.rows - 1) % every == 0)
                texts = {name: list(map(trim, part.cells(at))) for name, at in places.items()}
                rows, lines = part.rows.tolist(), part.lines.tolist()
                yield CellTexts(rows=rows, lines=lines, texts=texts, rejects=rejects)
                continue
            n = piece.num_rows
            rows = list(range(before + 1 + -before % every, before + n + 1, every))
            part = piece if every == 1 else piece.take([row - before - 1 for row in rows])
            texts = {name: self._texts(part.column(at), name) for name, at in places.items()}
            yield CellTexts(rows=rows, lines=[0] * len(rows), texts=texts)
            before += n

    def _texts(self, column: Any, name: str) -> list[str]:
        # Imported here, because CSV alone does not need pyarrow, a large library.
        from ffn.tabular.columns.arrow_columns import category_texts, number_texts
        from ffn.tabular.columns.arrow_texts import as_texts, plain_column, plain_texts
        from ffn.tabular.columns.typed_values import Spellings

        where, schema = f"{self._name}, column {quote(name)}", self._schema
        feature = (
            next((one for one in schema.features if one.name == name), None) if schema else None
        )
        if schema is None or feature is None:
            found = as_texts(plain_column(column, where), where, self._decimal)
        elif feature.kind == "text":
            found = plain_texts(plain_column(column, where), where, self._decimal)
        elif feature.kind == "numeric":
            found = number_texts(column, feature, schema.missing_values, where, self._decimal)
        else:
            spellings = Spellings(feature.categories, schema.missing_values, self._decimal)
            found = category_texts(column, spellings, where, self._decimal)
        return ["" if text is None else trim(text) for text in found.to_pylist()]


@contextmanager
def open_columns(
    stream: Source,
    *,
    delimiter: str,
    decimal: str,
    encoding: str | None,
    schema: Schema | None = None,
) -> Iterator[TableColumns]:
    """Open a table, CSV or Parquet by its content, while the block runs.

    Parameters
    ----------
    stream
        The file, at its beginning; the block has to read all parts.
    delimiter, decimal, encoding
        How a CSV file is written, as in `DataSettings`.
    schema
        As for `TableColumns`; None by default.

    Raises
    ------
    DataError
        The file cannot be read, or changed while it was read.
    """
    name = stream.name
    if not is_parquet(stream):
        records = Records(stream, name, delimiter=delimiter, given_encoding=encoding)
        yield TableColumns(records.header, records, name, decimal, lambda: stream.sha256, schema)
        stream.check_unchanged()
        return
    from ffn.tabular.parquet.decoding_process import DecodedParquet

    digest = stream.read_through()
    with DecodedParquet.opened(stream.shared, name) as table:
        yield TableColumns(table.header, table.batches(), name, decimal, lambda: digest, schema)
        stream.check_untouched()
