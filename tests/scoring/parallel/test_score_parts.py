"""Files that are written over, part by part."""

from __future__ import annotations

import os

import pytest

from ffn.scoring.output.work_folder import WorkFolder
from ffn.scoring.parallel.part_result import Stored


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "work"
    path.mkdir(mode=0o700)
    with WorkFolder.opened(path) as folder:
        yield folder


def test_what_is_written_over_is_read_to_where_it_ends(folder):
    path = folder.path / "0.output"
    pieces = [b"x" * 700_000, b"", b"y"]
    assert b"".join(Stored.write(folder, path.name, pieces).read(folder)) == b"".join(pieces)
    before = path.stat()
    short = Stored.write(folder, path.name, [b"a", b"bc"])
    assert list(short.read(folder)) == [b"abc"]
    # The file is the same one, with all its room.
    assert (path.stat().st_ino, path.stat().st_size) == (before.st_ino, before.st_size)
    assert list(Stored.write(folder, path.name, []).read(folder)) == []


def test_what_was_cut_short_meanwhile_is_not_taken_for_whole(folder):
    stored = Stored.write(folder, "0.output", [b"x" * 600_000])
    os.truncate(folder.path / "0.output", 500_000)
    with pytest.raises(OSError, match=r"cut short while it was in use: '.*0\.output'"):
        list(stored.read(folder))
