"""The gate where rows come in groups, and where each retraining is judged by later rows.

Two models are made up that are equally good in truth: each is right in a row with a probability
that differs from group to group, as if a model had learnt some customers better than others. What
the gate sees are rows of some groups, of which it either knows the groups or does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ffn.evaluation.inference.statistics import wilson
from ffn.promotion.evidence import weigh
from ffn.promotion.shared_rows import Contest, SharedAnswers
from ffn.registry.alpha_spending import ComparisonCounts, PlannedComparison, choose_look
from ffn.settings.gate_settings import GateSettings

__all__ = [
    "FULL_SPLITS",
    "QUICK_SPLITS",
    "FoundSplits",
    "SplitsSize",
    "answers_of",
    "expected_accuracy",
    "grouped_contest",
    "later_history",
    "simulate_splits",
    "splits_section",
]

Array = npt.NDArray[Any]
Mode = Literal["better", "not_worse"]

MODES: tuple[Mode, ...] = ("better", "not_worse")
_ACCURACY, _SPREAD, _CONFIDENCE = 0.8, 1.5, 0.8
_ALPHA = 0.05


@dataclass(frozen=True)
class SplitsSize:
    """How much to simulate.

    Attributes
    ----------
    trials
        Retrainings of each kind.
    groups, rows_of_group
        Numbers of groups, and of rows in each: every pair is simulated.
    histories, looks
        Histories under time, and retrainings in each.
    new_groups
        Groups whose rows are added to the table before each retraining of a history.
    """

    trials: int
    groups: tuple[int, ...]
    rows_of_group: tuple[int, ...]
    histories: int
    looks: int
    new_groups: int


FULL_SPLITS = SplitsSize(200, (30, 100), (25,), 40, 8, 40)
QUICK_SPLITS = SplitsSize(20, (30,), (20,), 5, 4, 30)


@dataclass(frozen=True)
class FoundSplits:
    """Numbers of wrong promotions.

    Attributes
    ----------
    size
        How much was simulated.
    promoted
        By groups, rows of a group, and mode: with the groups, and without them.
    histories
        Histories under time with a wrong promotion: with the groups, and without them.
    """

    size: SplitsSize
    promoted: dict[tuple[int, int, str], tuple[int, int]]
    histories: tuple[int, int]


def answers_of(
    groups: Array, generator: np.random.Generator, *, worse: float = 0.0
) -> SharedAnswers:
    """Return predictions [n] of a model that is right more often in some groups than in others.

    All rows are of class 0 of two.

    Parameters
    ----------
    groups
        Group of each row, integers [n] from 0.
    generator
        Source of randomness.
    worse
        By how much its accuracy is lower, in truth.
    """
    # The logit of being right, of which the mean over groups is near the accuracy wanted.
    effects = generator.normal(np.log(_ACCURACY / (1 - _ACCURACY)), _SPREAD, int(groups.max()) + 1)
    right = generator.random(len(groups)) < 1 / (1 + np.exp(-effects[groups]))
    # A right label is lost with a probability that lowers the expected accuracy by so much.
    right &= generator.random(len(groups)) >= worse / expected_accuracy()
    own = np.where(right, _CONFIDENCE, 1 - _CONFIDENCE)
    return SharedAnswers(
        predicted=np.where(right, 0, 1), probabilities=np.stack([own, 1 - own], axis=1)
    )


def expected_accuracy() -> float:
    """Return the accuracy over all groups that there could be, by Gauss-Hermite quadrature."""
    points, weights = np.polynomial.hermite_e.hermegauss(60)
    effects = np.log(_ACCURACY / (1 - _ACCURACY)) + _SPREAD * points
    return float(weights @ (1 / (1 + np.exp(-effects))) / weights.sum())


def grouped_contest(
    groups: Array, generator: np.random.Generator, *, worse: float, told: bool
) -> Contest:
    """Return a contest of two models, the challenger in truth worse by ``worse``.

    Parameters
    ----------
    groups
        Group of each row, integers [n] from 0.
    generator
        Source of randomness.
    worse
        Accuracy that the challenger loses, in truth.
    told
        Whether the gate knows the groups.
    """
    return Contest(
        challenger=answers_of(groups, generator, worse=worse),
        production=answers_of(groups, generator),
        labels=np.zeros(len(groups), dtype=np.int64),
        classes=("a", "b"),
        fingerprints=np.arange(len(groups), dtype=np.uint64),
        groups=groups if told else None,
    )


def _promotes(contest: Contest, mode: Mode, look: PlannedComparison, seed: int) -> bool:
    # Losses follow from labels here, so the margin of the losses is that of the labels.
    settings = GateSettings(mode=mode, log_loss_margin=10.0)
    return weigh(contest.take(look.chosen), settings, look, seed).shown


def _trial(count: int, rows: int, mode: Mode, told: bool, seed: int) -> bool:
    """Return whether a challenger is promoted that may not be."""
    generator = np.random.default_rng(seed)
    groups = np.repeat(np.arange(count), rows)
    worse = 0.0 if mode == "better" else GateSettings().accuracy_margin
    contest = grouped_contest(groups, generator, worse=worse, told=told)
    look = choose_look(np.zeros(len(groups), dtype=np.int64), _ALPHA)
    return _promotes(contest, mode, look, seed)


def later_history(size: SplitsSize, seed: int, *, told: bool) -> bool:
    """Return whether any of many challengers, none better, is promoted in a history under time.

    Before each retraining new groups appear, and old ones get more rows; the later half of the rows
    judges, which earlier challengers were partly judged by.

    Parameters
    ----------
    size
        How many retrainings, and groups.
    seed
        Seed of the history.
    told
        Whether the gate knows the groups.
    """
    generator = np.random.default_rng(seed)
    steps = range(1, size.looks + 2)
    table = np.concatenate(
        [generator.integers(step * size.new_groups, size=8 * size.new_groups) for step in steps]
    )
    known = ComparisonCounts(rows=np.empty(0, dtype=np.uint64), times=np.empty(0, dtype=np.int64))
    production = answers_of(table, generator)
    for step in range(size.looks):
        end = 8 * size.new_groups * (step + 2)
        later = np.arange(end // 2, end)
        challenger = answers_of(table, generator)
        contest = Contest(
            challenger=challenger,
            production=production,
            labels=np.zeros(len(table), dtype=np.int64),
            classes=("a", "b"),
            fingerprints=np.arange(len(table), dtype=np.uint64),
            groups=table if told else None,
        ).take(np.isin(np.arange(len(table)), later))
        times = known.of(contest.fingerprints)
        if contest.groups is not None:
            every = np.arange(len(table), dtype=np.uint64)
            times = known.of_groups(every, table, contest.groups)
        look = choose_look(times, _ALPHA)
        known = known.after(contest.fingerprints[look.chosen])
        if _promotes(contest, "better", look, seed):
            return True
    return False


def simulate_splits(size: SplitsSize) -> FoundSplits:
    """Return how often challengers are promoted wrongly under groups and time; ``size`` of it."""
    promoted = {}
    for count in size.groups:
        for rows in size.rows_of_group:
            for mode in MODES:
                found = [
                    sum(_trial(count, rows, mode, told, trial) for trial in range(size.trials))
                    for told in (True, False)
                ]
                promoted[count, rows, mode] = (found[0], found[1])
    with_them, without = (
        sum(later_history(size, seed, told=told) for seed in range(size.histories))
        for told in (True, False)
    )
    return FoundSplits(size=size, promoted=promoted, histories=(with_them, without))


def splits_section(found: FoundSplits) -> str:
    """Return the table of wrong promotions and the sentence about histories."""
    size = found.size
    lines = [
        f"Of {size.trials:,} retrainings of each kind, wrongly promoted (share, 95 % interval):",
        "",
        "| groups | rows of each | mode | the group is the unit | rows taken for independent |",
        "|--:|--:|---|---|---|",
    ]
    for (count, rows, mode), wrong in found.promoted.items():
        shares = [wilson(number, size.trials) for number in wrong]
        cells = [f"{s.value:.3f} [{s.low:.3f}, {s.high:.3f}]" for s in shares]
        lines.append(f"| {count} | {rows} | `{mode}` | {cells[0]} | {cells[1]} |")
    with_them, without = (number / size.histories for number in found.histories)
    lines += [
        "",
        f"Of {size.histories:,} histories of {size.looks} retrainings under time, in which groups "
        "get more rows and new ones appear, and no challenger is better than the one production, "
        f"a wrong promotion happened in {with_them:.3f} where the group is the unit, and in "
        f"{without:.3f} where rows are taken for independent.",
    ]
    return "\n".join(lines)
