"""Rows are written as the file writes its own, as another reader sees it."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffn.errors import DataError
from ffn.training_history.csv_tail import CsvTail, read_tail

CELLS = st.text(
    st.characters(codec="utf-8", exclude_characters="\0\r\n", exclude_categories=("Cs",)),
    max_size=8,
)


def extended(path: Path, rows: list[dict[str, str]], delimiter: str, encoding: str | None) -> bytes:
    tail = read_tail(path, delimiter, encoding)
    records = [tail.record(row) for row in rows]
    return path.read_bytes() + tail.joined([record for record in records if record is not None])


@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_the_file_is_as_if_one_program_had_written_all(
    tmp_path: Path, quoting: int, delimiter: str, end: str, codec: str
) -> None:
    rows: list[list[object]] = [["größe", "name"], [1.5, "é"], [2, "y, z;\tw"], [-3, 'say "x"']]
    file = io.StringIO(newline="")
    written = csv.writer(file, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_MINIMAL)
    written.writerow(rows[0])
    csv.writer(file, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows(rows[1:3])
    before = file.getvalue().encode(codec)
    csv.writer(file, delimiter=delimiter, lineterminator=end, quoting=quoting).writerow(rows[3])
    after = file.getvalue().encode(codec)
    path = tmp_path / "t.csv"
    path.write_bytes(before)
    given_encoding = codec if codec == "cp1252" else None
    row = {"name": 'say "x"', "größe": "-3"}
    assert extended(path, [row], delimiter, given_encoding) == after
    # A file whose last line has no end stays such a file.
    path.write_bytes(
        before.removesuffix(
            end.encode(codec.replace("-sig", "").replace("6", "6-le"))
            if codec == "utf-16"
            else end.encode()
        )
    )
    cut = extended(path, [row], delimiter, given_encoding)
    assert cut.decode(codec) == file.getvalue().removesuffix(end)


@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=4))
def test_any_cells_are_read_again(found: list[tuple[str, str]]) -> None:
    tail = CsvTail(
        names=("a", "b"),
        always=(False, True),
        delimiter=",",
        encoding="utf-8",
        line_end="\n",
        ended=True,
    )
    records = [tail.record({"a": one, "b": other}) for one, other in found]
    content = tail.joined([record for record in records if record is not None])
    read = list(csv.reader(io.StringIO(content.decode(), newline="")))
    assert read == [list(row) for row in found]


def test_a_character_that_the_encoding_lacks_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes("a,b\né,1\n".encode("cp1252"))
    tail = read_tail(path, ",", "cp1252")
    assert tail.record({"a": "Ω", "b": "2"}) is None
    assert tail.record({"b": "2"}) == b",2\n"


def test_a_file_without_rows_has_no_dialect(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,b\n")
    with pytest.raises(DataError, match=r"t\.csv has no rows\. Add labelled rows"):
        read_tail(path, ",", None)
