"""Locks hold between what is opened twice, and end when it is closed."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ffn.storage.locks import lock, lock_if_possible, locked_folder, open_lock_file, try_lock


@pytest.fixture
def twice(tmp_path: Path) -> Iterator[tuple[int, int]]:
    """One file, opened twice."""
    path = tmp_path / "lock"
    with open_lock_file(path) as one, open_lock_file(path) as other:
        yield one, other


def test_who_locks_alone_keeps_everybody_out_until_it_is_closed(tmp_path: Path) -> None:
    with open_lock_file(tmp_path / "lock") as other:
        with open_lock_file(tmp_path / "lock") as one:
            lock(one)
            assert not try_lock(other)
            with pytest.raises(BlockingIOError, match="temporarily unavailable"):
                lock(other, shared=True, wait=False)
        assert try_lock(other)


def test_shared_locks_keep_out_only_who_wants_it_alone(twice: tuple[int, int]) -> None:
    one, other = twice
    lock(one, shared=True)
    lock(other, shared=True, wait=False)
    assert not try_lock(one)


def test_who_waits_goes_on_when_the_lock_is_free(tmp_path: Path) -> None:
    order: list[str] = []

    def wait() -> None:
        with locked_folder(tmp_path):
            order.append("waited")

    waiting = threading.Thread(target=wait)
    with locked_folder(tmp_path):
        waiting.start()
        waiting.join(0.2)
        order.append("held")
    waiting.join()
    assert order == ["held", "waited"]


def test_a_process_that_is_killed_leaves_no_lock(tmp_path: Path, repository: Path) -> None:
    hold = (
        "import sys, time\nfrom pathlib import Path\nfrom ffn.storage.locks import locked_folder\n"
        "with locked_folder(Path(sys.argv[1])):\n    print('held', flush=True)\n    time.sleep(60)"
    )
    command = [sys.executable, "-c", hold, str(tmp_path)]
    handle = os.open(tmp_path, os.O_RDONLY)
    with subprocess.Popen(command, cwd=repository, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert not try_lock(handle)
        holder.kill()
    assert try_lock(handle)
    os.close(handle)


def test_where_nothing_can_be_locked(
    monkeypatch: pytest.MonkeyPatch, twice: tuple[int, int]
) -> None:
    def refuse(*_arguments: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    lock_if_possible(twice[0])
    with pytest.raises(OSError, match="No locks available"):
        try_lock(twice[0])


def test_a_link_is_no_lock_file(tmp_path: Path) -> None:
    (tmp_path / "lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic links"), open_lock_file(tmp_path / "lock"):
        pass
    assert not (tmp_path / "elsewhere").exists()


def test_nothing_else_in_the_product_locks(repository: Path) -> None:
    users = [
        path.relative_to(repository).as_posix()
        for top in ("ffn", "flows")
        for path in (repository / top).rglob("*.py")
        if "flock(" in path.read_text("utf-8")
    ]
    assert users == ["ffn/storage/locks.py"]
