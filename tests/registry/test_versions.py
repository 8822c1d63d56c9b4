from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ffn.bundles.bundle import write_bundle
from ffn.errors import RegistryError
from ffn.registry.versions import (
    add_version,
    bundle_folder,
    number_of,
    production_version,
    version_folder,
    versions,
)
from ffn.storage.atomic import temporary_name
from tests.helpers.bundles import make


def fill(folder: Path) -> None:
    write_bundle(make(), folder / "bundle")


def entries(folder: Path) -> set[str]:
    return {entry.name for entry in folder.iterdir()}


@pytest.fixture
def artifacts(tmp_path: Path) -> Path:
    return tmp_path / "artifacts" / "iris"


def test_versions_are_numbered_from_one(artifacts: Path) -> None:
    assert versions(artifacts) == []
    assert [add_version(artifacts, fill) for _ in range(3)] == [1, 2, 3]
    assert versions(artifacts) == [1, 2, 3]
    assert version_folder(artifacts, 2) == artifacts / "models" / "0002"
    assert entries(version_folder(artifacts, 2)) == {"bundle", "files.json"}
    assert entries(artifacts / "models") == {"0001", "0002", "0003", ".last.json"}


@pytest.mark.parametrize("removed", [[3], [1, 2, 3], [2]])
def test_a_number_is_never_given_twice(artifacts: Path, removed: list[int]) -> None:
    for _ in range(3):
        add_version(artifacts, fill)
    for version in removed:
        shutil.rmtree(version_folder(artifacts, version))
    assert add_version(artifacts, fill) == 4


def test_the_record_of_the_last_number_can_be_lost(artifacts: Path) -> None:
    for damage in (b"", b"{", b"[]", b'{"version": "x"}', b"[" * 100_000, None):
        add_version(artifacts, fill)
        record = artifacts / "models" / ".last.json"
        record.unlink() if damage is None else record.write_bytes(damage)
    assert add_version(artifacts, fill) == 7


def test_numbers_go_on_beyond_four_digits(artifacts: Path) -> None:
    version_folder(artifacts, 9_999).mkdir(parents=True)
    assert add_version(artifacts, fill) == 10_000
    assert versions(artifacts) == [9_999, 10_000]


def test_what_is_no_version_is_not_counted(artifacts: Path) -> None:
    add_version(artifacts, fill)
    models = artifacts / "models"
    (models / "0007").write_text("a file")
    for name in ("8", "00009", "\u0660\u0660\u0661\u0660", "0011.bak", "notes"):
        (models / name).mkdir()
    assert versions(artifacts) == [1]


def test_a_number_taken_by_something_else_is_not_overwritten(artifacts: Path) -> None:
    (artifacts / "models").mkdir(parents=True)
    (artifacts / "models" / "0001").write_text("mine")
    with pytest.raises(RegistryError, match=r"0001 exists already\. Remove it and try again"):
        add_version(artifacts, fill)
    assert (artifacts / "models" / "0001").read_text() == "mine"
    assert add_version(artifacts, fill) == 2


@pytest.mark.parametrize("kind", ["file", "folder", "nowhere"])
def test_a_version_holds_no_links(artifacts: Path, tmp_path: Path, kind: str) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()

    def fill_with_a_link(folder: Path) -> None:
        fill(folder)
        (folder / "link").symlink_to(tmp_path / kind)

    with pytest.raises(RegistryError, match=r"link: neither a plain file nor a folder"):
        add_version(artifacts, fill_with_a_link)
    assert versions(artifacts) == []


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_when_filling_fails_there_is_no_version(artifacts: Path, error: type) -> None:
    def fail(folder: Path) -> None:
        fill(folder)
        raise error("out of disk")

    add_version(artifacts, fill)
    with pytest.raises(error, match="out of disk"):
        add_version(artifacts, fail)
    assert entries(artifacts / "models") == {"0001", ".last.json"}
    assert add_version(artifacts, fill) == 2


def test_when_the_number_cannot_be_recorded_there_is_no_version(artifacts, monkeypatch) -> None:
    def fail(path: Path, value: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("ffn.registry.versions.write_json", fail)
    with pytest.raises(OSError, match="disk full"):
        add_version(artifacts, fill)
    assert versions(artifacts) == []
    assert entries(artifacts / "models") == set()


def test_eight_threads_lose_nothing(artifacts: Path) -> None:
    def add(i: int) -> int:
        return add_version(artifacts, lambda folder: (folder / str(i)).touch())

    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(add, range(40)))
    assert sorted(numbers) == versions(artifacts) == list(range(1, 41))
    for i, number in enumerate(numbers):
        assert entries(version_folder(artifacts, number)) == {str(i), "files.json"}


ADD = """
import os, signal, sys
from pathlib import Path
from tests.helpers.bundles import make
from ffn.bundles.bundle import write_bundle
from ffn.registry.pointer import promote
from ffn.registry.versions import add_version

artifacts, action = Path(sys.argv[1]), sys.argv[2]

def fill(folder):
    write_bundle(make(), folder / "bundle")
    if action == "die":
        os.kill(os.getpid(), signal.SIGKILL)

for _ in range(5):
    number = add_version(artifacts, fill)
    promote(artifacts, number, reason="test")
    print(number)
"""


def start(artifacts: Path, action: str, repository: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", ADD, str(artifacts), action],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(repository)},
    )


def test_processes_lose_nothing(artifacts: Path, repository: Path) -> None:
    processes = [start(artifacts, "add", repository) for _ in range(4)]
    numbers = [int(line) for process in processes for line in process.communicate()[0].split()]
    assert [process.returncode for process in processes] == [0] * 4
    assert sorted(numbers) == versions(artifacts) == list(range(1, 21))
    history = [json.loads(line) for line in (artifacts / "history.jsonl").read_text().splitlines()]
    assert sorted(entry["version"] for entry in history) == list(range(1, 21))
    assert production_version(artifacts) == history[-1]["version"]


def test_a_killed_writer_leaves_nothing_after_the_next(artifacts: Path, repository: Path) -> None:
    add_version(artifacts, fill)
    process = start(artifacts, "die", repository)
    assert process.communicate() == ("", None)
    assert process.returncode == -signal.SIGKILL
    # One that died while it wrote the pointer leaves its file beside it.
    stale = artifacts / temporary_name().replace(str(os.getpid()), str(process.pid))
    stale.write_text("{")
    assert versions(artifacts) == [1]
    assert len(entries(artifacts / "models")) == 3
    assert add_version(artifacts, fill) == 2
    assert entries(artifacts / "models") == {"0001", "0002", ".last.json"}
    assert not stale.exists()


def test_a_living_writers_folder_is_left_alone(artifacts: Path) -> None:
    def interrupted_by_another(folder: Path) -> None:
        fill(folder)
        add_version(artifacts, fill)

    assert add_version(artifacts, interrupted_by_another) == 2
    assert entries(version_folder(artifacts, 2)) == {"bundle", "files.json"}


@pytest.mark.parametrize(
    ("place", "number"),
    [
        ("models/0003/bundle", 3),
        ("models/12345/bundle", 12345),
        ("models/3/bundle", 0),
        ("models/00003/bundle", 0),
        ("models/٠٠٠٣/bundle", 0),
        ("others/0003/bundle", 0),
        ("bundle", 0),
    ],
)
def test_a_bundle_has_the_number_of_its_place(artifacts: Path, place: str, number: int) -> None:
    assert number_of(artifacts / place) == number
    if number:
        assert artifacts / place == bundle_folder(artifacts, number)
