"""Frames in a pipe arrive one after another; the end of the pipe is the end, wherever it is."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffn.clusters.pipe import receive, send

FRAME = st.dictionaries(st.sampled_from(["id", "answer", "key"]), st.binary(max_size=50))


def written(*frames: dict[str, bytes]) -> bytes:
    pipe = io.BytesIO()
    for frame in frames:
        send(pipe, frame)
    return pipe.getvalue()


@given(st.lists(FRAME, max_size=4))
def test_frames_arrive_in_their_order(frames: list[dict[str, bytes]]) -> None:
    pipe = io.BytesIO(written(*frames))
    assert [receive(pipe) for _ in frames] == frames
    assert receive(pipe) is None


@given(st.data())
def test_a_frame_that_was_cut_is_the_end(data: st.DataObject) -> None:
    whole = written({"id": b"1", "answer": b"x" * 40})
    cut = data.draw(st.integers(0, len(whole) - 1))
    assert receive(io.BytesIO(whole[:cut])) is None


def test_a_frame_of_something_else_is_refused() -> None:
    with pytest.raises(ValueError, match="not a parcel"):
        receive(io.BytesIO((3).to_bytes(8, "big") + b"abc"))
