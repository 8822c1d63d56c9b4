"""Tables whose held-out figures promise too much, and clean ones, with the rows to come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["PLANTED", "PlantedTable"]

Array = npt.NDArray[Any]
Columns = dict[str, Array]

_CUSTOMERS, _ROWS_OF_EACH = 150, 20
_NUMBERS = 6
# Of rows to come there are so many times more than in the table: their accuracy is the truth.
_TO_COME = 4
_FIRST_DAY = date(2023, 1, 1)


@dataclass(frozen=True)
class PlantedTable:
    """A table, and what becomes of its model.

    Attributes
    ----------
    table, to_come
        The training table and the rows to come, as columns [N] by name; the label is ``y``.
    excluded
        Columns that are not features.
    leak
        The column that makes the figures too good; empty if none does.
    """

    table: Columns
    to_come: Columns
    excluded: tuple[str, ...] = ()
    leak: str = ""


def _customers(generator: np.random.Generator) -> PlantedTable:
    """Give every customer a label by chance, and numbers by which it is known again."""

    def rows(customers: int, first: int) -> Columns:
        own = generator.normal(size=(customers, _NUMBERS))
        label = generator.integers(0, 2, customers)
        customer = np.repeat(np.arange(customers), _ROWS_OF_EACH)
        order = generator.permutation(len(customer))
        customer = customer[order]
        x = own[customer] + 0.35 * generator.normal(size=(len(customer), _NUMBERS))
        return _numbers(x) | {
            "customer_id": np.array([f"C{first + number:05}" for number in customer]),
            "y": _labels(label[customer]),
        }

    return PlantedTable(
        table=rows(_CUSTOMERS, 0),
        to_come=rows(_TO_COME * _CUSTOMERS, _CUSTOMERS),
        excluded=("customer_id",),
        leak="customer_id",
    )


def _turning(generator: np.random.Generator) -> PlantedTable:
    """Draw a line between two classes that turns by three quarters of a half turn, and goes on."""
    n = _CUSTOMERS * _ROWS_OF_EACH

    def rows(when: Array) -> Columns:
        angle = 0.75 * np.pi * when
        x = generator.normal(size=(len(when), 2))
        label = x[:, 0] * np.cos(angle) + x[:, 1] * np.sin(angle) > 0
        day = np.floor(when * 1_000)
        return {
            "a": x[:, 0].round(4),
            "b": x[:, 1].round(4),
            "day": day.astype(int),
            "y": _labels(label),
        }

    return PlantedTable(
        table=rows(np.sort(generator.random(n))),
        to_come=rows(1 + 0.2 * generator.random(_TO_COME * n)),
        leak="day",
    )


def _late(generator: np.random.Generator) -> PlantedTable:
    """Draw a number that is 0 until the label is known, and so for every row to come."""

    def rows(n: int, *, known: bool) -> Columns:
        found = _honest(n, generator)
        paid = np.where(found["y"] == "bad", generator.integers(1, 90, n), 0)
        return found | {"days_late": paid if known else np.zeros(n, dtype=int)}

    n = _CUSTOMERS * _ROWS_OF_EACH
    return PlantedTable(
        table=rows(n, known=True), to_come=rows(_TO_COME * n, known=False), leak="days_late"
    )


def _clean(generator: np.random.Generator) -> PlantedTable:
    """Draw customers, days, towns and contract numbers that give nothing away."""

    def rows(n: int) -> Columns:
        days = np.sort(generator.integers(0, 700, n))
        return _honest(n, generator) | {
            "customer_id": np.array([f"C{k:05}" for k in generator.integers(0, _CUSTOMERS, n)]),
            "opened": np.array([(_FIRST_DAY + timedelta(int(day))).isoformat() for day in days]),
            "town": generator.choice(list("ABCDEFGH"), n),
            "contract": 10_000 + np.cumsum(generator.integers(1, 9, n)),
        }

    n = _CUSTOMERS * _ROWS_OF_EACH
    return PlantedTable(
        table=rows(n), to_come=rows(_TO_COME * n), excluded=("customer_id", "opened", "contract")
    )


def _honest(n: int, generator: np.random.Generator) -> Columns:
    x = generator.normal(size=(n, 4))
    bad = x[:, 0] + x[:, 1] * x[:, 2] + 0.7 * generator.normal(size=n) > 0
    return _numbers(x) | {"y": np.where(bad, "bad", "good")}


def _numbers(x: Array) -> Columns:
    return {f"f{place}": values.round(4) for place, values in enumerate(x.T)}


def _labels(label: Array) -> Array:
    return np.where(label.astype(bool), "yes", "no")


PLANTED: dict[str, Callable[[np.random.Generator], PlantedTable]] = {
    "customers with a label each": _customers,
    "a concept that turns": _turning,
    "a column known after the label": _late,
    "clean": _clean,
}
