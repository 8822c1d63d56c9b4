"""Pipelines to run the command line on, and ways to run it."""

from __future__ import annotations

import re
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ffn.registry.versions import production_version
from tests.helpers.command_line import Done, run_here
from tests.helpers.prefect_home import started_before
from tests.helpers.prefect_server import running_server

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


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a Prefect server as a user starts one."""
    with running_server(started_before(tmp_path_factory.mktemp("prefect"))) as url:
        yield url


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


@pytest.fixture(scope="session")
def _registry(tmp_path_factory: pytest.TempPathFactory, _trained: Path) -> Path:
    """Four versions of Iris, each of its own seed: 1, 2 and 4 were promoted, 4 scores."""
    root = Path(shutil.copytree(_trained, tmp_path_factory.mktemp("registry") / "root"))
    toml = root / "data/iris/pipeline.toml"
    text = toml.read_text().replace("epochs = 150", "epochs = 10")
    text = text.replace("networks = 16", "networks = 2")
    for seed, mode in ((1, "always"), (2, "never"), (3, "always")):
        changed = re.sub(r"seed = \d+", f"seed = {seed}", text)
        toml.write_text(f'{changed}\n[gate]\nmode = "{mode}"\n')
        assert run_here(("retrain", "iris", "--direct", "--json", "--root", root)) == 0
    assert production_version(root / "artifacts/iris") == 4
    return root


@pytest.fixture
def registry(_registry: Path, tmp_path: Path) -> Path:
    """A root of one's own with those versions."""
    return Path(shutil.copytree(_registry, tmp_path / "registry"))
