"""A training CSV of any length, written quickly: sorted by class, which no shuffle may mind."""

from __future__ import annotations

from pathlib import Path

import numpy as np

__all__ = ["write_pipeline"]

_CLASSES = 7
_ROWS_AT_ONCE = 50_000
# A cell is "9.999" and its separator.
_CELL = 6

_SETTINGS = """\
[data]
source = "train.csv"
target = "label"

[network]
hidden_layers = [32, 16]

[training]
epochs = 1
batch_size = 1024
networks = 2

[optimizers.sgd]
[optimizers.adam]
"""


def write_pipeline(folder: Path, rows: int, features: int) -> None:
    """Write settings and a training CSV of ``rows`` rows, the first class's first.

    A feature is its class's centre plus noise, uniform, with four digits.
    """
    folder.mkdir(parents=True)
    (folder / "pipeline.toml").write_text(_SETTINGS, "ascii")
    rng = np.random.default_rng([rows, features])
    centres = rng.integers(2_000, 8_000, (_CLASSES, features))
    names = [*(f"x{feature}" for feature in range(features)), "label"]
    with (folder / "train.csv").open("xb") as file:
        file.write(",".join(names).encode() + b"\n")
        for start in range(0, rows, _ROWS_AT_ONCE):
            n = min(_ROWS_AT_ONCE, rows - start)
            labels = np.arange(start, start + n) * _CLASSES // rows
            values = centres[labels] + rng.integers(-2_000, 2_000, (n, features))
            text = np.empty((n, features * _CELL + 2), dtype=np.uint8)
            cells = text[:, :-2].reshape(n, features, _CELL)
            cells[...] = np.frombuffer(b"0.000,", dtype=np.uint8)
            for place, power in ((0, 1000), (2, 100), (3, 10), (4, 1)):
                cells[..., place] += (values // power % 10).astype(np.uint8)
            text[:, -2], text[:, -1] = ord("a") + labels, ord("\n")
            file.write(text.data)
