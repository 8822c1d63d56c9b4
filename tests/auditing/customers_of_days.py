"""Tables of customers that are known again, in the order of days, and pipelines of them."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np

from ffn.settings.document import check_settings
from ffn.settings.pipeline import Pipeline

Columns = dict[str, Any]
FIRST_DAY = np.datetime64("2023-01-01")


def customers(first: int, number: int, seed: int, days: int = 400) -> Columns:
    """Twenty rows each of customers that are known again, with a label by chance each.

    Three customers are a household. Rows are of some day, in its order; the shop is any of six.
    """
    rng = np.random.default_rng(seed)
    own, label = rng.normal(size=(number, 5)), rng.integers(0, 2, number)
    customer = np.repeat(np.arange(number), 20)[rng.permutation(20 * number)]
    x = own[customer] + 0.35 * rng.normal(size=(len(customer), 5))
    day = np.sort(rng.integers(0, days, len(customer)))
    return {
        **{f"f{i}": x[:, i].round(4) for i in range(5)},
        "customer_id": [f"C{first + own:04}" for own in customer],
        "household": [f"H{(first + own) // 3:04}" for own in customer],
        "shop": rng.choice(list("ABCDEF"), len(customer)),
        "day": (FIRST_DAY + day).astype(str),
        "y": np.where(label[customer] == 1, "yes", "no"),
    }


def write(path: Path, columns: Columns) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))


def pipeline(folder: Path, columns: Columns, split: dict[str, Any]) -> Pipeline:
    write(folder / "t.csv", columns)
    aside = ["customer_id", "household", "shop", "day"]
    document = {
        "data": {"source": "t.csv", "target": "y", "exclude": aside},
        "split": split,
        "network": {"hidden_layers": [16]},
        "training": {"epochs": 12, "networks": 5},
        "optimizers": {"adam": {"learning_rate": 0.01}},
    }
    return Pipeline(
        name="beside",
        settings=check_settings(document, "pipeline.toml"),
        folder=folder,
        artifacts=folder / "artifacts",
    )
