"""The production pointer, the history, and the lock around both."""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import pwd
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ffn.bundles.bundle import write_bundle
from ffn.errors import BundleError, RegistryError
from ffn.registry import pointer, promotion_history
from ffn.registry.actor import Actor
from ffn.registry.pointer import promote, rollback
from ffn.registry.promotion_history import read_history
from ffn.registry.versions import (
    add_version,
    production_version,
    version_folder,
    versions,
)
from tests.helpers.bundles import make


def fill(folder: Path) -> None:
    write_bundle(make(seed=len(list(folder.parent.iterdir()))), folder / "bundle")


@pytest.fixture
def artifacts(tmp_path: Path) -> Path:
    return tmp_path / "artifacts" / "iris"


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def lines(artifacts: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (artifacts / "history.jsonl").read_bytes().splitlines()]


def test_promotion_moves_the_pointer_and_adds_to_the_history(artifacts: Path) -> None:
    for _ in range(2):
        add_version(artifacts, fill)
    somebody = Actor(user="ana", host="night", command="ffn retrain iris", flow_run="f-1")
    begun = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    for version, reason in ((1, "first"), (2, "better — größer\nin all"), (1, "back")):
        assert promote(artifacts, version, reason=reason, by=somebody)
        assert production_version(artifacts) == version
    history = lines(artifacts)
    assert [entry["reason"] for entry in history] == ["first", "better — größer\nin all", "back"]
    assert [(entry["from"], entry["version"]) for entry in history] == [(None, 1), (1, 2), (2, 1)]
    assert {entry["action"] for entry in history} == {"promote"}
    assert history[0]["by"] == {
        "user": "ana", "host": "night", "command": "ffn retrain iris", "flow_run": "f-1",
    }  # fmt: skip
    for entry in history:
        at = datetime.datetime.fromisoformat(entry["at"])
        assert begun <= at <= datetime.datetime.now(datetime.UTC)
        manifest = artifacts / f"models/{entry['version']:04d}/bundle/manifest.json"
        assert entry["bundle_sha256"] == sha256(manifest)
    raw = (artifacts / "history.jsonl").read_bytes().splitlines(keepends=True)
    assert [entry["previous_sha256"] for entry in history] == [
        "",
        *(hashlib.sha256(line).hexdigest() for line in raw[:-1]),
    ]
    # The pointer is the newest entry once more.
    assert json.loads((artifacts / "production.json").read_bytes()) == history[-1]


@pytest.mark.parametrize("letter", ["a", "\0", "🌸"])
def test_a_reason_is_a_page_at_most(artifacts: Path, letter: str) -> None:
    """A pointer that is too long to be read would keep everything from scoring."""
    for _ in range(2):
        add_version(artifacts, fill)
    promote(artifacts, 1, reason="first")
    for change in (
        lambda reason: promote(artifacts, 2, reason=reason),
        partial(rollback, artifacts),
    ):
        with pytest.raises(
            RegistryError, match=r"^the reason has 1,001 characters; at most 1,000 are"
        ):
            change(reason=letter * 1_001)
    assert production_version(artifacts) == 1
    promote(artifacts, 2, reason=letter * 1_000)
    assert production_version(artifacts) == 2
    assert lines(artifacts)[-1]["reason"] == letter * 1_000


def test_a_reason_that_is_no_text_is_written_as_it_can_be(artifacts: Path) -> None:
    add_version(artifacts, fill)
    promote(artifacts, 1, reason="complaints of M\udcfcller")
    assert lines(artifacts)[0]["reason"] == "complaints of M?ller"
    assert read_history(artifacts).damaged == ()


def test_who_promotes_is_this_process_unless_told(artifacts: Path) -> None:
    add_version(artifacts, fill)
    promote(artifacts, 1, reason="")
    by = lines(artifacts)[0]["by"]
    assert by["user"] == pwd.getpwuid(os.geteuid()).pw_name
    assert by["host"] == os.uname().nodename
    # Where pytest has several processes, each of them runs a text.
    assert ("-c" if "PYTEST_XDIST_WORKER" in os.environ else "pytest") in by["command"]
    assert by["flow_run"] == ""


def dies_before_the_history(artifacts: Path, version: int, reason: str, written: int = 0) -> bytes:
    """Promote as a process that is killed once ``written`` bytes of the line are on the disk."""
    before = (artifacts / "history.jsonl").read_bytes()
    promote(artifacts, version, reason=reason)
    after = (artifacts / "history.jsonl").read_bytes()
    assert after.startswith(before)
    (artifacts / "history.jsonl").write_bytes(after[: len(before) + written])
    return after


@pytest.mark.parametrize("written", [0, 1, 40, -1])
@pytest.mark.parametrize("change", ["promote", "rollback"])
def test_a_line_that_is_owed_is_written_by_whoever_comes_next(artifacts, written, change) -> None:
    for _ in range(3):
        add_version(artifacts, fill)
    promote(artifacts, 1, reason="first")
    whole = len(json.dumps(lines(artifacts)[0]))
    owed = dies_before_the_history(artifacts, 2, "second", whole if written < 0 else written)
    # It is known before it is written.
    assert [entry.reason for entry in read_history(artifacts).entries] == ["first", "second"]
    assert read_history(artifacts).damaged == ()
    if change == "promote":
        promote(artifacts, 3, reason="third")
    else:
        assert rollback(artifacts, reason="third").version == 1
    assert (artifacts / "history.jsonl").read_bytes().startswith(owed)
    history = lines(artifacts)
    assert [entry["reason"] for entry in history] == ["first", "second", "third"]
    assert (history[2]["from"], history[2]["version"]) == (2, 3 if change == "promote" else 1)
    assert read_history(artifacts).damaged == ()


