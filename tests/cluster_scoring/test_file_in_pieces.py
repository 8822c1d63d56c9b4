"""A file of which pieces are there is read like the file, or not at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffn.cluster_scoring.file_in_pieces import FileInPieces, OutOfReachError, SourceInPieces

CONTENT = bytes(range(200))


@given(
    bounds=st.lists(st.tuples(st.integers(0, 200), st.integers(0, 200)), max_size=3),
    offset=st.integers(0, 220),
    size=st.integers(1, 220),
)
def test_what_is_read_is_in_the_file_at_that_place(
    bounds: list[tuple[int, int]], offset: int, size: int
) -> None:
    pieces = [(begin, CONTENT[begin:end]) for begin, end in bounds]
    there = {at for begin, piece in pieces for at in range(begin, begin + len(piece))}
    file, source = FileInPieces(pieces, 200), SourceInPieces(pieces, 200, "t.csv")
    file.seek(offset)
    if offset < 200 and offset not in there:
        with pytest.raises(OutOfReachError, match=f"byte {offset}"):
            file.read(size)
        with pytest.raises(OutOfReachError, match=f"byte {offset}"):
            source.peek(size, offset)
        return
    found = file.read(size)
    assert CONTENT[offset : offset + len(found)] == found
    assert bool(found) == (offset < 200)
    assert len(found) <= size
    assert source.peek(size, offset) == found
    with source.shared.open() as again:
        again.seek(offset)
        assert again.read(size) == found
