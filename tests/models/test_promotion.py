"""The production pointer, the history, and the lock around both."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from ffn.errors import RegistryError
from ffn.models.registry import (
    add_version,
    production_version,
    promote,
    version_folder,
    versions,
)


def fill(folder: Path) -> None:
    (folder / "bundle").mkdir()
    (folder / "bundle" / "manifest.json").write_text(folder.name)


@pytest.fixture
def artifacts(tmp_path: Path) -> Path:
    return tmp_path / "artifacts" / "iris"


def test_promotion_moves_the_pointer_and_adds_to_the_history(artifacts: Path) -> None:
    for _ in range(2):
        add_version(artifacts, fill)
    for version, reason in ((1, "first"), (2, "better — größer\nin all"), (1, "back")):
        promote(artifacts, version, reason=reason)
        assert production_version(artifacts) == version
    lines = (artifacts / "history.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["reason"] for line in lines] == [
        "first",
        "better — größer\nin all",
        "back",
    ]
    assert set(json.loads(lines[0])) == {"action", "at", "bundle_sha256", "reason", "version"}
    pointer = json.loads((artifacts / "production.json").read_bytes())
    manifest = artifacts / "models" / "0001" / "bundle" / "manifest.json"
    sha256 = hashlib.sha256(manifest.read_bytes()).hexdigest()
    assert pointer == {"bundle_sha256": sha256, "version": 1}
    assert [json.loads(line)["bundle_sha256"] == sha256 for line in lines] == [True, False, True]


def test_a_line_that_a_dead_writer_began_harms_no_other(artifacts: Path) -> None:
    add_version(artifacts, fill)
    (artifacts / "history.jsonl").write_text('{"action": "prom')
    promote(artifacts, 1, reason="again")
    begun, whole = (artifacts / "history.jsonl").read_text().splitlines()
    assert (begun, json.loads(whole)["reason"]) == ('{"action": "prom', "again")


def test_a_version_without_a_bundle_is_not_promoted(artifacts: Path) -> None:
    add_version(artifacts, fill)
    promote(artifacts, 1, reason="good")
    add_version(artifacts, lambda folder: (folder / "bundle").mkdir())
    with pytest.raises(RegistryError, match=r"manifest\.json cannot be read \(No such file.*2 can"):
        promote(artifacts, 2, reason="empty")
    assert production_version(artifacts) == 1
    assert len((artifacts / "history.jsonl").read_text().splitlines()) == 1


def test_the_pointer_is_the_truth_where_the_history_cannot_be_written(artifacts: Path) -> None:
    for _ in range(2):
        add_version(artifacts, fill)
    promote(artifacts, 1, reason="first")
    (artifacts / "history.jsonl").unlink()
    (artifacts / "history.jsonl").mkdir()
    with pytest.raises(IsADirectoryError, match="history"):
        promote(artifacts, 2, reason="second")
    assert production_version(artifacts) == 2


def test_a_pointer_that_cannot_be_written_leaves_no_line(artifacts: Path, monkeypatch) -> None:
    def fail(path: Path, value: object) -> None:
        raise OSError("disk full")

    for _ in range(2):
        add_version(artifacts, fill)
    promote(artifacts, 1, reason="first")
    monkeypatch.setattr("ffn.models.registry.write_json", fail)
    with pytest.raises(OSError, match="disk full"):
        promote(artifacts, 2, reason="second")
    assert production_version(artifacts) == 1
    assert len((artifacts / "history.jsonl").read_text().splitlines()) == 1


def test_the_lock_is_never_emptied_and_never_a_link(artifacts: Path) -> None:
    add_version(artifacts, fill)
    (artifacts / ".lock").write_text("mine")
    promote(artifacts, 1, reason="")
    assert (artifacts / ".lock").read_text() == "mine"
    (artifacts / ".lock").rename(artifacts / "precious")
    (artifacts / ".lock").symlink_to(artifacts / "precious")
    for change in (lambda: add_version(artifacts, fill), lambda: promote(artifacts, 1, reason="")):
        with pytest.raises(RegistryError, match=r"\.lock is a link, and locks are none\. Remove"):
            change()
    assert (artifacts / "precious").read_text() == "mine"
    assert versions(artifacts) == [1]


@pytest.mark.parametrize("version", [0, -1, 3, 10_000])
def test_only_what_is_there_can_be_promoted(artifacts: Path, version: int) -> None:
    for _ in range(2):
        add_version(artifacts, fill)
    with pytest.raises(
        RegistryError, match=rf"iris: version {version} does not exist; there are: 1, 2"
    ):
        promote(artifacts, version, reason="")
    assert not (artifacts / "production.json").exists()
    assert not (artifacts / "history.jsonl").exists()


def test_promoting_before_there_is_anything(artifacts: Path) -> None:
    with pytest.raises(RegistryError, match=r"version 1 does not exist; there are: none\."):
        promote(artifacts, 1, reason="")


def test_without_production_the_way_to_one_is_told(artifacts: Path) -> None:
    with pytest.raises(RegistryError, match=r"iris: no model in production .*ffn retrain iris"):
        production_version(artifacts)


@pytest.mark.parametrize(
    "pointer",
    [b"", b"{", b"[]", b"1", b"{}", b'{"version": "1"}', b'{"version": true}', b'{"version": 0}',
     b'{"version": 1.0}', b'{"version": 1}', b"\xff", b"[" * 100_000],
)  # fmt: skip
def test_a_damaged_pointer_is_refused(artifacts: Path, pointer: bytes) -> None:
    add_version(artifacts, fill)
    (artifacts / "production.json").write_bytes(pointer)
    with pytest.raises(RegistryError, match=r"production\.json: damaged\. Promote a version again"):
        production_version(artifacts)


def test_a_pointer_to_what_is_gone_is_refused(artifacts: Path) -> None:
    for _ in range(2):
        add_version(artifacts, fill)
    promote(artifacts, 2, reason="")
    version_folder(artifacts, 2).rename(artifacts / "models" / "away")
    with pytest.raises(
        RegistryError, match=r"production\.json: version 2 is in production and not there; .*: 1\."
    ):
        production_version(artifacts)
