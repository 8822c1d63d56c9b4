"""Small tables with a known history, and a pipeline that learns them within a second."""

from __future__ import annotations

import calendar
import datetime
import random
from pathlib import Path

SETTINGS = """
[data]
source = "train.csv"
target = "y"
[split]
time = "day"
[network]
hidden_layers = [4]
[training]
epochs = 12
batch_size = 16
networks = 2
[gate]
mode = "better"
[optimizers.adam]
learning_rate = 0.03
"""
HEADER = "day,a,b,y"


def months(count: int, rows: int = 80, turn: int | None = None, seed: int = 0) -> list[str]:
    """Rows from January 2023 on; from month ``turn`` on (0 = January) ``a`` means the reverse."""
    numbers, found = random.Random(seed), []
    for month in range(count):
        year, of_year = 2023 + month // 12, month % 12 + 1
        days = calendar.monthrange(year, of_year)[1]
        for row in range(rows):
            day = datetime.date(year, of_year, 1 + row * days // rows)
            a, b, noise = (round(numbers.gauss(0, 1), 3) for _ in range(3))
            sign = -1 if turn is not None and month >= turn else 1
            found.append(f"{day},{a},{b},{'yes' if sign * a + 0.4 * noise > 0 else 'no'}")
    return found


def write(root: Path, rows: list[str], toml: str = SETTINGS, *, header: str = HEADER) -> Path:
    """Write the pipeline ``months`` into a root folder, and return the root."""
    folder = root / "data/months"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pipeline.toml").write_text(toml)
    (folder / "train.csv").write_text("\n".join([header, *rows]) + "\n")
    return root
