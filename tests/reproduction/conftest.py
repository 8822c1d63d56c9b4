"""A tiny pipeline with a version in production, in a folder of the test's own."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.helpers.command_line import Done, run_here
from tests.helpers.tiny_pipeline import build


@pytest.fixture(scope="session")
def _made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("made") / "root")


@pytest.fixture
def root(_made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    capsys.readouterr()
    return Path(shutil.copytree(_made, tmp_path / "root"))


@pytest.fixture
def ffn(root: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    def run(*arguments: object) -> Done:
        code = run_here((*arguments, "--root", root))
        said = capsys.readouterr()
        return Done(code, said.out, said.err)

    return run
