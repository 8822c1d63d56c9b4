"""`plain_decimals` against Python's own float, to the last bit."""

import re
import struct

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ffn.tabular.columns.decimals import aligned_decimals, plain_decimals
from ffn.tabular.csv.parsing.blocks import Block

# A sign or none, one to fifteen digits, at most one point anywhere among them.
PLAIN = re.compile(r"[+-]?(?=(?:\.?[0-9]){1,15}\.?\Z)[0-9]*\.?[0-9]*")
CELL = st.one_of(
    st.text("0123456789", min_size=1, max_size=17),
    st.text("0123456789.+- e_a\0é", max_size=18),
    st.from_regex(r"[+-]?[0-9]{0,6}\.?[0-9]{0,5}", fullmatch=True),
    st.text("0123456789./:+-", min_size=1, max_size=9),
    st.from_regex(r"[+-]?[0-9]{1,8}\.[0-9]{1,8}", fullmatch=True),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
)


def parse(cells):
    encoded = [cell.encode() for cell in cells]
    ends = np.cumsum([len(cell) for cell in encoded], dtype=np.int64)
    starts = ends - np.array([len(cell) for cell in encoded], dtype=np.int64)
    text = b"".join(encoded)
    none = np.empty(0, dtype=np.int64)
    block = Block(text, none, none, none, none, none, none, none, ())
    return plain_decimals(block.endings, starts, ends)


def bits(value):
    return struct.pack("<d", value)


@given(st.lists(CELL, min_size=1, max_size=8))
@example(["999999999999999", ".999999999999999", "9999999999999999", "0.1", "-0", "+0.0"])
@example(["1", ".", "-", "", "+.", "1.", ".1", "1..", "5-", "-.5"])
def test_equals_float_where_it_claims_to(cells):
    values, plain = parse(cells)
    assert plain.tolist() == [PLAIN.fullmatch(cell) is not None for cell in cells]
    for cell, value, is_plain in zip(cells, values, plain, strict=True):
        if is_plain:
            assert bits(value) == bits(float(cell))
        else:
            assert np.isnan(value)


@pytest.mark.parametrize("places", range(16))
def test_every_number_of_places(places):
    cells = [f"{n:0{places + 1}d}" for n in (123456789012345, 999999999999999, 1, 7, 0)]
    cells = [cell[: len(cell) - places] + "." + cell[len(cell) - places :] for cell in cells]
    cells = [cell.removeprefix("0") if len(cell) > 16 else cell for cell in cells]
    values, plain = parse(cells)
    assert plain.all()
    assert [bits(value) for value in values] == [bits(float(cell)) for cell in cells]


def test_no_cells():
    values, plain = parse([])
    assert values.shape == plain.shape == (0,)
    values, plain = parse(["", ""])
    assert plain.tolist() == [False, False]


@given(
    width=st.integers(1, 17),
    data=st.data(),
)
def test_aligned_cells_equal_float_where_there_is_an_answer(width, data):
    alphabet = data.draw(st.sampled_from(["0123456789", "0123456789.", "09.-+ e"]))
    point = data.draw(st.integers(-1, width))
    cell = st.text(alphabet, min_size=width, max_size=width).map(
        lambda text: (text[:point] + "." + text[point + 1 :]) if 0 <= point < width else text
    )
    cells = data.draw(st.lists(cell, min_size=1, max_size=5))
    grid = np.frombuffer("".join(cells).encode(), dtype=np.uint8).reshape(len(cells), width)
    values = aligned_decimals(grid)
    marks = {text.find(".") for text in cells}
    plain = all(re.fullmatch(r"(?=(?:\.?[0-9]){1,15}\.?\Z)[0-9]*\.?[0-9]*", c) for c in cells)
    assert (values is not None) == (plain and len(marks) == 1)
    if values is not None:
        assert [bits(value) for value in values] == [bits(float(text)) for text in cells]
