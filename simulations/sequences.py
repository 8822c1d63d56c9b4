"""Confidence sequences and the alert, looked at after every row, in worlds that change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from ffn.evaluation.inference.groups_of_rows import grouped_share
from ffn.evaluation.inference.statistics import wilson
from ffn.monitoring.confidence_sequences import log_evidence_above, log_evidence_of_sum
from ffn.monitoring.promised_quality import PromisedQuality

__all__ = [
    "FULL_SEQUENCES",
    "QUICK_SEQUENCES",
    "Misses",
    "SequenceSize",
    "sequences_section",
    "simulate_sequences",
]

Array = npt.NDArray[Any]

_SEED = 2026
_ALPHA = 0.05
_CAP = 9.9
_HELD_OUT, _TRUE = 200, 0.8


@dataclass(frozen=True, kw_only=True)
class SequenceSize:
    """How much is simulated: trials of each world, rows of each, and rows a week for the alert."""

    trials: int
    rows: int
    week: int


FULL_SEQUENCES = SequenceSize(trials=2000, rows=2000, week=100)
QUICK_SEQUENCES = SequenceSize(trials=150, rows=600, week=60)

_GROUP = 20
# Accuracies of groups: mean 0.8, standard deviation 0.12.
_OF_GROUPS = (8.0, 2.0)


def _by_group(rows: int, generator: np.random.Generator) -> Array:
    """Return the true accuracy of each row, which all rows of a group share [rows]."""
    return np.repeat(generator.beta(*_OF_GROUPS, size=-(-rows // _GROUP)), _GROUP)[:rows]


WORLDS: dict[str, Callable[[Array, np.random.Generator], Array]] = {
    "constant 0.8": lambda t, _: np.full(len(t), 0.8),
    "constant 0.98": lambda t, _: np.full(len(t), 0.98),
    "falling from 0.95 to 0.5": lambda t, _: 0.95 - 0.45 * t,
    "season, 0.9 to 0.6": lambda t, _: 0.75 + 0.15 * np.sin(40 * t),
    "a break from 0.9 to 0.6": lambda t, _: np.where(t < 0.3, 0.9, 0.6),
    "groups of 20 rows, each with its own": lambda t, generator: _by_group(len(t), generator),
}
"""True accuracy of each row, given its place from 0 to 1."""


@dataclass(frozen=True, kw_only=True)
class Misses:
    """Trials of a world in which something missed the truth at any look.

    Attributes
    ----------
    accuracy, log_loss
        The confidence sequences.
    fixed
        Wilson's interval, looked at after each row from the thirtieth on.
    """

    accuracy: int
    log_loss: int
    fixed: int


def simulate_sequences(size: SequenceSize) -> tuple[dict[str, Misses], int, int]:
    """Return the misses by world, and the false alerts of versions that are as good as promised.

    The last number is of versions whose rows are of groups, held out and scored.
    """
    generator = np.random.default_rng(_SEED)
    found = {name: _misses(name, size, generator) for name in WORLDS}
    alerts = sum(_is_alerted(size, generator) for _ in range(size.trials))
    of_groups = sum(_is_alerted(size, generator, groups=True) for _ in range(size.trials))
    return found, alerts, of_groups


def _misses(world: str, size: SequenceSize, generator: np.random.Generator) -> Misses:
    n = np.arange(1, size.rows + 1)
    time = np.arange(size.rows) / size.rows
    limit = np.log(2 / _ALPHA)
    z = stats.norm.ppf(1 - _ALPHA / 2)
    accuracy = log_loss = fixed = 0
    for _ in range(size.trials):
        truth = WORLDS[world](time, generator)
        average = np.cumsum(truth) / n
        correct = generator.random(size.rows) < truth
        s = np.cumsum(correct)
        above = log_evidence_above(s, n, average) >= limit
        below = log_evidence_above(n - s, n, 1 - average) >= limit
        accuracy += bool((above | below).any())
        # Wilson 1927: the score test of the share.
        scores = np.abs(s / n - average) / np.sqrt(average * (1 - average) / n)
        fixed += bool((scores[29:] > z).any())
        log_loss += _loss_misses(correct, truth, limit, generator)
    return Misses(accuracy=accuracy, log_loss=log_loss, fixed=fixed)


def _loss_misses(
    correct: Array, truth: Array, limit: float, generator: np.random.Generator
) -> bool:
    """Return whether the sequence misses for losses that are small if correct and skewed else."""
    size = np.where(correct, 0.2, 3.0)
    x = np.minimum(generator.exponential(size), _CAP) / _CAP
    # Mean of an exponential number that is cut at the cap.
    means = [scale * (1 - np.exp(-_CAP / scale)) / _CAP for scale in (0.2, 3.0)]
    expected = truth * means[0] + (1 - truth) * means[1]
    before = np.concatenate([[0.0], np.cumsum(x)[:-1]])
    variation = np.cumsum((x - (before + 0.5) / np.arange(1, len(x) + 1)) ** 2)
    difference = np.cumsum(x - expected)
    above = log_evidence_of_sum(difference, variation) >= limit
    below = log_evidence_of_sum(-difference, variation) >= limit
    return bool((above | below).any())


def _is_alerted(
    size: SequenceSize, generator: np.random.Generator, *, groups: bool = False
) -> bool:
    """Return whether a version that is as good on new rows as on held-out ones is reported."""

    def right(rows: int) -> Array:
        truth = _by_group(rows, generator) if groups else _TRUE
        found: Array = generator.random(rows) < truth
        return found

    held = right(_HELD_OUT)
    own = grouped_share(held, np.arange(_HELD_OUT) // _GROUP) if groups else None
    promised = PromisedQuality(
        accuracy=own,
        log_loss=None,
        correct=int(held.sum()),
        rows=_HELD_OUT,
        made_at=None,
        grouped=groups,
    )
    bound = promised.floor(_ALPHA / 2)
    wrong = ~right(size.rows)
    for k, start in enumerate(range(0, size.rows, size.week), 1):
        sums = np.cumsum(wrong[start:])
        n = np.arange(1, len(sums) + 1)
        evidence = log_evidence_above(sums, n, np.full(len(n), 1 - (bound or 0.0)))
        if (evidence >= np.log(2 * k * (k + 1) / _ALPHA)).any():
            return True
    return False


def sequences_section(size: SequenceSize) -> str:
    """Return the table of misses and the sentence on alerts, in Markdown."""
    found, alerts, of_groups = simulate_sequences(size)
    lines = [
        f"Of {size.trials:,} simulated versions in each world, with {size.rows:,} rows each, the "
        "truth was outside the interval at any of the looks, one after each row (share, 95 % "
        "interval; at most 0.05 is claimed):",
        "",
        "| true accuracy | accuracy | log-loss | a fixed 95 % interval, looked at as often |",
        "|---|---|---|---|",
    ]
    for name, one in found.items():
        cells = [_share(one.accuracy, size), _share(one.log_loss, size)]
        lines.append(f"| {name} | {' | '.join(cells)} | {one.fixed / size.trials:.3f} |")
    lines += [
        "",
        f"Of {size.trials:,} versions that are as good on new rows as on the population of their "
        f"{_HELD_OUT} held-out ones, {_share(alerts, size)} were reported, with alpha {_ALPHA:g} "
        f"and a look after each of {size.rows:,} rows in {size.rows // size.week} weeks; of as "
        f"many whose rows are of groups of {_GROUP} with accuracies of their own, "
        f"{_share(of_groups, size)}.",
    ]
    return "\n".join(lines)


def _share(count: int, size: SequenceSize) -> str:
    one = wilson(count, size.trials)
    return f"{one.value:.3f} [{one.low:.3f}, {one.high:.3f}]"
