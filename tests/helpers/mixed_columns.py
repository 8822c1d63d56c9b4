"""A table with columns of every kind, and an estimator fitted to it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ffn import FFNClassifier

N = 120


def table(seed: int = 0, n: int = N) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "age": random.normal(40, 10, n).round(1),
            "city": random.choice(np.array(["Rom", "Bern", "Oslo", None]), n),
            "shop": [f"s{k}" for k in random.geometric(0.2, n)],
            "day": pd.Timestamp("2022-01-01") + pd.to_timedelta(random.integers(0, 1500, n), "D"),
            "vip": random.random(n) < 0.4,
            "note": random.choice(["red shirt", "blue shirt", "red hat", "green hat"], n),
        }
    )
    frame.loc[::9, "age"] = np.nan
    return frame


def answers(frame: pd.DataFrame) -> np.ndarray:
    high = frame.age.fillna(40) + 10 * (frame.city == "Rom") + 5 * frame.note.str.contains("red")
    return np.where(high > 45, "yes", "no")


FRAME = table()
Y = answers(FRAME)
COLUMNS = {"kinds": {"note": "text"}, "text_components": 3}


def fit(frame: Any = FRAME, y: Any = Y, weights: Any = None, **settings: Any) -> FFNClassifier:
    known = {"hidden_layer_sizes": 6, "epochs": 4, "random_state": 0, "kinds": "auto"}
    return FFNClassifier(**{**known, **settings}).fit(frame, y, weights)
