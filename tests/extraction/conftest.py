from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ffn.settings.pipeline import Pipeline, find_pipeline
from ffn.training.tables.loading import load
from tests.helpers.command_line import Done, run_here

SETTINGS = """
[data]
source = "{source}"
target = "kind"
{more}
[network]
hidden_layers = [4]
[training]
epochs = 3
networks = 2
[optimizers.adam]
"""

Train = Callable[..., Done]
Loaded = Callable[..., dict[str, bytes]]


def pipeline_of(root: Path, source: str, more: str = "") -> Pipeline:
    folder = root / "data/tiny"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pipeline.toml").write_text(SETTINGS.format(source=source, more=more))
    return find_pipeline("tiny", root)


@pytest.fixture
def loaded(tmp_path: Path) -> Loaded:
    """Read a training table below ``tmp_path``: all that training knows of it, by name."""

    def loaded(root: str, source: str, more: str = "") -> dict[str, bytes]:
        dataset = load(pipeline_of(tmp_path / root, source, more))
        return {
            path.name: path.read_bytes()
            for path in dataset.entry.path.iterdir()
            if path.name != "manifest.json"
        }

    return loaded


@pytest.fixture
def train(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Train:
    """Retrain the pipeline ``tiny`` of a root below ``tmp_path``, on files that are there."""

    def train(root: str, source: str, more: str = "", *options: str) -> Done:
        pipeline_of(tmp_path / root, source, more)
        capsys.readouterr()
        code = run_here(
            ("retrain", "tiny", "--direct", "--json", *options, "--root", tmp_path / root)
        )
        return Done(code, *capsys.readouterr())

    return train
