"""Files as people and programs hand them over: labelled, rejected or refused, never shifted."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil

import pytest

HEADER = "sepal_length,sepal_width,petal_length,petal_width,note\n"
ROW = "5.1,3.5,1.4,0.2,x\n"
GOOD = HEADER + ROW * 3

# What cannot be used at all, and what is said of it.
REFUSED = {
    "semicolons of a European spreadsheet": (
        GOOD.replace(",", ";").encode(),
        r'no column "sepal_length".* looks separated by ";": give that as the delimiter',
    ),
    "semicolons, and a comma in a header": (
        GOOD.replace(",", ";").replace("note", "length, width").encode(),
        r'no column "sepal_length".* looks separated by ";"',
    ),
    "tabs": (GOOD.replace(",", "\t").encode(), r"looks separated by a tab"),
    "Excel's first line": (
        b"sep=;\r\n" + GOOD.replace(",", ";").encode(),
        r'a\.csv line 1: "sep=;" tells Excel the separator .* give ";" as the delimiter',
    ),
    "a title before the header": (
        b"Flowers of May\n\n" + GOOD.encode(),
        r'no column "sepal_length", which the model needs\. The column names are on '
        r"line 3\. Remove the lines before it: tail -n \+3 \S+a\.csv > mended\.csv$",
    ),
    "no header": (
        (ROW * 3).encode(),
        r'no column "sepal_length".* Line 1 holds data \("5\.1" is a number\): the file has no '
        r"header\. Add one, with the 5 names .*: sed '1i NAME1,.*,NAME5' \S+a\.csv > mended\.csv$",
    ),
    "a header of Latin-1": (
        GOOD.replace("note", "größe").encode("latin-1"),
        r'the header has the byte 0xF6 in "gr.*In cp1252 it reads "größe".*--encoding cp1252',
    ),
    "a feature twice": (
        GOOD.replace("note", "sepal_width").encode(),
        r'a\.csv: 2 columns are named "sepal_width"',
    ),
    "UTF-16 without its mark": (GOOD.encode("utf-16-le"), r"NUL byte: binary data, or UTF-16"),
    "UTF-32": (GOOD.encode("utf-32"), r"looks like UTF-32 text, .* Save it as UTF-8"),
    "JSON lines": (b'{"sepal_length": 5.1}\n', r"looks like JSON, not a CSV file"),
    "a page that says 404": (b"<!DOCTYPE html><title>404</title>", r"looks like an HTML page"),
    "random bytes": (bytes(range(256)) * 20, r"a\.csv"),
    "zeros": (bytes(5000), r"line 1: the header has a NUL byte"),
    "nothing": (b"", r"a\.csv is empty"),
    "a mark and nothing": (b"\xef\xbb\xbf\r\n\r\n", r"a\.csv has blank lines only"),
    "decimal commas": (
        HEADER.encode() + b'"5,1","3,5","1,4","0,2",x\n' * 3,
        r'all 3 rows were rejected \(not_a_number 3\).* a comma: give "," as the decimal mark',
    ),
    "numbers beyond float64": (
        HEADER.encode() + b"1e400,3.5,1.4,0.2,x\n" * 3,
        r"all 3 rows were rejected \(not_a_number 3\), so no output was written\. See ",
    ),
    "commas between thousands": (
        HEADER.encode() + b'"5,100",3.5,1.4,0.2,x\n' * 3,
        r"all 3 rows were rejected .* a comma between thousands: write them without it, or if it",
    ),
    "a quote that swallows everything": (
        HEADER.encode() + b'"5.1,3.5,1.4,0.2,x\n' + b"5.1;3.5\n" * 2,
        r"the only row was rejected \(unclosed_quote 1\)",
    ),
    "decimal commas that are separators": (
        HEADER.encode() + b"5,1,3,5,1,4,0,2,x\n" * 2,
        r"all 2 rows were rejected \(wrong_field_count 2\)",
    ),
}

# What has some rows to use, and why the others are none: row number to reason.
REJECTED = {
    "a quote that never closes": ('"5.1,3.5,1.4,0.2,x\n', {4: "unclosed_quote"}),
    "a lost delimiter": ("5.13.5,1.4,0.2,x\n", {4: "wrong_field_count"}),
    "a trailing comma": ("5.1,3.5,1.4,0.2,x,\n", {4: "wrong_field_count"}),
    "thousands": (
        '"5,100",3.5,1.4,0.2,x\n1 000,3.5,1.4,0.2,x\n',
        {4: "not_a_number", 5: "not_a_number"},
    ),
    "a unit": ("5.1 cm,3.5,1.4,0.2,x\n", {4: "not_a_number"}),
    "a currency": ("$5.1,3.5,1.4,0.2,x\n", {4: "not_a_number"}),
    "Python's and C's numbers": (
        "1_4,3.5,1.4,0.2,x\n0x1F,3.5,1.4,0.2,x\ninf,3.5,1.4,0.2,x\n-Infinity,3.5,1.4,0.2,x\n"
        "1e999,3.5,1.4,0.2,x\n1d3,3.5,1.4,0.2,x\n",
        dict.fromkeys(range(4, 10), "not_a_number"),
    ),
    "digits of other scripts": (
        "\u0661.\u0664,3.5,1.4,0.2,x\n\uff15.1,3.5,1.4,0.2,x\n5.1\u00a0,3.5,1.4,0.2,x\n\u22125.1,3.5,1.4,0.2,x\n",
        dict.fromkeys(range(4, 8), "not_a_number"),
    ),
    "a formula's error": ("#DIV/0!,3.5,1.4,0.2,x\n", {4: "not_a_number"}),
    "an empty cell": (",3.5,1.4,0.2,x\n", {4: "missing_value"}),
    "a word for nothing": ("NA,3.5,1.4,0.2,x\n", {4: "missing_value"}),
    "the header once more": (HEADER, {4: "not_a_number"}),
    "a sum at the end": ("Total,,,12.4,\n", {4: "not_a_number"}),
    "half a row at the end": ("5.1,3.5", {4: "wrong_field_count"}),
    "an inch": ('5.1,3.5,1.4,0.2,5" pipe\n', {4: "bare_quote"}),
    "a quote too few": ('5.1,3.5,1.4,0.2,"x\n', {4: "unclosed_quote"}),
    "a quote doubled wrongly": ('5.1,3.5,1.4,0.2,"x"y"\n' + ROW, {4: "text_after_quote"}),
    "a backslash before a quote": ('5.1,3.5,1.4,0.2,"a \\"b\\""\n' + ROW, {4: "text_after_quote"}),
    "single quotes round a comma": ("5.1,3.5,1.4,0.2,'a,b'\n", {4: "wrong_field_count"}),
    "a NUL": ("5.1,3.5,1.4,0.2,\0\n", {4: "nul_byte"}),
    "a lone CR in a cell": ("5.1,3.5,1.4,0.2,a\rb\n", {4: "stray_line_end", 5: "stray_line_end"}),
}  # fmt: skip


@pytest.fixture(scope="module")
def shared(_trained, tmp_path_factory):
    """One root for all of these files, each written over the one before."""
    return shutil.copytree(_trained, tmp_path_factory.mktemp("malformed") / "root")


@pytest.fixture
def trained(shared):
    shutil.rmtree(shared / "artifacts/iris/predictions", ignore_errors=True)
    return shared


def scored(ffn, root, content, *options):
    (root / "a.csv").write_bytes(content)
    return ffn("score", "iris", root / "a.csv", *options, "--direct", "--json", "--root", root)


def outcome(ffn, root, content, *options):
    """Return the records of the output as in the input, and the reason by rejected row."""
    done = scored(ffn, root, content, *options)
    assert (done.code, done.err) == (0, "")
    found = json.loads(done.out)
    assert found["rows"] == found["scored"] + found["rejected"]
    predictions = root / "artifacts/iris/predictions"
    output = (predictions / "a.csv").read_bytes()
    with (predictions / "a.csv.rejects.csv").open(newline="") as file:
        reasons = {int(line["row"]): line["reason"] for line in csv.DictReader(file)}
    assert found["rejected"] == len(reasons)
    return output, reasons


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_used_is_refused_in_one_line(ffn, trained, case):
    content, message = REFUSED[case]
    done = scored(ffn, trained, content)
    assert done.out == "" or json.loads(done.out)["scored"] == 0
    assert (done.code, done.err.count("\n")) == (1, 1)
    assert re.search(message, done.err)
    assert not (trained / "artifacts/iris/predictions/a.csv").exists()


@pytest.mark.parametrize("case", REJECTED)
def test_bad_rows_are_rejected_with_a_reason_and_nothing_shifts(ffn, trained, case):
    rows, expected = REJECTED[case]
    output, reasons = outcome(ffn, trained, (GOOD + rows).encode())
    assert reasons == expected
    good = [line for line in output.decode().splitlines()[1:] if line]
    assert len(good) >= 3
    assert all(line.startswith(ROW[:-1] + ",Iris-") for line in good)


@pytest.mark.parametrize(
    ("content", "options"),
    [
        (GOOD.replace("\n", "\r\n").encode("utf-8-sig"), ()),
        (GOOD.replace("\n", "\r").encode(), ()),
        (GOOD.rstrip("\n").encode(), ()),
        (GOOD.encode("utf-16"), ()),
        (GOOD.replace(ROW * 3, ROW + "\r\n".join([ROW[:-1]] * 2)).encode(), ()),
        (GOOD.replace(",", "\t").encode(), ("--delimiter", "tab")),
        (GOOD.replace(",", ";").replace(".", ",").encode(), ("--delimiter", ";", "--decimal", ",")),
        (("\n\n" + GOOD.replace("x\n", "x\n\n")).encode(), ()),
        (GOOD.replace("note", "a,b,,").replace("x\n", "x,y,,\n").encode(), ()),
        (GOOD.replace("note", "id,id").replace("x\n", "x,y\n").encode(), ()),
        ('"' + GOOD.replace(",", '","').replace("\n", '"\n"')[:-1].encode().decode(), ()),
    ],
)  # fmt: skip
def test_what_is_odd_and_sound_is_scored_whole(ffn, trained, content, options):
    content = content.encode() if isinstance(content, str) else content
    output, reasons = outcome(ffn, trained, content, *options)
    assert reasons == {}
    encoding = "utf-16" if content.startswith(b"\xff\xfe") else "utf-8-sig"
    delimiter = {"tab": "\t"}.get(options[1], options[1]) if options else ","
    text = io.StringIO(output.decode(encoding), newline="")
    header, *rows = [row for row in csv.reader(text, delimiter=delimiter) if row]
    at = header.index("predicted_species")
    assert [row[at] for row in rows] == ["Iris-setosa"] * 3


def test_bytes_of_windows_are_rejected_row_by_row(ffn, trained):
    rows = [ROW.replace("x", text).encode("cp1252") for text in ("plain", "café", "5 €", "“x”")]
    output, reasons = outcome(ffn, trained, HEADER.encode() + b"".join(rows))
    assert reasons == dict.fromkeys((2, 3, 4), "undecodable")
    assert len(output.splitlines()) == 2
