"""A pipeline that trains within seconds, and has a category to get wrong."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from tests.helpers.command_line import run_here

SETTINGS = """
[data]
source = "train.csv"
target = "kind"

[training]
epochs = 6
networks = 2

[inbox]
settle = "1s"
"""


def rows(count: int, seed: int, *, colours: str = "red blue") -> str:
    """A CSV of ``count`` rows in which the size tells the kind."""
    numbers = random.Random(seed)
    lines = ["size,colour,kind"]
    for _ in range(count):
        size = numbers.uniform(0, 10)
        kind = "large" if size > 5 else "small"
        lines.append(f"{size:.3f},{numbers.choice(colours.split())},{kind}")
    return "\n".join(lines) + "\n"


@pytest.fixture
def untrained(tmp_path: Path) -> Path:
    """A root with the pipeline ``sizes`` and two files in its inbox."""
    root = tmp_path / "untrained"
    inbox = root / "data/sizes/inbox"
    inbox.mkdir(parents=True)
    (root / "data/sizes/pipeline.toml").write_text(SETTINGS)
    (root / "data/sizes/train.csv").write_text(rows(120, 0))
    (inbox / "a.csv").write_text(rows(20, 1))
    (inbox / "b.csv").write_text(rows(30, 2) + "x,red,small\n")
    return root


@pytest.fixture(scope="session")
def _trained() -> list[Path]:
    return []


@pytest.fixture
def trained(
    untrained: Path, _trained: list[Path], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """That root with version 1 in production, trained by the command line."""
    if not _trained:
        kept = tmp_path_factory.mktemp("kept") / "root"
        shutil.copytree(untrained, kept)
        assert run_here(("retrain", "sizes", "--direct", "--json", "--root", kept)) == 0
        _trained.append(kept)
    return Path(shutil.copytree(_trained[0], untrained.with_name("trained")))
