"""Files that do not begin with their header: what is said, and that the command mends them."""

from __future__ import annotations

import csv
import gzip
import io
import re
import subprocess
from pathlib import Path

import pytest

from ffn.errors import DataError, FFNError
from ffn.tabular.csv.header_search import header_hint
from ffn.tabular.csv.reader import Records
from ffn.tabular.ingestion.text_table import read_table

HEADER = ["amount", "score", "colour", "label"]
ROWS = [[str(i), f"{i / 10}", "rb"[i % 2], "no" if i % 2 else "yes"] for i in range(30)]


def text(header: list[str] = HEADER, delimiter: str = ",", end: str = "\n") -> str:
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter, lineterminator=end).writerows([header, *ROWS])
    return file.getvalue()


def refusal(path: Path, delimiter: str = ",") -> str:
    with pytest.raises(FFNError, match=re.escape(path.name)) as error:
        read_table(path, delimiter=delimiter, target="label")
    return str(error.value)


def mended(message: str, folder: Path) -> Path:
    """Run the command that ends a refusal, as a user does."""
    command = re.search(r": ((?:tail|sed|gzip|iconv) .*> mended\.csv)", message)
    assert command is not None, message
    subprocess.run(["/bin/bash", "-c", command[1]], check=True, cwd=folder)
    return folder / "mended.csv"


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("title.csv", "Quarterly export,,,\n" + text(), 2),
        ("comments.csv", "# made by a device\n# operator: n.n.\n" + text(), 3),
        ("blank.csv", "Report\n\n\n" + text(), 4),
        ("wide.csv", "Report,,,\n,,,\nall figures,in,EUR,\n" + text(), 4),
        ("it's a title.csv", 'Sales "net"; 2024\n'.replace('"', "'") + text(), 2),
        ("returns.csv", "Report\r\n" + text(end="\r\n"), 2),
        ("packed.csv.gz", gzip.compress(("Report\n" + text()).encode()), 2),
        ("utf16.csv", ("Report\n" + text()).encode("utf-16"), 2),
        ("mark.csv", b"\xef\xbb\xbfReport\n" + text().encode(), 2),
    ],
)
def test_a_header_below_the_first_line_is_found_and_the_command_mends_it(
    tmp_path: Path, name: str, content: str | bytes, line: int
) -> None:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    message = refusal(path)
    assert f'{path} has no column "label". The column name is on line {line}. ' in message
    table = read_table(mended(message, tmp_path), target="label")
    assert list(table.header) == HEADER
    assert [list(row) for row in zip(*table.columns.values(), strict=True)] == ROWS


def test_the_delimiter_is_told_with_it(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("Bericht: 2024\n" + text(delimiter=";"))
    message = refusal(path)
    assert 'on line 2. Remove the lines before it, and give ";" as the delimiter: ' in message
    table = read_table(mended(message, tmp_path), delimiter=";", target="label")
    assert list(table.header) == HEADER


@pytest.mark.parametrize("mark", ["# ", "%", "#", "! "])
def test_a_header_behind_a_comment_mark(tmp_path: Path, mark: str) -> None:
    """As ``numpy.savetxt`` writes it."""
    header = ["label", "amount", "score", "colour"]
    for before in ("", "made by a device\n"):
        path = tmp_path / "t.csv"
        path.write_text(before + mark + text(header))
        table = read_table(mended(refusal(path), tmp_path), target="label")
        assert list(table.header) == header
        assert len(table.lines) == 30


def test_no_header(tmp_path: Path) -> None:
    for end, delimiter in (("\n", ","), ("\r\n", ","), ("\n", "\t")):
        path = tmp_path / "t.csv"
        path.write_bytes(text(ROWS[7], delimiter, end).encode())
        message = refusal(path, delimiter)
        assert 'Line 1 holds data ("7" is a number): the file has no header. Add one' in message
        found = mended(message, tmp_path)
        names = found.read_text()
        found.write_text(names.replace("NAME4", "label", 1))
        table = read_table(found, delimiter=delimiter, target="label")
        assert len(table.lines) == 31
        assert table.header[-1] == "label"


@pytest.mark.parametrize(
    "header",
    [
        ["2019", "2020", "place", "answer"],  # years in columns
        ["0", "1", "2", "3"],  # pandas without names
        ["a", "b", "c", "answer"],
    ],
)
def test_a_header_that_lacks_the_target_stays_a_header(tmp_path: Path, header: list[str]) -> None:
    path = tmp_path / "t.csv"
    path.write_text(text(header))
    message = refusal(path)
    assert 'has no column "label"; its columns are: ' in message
    assert "no header" not in message


def test_a_name_that_differs_in_what_nobody_sees(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(text([*HEADER[:3], "label\u00a0"]), "utf-8")
    assert refusal(path).endswith(
        r'; it has "label\xa0", which differs only in invisible characters. Correct the header, '
        r"or give $'label\u00a0'."
    )
    assert len(read_table(path, target="label\u00a0").lines) == 30


@pytest.mark.parametrize(
    ("content", "hint", "columns"),
    [
        (
            "a,b,label,,\n" + "1,2,x\n" * 9,
            "The header ends in delimiters that the rows lack",
            ("a", "b", "label"),
        ),
        (
            "a,b,label\r\n" + "1,2,x,,\r\n" * 9,
            "Every row ends in delimiters that the header lacks",
            ("a", "b", "label"),
        ),
        (
            'a,b,label\n"1",2,3,x\n"2",3,4,y\n',
            "If the first column is without a name, as R's write.table leaves it",
            ("id", "a", "b", "label"),
        ),
    ],
)
def test_rows_that_do_not_fit_the_header(
    tmp_path: Path, content: str, hint: str, columns: tuple[str, ...]
) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(content.encode())
    message = refusal(path)
    assert "row 1 (line 2)" in message
    assert hint in message
    assert read_table(mended(message, tmp_path), target="label").header == columns


def test_rows_that_fit_in_no_way_are_told_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,b,label\n1,2\n1,2,x\n")
    with pytest.raises(DataError, match=r"2 cells where the header has 3.*Correct or remove that"):
        read_table(path)
    path.write_text("a,b,label\n1,2,3,4,5\n" + "1,2,3,4,5\n")
    assert refusal(path).endswith(
        "The header lacks 2 names: every row has 5 cells. Name every column."
    )
    path.write_text("a,b,label\n1,2\n1,2\n")
    assert refusal(path).endswith("the header has too many names, or the rows too few.")


def test_hostile_openings_cost_nothing() -> None:
    for body in (b'"' * 9_000 + b"\n", b"\n" * 16_000, b",\n" * 9_000, b"\xff,\xfe\n" * 2_000):
        records = Records(io.BytesIO(b"title\n" + body), "t.csv")
        assert header_hint(records.header, "t.csv", ",", ["label"]) == ""
