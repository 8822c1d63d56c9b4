"""Simpler models that are truly as good as the network: how often one is shown to be better."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import optimize, stats

from ffn.evaluation.inference.paired_losses import row_losses
from ffn.evaluation.inference.simultaneous_losses import simultaneous_bounds
from ffn.evaluation.inference.statistics import wilson
from ffn.settings.gate_settings import GateSettings
from simulations.world import Bank, train_bank

__all__ = [
    "FULL_WARNINGS",
    "KINDS",
    "QUICK_WARNINGS",
    "WarningsSize",
    "equal_models",
    "shown_better",
    "warnings_section",
]

Array = npt.NDArray[Any]

_SEED = 2026
_MODELS = 3


@dataclass(frozen=True, kw_only=True)
class WarningsSize:
    """How much is simulated.

    Attributes
    ----------
    networks
        In the bank that all models are drawn from.
    runs
        Comparisons for each kind and number of rows.
    rows
        Held-out rows.
    """

    networks: int
    runs: int
    rows: tuple[int, ...]


FULL_WARNINGS = WarningsSize(networks=64, runs=500, rows=(30, 100, 300, 1_000))
QUICK_WARNINGS = WarningsSize(networks=8, runs=40, rows=(30, 200))
# By kind: the power to which the network's probabilities are raised. Those of the simpler models
# are then raised to a power with which their log-loss is equal.
KINDS = {"equally confident": 1.0, "much more confident than the network": 0.4}


def equal_models(
    bank: Bank, kind: str, generator: np.random.Generator
) -> tuple[Array, list[Array]]:
    """Return a network's probabilities [N, C], and those of three others as good as it, truly.

    Parameters
    ----------
    bank
        Networks to draw from.
    kind
        A key of `KINDS`.
    generator
        Draws the models.
    """
    labels = bank.labels
    chosen = generator.choice(len(bank.probabilities), size=_MODELS + 1, replace=False)
    # The worst of them, so that each of the others can be made as bad.
    *others, network = sorted(
        bank.probabilities[chosen], key=lambda answers: row_losses(answers, labels).mean()
    )
    ours = _raised(network, KINDS[kind])
    wanted = float(row_losses(ours, labels).mean())
    found = []
    for other in others:

        def excess(power: float, other: Array = other) -> float:
            return float(row_losses(_raised(other, power), labels).mean()) - wanted

        least = float(optimize.minimize_scalar(excess, (0.5, 1.0)).x)
        found.append(_raised(other, float(optimize.brentq(excess, least, 50.0, xtol=1e-9))))
    return ours, found


def _raised(probabilities: Array, power: float) -> Array:
    raised: Array = probabilities**power
    return raised / raised.sum(axis=1, keepdims=True)


def shown_better(ours: Array, others: Sequence[Array], labels: Array, seed: int) -> bool:
    """Return whether any of the others is shown to be better, at the gate's default level.

    A lower bound is never above that of Student's t, so where the latter does not show it nothing
    has to be resampled.

    Parameters
    ----------
    ours
        Probabilities of the network for the held-out rows [n, C].
    others
        Those of the simpler models.
    labels
        Integers [n].
    seed
        Seed of the resamples.
    """
    alpha = GateSettings().alpha
    differences = row_losses(ours, labels) - [row_losses(other, labels) for other in others]
    p_values = stats.ttest_1samp(differences, 0.0, axis=1, alternative="greater").pvalue
    if not (p_values < alpha / len(others)).any():
        return False
    return any(found.low > 0 for found in simultaneous_bounds(ours, others, labels, alpha, seed))


def warnings_section(size: WarningsSize, workers: int | None = None) -> str:
    """Simulate, and return the table of false warnings."""
    lines = [
        f"Of {size.runs:,} comparisons each, a simpler model was shown to be better (share, 95 % "
        "interval):",
        "",
        f"| simpler models | {' | '.join(f'{rows:,} rows' for rows in size.rows)} |",
        f"|---|{'---|' * len(size.rows)}",
    ]
    with ProcessPoolExecutor(workers or os.cpu_count()) as pool:
        for kind in KINDS:
            seeds = range(_SEED, _SEED + size.runs)
            found = list(pool.map(partial(_one, size, kind), seeds, chunksize=10))
            cells = []
            for shown in zip(*found, strict=True):
                share = wilson(sum(shown), size.runs)
                cells.append(f"**{share.value:.3f}** [{share.low:.3f}, {share.high:.3f}]")
            lines.append(f"| {kind} | {' | '.join(cells)} |")
    return "\n".join(lines)


@cache
def _bank(networks: int) -> Bank:
    return train_bank(networks, _SEED)


def _one(size: WarningsSize, kind: str, seed: int) -> list[bool]:
    """Return whether a warning is given, for each number of held-out rows."""
    bank, generator = _bank(size.networks), np.random.default_rng(seed)
    ours, others = equal_models(bank, kind, generator)
    found = []
    for rows in size.rows:
        ids = generator.choice(len(bank.labels), size=rows, replace=False)
        own = [other[ids] for other in others]
        found.append(shown_better(ours[ids], own, bank.labels[ids], seed))
    return found
