"""Verification names each damage there can be, by the file it is in, and nothing else."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from ffn.bundles.contents import read_registered
from ffn.errors import RegistryError
from ffn.registry.pointer import promote, rollback
from ffn.registry.verification import verify
from ffn.registry.versions import add_version, production_version, version_folder, versions
from ffn.storage.atomic import temporary_name
from tests.helpers.registries import damaged, fill, parts, registry, remove

# As `registry` writes them; the first test compares.
BUNDLE = ("bundle/arrays.safetensors", "bundle/manifest.json", "bundle/model.json")
OWN = (*BUNDLE, "files.json", "metrics.json", "plots/curves.png")
PARTS = [
    *(f"models/{number}/{name}" for number in ("0001", "0002", "0003") for name in OWN),
    "history.jsonl",
    "models/.last.json",
    "production.json",
]


@pytest.fixture(scope="module")
def _made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return registry(tmp_path_factory.mktemp("made") / "iris")


@pytest.fixture
def artifacts(_made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(_made, tmp_path / "iris"))


def vast(path: Path) -> None:
    """Put a terabyte of zeros there, which takes no room."""
    with path.open("wb") as file:
        file.truncate(2**40)


def problems(artifacts: Path) -> dict[str, str]:
    """What is wrong, by path below ``artifacts``."""
    return {d.path.relative_to(artifacts).as_posix(): d.problem for d in verify(artifacts).damages}


def test_a_sound_registry_is_counted_and_not_changed(artifacts: Path) -> None:
    assert parts(artifacts) == sorted(PARTS)
    before = {name: (artifacts / name).read_bytes() for name in PARTS}
    found = verify(artifacts)
    assert found.damages == ()
    assert found.versions == (1, 2, 3)
    # Every file of a version but files.json itself.
    assert found.files == 3 * (len(OWN) - 1)
    sizes = [len(before[name]) for name in PARTS if "/0" in name and "files.json" not in name]
    assert found.bytes == sum(sizes)
    assert {name: (artifacts / name).read_bytes() for name in parts(artifacts)} == before


@pytest.mark.parametrize("part", PARTS)
def test_no_part_can_change_unseen(artifacts: Path, part: str) -> None:
    path = artifacts / part
    content = path.read_bytes()
    unseen = []
    for what, changed in damaged(content):
        path.write_bytes(changed)
        if not any(found.startswith(suspects(part)) for found in problems(artifacts)):
            unseen.append(what)
    path.write_bytes(content)
    if part == "history.jsonl":
        # A line begun is what a run that dies leaves; the pointer has all of it.
        begun = content[:-1].rindex(b"\n") + 1
        unseen = [what for what in unseen if not begun <= int(what.removeprefix("cut to "))]
    assert unseen == []
    assert problems(artifacts) == {}


def suspects(part: str) -> tuple[str, ...]:
    """Return what may be named: of two that contradict each other nobody knows which is right."""
    if part.endswith("files.json"):
        return (part.removesuffix("files.json"),)
    return ("production.json", "history.jsonl") if "/" not in part else (part,)


@pytest.mark.parametrize("part", [part for part in PARTS if "/000" in part])
@pytest.mark.parametrize("how", ["missing", "link", "folder", "pipe", "vast"])
def test_every_part_is_a_plain_file(artifacts: Path, part: str, how: str) -> None:
    path = artifacts / part
    if how == "link":
        path.rename(artifacts.parent / "elsewhere")
        path.symlink_to(artifacts.parent / "elsewhere")
    else:
        path.unlink()
    if how == "folder":
        path.mkdir()
    if how == "pipe":
        os.mkfifo(path)
    if how == "vast":
        vast(path)
    version = "/".join(part.split("/")[:2])
    found = problems(artifacts)
    assert found
    assert all(name.startswith(version) for name in found if name != "production.json")


@pytest.mark.parametrize("part", ["history.jsonl", "production.json", "models/.last.json"])
@pytest.mark.parametrize("how", ["missing", "link", "folder", "vast"])
def test_so_are_pointer_history_and_the_last_number(artifacts: Path, part: str, how: str) -> None:
    path = artifacts / part
    path.rename(artifacts.parent / "elsewhere")
    if how == "link":
        path.symlink_to(artifacts.parent / "elsewhere")
    if how == "folder":
        path.mkdir()
    if how == "vast":
        vast(path)
    assert part in problems(artifacts)


def test_vast_files_and_devices_are_not_read(artifacts: Path) -> None:
    """More than any memory holds: what is read in their place is nothing."""
    for name in ("looks.safetensors", "history.jsonl"):
        vast(artifacts / name)
    last = artifacts / "models/.last.json"
    last.unlink()
    last.symlink_to("/dev/zero")
    assert "cannot be read (longer than" in problems(artifacts)["looks.safetensors"]
    assert "cannot be read (longer than" in problems(artifacts)["history.jsonl"]
    with pytest.raises(OSError, match="longer than"):
        promote(artifacts, 2, reason="none")
    assert production_version(artifacts) == 3
    vast(artifacts / "models/0003/metrics.json")
    assert read_registered(artifacts / "models/0003", "metrics.json") == {}
    (artifacts / "history.jsonl").unlink()
    assert add_version(artifacts, fill(7)) == 4


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (Path.unlink, "cannot be read (No such file or directory), so version"),
        (lambda path: path.write_text("{"), "is damaged. Use another version"),
    ],
)
def test_each_path_is_told_once(artifacts: Path, damage, expected: str) -> None:
    damage(artifacts / "models/0002/files.json")
    assert problems(artifacts)["models/0002/files.json"].startswith(expected)


def test_a_version_in_anothers_place_is_known(artifacts: Path) -> None:
    one, two = (version_folder(artifacts, version) for version in (1, 2))
    one.rename(artifacts / "aside")
    two.rename(one)
    (artifacts / "aside").rename(two)
    found = problems(artifacts)
    assert set(found) == {"models/0001/files.json", "models/0002/files.json"}
    for here, really in ((1, 2), (2, 1)):
        said = found[f"models/000{here}/files.json"]
        assert f'belongs to "iris", version {really}. Move the folder back' in said


def test_a_version_of_another_pipeline_is_known(artifacts: Path, tmp_path: Path) -> None:
    other = registry(tmp_path / "penguins")
    remove(version_folder(artifacts, 2))
    shutil.copytree(version_folder(other, 2), version_folder(artifacts, 2))
    (problem,) = problems(artifacts).values()
    assert 'belongs to "penguins", version 2' in problem
    with pytest.raises(RegistryError, match=r'belongs to "penguins", version 2'):
        promote(artifacts, 2, reason="")


def test_a_version_made_over_again_is_not_the_one_that_was_promoted(artifacts, tmp_path) -> None:
    """Sound in itself, ``files.json`` and all; the pointer knows another."""
    other = registry(tmp_path / "other/iris", first_seed=7)
    remove(version_folder(artifacts, 3))
    shutil.copytree(version_folder(other, 3), version_folder(artifacts, 3))
    assert problems(artifacts) == {
        "production.json": "does not have the SHA-256 of the bundle of version 3"
    }


@pytest.mark.parametrize("what", [*BUNDLE, "metrics.json", "plots/curves.png", "bundle"])
def test_a_part_of_another_version_is_known(artifacts: Path, what: str) -> None:
    """A whole bundle is sound in itself; that it is not this version's is known all the same."""
    here, there = (version_folder(artifacts, version) / what for version in (2, 3))
    remove(here)
    shutil.copytree(there, here) if there.is_dir() else shutil.copy(there, here)
    found = problems(artifacts)
    assert found
    assert all(
        name.startswith(f"models/0002/{what}") or name == "models/0002/bundle" for name in found
    )
    if what.startswith("bundle"):
        with pytest.raises(Exception, match=r"0002/bundle") as refused:
            promote(artifacts, 2, reason="")
        assert type(refused.value).__name__ == "BundleError"
        assert "\n" not in str(refused.value)


