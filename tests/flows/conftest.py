"""Pipelines to run the command line on, and ways to run it."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from command_line import Done, run_here

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.fixture(autouse=True)
def _signal_handlers() -> Iterator[None]:
    """Give back the signals that the command line takes."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def ffn(capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """``ffn("retrain", "iris", ...)`` in this process."""

    def run(*arguments: object) -> Done:
        code = run_here(arguments)
        captured = capsys.readouterr()
        return Done(code, captured.out, captured.err)

    return run


@pytest.fixture
def root(tmp_path: Path, repository: Path) -> Path:
    """A root with the Iris pipeline, quick to train."""
    shutil.copytree(repository / "data/iris", tmp_path / "root/data/iris")
    settings = tmp_path / "root/data/iris/pipeline.toml"
    text = settings.read_text().replace("epochs = 150", "epochs = 15")
    settings.write_text(text.replace("networks = 16", "networks = 3"))
    return tmp_path / "root"


@pytest.fixture(scope="session")
def _trained(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Path:
    root = tmp_path_factory.mktemp("trained") / "root"
    shutil.copytree(repository / "data/iris", root / "data/iris")
    assert run_here(("retrain", "iris", "--direct", "--json", "--root", root)) == 0
    return root


@pytest.fixture
def trained(_trained: Path, tmp_path: Path) -> Path:
    """A root of one's own with Iris as shipped, and version 1 of its model in production."""
    return Path(shutil.copytree(_trained, tmp_path / "trained"))
