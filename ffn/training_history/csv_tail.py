"""Write rows as a CSV file writes its own: delimiter, quotes, encoding, line ends, columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ffn.errors import DataError
from ffn.storage.source import open_source
from ffn.tabular.csv.reader import Records
from ffn.tabular.csv.writer import quoted

__all__ = ["CsvTail", "read_tail"]


@dataclass(frozen=True, kw_only=True)
class CsvTail:
    """How the records of a CSV file are written, and how the file ends.

    Attributes
    ----------
    names
        Its columns, in order.
    always
        Whether each of them is quoted even where that is not necessary, as in its first record.
    delimiter, encoding, line_end
        As in the file; the line end as text.
    ended
        Whether its last line has a line end.
    """

    names: tuple[str, ...]
    always: tuple[bool, ...]
    delimiter: str
    encoding: str
    line_end: str
    ended: bool

    def record(self, cells: Mapping[str, str]) -> bytes | None:
        """Return a record with its line end; None if the encoding lacks a character.

        Parameters
        ----------
        cells
            Texts by column; a column that is missing has an empty cell.
        """
        fields = []
        for name, always in zip(self.names, self.always, strict=True):
            text = cells.get(name, "")
            field = quoted(text, self.delimiter)
            if field != text or not always:
                fields.append(field)
            else:
                fields.append(f'"{text}"')
        try:
            return (self.delimiter.join(fields) + self.line_end).encode(self.encoding)
        except UnicodeEncodeError:
            return None

    def joined(self, records: list[bytes]) -> bytes:
        """Return the bytes to append for some ``records``, so that the file ends as before."""
        text = b"".join(records)
        if self.ended:
            return text
        end = self.line_end.encode(self.encoding)
        return end + text.removesuffix(end)


def read_tail(path: Path, delimiter: str, encoding: str | None) -> CsvTail:
    """Return how a CSV file is written.

    Parameters
    ----------
    path
        Path of the file.
    delimiter, encoding
        As in `DataSettings`.

    Raises
    ------
    DataError
        The file is no CSV file, is compressed, or has no record.
    """
    with open_source(path) as source:
        records = Records(source, str(path), delimiter=delimiter, given_encoding=encoding)
        if records.compression is not None:
            raise DataError(
                f"{path} is compressed, so rows cannot be appended to it. Unpack it, and name the "
                "unpacked file in data.source."
            )
        header = records.header
        first = next((block for block in records if len(block)), None)
        if first is None or not header.line_end:
            raise DataError(f"{path} has no rows. Add labelled rows to train on.")
        text = first.text
        starts = [first.bounds(column)[0][0] for column in range(len(header.names))]
        always = tuple(text[at - 1 : at] == b'"' for at in starts)
        end = header.line_end.decode()
        size = len(end.encode(records.encoding))
        last = source.peek(size, (source.size or 0) - size)
        return CsvTail(
            names=header.names,
            always=always,
            delimiter=delimiter,
            encoding=records.encoding,
            line_end=end,
            # LF may be mixed with CRLF; in UTF-16 the byte may be half of another character.
            ended=last == end.encode(records.encoding)
            or (last.endswith(b"\n") and not records.encoding.startswith("utf-16")),
        )
