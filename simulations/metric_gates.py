"""The gate by a metric of ``[decision]``: how often it promotes what it may not, with few rows.

Two models score the same rows of two classes. What they score is the same signal with noise of
their own, so that their true difference by a metric is known from a large population.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ffn.criteria.decision_metrics import METRIC_WORDS, metric_gain, metric_parts
from ffn.evaluation.inference.statistics import wilson

__all__ = [
    "FULL_METRICS",
    "METRICS",
    "QUICK_METRICS",
    "MetricSize",
    "MetricWorld",
    "metric_gates_section",
    "wrongly_shown",
]

Array = npt.NDArray[Any]
Mode = Literal["better", "not_worse"]

_SEED, _ALPHA, _MARGIN = 2026, 0.05, 0.02
METRICS = ("average_precision", "balanced_accuracy", "expected_cost", "f1")
_COSTS = np.array([[0.0, 1.0], [10.0, 0.0]])


@dataclass(frozen=True, kw_only=True)
class MetricSize:
    """How much is simulated.

    Attributes
    ----------
    population
        Rows that the truth is computed from.
    trials
        Pairs of models for each line.
    """

    population: int
    trials: int


FULL_METRICS = MetricSize(population=200_000, trials=300)
QUICK_METRICS = MetricSize(population=20_000, trials=20)


@dataclass(frozen=True, kw_only=True)
class MetricWorld:
    """A kind of held-out rows.

    Attributes
    ----------
    sizes
        Held-out rows of the frequent class and of the rare one.
    apart
        Distance of the classes' scores, in standard deviations of what both models see.
    noise
        Standard deviation of what each model adds by itself.
    rows_of_group
        Rows of the same class that come in a group and share a part of this noise; 1: none do.
    """

    sizes: tuple[int, int]
    apart: float
    noise: float = 0.5
    rows_of_group: int = 1


WORLDS = {
    "500 rows, 5 % rare": MetricWorld(sizes=(475, 25), apart=1.5),
    "2,000 rows, 5 % rare": MetricWorld(sizes=(1_900, 100), apart=1.5),
    "2,000 rows, 5 % rare, hardly different models": MetricWorld(
        sizes=(1_900, 100), apart=1.5, noise=0.05
    ),
    "1,000 rows, half and half": MetricWorld(sizes=(500, 500), apart=2.0),
    "2,000 rows, 5 % rare, in groups of 10": MetricWorld(
        sizes=(1_900, 100), apart=1.5, rows_of_group=10
    ),
}


class _Draw:
    """Rows and the noise of both models, of which the challenger's may be made larger."""

    def __init__(
        self, world: MetricWorld, sizes: tuple[int, int], generator: np.random.Generator
    ) -> None:
        n = sum(sizes)
        self._world, self.labels = world, np.repeat([0, 1], sizes)
        self.groups = np.arange(n) // world.rows_of_group
        self._seen = world.apart * self.labels + generator.normal(size=n)
        shared, own = generator.normal(size=(2, 3, n))
        together = shared[:, self.groups]
        self._noise = (together + own) / np.sqrt(2) if world.rows_of_group > 1 else own

    def gain(self, metric: str, worse: float) -> tuple[Any, Any]:
        """Return the metric of the challenger and of production; ``worse`` adds to its noise."""
        of_challenger, of_production, added = self._noise
        noise = self._world.noise
        found = []
        for scores in (
            self._seen + noise * of_challenger + worse * added,
            self._seen + noise * of_production,
        ):
            # By Bayes' rule, were nothing but the classes' distance and what all see.
            odds = self._world.sizes[1] / self._world.sizes[0]
            share = 1 / (1 + np.exp(-self._world.apart * (scores - self._world.apart / 2)) / odds)
            limit = {"expected_cost": 1 / 11, "f1": 0.3}.get(metric, odds / (1 + odds))
            probabilities = np.stack([1 - share, share], axis=1)
            predicted = (share >= limit).astype(int)
            found.append(metric_parts(metric, probabilities, predicted, self.labels, _COSTS))
        return found[0], found[1]


def _noise_for(world: MetricWorld, metric: str, wanted: float, population: int) -> float:
    """Return the noise that makes the challenger worse by ``wanted``, in truth."""
    from scipy import optimize

    if not wanted:
        return 0.0
    share = population // sum(world.sizes)
    sizes = (world.sizes[0] * share, world.sizes[1] * share)
    draw = _Draw(world, sizes, np.random.default_rng(_SEED))

    def excess(worse: float) -> float:
        challenger, production = draw.gain(metric, worse)
        return abs(float(challenger.value - production.value)) - wanted

    if excess(0.0) >= 0:
        # A small population may differ by as much by chance.
        return 0.0
    return float(optimize.brentq(excess, 0.0, 5.0, xtol=1e-3))


def wrongly_shown(
    world: MetricWorld, metric: str, mode: Mode, size: MetricSize, *, told: bool = True
) -> int:
    """Return how often a challenger is shown to be better that is not, or not worse that is.

    Parameters
    ----------
    world
        What is drawn from.
    metric
        The metric.
    mode
        The mode of the gate, whose default margin is taken.
    size
        Population and trials.
    told
        Whether the test knows the groups; default: yes.
    """
    worse = 0.0
    if mode == "not_worse":
        worse = _noise_for(world, metric, _MARGIN, size.population)
    wrong = 0
    for trial in range(size.trials):
        draw = _Draw(world, world.sizes, np.random.default_rng((_SEED, trial)))
        groups = draw.groups if told and world.rows_of_group > 1 else None
        gain = metric_gain(metric, *draw.gain(metric, worse), draw.labels, _ALPHA, groups)
        wrong += gain.p_value <= _ALPHA if mode == "better" else gain.low > -_MARGIN
    return wrong


def metric_gates_section(size: MetricSize) -> str:
    """Simulate, and return the table of wrong promotions."""
    lines = [
        f"Of {size.trials:,} challengers each that are no better in truth (`better`) or worse by "
        f"{_MARGIN:g} (`not_worse`), promoted at the level {_ALPHA:g} (share, 95 % interval):",
        "",
        f"| held-out rows | mode | {' | '.join(METRIC_WORDS[name] for name in METRICS)} |",
        f"|---|---|{'---|' * len(METRICS)}",
    ]
    for name, world in WORLDS.items():
        for mode in ("better", "not_worse"):
            cells = []
            for metric in METRICS:
                share = wilson(wrongly_shown(world, metric, mode, size), size.trials)
                cells.append(f"{share.value:.3f} [{share.low:.3f}, {share.high:.3f}]")
            lines.append(f"| {name} | `{mode}` | {' | '.join(cells)} |")
    return "\n".join(lines)
