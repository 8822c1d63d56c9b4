"""Reading a file range by range, by whoever, is reading it."""

import io

from hypothesis import example, given
from hypothesis import strategies as st

from ffn.tabular.csv.parsing.position import Mark
from ffn.tabular.csv.reader import Records

CHAOS = st.lists(
    st.sampled_from(
        [b",", b'"', b'""', b"\n", b"\r", b"\r\n", b"a", b"1,2\n", b"1,2\r", b'"x\n",', b"\0"]
    ),
    max_size=40,
).map(b"".join)


def contents(blocks):
    found = []
    for block in blocks:
        places = zip(block.rows.tolist(), block.lines.tolist(), block.records(), strict=True)
        found += [(row, line, text, None) for row, line, text in places]
        found += [(r.row, r.line, r.value, r.reason) for r in block.rejects]
    return sorted(found, key=lambda record: record[0])


@given(
    body=CHAOS,
    line_end=st.sampled_from([b"\n", b"\r\n", b"\r"]),
    cuts=st.lists(st.integers(0, 120), max_size=8).map(sorted),
    block_size=st.integers(1, 64),
    bom=st.sampled_from([b"", b"\xef\xbb\xbf"]),
)
@example(body=b"1,2\r1,2\n", line_end=b"\n", cuts=[9], block_size=64, bom=b"")
def test_ranges_make_the_whole(body, line_end, cuts, block_size, bom):
    content = bom + b"a,b" + line_end + body
    whole = Records(io.BytesIO(content), "t.csv")
    expected = contents(whole)
    mark, found = None, []
    for until in [*cuts, None]:
        # Somebody else each time, who knows the header and where to begin.
        stream = io.BytesIO(content)
        reader = Records(stream, "t.csv", block_size=block_size)
        mark = mark or reader.mark
        stream.seek(mark.offset)
        reader.go_to(mark)
        found += contents(reader.blocks(until))
        mark = None if until is None else reader.mark
    assert found == expected
    assert reader.rows == whole.rows
    assert reader.blank_lines == whole.blank_lines


def test_a_range_ends_with_the_record_that_begins_in_it():
    content = b'a,b\n1,2\n3,"\n\n"\n5,6\n'
    stream = io.BytesIO(content)
    reader = Records(stream, "t.csv")
    assert [record[2] for record in contents(reader.blocks(9))] == [b"1,2", b'3,"\n\n"']
    assert reader.mark == Mark(15, reader.mark.place)
    assert content[reader.mark.offset :] == b"5,6\n"
    assert (reader.mark.place.rows, reader.mark.place.lines) == (2, 5)
