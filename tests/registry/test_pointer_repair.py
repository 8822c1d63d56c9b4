"""A pointer that is damaged, lost or at odds with the history: what refuses it, what repairs it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ffn.errors import RegistryError
from ffn.registry.pointer import predecessor, promote, rollback
from ffn.registry.pruning import prune
from ffn.registry.verification import verify
from ffn.registry.versions import in_production, production, version_folder, versions
from tests.helpers.registries import registry, remove

Damage = Callable[[Path], object]


@pytest.fixture
def artifacts(tmp_path: Path) -> Path:
    """Versions 1 to 3; 1 was promoted, then 3."""
    return registry(tmp_path / "iris")


def changed(**values: object) -> Damage:
    def damage(pointer: Path) -> None:
        pointer.write_text(json.dumps(json.loads(pointer.read_bytes()) | values))

    return damage


def replaced(make: Damage) -> Damage:
    def damage(pointer: Path) -> None:
        pointer.unlink()
        make(pointer)

    return damage


DAMAGES: dict[str, Damage] = {
    "empty": lambda pointer: pointer.write_bytes(b""),
    "truncated": lambda pointer: os.truncate(pointer, 200),
    "missing": Path.unlink,
    "pipe": replaced(os.mkfifo),
    "dangling link": replaced(lambda pointer: pointer.symlink_to("nowhere")),
    "version 0": changed(version=0),
    "version -1": changed(version=-1),
    "huge version": changed(version=10**300),
    "production is gone": lambda pointer: remove(
        version_folder(pointer.parent, json.loads(pointer.read_bytes())["version"])
    ),
}
damaged = pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)


@damaged
@pytest.mark.parametrize("repair", ["promote", "rollback"])
def test_both_remedies_that_are_named_repair_it(artifacts, damage, repair) -> None:
    damage(artifacts / "production.json")
    with pytest.raises(
        RegistryError, match=r"production\.json: .* ffn promote iris N, or roll back: ffn rollback"
    ):
        production(artifacts)
    assert verify(artifacts).damages
    if repair == "promote":
        assert promote(artifacts, 2, reason="repaired").version == 2  # type: ignore[union-attr]
    else:
        assert rollback(artifacts, reason="repaired").version == 1
    assert production(artifacts)[0] == (2 if repair == "promote" else 1)
    assert verify(artifacts).damages == ()


@pytest.mark.parametrize("damage", [DAMAGES["empty"], DAMAGES["missing"]])
def test_with_no_version_left_one_begins_anew(artifacts, damage) -> None:
    shutil.rmtree(artifacts / "models")
    damage(artifacts / "production.json")
    with pytest.raises(
        RegistryError, match=r"\. Remove production\.json and history\.jsonl, and start again: ffn"
    ):
        in_production(artifacts)
    (artifacts / "production.json").unlink(missing_ok=True)
    (artifacts / "history.jsonl").unlink()
    assert in_production(artifacts) is None


@pytest.mark.parametrize(
    "damage", [damage for what, damage in DAMAGES.items() if what != "production is gone"]
)
def test_what_scored_last_is_not_pruned_while_nobody_knows_it(artifacts, damage) -> None:
    promote(artifacts, 1, reason="scores, and is the oldest")
    damage(artifacts / "production.json")
    left = versions(artifacts)
    with pytest.raises(RegistryError, match=r"production\.json: "):
        prune(artifacts, keep=1)
    assert versions(artifacts) == left


def test_a_folder_in_its_place_is_left_to_its_owner(artifacts: Path) -> None:
    pointer = artifacts / "production.json"
    pointer.unlink()
    pointer.mkdir()
    for change in (
        lambda: promote(artifacts, 2, reason=""),
        lambda: rollback(artifacts, reason=""),
    ):
        with pytest.raises(RegistryError, match=r"production\.json: a folder\. Remove it"):
            change()
    pointer.rmdir()
    assert promote(artifacts, 2, reason="")


@pytest.mark.parametrize(
    "damage",
    [
        changed(reason="another reason"),
        lambda pointer: pointer.write_bytes(pointer.read_bytes() + b"\n"),
        lambda pointer: os.truncate(pointer.with_name("history.jsonl"), 0),
    ],
    ids=["reason", "spelling", "history"],
)
def test_promoting_what_scores_repairs_what_verify_finds(artifacts, damage) -> None:
    damage(artifacts / "production.json")
    before = verify(artifacts).damages
    assert before
    entry = promote(artifacts, 3, reason="repaired")
    assert entry is not None
    assert (entry.version, entry.reason) == (3, "repaired")
    assert verify(artifacts).damages == ()
    assert promote(artifacts, 3, reason="once more") == entry


def test_a_pointer_that_comes_while_the_history_is_read_is_not_lost(artifacts, monkeypatch) -> None:
    """Whoever promotes first writes the pointer, then the history; a reader may see it so late."""
    from ffn.registry import versions as module

    pointer = artifacts / "production.json"
    content = pointer.read_bytes()
    pointer.unlink()
    read_history = module.read_history

    def slow(folder: Path) -> object:
        pointer.write_bytes(content)
        return read_history(folder)

    monkeypatch.setattr(module, "read_history", slow)
    assert in_production(artifacts)[0] == 3  # type: ignore[index]


def test_a_rollback_goes_to_another_version(artifacts: Path) -> None:
    """Promoted were 1, 3, 1, 2, and 3 is gone: 1 stands before itself."""
    for version in (1, 2):
        promote(artifacts, version, reason="")
    remove(version_folder(artifacts, 3))
    assert rollback(artifacts, reason="").version == 1
    assert predecessor(artifacts) is None
    with pytest.raises(RegistryError, match=r"iris: there is no version to roll back to"):
        rollback(artifacts, reason="")


def test_where_the_version_before_is_damaged_the_way_on_is_told(artifacts: Path) -> None:
    (version_folder(artifacts, 1) / "files.json").unlink()
    with pytest.raises(
        RegistryError, match=r"A rollback returns to version 1; .*: ffn promote iris N$"
    ):
        rollback(artifacts, reason="")
