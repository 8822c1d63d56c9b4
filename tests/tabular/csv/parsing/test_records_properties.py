"""The reader against Python's csv module, against itself in small pieces, and against chaos."""

import codecs
import csv
import io
import re
from unittest import mock

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ffn.tabular.csv.parsing.recovery import Shape
from ffn.tabular.csv.parsing.scanner import scan, scan_carefully, scan_quickly
from ffn.tabular.csv.reader import Records
from tests.helpers.readings import read

# Everything but surrogates and NUL; the characters of the grammar come up often.
TEXT = st.text(
    st.one_of(
        st.sampled_from(' ,;"\n\r\t|é😀'),
        st.characters(exclude_characters="\0", exclude_categories=["Cs"]),
    ),
    max_size=8,
)
TABLES = st.integers(1, 4).flatmap(
    lambda columns: st.lists(st.lists(TEXT, min_size=columns, max_size=columns), max_size=6)
)
CHAOS = st.lists(
    st.sampled_from(
        [b",", b'"', b'""', b"\n", b"\r", b"\r\n", b"a", b"1", b"1,2\n", b"1,2\r", b'"x",']
    ),
    max_size=40,
).map(b"".join)
DIRT = st.lists(
    st.sampled_from([b"\0", b"\xff", b"\xc3", b"\xa9", b",", b'"', b"\n", b"\r", b"1,2\n", b"x"]),
    max_size=40,
).map(b"".join)


@given(
    rows=TABLES,
    delimiter=st.sampled_from(",;\t|"),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    final_line_end=st.booleans(),
    block_size=st.integers(1, 64),
)
def test_what_the_csv_module_writes_comes_back(
    rows, delimiter, line_end, quoting, encoding, final_line_end, block_size
):
    if quoting == csv.QUOTE_MINIMAL and line_end != "\r\n":
        # Python's writer leaves a line break bare if it is not the one it ends lines with.
        rows = [[re.sub(r"[\r\n]", " ", cell) for cell in row] for row in rows]
    columns = len(rows[0]) if rows else 2
    texts = []
    for row in [[f"c{i}" for i in range(columns)], *rows]:
        file = io.StringIO(newline="")
        dialect = {"delimiter": delimiter, "lineterminator": line_end, "quoting": quoting}
        csv.writer(file, **dialect).writerow(row)
        texts.append(file.getvalue())
    if not final_line_end:
        texts[-1] = texts[-1].removesuffix(line_end)
    content = "".join(texts).encode(encoding)
    reading = read(content, delimiter=delimiter, block_size=block_size)
    assert reading.rejects == []
    assert [good.cells for good in reading.good] == rows
    assert [(good.text + good.line_end).decode() for good in reading.good] == texts[1:]
    assert [good.row for good in reading.good] == list(range(1, len(rows) + 1))


@given(body=CHAOS)
@example(body=b'"a""')
def test_without_rejects_the_csv_module_reads_the_same(body):
    reading = read(b"a,b\n" + body)
    if not reading.rejects:
        lines = io.StringIO(body.decode(), newline="")
        assert [good.cells for good in reading.good] == [
            row for row in csv.reader(lines, strict=True) if row
        ]


@given(body=CHAOS, line_end=st.sampled_from([b"\n", b"\r\n", b"\r"]))
def test_no_byte_is_lost(body, line_end):
    reading = read(b"a,b" + line_end + body)
    rows = [(good.row, good.text.decode()) for good in reading.good]
    rows += [(reject.row, reject.value) for reject in reading.rejects]
    assert [row for row, _ in sorted(rows)] == list(range(1, reading.rows + 1))
    joined = "".join(text for _, text in sorted(rows))
    assert re.sub(r"[\r\n]", "", joined) == re.sub(r"[\r\n]", "", body.decode())


@given(
    body=st.one_of(CHAOS, DIRT),
    line_end=st.sampled_from([b"\n", b"\r\n", b"\r"]),
    at_once=st.integers(1, 64),
    record_limit=st.sampled_from([5, 12, 1000]),
)
@example(body=b'1,"xx', line_end=b"\n", at_once=1, record_limit=5)
@example(body=b"1,x\ry,2\n3,4\n", line_end=b"\n", at_once=1, record_limit=1000)
@example(body=b"1,222\r\n", line_end=b"\r\n", at_once=1, record_limit=5)
def test_blocks_do_not_matter(body, line_end, at_once, record_limit):
    # The first 4,096 bytes come in one piece, since they tell what kind of file it is.
    content = b"\n" * 4096 + b"a,b" + line_end + body
    whole = read(content, record_limit=record_limit)
    assert read(content, at_once=at_once, record_limit=record_limit) == whole


