"""Parquet files of some kilobytes that decode to gigabytes, each by another way."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

__all__ = ["BOMBS"]

_LONG = 20 * 2**20


def _write(path, columns, rows, **options):
    size = pa.array(np.ones(rows))
    colour = pa.array(["red"] * rows)
    table = pa.table({"size": size, "colour": colour, **columns})
    options = {"compression": "zstd", "use_dictionary": False} | options
    pq.write_table(table, path, row_group_size=rows, **options)


def long_word_in_a_dictionary(path):
    """A text of 20 MB stands once; 50,000 rows refer to it: 1 TB."""
    words = pa.DictionaryArray.from_arrays(pa.array(np.zeros(50_000, np.int32)), ["x" * _LONG])
    # As plain text, which a reader without our knowledge writes out for every row.
    columns = {"note": words}
    _write(
        path,
        columns,
        50_000,
        use_dictionary=["note"],
        dictionary_pagesize_limit=2**30,
        store_schema=False,
    )


def long_category(path):
    """The same in a column of categories, which stay a dictionary in memory."""
    words = pa.DictionaryArray.from_arrays(pa.array(np.zeros(50_000, np.int32)), ["x" * _LONG])
    _write(
        path,
        {"note": words},
        50_000,
        use_dictionary=["note"],
        dictionary_pagesize_limit=2**30,
    )


def shared_beginnings(path):
    """Each text is the one before, by a reference to its beginning: 20 MB of 1,000 texts."""
    texts = pa.array(["x" * (_LONG // 20)] * 1_000)
    encoding = {"note": "DELTA_BYTE_ARRAY"}
    _write(path, {"note": texts}, 1_000, column_encoding=encoding, data_page_size=2**30)


def huge_page(path):
    """One page that unpacks to 800 MB."""
    texts = pa.array(["x" * 2**20] * 800)
    _write(path, {"note": texts}, 800, data_page_size=2**30)


def list_of_a_million_millions(path):
    """One cell is a list of 300 million zeros."""
    zeros = pa.array(np.zeros(300_000_000, np.int8))
    lists = pa.ListArray.from_arrays(pa.array([0, 300_000_000], pa.int32()), zeros)
    _write(path, {"note": lists}, 1, use_dictionary=["note"])


def very_many_columns(path):
    """A hundred thousand columns, each with its own reader."""
    columns = {f"c{n}": pa.array([1], pa.int8()) for n in range(100_000)}
    _write(path, columns, 1)


def wide_fixed_texts(path):
    """Texts of a fixed width of 100 MB, one of which is in the file."""
    width = 100 * 2**20
    words = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(width), 8, [None, pa.py_buffer(bytes(8 * width))]
    )
    _write(path, {"note": words}, 8, use_dictionary=["note"], dictionary_pagesize_limit=2**30)


def size_that_lies(path):
    """A page's header says that it unpacks to 2 GB."""
    from forging import set_page_size

    _write(path, {}, 1_000)
    set_page_size(path, 2**31 - 1)


BOMBS = [
    long_word_in_a_dictionary,
    long_category,
    shared_beginnings,
    huge_page,
    list_of_a_million_millions,
    very_many_columns,
    wide_fixed_texts,
]