def test_on_a_full_disk_the_line_is_owed_and_the_promotion_holds(artifacts, monkeypatch) -> None:
    def full(file, content: bytes) -> None:
        if content:
            file.write(content[:7])
            raise OSError(28, "No space left on device")

    for _ in range(2):
        add_version(artifacts, fill)
    promote(artifacts, 1, reason="first")
    with monkeypatch.context() as patched:
        for module in (pointer, promotion_history):
            patched.setattr(module, "append", full)
        assert promote(artifacts, 2, reason="second")
        assert production_version(artifacts) == 2
        # What is owed cannot be written either, so nothing more is begun.
        with pytest.raises(OSError, match="No space left"):
            promote(artifacts, 1, reason="third")
        assert production_version(artifacts) == 2
    promote(artifacts, 1, reason="fourth")
    assert [entry["reason"] for entry in lines(artifacts)] == ["first", "second", "fourth"]


def test_a_line_that_a_dead_writer_began_harms_no_other(artifacts: Path) -> None:
    add_version(artifacts, fill)
    (artifacts / "history.jsonl").write_text('{"action": "prom')
    promote(artifacts, 1, reason="again")
    begun, whole = (artifacts / "history.jsonl").read_text().splitlines()
    assert (begun, json.loads(whole)["reason"]) == ('{"action": "prom', "again")
    assert read_history(artifacts).damaged == (1,)


def test_a_version_without_a_bundle_is_not_promoted(artifacts: Path) -> None:
    add_version(artifacts, fill)
    promote(artifacts, 1, reason="good")
    add_version(artifacts, lambda folder: (folder / "bundle").mkdir())
    with pytest.raises(BundleError, match=r"0002/bundle/manifest\.json: cannot be read .*No such"):
        promote(artifacts, 2, reason="empty")
    assert production_version(artifacts) == 1
    assert len(lines(artifacts)) == 1


def test_where_the_history_cannot_be_written_the_pointer_does_not_move(artifacts: Path) -> None:
    for _ in range(2):
        add_version(artifacts, fill)
    promote(artifacts, 1, reason="first")
    pointer = (artifacts / "production.json").read_bytes()
    (artifacts / "history.jsonl").unlink()
    (artifacts / "history.jsonl").mkdir()
    with pytest.raises(OSError, match=r"not a plain file: .*history\.jsonl"):
        promote(artifacts, 2, reason="second")
    (artifacts / "history.jsonl").rmdir()
    (artifacts / "precious").write_bytes(b"")
    (artifacts / "history.jsonl").symlink_to("precious")
    with pytest.raises(OSError, match=r"history\.jsonl"):
        promote(artifacts, 2, reason="second")
    assert (artifacts / "precious").read_bytes() == b""
    assert (artifacts / "production.json").read_bytes() == pointer


def test_a_pointer_that_cannot_be_written_leaves_no_line(artifacts: Path, monkeypatch) -> None:
    def fail(path: Path, value: object) -> None:
        raise OSError("disk full")

    for _ in range(2):
        add_version(artifacts, fill)
    promote(artifacts, 1, reason="first")
    monkeypatch.setattr("ffn.registry.pointer.write_json", fail)
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
        with pytest.raises(RegistryError, match=r"\.lock is a link, not a lock file\. Remove"):
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


def test_where_all_was_kept_back_another_retraining_is_not_the_way(artifacts: Path) -> None:
    add_version(artifacts, fill)
    add_version(artifacts, fill)
    with pytest.raises(
        RegistryError,
        match=r"iris: no model in production .*\. Version 2 is not promoted; ffn models iris 2 "
        r"says why\. Change the settings or the data, and ffn retrain iris; or put it into "
        r"production all the same: ffn promote iris 2$",
    ):
        production_version(artifacts)


@pytest.mark.parametrize(
    "pointer",
    [b"", b"{", b"[]", b"1", b"{}", b'{"version": "1"}', b'{"version": true}', b'{"version": 0}',
     b'{"version": 1.0}', b'{"version": 1}', b"\xff", b"[" * 100_000],
)  # fmt: skip
def test_a_damaged_pointer_is_refused(artifacts: Path, pointer: bytes) -> None:
    add_version(artifacts, fill)
    (artifacts / "production.json").write_bytes(pointer)
    with pytest.raises(
        RegistryError, match=r"production\.json: damaged\. Promote an existing version"
    ):
        production_version(artifacts)


def test_a_pointer_to_what_is_gone_is_refused(artifacts: Path) -> None:
    for _ in range(2):
        add_version(artifacts, fill)
    promote(artifacts, 2, reason="")
    version_folder(artifacts, 2).rename(artifacts / "models" / "away")
    with pytest.raises(
        RegistryError,
        match=r"production\.json: version 2 is in production but does not exist; .*: 1\.",
    ):
        production_version(artifacts)