SHAPE = Shape(b",", 2, 1000)


def parts(structure):
    return [part.tolist() if hasattr(part, "tolist") else part for part in structure]


@given(text=st.one_of(CHAOS, DIRT), final=st.booleans())
@example(text=b"\n1,2\r", final=True)
@example(text=b'"a""', final=True)
@example(text=b'"\n"x\n', final=True)
def test_the_quick_scan_equals_the_careful_one(text, final):
    quick, broken = scan_quickly(text, b",", final)
    careful = scan_carefully(text, SHAPE, final, at_most=len(quick.starts) if broken else None)
    assert parts(quick) == parts(careful)
    if broken:
        after = scan_carefully(text, SHAPE, final, quick.consumed, at_most=1)
        assert after.faults or not final


@given(
    text=st.one_of(CHAOS, DIRT),
    final=st.booleans(),
    look_ahead=st.integers(1, 64),
    limit=st.sampled_from([5, 12, 1000]),
)
def test_taking_turns_equals_the_careful_scan(text, final, look_ahead, limit):
    shape = Shape(b",", 2, limit)
    structure, _ = scan(text, shape, final, look_ahead)
    assert parts(structure) == parts(scan_carefully(text, shape, final))


@given(
    body=st.one_of(
        CHAOS,
        DIRT,
        st.lists(st.sampled_from([b"1,2", b'"x,\n",y', b'"""",', b"\xc3\xa9,1"]), max_size=9).map(
            lambda lines: b"\n".join([*lines, b""])
        ),
    ),
    line_end=st.sampled_from([b"\n", b"\r\n", b"\r"]),
    columns=st.integers(1, 2),
    block_size=st.integers(1, 64),
)
def test_regular_blocks_are_read_as_all_others(body, line_end, columns, block_size):
    content = b"a,b"[: 2 * columns - 1] + line_end + body.replace(b"\n", line_end)
    found = read(content, block_size=block_size)
    with mock.patch("ffn.tabular.csv.reader.read_regular", return_value=None):
        assert read(content, block_size=block_size) == found


def test_most_blocks_are_regular():
    content = b"a,b\n" + 30_000 * b'1,"x, ""y"""\n' + b"1\n" + 30_000 * b"1,2\n"
    records = Records(io.BytesIO(content), "t.csv", block_size=10_000)
    assert sum(map(len, records)) == 60_000
    assert records.counts.blocks - records.counts.regular < 4


def test_only_what_is_around_a_broken_quote_is_scanned_carefully():
    clean = Records(io.BytesIO(b'a,b\r\n"x""\r\n",2\r\n3,4\r\n'), "t.csv")
    assert sum(map(len, clean)) == 2
    assert clean.counts.careful == 0
    bare_ends = Records(io.BytesIO(b'a,b\n"x",2'), "t.csv")
    assert sum(map(len, bare_ends)) == 1
    assert bare_ends.counts.careful == 0
    broken = Records(io.BytesIO(b"a,b\n" + 100 * b"1,2\n" + b'1,x"\n' + 100 * b"3,4\n"), "t.csv")
    assert sum(map(len, broken)) == 200
    assert 1 <= broken.counts.careful <= 2
    full = Records(io.BytesIO(b"a,b\n" + 1000 * b'1,x"\n'), "t.csv")
    assert sum(map(len, full)) == 0
    assert full.counts.careful == 1000


def test_a_long_line_after_an_unclosed_quote_keeps_its_line_end():
    # The line is kept short from 8,193 bytes on: just when its line end may be half read.
    content = b'a,b\n"' + b"x" * 8191 + b"\ry\n\r\nz"
    rejects = read(content, at_once=1, record_limit=100).rejects
    assert [(reject.row, reject.line, reject.value[:3]) for reject in rejects] == [
        (1, 2, '"xx'),
        (2, 3, "y"),
        (3, 5, "z"),
    ]


@pytest.mark.parametrize("bom", [b"", codecs.BOM_UTF8])
def test_a_long_quoted_cell_costs_its_length(bom):
    class Counting(io.BytesIO):
        reads = 0

        def read(self, size=-1, /):
            self.reads += 1
            return super().read(size)

    content = bom + b'a,b\n1,"' + b"x\n" * 500_000 + b'"\n'
    stream = Counting(content)
    records = Records(stream, "t.csv", block_size=1000)
    assert sum(map(len, records)) == 1
    # Doubling the read reaches a megabyte in ten steps; a thousand bytes at a time takes 1,000.
    assert stream.reads < 25
