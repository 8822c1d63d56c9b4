"""What a machine may do to a service; ``make chaos`` runs these, half an hour."""

from __future__ import annotations

import re
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _interruptible() -> Iterator[None]:
    """Let services be interrupted as from a terminal: background jobs ignore SIGINT."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A user's home, with nothing in it."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def root(home: Path, repository: Path) -> Path:
    """Iris, quick to train, looked after every second."""
    from tests.helpers.service import quicken

    root = home / "root"
    shutil.copytree(repository / "data/iris", root / "data/iris")
    quicken(
        root,
        '\n[schedule]\nretrain_on = ["data"]\n'
        '[inbox]\nlook_every = "1s"\nsettle = "1s"\n'
        '[gate]\nmode = "always"\n',
    )
    return root


def epochs(root: Path, count: int) -> None:
    """Change how long a training takes."""
    settings = root / "data/iris/pipeline.toml"
    settings.write_text(re.sub(r"epochs = \d+", f"epochs = {count}", settings.read_text()))


def change_data(root: Path) -> None:
    """Let the last flower come first: a new content to train on, however often."""
    path = root / "data/iris/train.csv"
    header, *flowers = path.read_text().splitlines()
    path.write_text("\n".join([header, *flowers[-1:], *flowers[:-1]]) + "\n")
