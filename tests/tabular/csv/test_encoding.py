import gzip
import io
import tarfile
import zipfile

import pytest

from ffn.errors import DataError
from ffn.tabular.csv.reader import Records
from tests.helpers.readings import read, reasons

TEXT = 'naïve,"b"\r\n"日本, 😀",2\r\n3,4\r\n'


@pytest.mark.parametrize(
    ("codec", "bom", "encoding"),
    [
        ("utf-8", b"", "utf-8"),
        ("utf-8-sig", b"\xef\xbb\xbf", "utf-8"),
        ("utf-16-le", b"\xff\xfe", "utf-16-le"),
        ("utf-16-be", b"\xfe\xff", "utf-16-be"),
    ],
)
@pytest.mark.parametrize("block_size", [1, 2, 3, 5, 1000])
def test_encodings(codec, bom, encoding, block_size):
    content = TEXT.encode(codec)
    content = content if codec == "utf-8-sig" else bom + content
    reading = read(content, block_size=block_size)
    assert reading.names == ("naïve", "b")
    assert [good.cells for good in reading.good] == [["日本, 😀", "2"], ["3", "4"]]
    records = Records(io.BytesIO(content), "t.csv")
    assert (records.bom, records.encoding) == (bom, encoding)
    rest = b"".join(good.text + good.line_end for good in reading.good)
    header = records.header.text + records.header.line_end
    assert records.bom + records.encode(header + rest) == content


@pytest.mark.parametrize("block_size", [1, 2, 3, 1000])
def test_broken_utf_16_rejects_its_record(block_size):
    lone_surrogate = b"\xff\xfe" + "a,b\n1,".encode("utf-16-le") + b"\x3d\xd8"
    content = lone_surrogate + "\n3,4\n".encode("utf-16-le")
    assert reasons(content, block_size=block_size) == [(1, 2, "undecodable")]
    half_a_character = "a,b\n3,4\n5,6".encode("utf-16") + b"x"
    assert reasons(half_a_character, block_size=block_size) == [(2, 3, "undecodable")]


def zipped(name, text="a,b"):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(zipfile.ZipInfo(name), text)
    return file.getvalue()


def tar():
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a.csv"))
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", r"a PNG picture, not a CSV file\."),
        (zipped("[Content_Types].xml"), r"an Excel workbook \(\.xlsx\), .* Save the sheet as CSV"),
        (
            zipped("mimetype", "application/vnd.oasis.opendocument"),
            r"an OpenDocument file, .* Save",
        ),
        (zipped("a.csv"), r"a ZIP archive, not a CSV file\. Unpack it first\."),
        (tar(), r"a tar archive, not a CSV file\. Unpack it first\."),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0", r"an old Excel workbook"),
        (b"%PDF-1.7\n%\xe2\xe3", r"a PDF document"),
        (
            gzip.compress(zipped("a.csv"), mtime=0),
            r"a ZIP archive, not a CSV file\. Unpack it first\.",
        ),
        (b"PAR1\x15\x04", r"a Parquet file"),
        (b'<?xml version="1.0"?>\n<rows/>', r"an XML document"),
        (b"\xef\xbb\xbf  <?xml version='1.0'?>", r"an XML document"),
        (b"<!DOCTYPE html>\n<html>", r"an HTML page"),
        (b'[\n  {"a": 1}]', r"JSON"),
        (b'{"a": [1]}', r"JSON"),
        ("a,b\n".encode("utf-32"), r"UTF-32 text, .* Save it as UTF-8"),
    ],
)
def test_other_kinds_of_file(content, kind):
    with pytest.raises(DataError, match=r"t\.csv looks like " + kind):
        read(content)
