"""A pipeline whose rows have ids, which appends rows whose labels have come."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import ffn
from tests.monitoring.conftest import SETTINGS, rows, write


@pytest.fixture(scope="session")
def _trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("trained") / "root"
    folder = root / "data/flow"
    folder.mkdir(parents=True)
    (folder / "pipeline.toml").write_text(SETTINGS + 'append = "history"\n')
    write(folder / "train.csv", rows(200, 1))
    ffn.retrain("flow", root=root)
    return root


@pytest.fixture
def root(_trained: Path, tmp_path: Path) -> Path:
    """A root with version 1 of the pipeline ``flow`` in production."""
    return Path(shutil.copytree(_trained, tmp_path / "root"))
