"""Ways to read and to write a block that are quick, against those that always do."""

import io
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffn.tabular.csv.parsing.fast_path import read_regular
from ffn.tabular.csv.parsing.fixed_width import FixedWidthBlock
from ffn.tabular.csv.parsing.position import Counts, Place
from ffn.tabular.csv.reader import Records

# All of one length; most laid out alike, the others with something else at one place.
LINES = st.lists(
    st.one_of(
        st.sampled_from(["ab,12,c", "ü,12,c", "x%,  ,%", "12,34,5"]),
        st.sampled_from(["a,b12,c", "ab,12\n,", "ab,12\r,", ',b,"2,"', "ab,1\0,c", "ab,12cd"]),
    ),
    max_size=8,
)
ALIKE = st.lists(st.sampled_from(["ab,12,c", "ü,12,c", "x%,  ,%"]), min_size=2, max_size=8)


def positions(block):
    return [
        block.rows.tolist(),
        block.lines.tolist(),
        block.starts.tolist(),
        block.ends.tolist(),
        block.stops.tolist(),
        block.cell_starts.tolist(),
        block.cell_ends.tolist(),
        [block.cells(column) for column in range(3)],
        block.records(),
        block.line_ends(),
        block.text[: block.consumed],
        block.longest,
        len(block),
    ]


@given(
    lines=st.one_of(ALIKE, LINES),
    line_end=st.sampled_from(["\n", "\r\n"]),
    tail=st.sampled_from(["", "ab", "ab,12,c", "ab,12,c\r"]),
    final=st.booleans(),
    keep=st.lists(st.booleans(), min_size=8, max_size=8),
)
def test_records_laid_out_alike_are_read_as_all_others(lines, line_end, tail, final, keep):
    text = ("".join(line + line_end for line in lines) + tail).encode()
    place = Place(rows=4, lines=7, blank_lines=1)
    found = read_regular(text, place, b",", 3, final)
    with mock.patch("ffn.tabular.csv.parsing.fast_path.read_fixed_width", return_value=None):
        expected = read_regular(text, place, b",", 3, final)
    if found is None or not isinstance(found[0], FixedWidthBlock):
        assert (found is None) == (expected is None)
        return
    assert expected is not None
    few = np.array(keep)
    (block, after), (other, after_other) = found, expected
    # Lines of another layout behind them are left for the next block.
    assert len(block) <= len(other)
    if len(block) == len(other):
        assert after == after_other
        assert positions(block) == positions(other)
        mask = few[: len(block)]
        assert positions_of(block.take(mask)) == positions_of(other.take(mask))
        every = np.ones(np.count_nonzero(mask), dtype=bool)
        assert positions_of(block.take(mask).take(every)) == positions_of(other.take(mask))
    cells = [bytes(row) for row in block.fixed_width_cells(1)]
    assert cells == [cell.encode() for cell in other.cells(1)[: len(block)]]


def positions_of(block):
    return [block.rows.tolist(), block.cell_starts.tolist(), block.records(), block.line_ends()]


def test_files_of_records_alike_take_the_way_for_them():
    content = b"a,b\n" + 30_000 * b"12,3\n"
    records = Records(io.BytesIO(content), "t.csv", block_size=10_000)
    assert sum(map(len, records)) == 30_000
    assert records.counts == Counts(blocks=17, regular=16, fixed_width=16)


@given(
    lines=st.lists(st.sampled_from(["a,1", "%b,%", '"x\ny",2', "", "a", '"%%",', "é,3"])),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    final_line_end=st.booleans(),
    keep=st.lists(st.booleans(), min_size=64, max_size=64),
    block_size=st.integers(1, 64),
)
def test_a_suffix_goes_behind_each_record(lines, line_end, final_line_end, keep, block_size):
    body = line_end.join([*lines, ""] if final_line_end else lines)
    content = ("k,v" + line_end + body).encode()
    for block in Records(io.BytesIO(content), "t.csv", block_size=block_size):
        taken = block.take(np.array(keep)[: len(block)])
        again = taken.take(np.array(keep)[: len(taken)])
        for some in (block, taken, again, again.take(np.ones(len(again), dtype=bool))):
            suffixes = [b",%%d %d" % row for row in some.rows.tolist()]
            expected = b"".join(
                block.text[start:end] + suffix + block.text[end:stop]
                for start, end, stop, suffix in zip(
                    some.starts, some.ends, some.stops, suffixes, strict=True
                )
            )
            assert some.with_suffixes(suffixes) == expected


@pytest.mark.parametrize("lines", [["12,3", "45,6"], ["1,23", "456,7"]])
def test_bounds_are_worked_out_once(lines):
    """A column of which every cell is looked at by itself would take hours otherwise."""
    content = "\n".join(["a,b", *lines, ""]).encode()
    (block,) = Records(io.BytesIO(content), "t.csv")
    for some in (block, block.take(np.array([True, False]))):
        assert some.bounds(1) is some.bounds(1)
