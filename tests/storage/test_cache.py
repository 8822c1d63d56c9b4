"""Entries of a cache: whole or built again, kept while in use, and nothing left of what failed."""

from __future__ import annotations

import errno
import multiprocessing
import os
import pickle
import shutil
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from ffn.errors import DataError
from ffn.storage.cache import Cache, require_space
from tests.helpers.waiting import LAST_RESORT


class Builder:
    """Fills a folder with one file, and counts how often it had to."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, folder: Path) -> None:
        self.calls += 1
        (folder / "content").write_bytes(b"0123456789")


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_an_entry_is_built_once(tmp_path: Path) -> None:
    cache, build = Cache(tmp_path / "new" / "cache"), Builder()
    for _ in range(3):
        entry = cache.entry("a", build)
        assert (entry.path / "content").read_bytes() == b"0123456789"
    assert build.calls == 1
    assert names(cache.folder) == {"a"}


def cut(entry: Path) -> None:
    (entry / "content").write_bytes(b"01234")


def change(entry: Path) -> None:
    (entry / "content").write_bytes(b"0123456780")


DAMAGES: dict[str, Callable[[Path], object]] = {
    "shorter": cut,
    "another byte": change,
    "gone": lambda entry: (entry / "content").unlink(),
    "one too many": lambda entry: (entry / "more").touch(),
    "no manifest": lambda entry: (entry / "manifest.json").unlink(),
    "a broken manifest": lambda entry: (entry / "manifest.json").write_bytes(b'{"content":'),
    "another manifest": lambda entry: (entry / "manifest.json").write_bytes(b'{"content": 3}'),
    "a list for a manifest": lambda entry: (entry / "manifest.json").write_bytes(b"[1]"),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_what_is_damaged_is_built_again(tmp_path: Path, damage: Callable[[Path], object]) -> None:
    cache, build = Cache(tmp_path), Builder()
    damage(cache.entry("a", build).path)
    again = cache.entry("a", build)
    assert build.calls == 2
    assert (again.path / "content").read_bytes() == b"0123456789"
    assert names(tmp_path) == {"a"}


def test_of_two_that_build_the_same_both_get_it(tmp_path: Path) -> None:
    both = Barrier(2, timeout=LAST_RESORT)
    build = Builder()

    def build_together(folder: Path) -> None:
        both.wait()
        build(folder)

    with ThreadPoolExecutor(2) as pool:
        entries = list(pool.map(lambda _: Cache(tmp_path).entry("a", build_together), range(2)))
    assert build.calls == 2
    assert {entry.path for entry in entries} == {tmp_path / "a"}
    assert names(tmp_path) == {"a"}


def test_a_killed_build_leaves_nothing_after_the_next(tmp_path: Path) -> None:
    def build_and_die(folder: Path) -> None:
        Builder()(folder)
        os.kill(os.getpid(), signal.SIGKILL)

    killed = multiprocessing.get_context("fork").Process(
        target=lambda: Cache(tmp_path).entry("a", build_and_die)
    )
    killed.start()
    killed.join(20)
    assert killed.exitcode == -signal.SIGKILL
    (left,) = names(tmp_path)
    assert left.startswith(".ffn-")
    Cache(tmp_path).entry("a", Builder())
    assert names(tmp_path) == {"a"}


def test_what_is_superseded_goes_unless_somebody_uses_it(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    used = cache.entry("used", Builder())
    for name in ("old", "new", "new-inputs"):
        cache.entry(name, Builder())
    cache.remove_others("new")
    assert names(tmp_path) == {"used", "new", "new-inputs"}
    copy = pickle.loads(pickle.dumps(used))
    del used
    cache.remove_others("", "new")
    assert names(tmp_path) == {"used", "new"}, "the copy uses it still"
    assert copy.path == tmp_path / "used"
    del copy
    cache.remove_others("", "new")
    assert names(tmp_path) == {"new"}
    with pytest.raises(FileNotFoundError, match="No such file"):
        pickle.loads(pickle.dumps(cache.entry("new", Builder())).replace(b"new", b"old"))


def test_there_may_be_nothing_to_remove(tmp_path: Path) -> None:
    Cache(tmp_path / "nowhere").remove_others("a")
    assert names(tmp_path) == set()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_told_in_one_line(tmp_path: Path, number: int) -> None:
    def fail(folder: Path) -> None:
        Builder()(folder)
        raise OSError(number, os.strerror(number))

    with pytest.raises(DataError, match=r"cache: .* while the training table was conv.*--root"):
        Cache(tmp_path / "artifacts" / "cache").entry("a", fail)
    assert names(tmp_path) == set(), "no folder either"


def test_another_error_is_no_matter_of_space(tmp_path: Path) -> None:
    def fail(_: Path) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with pytest.raises(OSError, match="Input/output error"):
        Cache(tmp_path).entry("a", fail)
    assert names(tmp_path) == set()


def test_what_has_no_room_is_not_begun(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    require_space(tmp_path, free // 2, "a table")
    with pytest.raises(DataError, match=r"a table takes [\d,.]+ GB, and the disk has [\d,.]+ GB f"):
        require_space(tmp_path, 2 * free, "a table")
