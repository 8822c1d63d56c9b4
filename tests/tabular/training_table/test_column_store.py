"""Arrays and columns written piece by piece, against the same arrays in memory."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffn.storage.npy import ArrayFile, open_array
from ffn.storage.permuted_npy import PermutedFile
from ffn.tabular.training_table.column_store import Columns, ColumnsFile, rows_of_a_group


@given(
    st.lists(st.integers(0, 9), max_size=8),
    st.integers(1, 4),
    st.sampled_from([np.float32, np.float64, np.int32, np.uint64]),
)
def test_a_file_that_grew_is_what_numpy_would_have_saved(sizes, width, dtype) -> None:
    rng = np.random.default_rng(0)
    parts = [rng.integers(0, 99, (n, width)).astype(dtype) for n in sizes]
    whole = np.concatenate([np.empty((0, width), dtype), *parts])
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.npy"
        with ArrayFile(path, dtype, width) as file:
            for part in parts:
                file.append(part)
        np.save(Path(folder) / "b.npy", whole)
        assert path.read_bytes() == (Path(folder) / "b.npy").read_bytes()
        found = open_array(path)
        assert (type(found), found.flags.writeable) == (np.ndarray, False)
        np.testing.assert_array_equal(found, whole)


def test_no_file_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "a.npy").touch()
    with pytest.raises(FileExistsError, match=r"a\.npy"):
        ArrayFile(tmp_path / "a.npy", np.float32)


@given(st.lists(st.integers(0, 20), max_size=8), st.integers(0, 4), st.integers(1, 12))
def test_columns_come_back_by_column_and_by_group(sizes, columns, group_rows) -> None:
    rng = np.random.default_rng(1)
    parts = [rng.normal(size=(columns, n)) for n in sizes]
    whole = np.concatenate([np.empty((columns, 0)), *parts], axis=1)
    n = whole.shape[1]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "c.npy"
        with ColumnsFile(path, np.float64, columns, group_rows) as file:
            for part in parts:
                file.append(part)
        found = Columns(path, columns, n, group_rows)
        for c in range(columns):
            np.testing.assert_array_equal(found.column(c), whole[c])
        groups = list(found.groups())
        assert [rows.stop - rows.start for rows, _ in groups[:-1]] == [group_rows] * (
            len(groups) - 1
        )
        assert sum(values.shape[1] for _, values in groups) == n
        for rows, values in groups:
            np.testing.assert_array_equal(values, whole[:, rows])


def test_a_group_is_bounded_however_wide_the_table() -> None:
    # 16 MB of float64, or 64 rows of the widest.
    assert rows_of_a_group(1) == rows_of_a_group(0) == 2**21
    assert rows_of_a_group(54) == 2**21 // 54
    assert rows_of_a_group(100_000) == 64


@given(st.integers(1, 60), st.integers(1, 3), st.integers(1, 80), st.integers(0, 2**32))
def test_scattered_rows_stand_where_they_should(n, width, partition_bytes, seed) -> None:
    rng = np.random.default_rng(seed)
    order = rng.permutation(n).astype(np.int32)
    rows = np.arange(n * width, dtype=np.int32).reshape(n, width)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.npy"
        with PermutedFile(path, np.int32, width, order, partition_bytes=partition_bytes) as file:
            start = 0
            while start < n:
                stop = start + int(rng.integers(20))
                file.append(rows[start:stop])
                start = stop
        np.testing.assert_array_equal(np.load(path), rows[order])


def test_a_full_disk_is_an_error_before_the_first_row(tmp_path: Path, monkeypatch) -> None:
    def full(*_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OSError, match="No space left"):
        PermutedFile(tmp_path / "a.npy", np.float32, 2, np.arange(9, dtype=np.int32))
