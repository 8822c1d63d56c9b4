"""What is written as CSV is read as the same cells, by Python's reader and as numbers."""

from __future__ import annotations

import csv
import decimal
import io
import math

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffn.errors import DataError
from ffn.extraction.csv_text import beginning, csv_lines, encoded
from ffn.tabular.columns.arrow_texts import plain_texts
from ffn.tabular.csv.header import DELIMITERS

CELLS = st.text(
    st.characters(codec="utf-8", exclude_characters="\0"), max_size=6
) | st.sampled_from(['"', '""', ",", ";", "\n", "\r\n", "\r", "a,b", " x ", ""])
ROWS = st.integers(2, 4).flatmap(
    lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=1, max_size=6)
)


@given(ROWS, st.sampled_from(DELIMITERS))
def test_python_reads_the_same_cells(rows: list[list[str]], delimiter: str) -> None:
    columns = [pa.array(column, pa.large_string()) for column in zip(*rows, strict=True)]
    text = csv_lines(columns, delimiter)
    found = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    assert found == rows
    assert text.endswith("\n")


@given(st.lists(st.floats() | st.none(), min_size=1))
def test_floats_are_read_as_themselves(values: list[float | None]) -> None:
    texts = plain_texts(pa.array(values, pa.float64()), "w", ".").to_pylist()
    for value, text in zip(values, texts, strict=True):
        if value is None or math.isnan(value):
            assert text is None
        else:
            assert float(text) == value


@given(st.decimals(-(10**8), 10**8, places=3), st.sampled_from([".", ","]))
def test_decimals_keep_their_digits(value: decimal.Decimal, mark: str) -> None:
    (text,) = plain_texts(pa.array([value], pa.decimal128(20, 3)), "w", mark).to_pylist()
    assert text == f"{value:.3f}".replace(".", mark)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-be", "cp1252"])
def test_encodings_are_those_of_python(encoding: str) -> None:
    content = beginning(encoding) + encoded("é,1\n", encoding, "t.parquet")
    assert content.decode(encoding) == "é,1\n"
    if encoding == "cp1252":
        with pytest.raises(DataError, match=r't\.parquet holds "Ω", which data\.encoding'):
            encoded("Ω", encoding, "t.parquet")
