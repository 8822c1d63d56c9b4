"""A pipeline whose version in production knows one column of two; later ones were kept back."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import ffn
from tests.monitoring.conftest import SETTINGS, change_settings, rows, write

SHADOW = '\n[shadow]\nversions = "latest"\n'


@pytest.fixture(scope="session")
def _two_versions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("two") / "root"
    folder = root / "data/flow"
    folder.mkdir(parents=True)
    (folder / "pipeline.toml").write_text(SETTINGS)
    write(folder / "train.csv", rows(300, 2, noise=0.0))
    change_settings(root, "exclude", 'features = ["p"]\nexclude')
    ffn.retrain("flow", root=root)
    change_settings(root, 'features = ["p"]\n', "")
    change_settings(root, "[inbox]", '[gate]\nmode = "never"\n\n[inbox]')
    assert not ffn.retrain("flow", root=root).version.verdict.promote
    return root


@pytest.fixture(scope="session")
def _three_versions(_two_versions: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = Path(shutil.copytree(_two_versions, tmp_path_factory.mktemp("three") / "root"))
    assert ffn.retrain("flow", root=root, force=True).version.number == 3
    return root


@pytest.fixture
def plain(_two_versions: Path, tmp_path: Path) -> Path:
    """Version 1 in production and version 2 kept back, without ``[shadow]``."""
    return Path(shutil.copytree(_two_versions, tmp_path / "plain"))


@pytest.fixture
def root(_two_versions: Path, tmp_path: Path) -> Path:
    """The same, with the latest version that was kept back in the shadow."""
    return in_shadow(Path(shutil.copytree(_two_versions, tmp_path / "root")))


@pytest.fixture
def three(_three_versions: Path, tmp_path: Path) -> Path:
    """The same with a version 3, which was kept back, too."""
    return in_shadow(Path(shutil.copytree(_three_versions, tmp_path / "three")))


def in_shadow(root: Path) -> Path:
    """Let the latest version that was kept back score beside production."""
    toml = root / "data/flow/pipeline.toml"
    toml.write_text(toml.read_text() + SHADOW)
    return root
