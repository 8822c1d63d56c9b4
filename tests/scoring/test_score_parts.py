"""Files that are written over, part by part."""

from __future__ import annotations

import os

import pytest

from ffn.scoring.parts import Stored


def test_what_is_written_over_is_read_to_where_it_ends(tmp_path):
    path = tmp_path / "0.output"
    pieces = [b"x" * 700_000, b"", b"y"]
    assert b"".join(Stored.write(path, pieces)) == b"".join(pieces)
    before = path.stat()
    short = Stored.write(path, [b"a", b"bc"])
    assert list(short) == [b"abc"]
    # The file is the same one, with all its room.
    assert (path.stat().st_ino, path.stat().st_size) == (before.st_ino, before.st_size)
    assert list(Stored.write(path, [])) == []


def test_what_was_cut_short_meanwhile_is_not_taken_for_whole(tmp_path):
    stored = Stored.write(tmp_path / "0.output", [b"x" * 600_000])
    os.truncate(stored.path, 500_000)
    with pytest.raises(OSError, match=r"cut short while it was in use: '.*0\.output'"):
        list(stored)
