import fcntl
import os
import resource
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from ffn.storage.atomic import (
    atomic_file,
    atomic_files,
    staging_folder,
    sweep,
    temporary_name,
    write_bytes,
)


def names(folder):
    return sorted(entry.name for entry in folder.iterdir())


def test_files_appear_together_and_the_last_one_last(tmp_path, monkeypatch):
    renamed = []
    replace = type(tmp_path).replace

    def watch(self, target):
        renamed.append(target.name)
        return replace(self, target)

    monkeypatch.setattr(type(tmp_path), "replace", watch)
    with atomic_files(tmp_path / "a", tmp_path / "new" / "b", tmp_path / "c") as (a, b, c):
        a.write(b"1")
        b.write(b"2")
        c.write(b"3")
        assert renamed == []
    assert renamed == ["a", "b", "c"]
    assert (tmp_path / "a").read_bytes() == b"1"
    assert (tmp_path / "new" / "b").read_bytes() == b"2"
    assert names(tmp_path) == ["a", "c", "new"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_leaves_everything_as_it_was(tmp_path, error):
    (tmp_path / "a").write_bytes(b"old")
    with (  # noqa: PT012
        pytest.raises(error, match="no"),
        atomic_files(tmp_path / "a", tmp_path / "b") as (a, _),
    ):
        a.write(b"new")
        raise error("no")
    assert names(tmp_path) == ["a"]
    assert (tmp_path / "a").read_bytes() == b"old"


def test_a_folder_in_the_way_is_found_before_anything_is_renamed(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "a").write_bytes(b"old")
    with (
        pytest.raises(IsADirectoryError, match="Is a directory"),
        atomic_files(tmp_path / "a", tmp_path / "b"),
    ):
        pass
    assert (tmp_path / "a").read_bytes() == b"old"
    assert names(tmp_path) == ["a", "b"]


@pytest.mark.parametrize("fails_at", [0, 1, 2])
def test_when_a_rename_fails_no_old_mark_speaks_for_new_files(tmp_path, monkeypatch, fails_at):
    for name in "abc":
        (tmp_path / name).write_bytes(b"old")
    replace, done = type(tmp_path).replace, []

    def fail(self, target):
        if len(done) == fails_at:
            raise OSError(5, "Input/output error")
        done.append(target.name)
        return replace(self, target)

    monkeypatch.setattr(type(tmp_path), "replace", fail)
    with (  # noqa: PT012
        pytest.raises(OSError, match="Input/output error"),
        atomic_files(*(tmp_path / name for name in "abc")) as opened,
    ):
        for file in opened:
            file.write(b"new")
    assert names(tmp_path) == ["a", "b"]
    assert [(tmp_path / name).read_bytes() for name in "ab"] == [
        b"new" if name in done else b"old" for name in "ab"
    ]


def test_atomic_file_replaces(tmp_path):
    write_bytes(tmp_path / "x", b"one")
    with atomic_file(tmp_path / "x") as file:
        file.write(b"two")
        assert (tmp_path / "x").read_bytes() == b"one"
    assert (tmp_path / "x").read_bytes() == b"two"
    assert names(tmp_path) == ["x"]


@pytest.fixture(scope="module")
def dead():
    """A process id that nobody has any more."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_sweep_takes_what_dead_processes_left_and_nothing_else(tmp_path):
    code = "from ffn.storage.atomic import temporary_name; print(temporary_name())"
    dead = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    (tmp_path / dead.stdout.strip()).write_bytes(b"half")
    folder = tmp_path / dead.stdout.strip().replace(".tmp", "0.tmp")
    folder.mkdir()
    (folder / "x").touch()
    living = tmp_path / temporary_name()
    living.touch()
    (tmp_path / f"ffn-{os.getpid()}-1.tmp").touch()
    assert len(sweep(tmp_path)) == 2
    assert names(tmp_path) == sorted([living.name, f"ffn-{os.getpid()}-1.tmp"])
    assert sweep(tmp_path / "nowhere") == []


def test_work_of_a_writer_in_another_container_is_left_alone(tmp_path, monkeypatch, dead):
    """There it has a number that is nobody's here; its lock is seen all the same."""
    monkeypatch.setattr(os, "getpid", lambda: dead)
    with atomic_files(tmp_path / "a", tmp_path / "b") as (a, _), staging_folder(tmp_path) as folder:
        (folder / "x").touch()
        a.write(b"1")
        assert sweep(tmp_path) == []
        folder.rename(tmp_path / "folder")
    assert names(tmp_path) == ["a", "b", "folder"]
    assert (tmp_path / "a").read_bytes() == b"1"
    assert names(tmp_path / "folder") == ["x"]


def test_the_lock_is_held_until_the_name_is_taken(tmp_path, monkeypatch, dead):
    monkeypatch.setattr(os, "getpid", lambda: dead)
    replace = type(tmp_path).replace

    def sweep_and_replace(self, target):
        assert sweep(tmp_path) == []
        return replace(self, target)

    monkeypatch.setattr(type(tmp_path), "replace", sweep_and_replace)
    write_bytes(tmp_path / "a", b"1")
    assert names(tmp_path) == ["a"]


@pytest.mark.parametrize("error", [None, ValueError, KeyboardInterrupt])
def test_a_staging_folder_that_is_not_renamed_goes(tmp_path, error):
    if error is None:
        with staging_folder(tmp_path) as folder:
            (folder / "x").touch()
    else:
        with pytest.raises(error, match="no"), staging_folder(tmp_path) as folder:
            raise error("no")
    assert names(tmp_path) == []


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_is_swept_before_it_is_locked_is_made_again(tmp_path, monkeypatch, dead, kind):
    monkeypatch.setattr(os, "getpid", lambda: dead)
    flock, swept = fcntl.flock, []

    def be_slow(handle, operation):
        if not swept:
            swept.append(None)
            swept.extend(sweep(tmp_path))
        return flock(handle, operation)

    monkeypatch.setattr(fcntl, "flock", be_slow)
    if kind == "file":
        write_bytes(tmp_path / "x", b"1")
        assert (tmp_path / "x").read_bytes() == b"1"
    else:
        with staging_folder(tmp_path) as folder:
            folder.rename(tmp_path / "x")
    assert len(swept) == 2
    assert names(tmp_path) == ["x"]


def leave(folder, dead, n):
    """Leave n folders of three files as a dead writer does."""
    for i in range(n):
        stale = folder / f".ffn-{dead}-{i:x}.tmp"
        stale.mkdir()
        for name in "abc":
            (stale / name).touch()


def test_sweeps_at_the_same_time_do_not_disturb_each_other(tmp_path, dead):
    leave(tmp_path, dead, 100)
    with ThreadPoolExecutor(8) as pool:
        removed = [path for found in pool.map(sweep, [tmp_path] * 8) for path in found]
    assert len(removed) == len(set(removed)) == 100
    assert names(tmp_path) == []


def test_a_sweep_that_another_overtakes(tmp_path, monkeypatch, dead):
    leave(tmp_path, dead, 2)
    signal_to, overtaken = os.kill, []

    def be_overtaken(pid, number):
        if not overtaken:
            overtaken.append(None)
            overtaken.extend(sweep(tmp_path))
        # That the writer is dead is found out only now, when the other sweep is done.
        signal_to(pid, number)

    monkeypatch.setattr(os, "kill", be_overtaken)
    assert sweep(tmp_path) == []
    assert len(overtaken) == 3


@pytest.mark.parametrize("error", [PermissionError(1, "no"), FileNotFoundError(2, "gone")])
def test_what_cannot_be_removed_stays_and_nobody_is_troubled(tmp_path, monkeypatch, dead, error):
    def refuse(*arguments, **options):
        raise error

    leave(tmp_path, dead, 1)
    monkeypatch.setattr(shutil, "rmtree", refuse)
    assert sweep(tmp_path) == []
    monkeypatch.setattr(type(tmp_path), "iterdir", refuse)
    assert sweep(tmp_path) == []


def test_links_and_absurd_numbers_are_not_followed(tmp_path, dead):
    (tmp_path / "mine").mkdir()
    (tmp_path / f".ffn-{dead}-0.tmp").symlink_to(tmp_path / "mine")
    (tmp_path / f".ffn-{'9' * 40}-0.tmp").touch()
    assert sweep(tmp_path) == []
    assert len(names(tmp_path)) == 3


def test_an_error_that_there_is_no_space_says_where(tmp_path):
    """The system does not, of a write to a file that is open."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
    try:
        with pytest.raises(OSError, match="File too large") as refusal:
            write_bytes(tmp_path / "a", b"x" * 100)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert refusal.value.filename == str(tmp_path)
    assert list(tmp_path.iterdir()) == []
