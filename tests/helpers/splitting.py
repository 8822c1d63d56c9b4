"""A small table of thirty people, one row a day, and pipelines that split it."""

from __future__ import annotations

import datetime
from pathlib import Path

import numpy as np

from ffn.settings.pipeline import Pipeline
from tests.helpers.retrained import made

QUICK = "[training]\nepochs = 8\nnetworks = 4\n[optimizers.adam]\nlearning_rate = 0.02\n"
DAY = datetime.timedelta(days=1)


def lines(n: int = 240, seed: int = 0) -> list[str]:
    """``when,who,p,q,y``: one row a day of thirty people, in random order."""
    rng = np.random.default_rng(seed)
    first = datetime.date(2024, 1, 1)
    rows = []
    for i in range(n):
        y = int(rng.integers(2))
        p, q = rng.normal(size=2) + np.array([2 * y, 0])
        rows.append(f"{first + i * DAY},C{rng.integers(30)},{p:.4f},{q:.4f},{'ab'[y]}")
    return [rows[i] for i in rng.permutation(n)]


def pipeline(
    folder: Path,
    split: str,
    rows: list[str] | None = None,
    *,
    data: str = 'exclude = ["when"]',
    toml: str = QUICK,
) -> Pipeline:
    table = "when,who,p,q,y\n" + "\n".join(lines() if rows is None else rows) + "\n"
    return made(folder, table, f"{toml}[split]\n{split}\n[data]\n{data}\n")
