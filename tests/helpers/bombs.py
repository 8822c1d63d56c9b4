"""Parquet files of some kilobytes that decode to gigabytes, each by another way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

__all__ = ["BOMBS"]

_MIB = 2**20


def _write(path: Path, note: Any, *, words: bool = False, **options: Any) -> None:
    """Write a column ``note`` beside those that the model needs, all in one row group."""
    rows = len(note)
    columns = {"size": pa.array(np.ones(rows)), "colour": pa.repeat("red", rows), "note": note}
    if words:
        options |= {"use_dictionary": ["note"], "dictionary_pagesize_limit": 2**30}
    options = {"use_dictionary": False, "compression": "zstd"} | options
    pq.write_table(pa.table(columns), path, row_group_size=rows, **options)


def _one_word(rows: int, size: int) -> Any:
    """A text that stands once, and to which every row refers."""
    return pa.DictionaryArray.from_arrays(np.zeros(rows, np.int32), pa.array(["x" * size]))


def long_word(path: Path) -> None:
    """50,000 rows refer to 40 MiB, in what any reader takes for plain texts: 2 TB."""
    _write(path, _one_word(50_000, 40 * _MIB), words=True, store_schema=False)


def long_category(path: Path) -> None:
    """The same in a column of categories, which are no longer in memory than in the file."""
    _write(path, _one_word(50_000, 40 * _MIB), words=True)


def huge_page(path: Path) -> None:
    """One page that unpacks to 300 MiB."""
    _write(path, pa.repeat("x" * _MIB, 300), data_page_size=2**30)


def long_list(path: Path) -> None:
    """One cell is a list of twenty million numbers."""
    values = pa.array(np.zeros(20_000_000))
    _write(path, pa.ListArray.from_arrays(pa.array([0, len(values)], pa.int32()), values))


def wide_texts(path: Path) -> None:
    """Texts of a fixed width of 100 MiB, of which one is in the file."""
    width = 100 * _MIB
    words = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(width), 4, [None, pa.py_buffer(bytes(4 * width))]
    )
    _write(path, words, words=True)


def many_columns(path: Path) -> None:
    """Each of 30,000 columns has its own reader."""
    values = [pa.array([1], pa.int8())] * 30_000
    names = [f"c{n}" for n in range(len(values))]
    pq.write_table(pa.table(values, names), path, compression="zstd")


def deep_schema(path: Path) -> None:
    """A column of a thousand structs, each in the one before."""
    cell = pa.array([1.0])
    for _ in range(1_000):
        cell = pa.StructArray.from_arrays([cell], ["x"])
    _write(path, cell)


BOMBS = (long_word, long_category, huge_page, long_list, wide_texts, many_columns, deep_schema)
