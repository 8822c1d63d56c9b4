"""How often the intervals of ROC-AUC, average precision and balanced accuracy hold the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.evaluation.class_means import balanced_accuracy
from ffn.evaluation.inference.statistics import wilson
from ffn.evaluation.ranking_metrics import rank_rows

__all__ = [
    "FULL_RANKING",
    "QUICK_RANKING",
    "WORLDS",
    "RankedWorld",
    "RankingSize",
    "coverage",
    "draw_world",
    "ranking_section",
]

Array = npt.NDArray[Any]

_SEED = 2026
FIGURES = ("ROC-AUC", "average precision", "balanced accuracy")


@dataclass(frozen=True, kw_only=True)
class RankingSize:
    """How much is simulated.

    Attributes
    ----------
    population
        Rows of each class in the world, which the truth is computed from.
    runs
        Sets of held-out rows for each world.
    """

    population: int
    runs: int


FULL_RANKING = RankingSize(population=200_000, runs=1_000)
QUICK_RANKING = RankingSize(population=5_000, runs=20)


@dataclass(frozen=True, kw_only=True)
class RankedWorld:
    """A kind of held-out rows.

    Attributes
    ----------
    sizes
        Held-out rows of each class.
    apart
        Distance of a class's score from the others', in standard deviations of the noise.
    hopeless
        Share of the rows of each class that score like rows of another one.
    """

    sizes: tuple[int, ...]
    apart: float
    hopeless: float = 0.0


WORLDS = {
    "two classes, hardly separated": RankedWorld(sizes=(475, 25), apart=0.8),
    "the same, more rows": RankedWorld(sizes=(1_900, 100), apart=0.8),
    "two classes, separated": RankedWorld(sizes=(475, 25), apart=2.5),
    "the same, a tenth of the rows hopeless": RankedWorld(sizes=(475, 25), apart=2.5, hopeless=0.1),
    "two classes of equal size": RankedWorld(sizes=(50, 50), apart=1.5),
    "two classes, almost perfectly separated": RankedWorld(sizes=(50, 50), apart=4.0),
    "three classes of ten rows": RankedWorld(sizes=(10, 10, 10), apart=2.5),
    "the same, almost perfectly separated": RankedWorld(sizes=(10, 10, 10), apart=5.0),
    "ten classes, one of five rows": RankedWorld(sizes=(55,) * 9 + (5,), apart=2.0),
    "thirty classes of five rows": RankedWorld(sizes=(5,) * 30, apart=3.0),
}


def draw_world(
    world: RankedWorld, sizes: Sequence[int], generator: np.random.Generator
) -> tuple[Array, Array]:
    """Return probabilities [n, C] and labels [n] of rows drawn from a world.

    Parameters
    ----------
    world
        The distributions.
    sizes
        Rows of each class.
    generator
        Draws the rows.
    """
    c = len(sizes)
    labels = np.repeat(np.arange(c), sizes)
    alike = labels.copy()
    lost = generator.random(len(labels)) < world.hopeless
    alike[lost] = (labels[lost] + generator.integers(1, c, lost.sum())) % c
    scores = world.apart * np.eye(c)[alike] + generator.normal(size=(len(labels), c))
    # Probabilities as they would be by Bayes' rule, were no row hopeless.
    weights = np.array(world.sizes) * np.exp(world.apart * scores)
    return weights / weights.sum(axis=1, keepdims=True), labels


def coverage(world: RankedWorld, size: RankingSize, seed: int) -> list[int]:
    """Return in how many runs the interval of each figure holds its true value.

    Parameters
    ----------
    world
        What is drawn from.
    size
        Population and runs.
    seed
        Seed of all draws.
    """
    generator = np.random.default_rng(seed)
    shares = np.array(world.sizes) / max(world.sizes)
    many = np.maximum(1, (shares * size.population / len(shares) * 2).astype(int))
    truth = [one.value for one in _figures(*draw_world(world, many.tolist(), generator))]
    held = [0] * len(FIGURES)
    for _ in range(size.runs):
        found = _figures(*draw_world(world, world.sizes, generator))
        for place, (figure, true) in enumerate(zip(found, truth, strict=True)):
            held[place] += figure.low <= true <= figure.high
    return held


def _figures(probabilities: Array, labels: Array) -> list[Any]:
    c = probabilities.shape[1]
    ranking = rank_rows(probabilities, labels)
    right = np.bincount(labels[probabilities.argmax(axis=1) == labels], minlength=c)
    two = c == 2
    return [
        ranking.auc[1] if two else ranking.mean_auc,
        ranking.average_precision[1] if two else ranking.mean_average_precision,
        balanced_accuracy(right, np.bincount(labels, minlength=c)),
    ]


def ranking_section(size: RankingSize) -> str:
    """Simulate, and return the table of coverages."""
    lines = [
        f"Of {size.runs:,} sets of held-out rows from each world, the interval held the true value "
        "(share, 95 % interval of the share):",
        "",
        f"| held-out rows | {' | '.join(FIGURES)} |",
        f"|---|{'---|' * len(FIGURES)}",
    ]
    for place, (name, world) in enumerate(WORLDS.items()):
        cells = []
        for held in coverage(world, size, _SEED + place):
            share = wilson(held, size.runs)
            cells.append(f"**{share.value:.3f}** [{share.low:.3f}, {share.high:.3f}]")
        lines.append(f"| {name} ({_sizes(world.sizes)}) | {' | '.join(cells)} |")
    return "\n".join(lines)


def _sizes(sizes: tuple[int, ...]) -> str:
    """Return class sizes in words: ``475 and 25``, ``30 x 5``."""
    kinds = list(dict.fromkeys(sizes))
    return " and ".join(
        f"{sizes.count(kind)} x {kind:,}" if sizes.count(kind) > 1 else f"{kind:,}"
        for kind in kinds
    )