def test_what_was_added_is_named(artifacts: Path) -> None:
    (version_folder(artifacts, 1) / "notes.txt").write_text("mine")
    (artifacts / "models/0003.bak").mkdir()
    (artifacts / "models" / temporary_name()).mkdir()  # somebody writes a version now
    assert problems(artifacts) == {
        "models/0001/notes.txt": "is not in files.json: it was added later",
        "models/0003.bak": "is not a version and does not belong here",
    }


@pytest.mark.parametrize("version", [1, 3])
def test_a_version_that_was_removed_is_missed_only_in_production(artifacts, version) -> None:
    remove(version_folder(artifacts, version))
    expected = {3: {"production.json": "names version 3, which does not exist"}}
    assert problems(artifacts) == expected.get(version, {})


@pytest.mark.parametrize("place", ["models", "models/0002", "models/0002/bundle"])
def test_a_folder_that_is_a_link_is_not_followed(artifacts: Path, place: str) -> None:
    path = artifacts / place
    path.rename(artifacts.parent / "elsewhere")
    path.symlink_to(artifacts.parent / "elsewhere")
    if place == "models":
        for reading in (verify, versions):
            with pytest.raises(
                RegistryError, match=r"models is a link; versions are kept in plain"
            ):
                reading(artifacts)
        return
    assert problems(artifacts)
    assert (2 in versions(artifacts)) is (place == "models/0002/bundle")
    with pytest.raises(RegistryError, match=r"does not exist|is a link"):
        promote(artifacts, 2, reason="")


def test_lines_cannot_be_changed_removed_or_put_between(artifacts: Path) -> None:
    promote(artifacts, 2, reason="third")
    rollback(artifacts, reason="fourth")
    path = artifacts / "history.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    assert len(lines) == 4
    changed = (
        json.dumps(json.loads(lines[1]) | {"reason": "another"}, sort_keys=True).encode() + b"\n"
    )
    for wrong in (
        [lines[0], changed, *lines[2:]],
        [lines[0], *lines[2:]],
        [*lines[:2], lines[1], *lines[2:]],
        [lines[1], lines[0], *lines[2:]],
        lines[1:],
        lines[:2],
        [*lines, lines[0]],
        [*lines[:3], b"no json\n", lines[3]],
        [*lines[:3], lines[3].replace(b": ", b":  ", 1)],
    ):
        path.write_bytes(b"".join(wrong))
        assert set(problems(artifacts)) == {"history.jsonl"}
    # One line less is the one that is owed when a run dies before it is written.
    path.write_bytes(b"".join(lines[:3]))
    assert problems(artifacts) == {}


def test_a_damaged_looks_file_is_named(artifacts: Path) -> None:
    (artifacts / "looks.safetensors").write_bytes(b"damaged")
    (problem,) = problems(artifacts).items()
    assert problem[0] == "looks.safetensors"
    assert problem[1].startswith("is damaged, so the number of earlier comparisons")


def test_with_no_versions_there_is_nothing_to_vouch_for(tmp_path: Path) -> None:
    with pytest.raises(
        RegistryError, match=r"iris: no versions in .*Make one with: ffn retrain iris"
    ):
        verify(tmp_path / "iris")
