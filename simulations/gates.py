"""One simulated retraining, put before our gate and before the two that people write."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.evaluation.inference.paired import count_labels
from ffn.promotion.evidence import can_suffice, label_p_value, weigh
from ffn.promotion.shared_rows import Contest, SharedAnswers
from ffn.registry.alpha_spending import ComparisonCounts, PlannedComparison, choose_look
from ffn.settings.gate_settings import GateSettings
from simulations.world import N_CLASSES, Bank, overconfident, with_difference

__all__ = ["GATES", "THRESHOLD", "Kind", "history", "retraining"]

Array = npt.NDArray[Any]

GATES = ("better", "not_worse", "at least as accurate", "threshold")
THRESHOLD = 0.85
"""Accuracy from which the plain threshold promotes, a little below that of most networks."""


@dataclass(frozen=True)
class Kind:
    """What is simulated: the true difference of accuracy, and how many rows are held out.

    Attributes
    ----------
    difference
        True accuracy of the challenger minus production's.
    rows
        Held out.
    log_loss
        If given, the challenger is sharpened until its true log-loss is higher by this.
    """

    difference: float
    rows: int
    log_loss: float | None = None


def retraining(bank: Bank, kind: Kind, seed: int) -> dict[str, bool]:
    """Return who promotes one challenger, by gate."""
    generator = np.random.default_rng(seed)
    contest = _contest(*_pair(bank, kind, generator), bank.labels, kind.rows, generator)
    found = {}
    for mode in ("better", "not_worse"):
        settings = GateSettings(mode=mode)
        look = choose_look(np.zeros(kind.rows, dtype=np.int64), settings.alpha)
        found[mode] = _promotes(contest, settings, look, seed)
    return found | _plain_gates(contest)


def history(bank: Bank, rows: int, looks: int, seed: int) -> dict[str, Array]:
    """Return booleans [looks] by gate: who promotes which of many challengers, none better.

    All are compared with one production on the same rows, night after night. ``better, no
    spending`` is our gate with the whole alpha at every look.
    """
    generator = np.random.default_rng(seed)
    production = bank.probabilities[generator.integers(len(bank.probabilities))]
    ids = generator.choice(len(bank.labels), size=rows, replace=False)
    settings = GateSettings(mode="better")
    known = ComparisonCounts(rows=np.empty(0, dtype=np.uint64), times=np.empty(0, dtype=np.int64))
    whole = PlannedComparison(chosen=np.ones(rows, dtype=bool), number=1, alpha=settings.alpha)
    found: dict[str, list[bool]] = {}
    for _ in range(looks):
        other = bank.probabilities[generator.integers(len(bank.probabilities))]
        # Production has to stay one and the same: all that may be spoilt is the challenger.
        difference = min(0.0, _true_difference(other, production, bank.labels))
        challenger, _ = with_difference(other, production, bank.labels, difference)
        contest = _between(challenger, production, bank.labels, ids)
        look = choose_look(known.of(contest.fingerprints), settings.alpha)
        known = known.after(contest.fingerprints)
        promotes = {
            "better": _promotes(contest, settings, look, seed),
            "better, no spending": _promotes(contest, settings, whole, seed),
            **_plain_gates(contest),
        }
        for name, promoted in promotes.items():
            found.setdefault(name, []).append(promoted)
    return {name: np.array(values) for name, values in found.items()}


def _pair(bank: Bank, kind: Kind, generator: np.random.Generator) -> tuple[Array, Array]:
    """Return the whole population's answers of a challenger and of production."""
    one, other = generator.choice(len(bank.probabilities), size=2, replace=False)
    challenger, production = with_difference(
        bank.probabilities[one],
        bank.probabilities[other],
        bank.labels,
        kind.difference,
    )
    if kind.log_loss is not None:
        challenger = overconfident(challenger, production, bank.labels, kind.log_loss)
    return challenger, production


def _contest(
    challenger: Array, production: Array, labels: Array, rows: int, generator: np.random.Generator
) -> Contest:
    ids = generator.choice(len(labels), size=rows, replace=False)
    return _between(challenger, production, labels, ids)


def _between(challenger: Array, production: Array, labels: Array, ids: Array) -> Contest:
    """Return the contest on the rows ``ids`` [n] of the population."""

    def answers(probabilities: Array) -> SharedAnswers:
        own = probabilities[ids]
        return SharedAnswers(predicted=own.argmax(axis=1), probabilities=own)

    return Contest(
        challenger=answers(challenger),
        production=answers(production),
        labels=labels[ids],
        classes=tuple(map(str, range(N_CLASSES))),
        fingerprints=ids.astype(np.uint64),
    )


def _promotes(contest: Contest, settings: GateSettings, look: PlannedComparison, seed: int) -> bool:
    """Say what the gate decides, which keeps production where rows cannot suffice.

    Labels and losses both have to pass, so whoever fails by the labels is spared the bootstrap.
    """
    enough = can_suffice(contest, settings, look.alpha)
    challenger, production = contest.challenger.predicted, contest.production.predicted
    counts = count_labels(challenger, production, contest.labels)
    by_labels = enough and label_p_value(counts, settings, look.alpha) <= look.alpha
    return by_labels and weigh(contest, settings, look, seed).shown


def _plain_gates(contest: Contest) -> dict[str, bool]:
    accuracy = float((contest.challenger.predicted == contest.labels).mean())
    before = float((contest.production.predicted == contest.labels).mean())
    return {"at least as accurate": accuracy >= before, "threshold": accuracy >= THRESHOLD}


def _true_difference(challenger: Array, production: Array, labels: Array) -> float:
    right = challenger.argmax(axis=1) == labels
    was_right = production.argmax(axis=1) == labels
    return float(right.mean() - was_right.mean())
