"""Where a damaged record ends: by hand, and that one damaged row costs one reject and no other."""

import csv
import io
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.helpers.readings import read

KEPT = [["1", "2"], ["3", "4"]]


def told(content, **options):
    reading = read(content, **options)
    rejects = [(r.row, r.line, r.lines, str(r.reason)) for r in reading.rejects]
    return rejects, [good.cells for good in reading.good]


@pytest.mark.parametrize(
    ("body", "rejects", "kept"),
    [
        # A quote too many at the end of the last cell.
        (b'"x","y""\n"1","2"\n3,4\n', [(1, 2, 1, "text_after_quote")], KEPT),
        # The closing quote of the last cell is gone.
        (b'"x","y\n"1","2"\n3,4\n', [(1, 2, 1, "text_after_quote")], KEPT),
        # No quote follows at all.
        (b'x,"y\n1,2\n3,4\n', [(1, 2, 1, "unclosed_quote")], KEPT),
        (b'"x,y\n1,2\n\n3,4', [(1, 2, 1, "unclosed_quote")], KEPT),
        # In the last row of a file, with and without a line end.
        (b'1,2\n3,4\nx,"y\n', [(3, 4, 1, "unclosed_quote")], KEPT),
        (b'1,2\n3,4\nx,"y', [(3, 4, 1, "unclosed_quote")], KEPT),
        (b'1,2\n3,4\n"x","y""', [(3, 4, 1, "unclosed_quote")], KEPT),
        # A line that shows the fault far behind the damage.
        (b'x,"y\n1,2\n3,4\n5,"6"\n', [(1, 2, 1, "text_after_quote")], [*KEPT, ["5", "6"]]),
        # The next row has line breaks in quotes, and is not cut.
        (b'"x","y""\n"1","2\n\n2"\n3,4\n', [(1, 2, 1, "text_after_quote")],
         [["1", "2\n\n2"], ["3", "4"]]),
        # The damaged row has, and goes as a whole.
        (b'"x","y\ny""\n"1","2"\n3,4\n', [(1, 2, 2, "text_after_quote")], KEPT),
        (b'"x","y"y\ny"\n1,2\n3,4\n', [(1, 2, 2, "text_after_quote")], KEPT),
        (b'"x"x\n\nx","y"\n1,2\n3,4\n', [(1, 2, 3, "text_after_quote")], KEPT),
        # Text of a cell that looks like a row: the record with a fault behind it is not cut there.
        (b'x,"y\n5,6\n"y\n1,2\n3,4\n', [(1, 2, 3, "text_after_quote")], KEPT),
        # Two damaged rows one after the other are two rows.
        (b'x,5" y\nx,6" y\n1,2\n3,4\n', [(1, 2, 1, "bare_quote"), (2, 3, 1, "bare_quote")], KEPT),
        (b'"x"x,y\n"x"x,y\n1,2\n3,4\n',
         [(1, 2, 1, "text_after_quote"), (2, 3, 1, "text_after_quote")], KEPT),
        # Behind a damaged row a row of another shape: nobody can tell, and the lines are told.
        (b'x,"y\n5\n1,2\n3,4\n', [(1, 2, 2, "unclosed_quote")], KEPT),
    ],
)  # fmt: skip
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_where_a_damaged_record_ends(body, rejects, kept, line_end):
    content = (b"a,b\n" + body).replace(b"\n", line_end)
    kept = [[cell.replace("\n", line_end.decode()) for cell in row] for row in kept]
    for block_size in (1, 5, 1000):
        assert told(content, block_size=block_size) == (rejects, kept)


def test_ten_records_are_enough_and_nine_are_not():
    # A row of another shape behind as many rows of the right one.
    for rows, lost in ((10, 1), (9, 11)):
        content = b'a,b\nx,"y\n' + b"1,2\n" * rows + b"5\n" + b"3,4\n" * 20
        (first, *others), _ = told(content)
        assert first == (1, 2, lost, "unclosed_quote")
        assert others == [(12, 13, 1, "wrong_field_count")] * (lost == 1)


def test_a_record_without_fault_is_never_cut():
    cell = "1,2\n" * 100
    content = f'a,b\n"{cell}",x\n3,4\n'.encode()
    assert told(content) == ([], [[cell, "x"], ["3", "4"]])


def test_a_stray_quote_in_a_long_file_costs_no_more_than_its_row():
    content = b'a,b\nx,"y\n' + b"1,2\n" * 400_000
    for options in ({}, {"record_limit": 100_000}):
        reading = read(content, **options)
        assert [(r.line, r.lines) for r in reading.rejects] == [(2, 1)]
        assert len(reading.good) == 400_000


@given(seed=st.integers(0, 2**32), block_size=st.sampled_from([1, 13, 1000]))
def test_one_damaged_row_is_one_reject(seed, block_size):
    chance = random.Random(seed)
    line_end = chance.choice(["\n", "\r\n"])
    texts = ["red", "dark blue", "a, b", 'say "hi"', "x", "", "7.5", "O'Neil", "1,2,3"]
    quoting = chance.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC])
    columns, rows = chance.randint(2, 6), []
    for _ in range(chance.randint(2, 20)):
        file = io.StringIO(newline="")
        cells = [
            chance.choice(texts) if chance.random() < 0.5 else chance.randrange(1000)
            for _ in range(columns)
        ]
        csv.writer(file, lineterminator="", quoting=quoting).writerow(cells)
        rows.append(file.getvalue())
    place = chance.randrange(len(rows))
    row = rows[place]
    quotes = [i for i, character in enumerate(row) if character == '"']
    if quotes and chance.random() < 0.5:
        at = chance.choice(quotes)
        damaged = row[:at] + row[at + 1 :]
    else:
        at = chance.randrange(len(row) + 1)
        damaged = row[:at] + '"' + row[at:]
    header = ",".join(f"c{c}" for c in range(columns))
    lines = [header, *rows[:place], damaged, *rows[place + 1 :]]
    content = line_end.join(lines) + line_end * chance.randrange(2)
    reading = read(content.encode(), block_size=block_size)
    assert [r.line for r in reading.rejects] == [place + 2]
    good = [row.encode() for row in rows[:place] + rows[place + 1 :]]
    assert [record.text for record in reading.good] == good
