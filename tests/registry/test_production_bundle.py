"""The bundle in production, for whoever reads it while others promote and prune."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ffn.bundles.bundle import write_bundle
from ffn.errors import BundleError, RegistryError
from ffn.registry import production_bundle
from ffn.registry.pointer import promote
from ffn.registry.production_bundle import Unreadable, read_production, require_production
from ffn.registry.versions import add_version, version_folder
from tests.helpers.bundles import make

READERS = [read_production, require_production]


@pytest.fixture
def artifacts(tmp_path: Path) -> Path:
    """Two versions, of which the first is in production."""
    folder = tmp_path / "artifacts" / "line"
    for optimizer in ("sgd", "adam"):
        made = replace(make(seed=0), optimizer=optimizer)
        add_version(folder, lambda version, made=made: write_bundle(made, version / "bundle"))
    promote(folder, 1, reason="")
    return folder


@pytest.mark.parametrize("read", READERS)
def test_it_is_the_promoted_one_with_its_number(artifacts: Path, read: Callable) -> None:
    assert (read(artifacts).version, read(artifacts).optimizer) == (1, "sgd")
    promote(artifacts, 2, reason="")
    assert (read(artifacts).version, read(artifacts).optimizer) == (2, "adam")


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("step", ["versions", "read_bundle"])
def test_a_version_that_is_promoted_over_and_removed_meanwhile_is_not_missed(
    artifacts: Path, monkeypatch, read: Callable, step: str
) -> None:
    """After the pointer was read, before the folders are listed or the bundle is opened."""
    proceed, overtaken = getattr(production_bundle, step), []

    def be_overtaken(*arguments: object, **options: object) -> object:
        if not overtaken:
            overtaken.append(promote(artifacts, 2, reason=""))
            shutil.rmtree(version_folder(artifacts, 1))
        return proceed(*arguments, **options)

    monkeypatch.setattr(production_bundle, step, be_overtaken)
    assert (read(artifacts).version, read(artifacts).optimizer) == (2, "adam")
    assert overtaken


def test_nothing_was_ever_promoted(tmp_path: Path) -> None:
    assert read_production(tmp_path / "line") is None
    with pytest.raises(RegistryError, match=r"line: no model in production .* ffn retrain line$"):
        require_production(tmp_path / "line")


def gone(folder: Path) -> None:
    shutil.rmtree(folder)


def damaged(folder: Path) -> None:
    (folder / "bundle/model.json").write_text("{}")


def replaced(folder: Path) -> None:
    shutil.rmtree(folder / "bundle")
    shutil.copytree(folder.parent / "0002/bundle", folder / "bundle")


@pytest.mark.parametrize(
    ("damage", "problem", "error", "refusal"),
    [
        (
            gone,
            r"models/0001 is not there\.$",
            RegistryError,
            r"but does not exist; there are: 2\.",
        ),
        (damaged, r"bundle/model\.json: .*damaged", BundleError, r"bundle/model\.json: .*damaged"),
        (replaced, "not the bundle that was prom", BundleError, "not the bundle that was prom"),
    ],
)
def test_what_cannot_score_is_told_or_refused(
    artifacts: Path,
    damage: Callable[[Path], None],
    problem: str,
    error: type[Exception],
    refusal: str,
) -> None:
    damage(version_folder(artifacts, 1))
    found = read_production(artifacts)
    assert isinstance(found, Unreadable)
    assert found.version == 1
    with pytest.raises(error, match=refusal):
        require_production(artifacts)
    assert re.search(problem, found.problem)
