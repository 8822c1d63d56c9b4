"""Training and scoring read a cell as the same number, whatever block it stands in."""

from __future__ import annotations

import io
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffn.tabular.columns.parsers import NumberColumns, NumberParser
from ffn.tabular.csv.parsing.blocks import Block
from ffn.tabular.csv.parsing.fixed_width import FixedWidthBlock
from ffn.tabular.csv.reader import Records

MISSING = ("", "NA", "-999")
CELLS = st.one_of(
    st.sampled_from(["", " ", "NA", "-999", "-999.0", " 7 ", "x", "1_0", "1e400", "nan", "+.5"]),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.integers(-(10**18), 10**18).map(str),
)


def blocks_of(rows: list[tuple[str, ...]]) -> list[Block]:
    """Return the blocks of a CSV file of these cells."""
    names = [f"c{place}" for place in range(len(rows[0]))]
    text = "".join(",".join(cells) + "\n" for cells in (names, *rows))
    return list(Records(io.BytesIO(text.encode()), "t.csv"))


def number(cell: str) -> float:
    """Return what Python reads; NaN for a missing cell, and for what is no finite number."""
    text = cell.strip(" \t")
    if text in MISSING or not set(text) <= set("0123456789+-.eE"):
        return math.nan
    try:
        value = float(text)
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan


@given(st.lists(st.tuples(CELLS, CELLS, st.just("z")), min_size=1, max_size=30))
def test_training_and_scoring_read_what_python_reads(rows: list[tuple[str, ...]]) -> None:
    columns, parser = NumberColumns([0, 1], MISSING), NumberParser(MISSING)
    wrong_cells: list[list[str]] = [[], []]
    present = [0, 0]
    for block in blocks_of(rows):
        trained = columns.read(block)
        for place in (0, 1):
            cells = [rows[row - 1][place] for row in block.rows.tolist()]
            expected = [number(cell) for cell in cells]
            scored = parser.column(block, place)
            np.testing.assert_array_equal(trained[place], expected)
            np.testing.assert_array_equal(scored.values, expected)
            missing = [i for i, cell in enumerate(cells) if cell.strip(" \t") in MISSING]
            wrong = [i for i, value in enumerate(expected) if math.isnan(value)]
            assert scored.missing.tolist() == missing
            assert scored.wrong == [i for i in wrong if i not in missing]
            wrong_cells[place] += [cells[i] for i in scored.wrong]
            present[place] += len(cells) - len(wrong)
    for count, cells, numbers in zip(columns.counts, wrong_cells, present, strict=True):
        assert (count.numbers, count.texts) == (numbers, len(cells))
        assert (count.first_text and count.first_text.text) == (cells[0] if cells else None)


@pytest.mark.parametrize("third", ["3.5", "-99"], ids=["numbers", "one that means no value"])
def test_cells_one_below_the_other_are_read_as_any_others(third: str) -> None:
    rows = [("1.5", "a"), ("2.5", "b"), (third, "c")]
    (block,) = blocks_of(rows)
    parser = NumberParser(("-99",))
    found = parser.column(block, 0)
    assert isinstance(block, FixedWidthBlock) is (len(third) == 3)
    slowly = parser.cells(block, *block.bounds(0))
    np.testing.assert_array_equal(found.values, slowly.values)
    assert found.missing.tolist() == slowly.missing.tolist() == [2] * (third == "-99")


def test_many_cells_are_read_as_few_are() -> None:
    cells = [f"{value}" for value in np.random.default_rng(1).normal(size=40_000).round(4)]
    cells[17_000] = "NA"
    cells[33_000] = "x"
    parser, rows = NumberParser(MISSING), 0
    blocks = blocks_of([(cell, "z") for cell in cells])
    assert max(map(len, blocks)) > 2**14
    for block in blocks:
        own = cells[rows : rows + len(block)]
        found = parser.cells(block, *block.bounds(0))
        np.testing.assert_array_equal(found.values, [number(cell) for cell in own])
        assert [own[i] for i in found.missing] == ["NA"] * ("NA" in own)
        assert [own[i] for i in found.wrong] == ["x"] * ("x" in own)
        rows += len(block)
    assert rows == len(cells)
