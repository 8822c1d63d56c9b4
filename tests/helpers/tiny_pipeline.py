"""What the tiny pipeline consists of."""

from __future__ import annotations

from pathlib import Path

from tests.helpers.command_line import run_here

ROWS = "".join(f"{i % 7},{i % 5},{'no' if i % 7 + i % 5 < 5 else 'yes'}\n" for i in range(120))
SETTINGS = """
[data]
source = "train.csv"
target = "kind"
{keep}
[network]
hidden_layers = [4]
[training]
epochs = 3
networks = 2
[optimizers.adam]
"""


def build(root: Path, keep: str = "") -> Path:
    folder = root / "data/tiny"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pipeline.toml").write_text(SETTINGS.format(keep=keep))
    (folder / "train.csv").write_text("size,age,kind\n" + ROWS)
    assert run_here(("retrain", "tiny", "--direct", "--json", "--root", root)) == 0
    return root


def version(root: Path) -> Path:
    return root / "artifacts/tiny/models/0001"


def table(root: Path) -> Path:
    (path,) = (root / "artifacts/tiny/training-data").iterdir()
    return path
