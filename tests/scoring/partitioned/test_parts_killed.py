"""A run that is killed, at any call that changes the disk; a full disk; two runs at once."""

import errno
import fcntl
import hashlib
import os
import shutil
import signal
import threading
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path

import pytest

from ffn.errors import DataError, OutputError
from tests.scoring.partitioned.lakes import LAKE, content, manifest_of, published, score, write_lake

# Of the calls, so many are left out between two: all of them take a minute.
EVERY = int(os.environ.get("FFN_TEST_EVERY_CALL", "9"))
CHANGING = ("rename", "unlink", "fsync", "mkdir", "open")


def at_call(
    number: int, then: Callable[[], None], names: Sequence[str] = CHANGING
) -> Callable[[], int]:
    """Do something before the call ``number`` that may change the disk; return a counter."""
    made = 0

    def counted(real):
        @wraps(real)
        def call(*args, **kwargs):
            nonlocal made
            made += 1
            if made == number:
                then()
            return real(*args, **kwargs)

        return call

    for name in names:
        setattr(os, name, counted(getattr(os, name)))
    return lambda: made


def killed(number: int, source: Path, output: Path) -> bool:
    """Score in a process that is killed before a call; return whether it was."""
    child = os.fork()
    if child == 0:
        at_call(number, lambda: os.kill(os.getpid(), signal.SIGKILL))
        try:
            score(source, output)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def is_whole(output: Path) -> bool:
    """Whether the manifest is there; then every file must be the one it describes."""
    if not output.with_name(f"{output.name}.manifest.json").exists():
        return False
    manifest, found = manifest_of(output), published(output)
    described = {f"{output.name}/{part['name']}": part["output"] for part in manifest["parts"]}
    described[f"{output.name}.rejects.csv"] = manifest["files"]["rejects"]
    for name, known in described.items():
        assert hashlib.sha256(found[name]).hexdigest() == known["sha256"], name
    return True


@pytest.fixture
def lake(tmp_path):
    return write_lake(tmp_path / "lake", LAKE)


def grow(lake):
    write_lake(lake, {"colour=red/part-1.csv": "id,size\n3,4\nx,y\n"})
    write_lake(lake, {"colour=green/part-0.csv": "id,size\n7,8\n"})
    (lake / "colour=blue/part-0.csv").unlink()


def test_a_killed_run_is_finished_by_the_next(lake, tmp_path):
    score(lake, tmp_path / "before/scored")
    first = content(tmp_path / "before/scored")
    grow(lake)
    shutil.copytree(tmp_path / "before", tmp_path / "expected")
    score(lake, tmp_path / "expected/scored")
    expected = content(tmp_path / "expected/scored")
    states = set()
    for number in range(1, 1000, EVERY):
        room = tmp_path / str(number)
        shutil.copytree(tmp_path / "before", room)
        if not killed(number, lake, room / "scored"):
            break
        if is_whole(room / "scored"):
            states.add("old" if content(room / "scored") == first else "new")
            if content(room / "scored") != first:
                assert content(room / "scored") == expected
        else:
            states.add("none")
        score(lake, room / "scored")
        assert is_whole(room / "scored")
        assert content(room / "scored") == expected, number
        left = {path.name for path in room.iterdir()}
        assert left == {path.name for path in (tmp_path / "expected").iterdir()}, number
        shutil.rmtree(room)
    assert number > 30
    assert states == {"old", "none", "new"}


def test_what_was_about_to_be_published_needs_no_input(lake, tmp_path):
    """The publication goes on even if the input has changed meanwhile."""
    score(lake, tmp_path / "expected/scored")
    expected = content(tmp_path / "expected/scored")
    kept = 0
    for number in range(1, 1000, EVERY):
        room = tmp_path / str(number)
        room.mkdir()
        if not killed(number, lake, room / "scored"):
            break
        pending = room / ".scored.ffn-unfinished/pending"
        if not pending.exists() or (room / "scored.manifest.json").exists():
            continue
        (room / "empty").mkdir()
        with pytest.raises(DataError, match="holds no table"):
            score(room / "empty", room / "scored")
        if is_whole(room / "scored"):
            kept += 1
            assert content(room / "scored") == expected
    assert kept > 1


def test_a_part_that_is_complete_is_not_scored_again(lake, tmp_path):
    write_lake(lake, {"colour=red/zzz.csv": "id\n1\n"})
    with pytest.raises(DataError, match="1 of 5 parts refused"):
        score(lake, tmp_path / "scored")
    folder = tmp_path / ".scored.ffn-unfinished"
    times = {path.name: path.stat().st_mtime_ns for path in folder.glob("*.output")}
    with pytest.raises(DataError, match="1 of 5 parts refused"):
        score(lake, tmp_path / "scored")
    again = {path.name: path.stat().st_mtime_ns for path in folder.glob("*.output")}
    assert sum(again[name] == times[name] for name in times) == 4
    write_lake(lake, {"colour=red/zzz.csv": "id,size\n1,2\n"})
    score(lake, tmp_path / "scored")
    score(lake, tmp_path / "fresh/scored")
    assert content(tmp_path / "scored") == content(tmp_path / "fresh/scored")


@pytest.mark.parametrize("number", [1, 3])
def test_a_full_disk_is_one_line_and_leaves_what_there_was(lake, tmp_path, monkeypatch, number):
    score(lake, tmp_path / "scored")
    before = published(tmp_path / "scored")
    grow(lake)
    monkeypatch.setattr(os, "fsync", os.fsync)

    def full() -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    made = at_call(number, full, ["fsync"])
    with pytest.raises(OutputError, match=r"cannot be written.*No space left"):
        score(lake, tmp_path / "scored")
    assert made() >= number
    monkeypatch.undo()
    assert published(tmp_path / "scored") == before
    score(lake, tmp_path / "scored")
    assert is_whole(tmp_path / "scored")


def test_a_second_run_is_refused(lake, tmp_path):
    score(lake, tmp_path / "scored")
    before = published(tmp_path / "scored")
    grow(lake)
    folder = tmp_path / ".scored.ffn-unfinished"
    folder.mkdir(mode=0o700)
    held = os.open(folder, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    with pytest.raises(DataError, match="is being written by another run"):
        score(lake, tmp_path / "scored")
    os.close(held)
    assert published(tmp_path / "scored") == before


def test_two_runs_at_once_give_one_output(lake, tmp_path):
    refused = []

    def run() -> None:
        try:
            score(lake, tmp_path / "scored")
        except DataError as error:
            refused.append(str(error))

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all("is being written by another run" in reason for reason in refused)
    assert is_whole(tmp_path / "scored")
    score(lake, tmp_path / "fresh/scored")
    assert content(tmp_path / "scored") == content(tmp_path / "fresh/scored")
