"""A pipeline whose rows have ids, trained once; and files to score and of labels."""

from __future__ import annotations

import random
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

import ffn
from ffn.monitoring.record.delivery import Delivery

SETTINGS = """
[data]
source = "train.csv"
target = "y"
exclude = ["id"]

[training]
epochs = 20
networks = 2

[optimizers.adam]
learning_rate = 0.02

[inbox]
settle = "1s"

[outcomes]
id = "id"
"""
HEADER = ("id", "p", "q", "y")
CENTRES = {"a": (0.0, 0.0), "b": (4.0, 0.0), "c": (0.0, 4.0)}

Row = tuple[str, str, str, str]


def rows(n: int, seed: int, *, noise: float = 0.1, first: int = 0) -> list[Row]:
    """Three clouds, of which a share ``noise`` of the rows has any label."""
    numbers = random.Random(seed)
    found = []
    for i in range(first, first + n):
        label = numbers.choice("abc")
        x, y = CENTRES[label]
        p, q = numbers.gauss(x, 1.3), numbers.gauss(y, 1.3)
        label = numbers.choice("abc") if numbers.random() < noise else label
        found.append((f"r{i}", f"{p:.5f}", f"{q:.5f}", label))
    return found


def write(path: Path, found: Sequence[Row], columns: str = "id p q y") -> Path:
    """Write some columns of the rows as CSV."""
    places = [HEADER.index(name) for name in columns.split()]
    lines = [",".join(row[at] for at in places) for row in [HEADER, *found]]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="session")
def _kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("kept") / "root"
    folder = root / "data/flow"
    folder.mkdir(parents=True)
    (folder / "pipeline.toml").write_text(SETTINGS)
    write(folder / "train.csv", rows(600, 1))
    ffn.retrain("flow", root=root)
    return root


@pytest.fixture
def root(_kept: Path, tmp_path: Path) -> Path:
    """A root with version 1 of the pipeline ``flow`` in production."""
    return Path(shutil.copytree(_kept, tmp_path / "root"))


def change_settings(root: Path, old: str, new: str) -> None:
    """Replace a part of the settings."""
    toml = root / "data/flow/pipeline.toml"
    text = toml.read_text()
    assert old in text
    toml.write_text(text.replace(old, new))


def scored(root: Path, found: list[Row], name: str = "new.csv", **options: bool) -> Path:
    """Score the rows without their labels, and return the output."""
    path = write(root / name, found, "id p q")
    return ffn.score("flow", path, root=root, **options).results[0].output


def labels(root: Path, found: list[Row], name: str = "labels.csv") -> Path:
    return write(root / name, found, "id y")


def counts(found: Delivery) -> dict[str, int]:
    """What became of the rows, without zeros."""
    assert found.rows == found.joined + found.not_joined
    names = "joined known unscored late trained_on unlabelled without_id rejected unreadable"
    return {name: n for name in names.split() if (n := getattr(found, name))}
