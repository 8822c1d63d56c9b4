"""Encodings of one byte a character: that the right one is named, and that bytes stay."""

import gzip
import io

import pytest

from ffn.errors import DataError
from ffn.tabular.csv.charsets import ENCODINGS, encoding_named, fitting, reading_of, strange_bytes
from ffn.tabular.csv.reader import Records
from ffn.tabular.ingestion.text_table import read_table
from tests.helpers.readings import read, reasons

ONE_BYTE = [name for name in ENCODINGS if not name.startswith("utf")]


@pytest.mark.parametrize("name", ONE_BYTE)
def test_every_encoding_keeps_ascii_and_its_own_bytes(name):
    characters = [bytes([byte]).decode(name, "replace") for byte in range(256)]
    assert "".join(characters[:128]) == bytes(range(128)).decode("ascii")
    defined = [c for c in characters if c != "\ufffd"]
    assert len(set(defined)) == len(defined)
    assert all(
        c.encode(name) == bytes([byte]) for byte, c in enumerate(characters) if c != "\ufffd"
    )


@pytest.mark.parametrize(
    ("given", "name"),
    [("latin1", "iso8859-1"), ("ISO-8859-15", "iso8859-15"), ("windows-1252", "cp1252"),
     ("UTF8", "utf-8"), ("utf-8-sig", "utf-8"), ("macroman", "mac-roman"), ("u16", "utf-16")],
)  # fmt: skip
def test_names_are_pythons(given, name):
    assert encoding_named(given) == name


@pytest.mark.parametrize("given", ["cp932", "gbk", "utf-7", "cp037", "rot13", "no such", "", "a\0"])
def test_others_are_refused(given):
    with pytest.raises(ValueError, match=r"is not supported\. Supported are UTF-8"):
        encoding_named(given)


@pytest.mark.parametrize(
    ("text", "name"),
    [("Zürich, Genève", "cp1252"), ("5 €", "cp1252"), ("“so” – 20 °C", "cp1252"),  # noqa: RUF001
     ("Žluťoučký kůň", "cp1250"), ("Привет, Анна", "cp1251"), ("é à ü ñ", "mac-roman")],
)  # fmt: skip
def test_the_encoding_that_fits_is_named_first(text, name):
    assert fitting(strange_bytes(text.encode(name)))[0] == name


def test_what_is_said_of_a_byte():
    found = reading_of("7,Zürich,x".encode("cp1252"))
    assert found.startswith(
        r'the byte 0xFC in "Z\xfcrich", which is not UTF-8. In cp1252 it reads "Zürich" ('
    )
    assert found.endswith('encoding = "cp1252" under [data] in pipeline.toml')
    assert reading_of(b"\x81\x8d").endswith("Convert the file to UTF-8") is False
    assert reading_of(b"plain") == "bytes that are not text"


@pytest.mark.parametrize("block_size", [1, 3, 1000])
def test_bytes_stay_as_they_are(block_size):
    content = 'Straße,b\r\n"Zürich ""€""",2\r\n3,é\r\n'.encode("cp1252")
    reading = read(content, block_size=block_size, given_encoding="cp1252")
    assert reading.names == ("Straße", "b")
    assert [good.cells for good in reading.good] == [['Zürich "€"', "2"], ["3", "é"]]
    records = Records(io.BytesIO(content), "t.csv", given_encoding="cp1252")
    rest = b"".join(good.text + good.line_end for good in reading.good)
    header = records.header.text + records.header.line_end
    assert records.encode(header + rest) == content


def test_a_byte_that_is_no_character_rejects_its_row():
    assert reasons(b"a,b\n\xfc,\x81\n3,4\n", given_encoding="cp1252") == [(1, 2, "undecodable")]
    assert reasons(b"a,b\n\xfc,\x81\n3,4\n", given_encoding="iso8859-1") == []


@pytest.mark.parametrize(
    ("content", "given", "message"),
    [
        ("a,b\nü,1\n".encode(), "cp1252", r"t\.csv is UTF-8, .* Give --encoding utf-8\."),
        ("a,b\nü,1\n".encode("utf-8-sig"), "cp1252", r"byte order mark of utf-8, .* as cp1252"),
        (
            "a,b\nü,1\n".encode("utf-16"),
            "utf-8",
            r"mark of utf-16-le.* Give --encoding utf-16",
        ),
        ("a,b\nü,1\n".encode("utf-16-le"), "utf-16", r"no byte order mark.* Give .*utf-16-le"),
    ],
)
@pytest.mark.parametrize("block_size", [1, 1000])
def test_what_contradicts_the_encoding_is_refused(content, given, message, block_size):
    with pytest.raises(DataError, match=message):
        read(content, given_encoding=given, block_size=block_size)


@pytest.mark.parametrize("given", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_its_mark(given):
    content = "a,b\nü,1\n".encode(given)
    assert [good.cells for good in read(content, given_encoding=given).good] == [["ü", "1"]]


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_training_names_line_byte_cell_and_encoding(tmp_path, pack):
    path = tmp_path / "t.csv"
    path.write_bytes(pack('a,b\n1,2\n"x\n\nü",Zürich\n'.encode("iso8859-1")))
    with pytest.raises(DataError, match=r"row 2 \(lines 3 to 5\): the byte 0xFC in .*ü.*cp1252"):
        read_table(path)
    assert read_table(path, encoding="cp1252").columns["b"] == ["2", "Zürich"]
