"""What crosses to another machine arrives as it was, and what is no parcel is refused."""

from __future__ import annotations

import pickle
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffn.clusters.parcels import pack, pack_files, pieces_of, unpack, write_files

# The one name that the format has for itself.
NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20).filter(
    lambda name: name != "__metadata__"
)


@given(st.dictionaries(NAMES, st.binary(max_size=200), max_size=5))
def test_what_was_packed_is_unpacked(contents: dict[str, bytes]) -> None:
    assert unpack(pack(contents)) == contents


@given(st.binary(max_size=200))
def test_anything_else_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="not a parcel"):
        unpack(content)


def test_a_parcel_that_was_cut_or_grew_is_refused() -> None:
    parcel = pack({"a": b"x" * 100, "b": b""})
    for wrong in (parcel[:-1], parcel + b"x", pickle.dumps({"a": b"x"}), b""):
        with pytest.raises(ValueError, match="not a parcel"):
            unpack(wrong)


def test_files_arrive(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"one")
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "there").mkdir()
    parcel = pack_files([tmp_path / "a", tmp_path / "empty"])
    write_files(parcel, tmp_path / "there", ["a", "empty", "other"])
    found = {path.name: path.read_bytes() for path in (tmp_path / "there").iterdir()}
    assert found == {"a": b"one", "empty": b""}


@pytest.mark.parametrize("name", ["../a", "/tmp/a", "b", "..", "x/y"])
def test_a_file_of_another_name_is_not_written(name: str, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    with pytest.raises(ValueError, match="not a parcel of these files"):
        write_files(pack({name: b"x"}), tmp_path / "there", ["a"])
    assert [path.name for path in tmp_path.rglob("*")] == ["there"]


def test_a_large_piece_is_copied_once() -> None:
    parcel = pack({"a": b"x" * 10_000_000})
    tracemalloc.start()
    try:
        assert len(pieces_of(parcel)["a"]) == 10_000_000
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 15_000_000
