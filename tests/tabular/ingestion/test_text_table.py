from pathlib import Path

import pytest

from ffn.errors import DataError, SettingsError
from ffn.tabular.ingestion.text_table import read_table


@pytest.fixture
def write(tmp_path):
    def write(content: bytes) -> Path:
        path = tmp_path / "train.csv"
        path.write_bytes(content)
        return path

    return write


def test_columns_as_text(write):
    path = write(b'\xef\xbb\xbfid, kind ,note\r\n007,a,"x\r\ny"\r\n\r\n008,,"q""q"')
    table = read_table(path)
    assert table.path == path
    assert table.header == ("id", "kind", "note")
    assert table.columns == {"id": ["007", "008"], "kind": ["a", ""], "note": ["x\r\ny", 'q"q']}
    assert table.lines == [2, 5]


def test_more_rows_than_a_block(write):
    table = read_table(write(b"n,s\n" + b"".join(b"%d,\xc3\xa9\n" % n for n in range(50_000))))
    assert table.columns["n"] == [str(n) for n in range(50_000)]
    assert set(table.columns["s"]) == {"é"}
    assert table.lines == list(range(2, 50_002))


def test_another_delimiter(write):
    table = read_table(write(b"a;b\n1,5;2\n"), delimiter=";")
    assert table.columns == {"a": ["1,5"], "b": ["2"]}
    with pytest.raises(SettingsError, match=r'delimiter "x" is not one of'):
        read_table(write(b"a;b\n"), delimiter="x")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"train\.csv is empty\. Give a CSV file with a header line\."),
        (b"a,b\n\n", r"train\.csv has a header and no rows\."),
        (b"a,b\n1,2\n3\n", r'train\.csv row 2 \(line 3\): 1 cells where the header has 2, in "3"'),
        (b'a,b\n\n1,"x\n', r"row 1 \(line 3\): a quote that is never closed"),
        (b"a;b\n1;2\n", r'has only one column\. The header looks separated by ";"'),
        (b"a\tb\n1\t2\n", r"has only one column\. The header looks separated by a tab"),
        (b"a,a\n1,2\n", r'2 columns are named "a"'),
        (b"\x89PNG\r\n\x1a\n", r"looks like a PNG picture"),
    ],
)
def test_refusals(write, content, message):
    with pytest.raises(DataError, match=message):
        read_table(write(content))


def test_no_file_and_folder(tmp_path):
    with pytest.raises(DataError, match=r"nothing\.csv does not exist\."):
        read_table(tmp_path / "nothing.csv")
    with pytest.raises(DataError, match=r" is a folder\."):
        read_table(tmp_path)
    (tmp_path / "x").touch()
    with pytest.raises(DataError, match=r"x/y cannot be read: Not a directory\."):
        read_table(tmp_path / "x" / "y")
