"""Tables whose label goes with the time: how often a leak is named, where there is one and not."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.evaluation.inference.statistics import wilson
from ffn.leakage.leaks import find_leaks
from ffn.training.tables.loading import load
from ffn.training.tables.splitting import split
from simulations.planted import PLANTED, PlantedTable
from simulations.split_audits import planted_pipeline

__all__ = ["CLEAN_ORDERS", "FULL_ORDERS", "ORDERED", "QUICK_ORDERS", "OrdersSize", "orders_section"]

Array = npt.NDArray[Any]

_DAYS, _ROWS = 500, 3_000
_FIRST = np.datetime64("2023-01-01")


@dataclass(frozen=True)
class OrdersSize:
    """How many tables are drawn of each kind."""

    tables: int = 100


FULL_ORDERS = OrdersSize()
QUICK_ORDERS = OrdersSize(tables=2)


def _dated(generator: np.random.Generator, day: Array, bad: Array) -> PlantedTable:
    """Return rows of some days, with four numbers of which one says a little about the label."""
    x = generator.normal(size=(len(day), 4))
    x[:, 0] += 0.8 * bad
    columns = {
        "day": (_FIRST + day).astype(str),
        **{f"f{place}": values.round(4) for place, values in enumerate(x.T)},
        "y": np.where(bad, "bad", "good"),
    }
    return PlantedTable(table=columns, to_come=columns, excluded=("day",))


def _days(generator: np.random.Generator) -> Array:
    return generator.permutation(generator.integers(0, _DAYS, _ROWS))


def _by_label(generator: np.random.Generator) -> PlantedTable:
    """Collect the rows of one label in one stretch of days, those of the other around it."""
    day = _days(generator)
    begin, length = generator.integers(50, 200), generator.integers(100, 250)
    return _dated(generator, day, (day >= begin) & (day < begin + length))


def _by_date(generator: np.random.Generator) -> PlantedTable:
    """Make the label of the month, but for one row in a hundred."""
    day = _days(generator)
    months = generator.permutation(17) % 2 == 0
    bad = months[np.minimum(day // 30, 16)]
    return _dated(generator, day, bad ^ (generator.random(_ROWS) < 0.01))


def _season(generator: np.random.Generator) -> PlantedTable:
    """Let four fifths of the rows of July be bad, and a fifth of those of January."""
    day = _days(generator)
    share = 0.5 - 0.3 * np.cos(2 * np.pi * day / 365)
    return _dated(generator, day, generator.random(_ROWS) < share)


def _persistent(generator: np.random.Generator) -> PlantedTable:
    """Let nine days in ten be like the day before, and a fifth of the rows unlike their day."""
    day = _days(generator)
    of_day = np.cumsum(generator.random(_DAYS) < 0.1) % 2
    return _dated(generator, day, (of_day[day] == 1) ^ (generator.random(_ROWS) < 0.2))


def _rising(generator: np.random.Generator) -> PlantedTable:
    """Let the share of bad rows rise from a tenth to nine tenths."""
    day = _days(generator)
    return _dated(generator, day, generator.random(_ROWS) < 0.1 + 0.8 * day / _DAYS)


ORDERED: dict[str, Callable[[np.random.Generator], PlantedTable]] = {
    "rows collected label by label": _by_label,
    "a label made of the month, one row in a hundred excepted": _by_date,
}
"""Tables in which ``day`` orders the label."""

CLEAN_ORDERS: dict[str, Callable[[np.random.Generator], PlantedTable]] = {
    "a share with a season": _season,
    "days that resemble the day before": _persistent,
    "a share that rises from a tenth to nine tenths": _rising,
    "a label that has nothing to do with the time": PLANTED["clean"],
    "a concept that turns": PLANTED["a concept that turns"],
}
"""Tables in which no time orders the label, however it goes with it."""


def _named(draw: Callable[[np.random.Generator], PlantedTable], seed: int) -> bool:
    """Return whether a time is said to order the label."""
    planted = draw(np.random.default_rng([seed, 21]))
    with tempfile.TemporaryDirectory() as folder:
        pipeline = planted_pipeline(Path(folder), planted, epochs=1)
        dataset = load(pipeline)
        training = split(dataset, pipeline).training
        data, own_seed = pipeline.settings.data, pipeline.settings.training.seed
        found = find_leaks(dataset, training, pipeline.source, data, own_seed)
    return any(leak.kind == "order" for leak in found)


def orders_section(size: OrdersSize) -> str:
    """Simulate, and return the table for ``docs/split_audit.md``."""
    lines = [
        f"Of {size.tables} tables of 3,000 rows of each kind, a time was said to order the label "
        "(share, 95 % interval):",
        "",
        "| table | is there one | named |",
        "|---|---|---|",
    ]
    for kinds, there in ((ORDERED, "yes"), (CLEAN_ORDERS, "no")):
        for what, draw in kinds.items():
            named = wilson(sum(_named(draw, seed) for seed in range(size.tables)), size.tables)
            lines.append(
                f"| {what} | {there} | **{named.value:.2f}** [{named.low:.3f}, {named.high:.3f}] |"
            )
    return "\n".join(lines)
