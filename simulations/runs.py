"""All simulated retrainings, spread over processes; the same seed gives the same figures."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np
import numpy.typing as npt

from simulations.gates import Kind, history, retraining
from simulations.recipes import EPOCHS, Compared, compare_recipes
from simulations.world import Bank, train_bank

__all__ = ["FULL", "QUICK", "Found", "Size", "simulate"]

Array = npt.NDArray[Any]

_SEED = 2026
ACCURACY_MARGIN, LOG_LOSS_MARGIN = 0.02, 0.05
"""The defaults of ``[gate]``."""


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is simulated.

    Attributes
    ----------
    networks
        In the bank that challengers and productions are drawn from.
    nulls
        Retrainings for each kind of null.
    rows
        Held-out rows of the nulls.
    power_rows, power_runs, differences
        Of the power curve: held-out rows, retrainings for each point, and true differences.
    recipe_epochs
        Of recipes that a better one is compared with, ``power_runs`` times each.
    history_rows, histories, looks
        Of the histories: held-out rows, how many, and retrainings in each.
    """

    networks: int
    nulls: int
    rows: tuple[int, ...]
    power_rows: int
    power_runs: int
    differences: tuple[float, ...]
    recipe_epochs: tuple[int, ...]
    history_rows: int
    histories: int
    looks: int


FULL = Size(
    networks=64,
    nulls=1000,
    rows=(300, 1000, 3000),
    power_rows=1000,
    power_runs=200,
    differences=(-0.06, -0.05, -0.04, -0.03, -0.02, -0.01, 0.0, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06),
    recipe_epochs=(30, 25, 20, 15, 10),
    history_rows=300,
    histories=200,
    looks=20,
)
QUICK = Size(
    networks=8,
    nulls=20,
    rows=(200,),
    power_rows=200,
    power_runs=10,
    differences=(-0.05, 0.0, 0.15),
    recipe_epochs=(5,),
    history_rows=100,
    histories=4,
    looks=4,
)


@dataclass(frozen=True)
class Found:
    """Who promoted what.

    Attributes
    ----------
    nulls
        By name of the null, held-out rows and gate: promotions, of ``size.nulls``.
    power
        By gate: share promoted [differences].
    histories
        By gate: share of histories with a false promotion up to each look [looks].
    recipes
        Equal recipes of which one was found better, of ``size.nulls``.
    better_recipes
        By the other recipe's epochs: the share found better, and what is true in the mean.
    """

    size: Size
    nulls: dict[str, dict[int, dict[str, int]]]
    power: dict[str, Array]
    histories: dict[str, Array]
    recipes: int
    better_recipes: dict[int, Compared]


NULLS: dict[str, Callable[[int], Kind]] = {
    "equally accurate": lambda rows: Kind(0.0, rows),
    "less accurate by the margin": lambda rows: Kind(-ACCURACY_MARGIN, rows),
    "log-loss higher by the margin": lambda rows: Kind(0.0, rows, log_loss=LOG_LOSS_MARGIN),
}


def simulate(size: Size, workers: int | None = None) -> Found:
    """Run everything."""
    with ProcessPoolExecutor(workers or os.cpu_count()) as pool:

        def promotions(kind: Kind, runs: int) -> dict[str, int]:
            found = list(pool.map(partial(_one, size, kind), _seeds(runs), chunksize=10))
            return {gate: sum(one[gate] for one in found) for gate in found[0]}

        nulls = {
            name: {rows: promotions(kind(rows), size.nulls) for rows in size.rows}
            for name, kind in NULLS.items()
        }
        points = [
            promotions(Kind(difference, size.power_rows), size.power_runs)
            for difference in size.differences
        ]
        histories = list(pool.map(partial(_history, size), _seeds(size.histories)))

        def recipes(epochs: int, runs: int) -> list[Compared]:
            return list(pool.map(partial(compare_recipes, epochs), _seeds(runs), chunksize=10))

        equal = recipes(EPOCHS, size.nulls)
        better = {epochs: recipes(epochs, size.power_runs) for epochs in size.recipe_epochs}
    return Found(
        size=size,
        nulls=nulls,
        power={
            gate: np.array([point[gate] for point in points]) / size.power_runs
            for gate in points[0]
        },
        histories={
            gate: np.mean([np.maximum.accumulate(one[gate]) for one in histories], axis=0)
            for gate in histories[0]
        },
        recipes=sum(one.better for one in equal),
        better_recipes={
            epochs: Compared(*np.mean(one, axis=0).tolist()) for epochs, one in better.items()
        },
    )


def _seeds(runs: int) -> Sequence[int]:
    return range(_SEED, _SEED + runs)


@cache
def _bank(networks: int) -> Bank:
    return train_bank(networks, _SEED)


def _one(size: Size, kind: Kind, seed: int) -> dict[str, bool]:
    return retraining(_bank(size.networks), kind, seed)


def _history(size: Size, seed: int) -> dict[str, Array]:
    return history(_bank(size.networks), size.history_rows, size.looks, seed)
