"""What held-out rows are taken to show, guard by guard."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from ffn.promotion.evidence import can_suffice, weigh
from ffn.promotion.shared_rows import Contest, SharedAnswers
from ffn.registry.alpha_spending import PlannedComparison, alpha_of_look, choose_look
from ffn.settings.gate_settings import GateSettings


def answers(predicted: np.ndarray, confidence: float) -> SharedAnswers:
    """Two classes, each answer given with this probability."""
    own = np.where(np.arange(2) == predicted[:, None], confidence, 1 - confidence)
    return SharedAnswers(predicted=predicted, probabilities=own)


def contest(
    n: int, wrong: Any, was_wrong: Any, sure: float = 0.8, was_sure: float = 0.8
) -> Contest:
    """Half the rows of class a, half of b; ``wrong`` rows of the challenger, and production's."""
    labels = np.arange(n) % 2
    flips = np.zeros((2, n), dtype=int)
    flips[0, wrong] = 1
    flips[1, was_wrong] = 1
    return Contest(
        challenger=answers(labels ^ flips[0], sure),
        production=answers(labels ^ flips[1], was_sure),
        labels=labels,
        classes=("a", "b"),
        fingerprints=np.arange(n, dtype=np.uint64),
    )


def judged(found: Contest, **settings: Any) -> tuple[str, ...]:
    gate = GateSettings(**settings)
    return weigh(found, gate, choose_look(np.zeros(len(found.labels)), gate.alpha), 0).failures


def test_with_28_of_30_right_no_challenger_can_be_better() -> None:
    found = contest(30, [], [3, 8])
    gate = GateSettings(mode="better")
    assert not can_suffice(found, gate, 0.05)
    # Five gained labels have p = 1/32: enough at 0.05, and at the first look's 0.0304 not.
    five = contest(30, [], range(5))
    assert can_suffice(five, gate, 0.05)
    assert not can_suffice(five, gate, alpha_of_look(0.05, 1))


def test_not_worse_needs_173_rows_if_no_label_changes() -> None:
    """0.98^172 > 0.0304 > 0.98^173, but for the fiftieth that the nuisance parameter costs."""
    gate, alpha = GateSettings(), alpha_of_look(0.05, 1)
    least = next(n for n in range(150, 200) if can_suffice(contest(n, [], []), gate, alpha))
    assert 173 <= least <= 176


def test_without_rows_nothing_suffices() -> None:
    assert not can_suffice(contest(0, [], []), GateSettings(alpha=0.5), 0.5)


def test_gained_labels_are_better_and_lost_ones_are_not() -> None:
    assert judged(contest(200, [], range(12)), mode="better") == ()
    assert judged(contest(200, range(12), []), mode="better")[0] == (
        "accuracy is not shown to be higher"
    )
    assert judged(contest(600, [], []), mode="not_worse") == ()
    failures = judged(contest(600, range(0, 24, 2), []), mode="not_worse", class_margin=0.5)
    assert failures == ("accuracy is not shown to be within 0.02 of production's",)


def test_more_labels_do_not_excuse_worse_probabilities() -> None:
    """Twelve labels gained, and all the others given with less confidence."""
    found = contest(400, [], range(12), sure=0.6, was_sure=0.95)
    assert judged(found, mode="better") == ("log-loss is shown to be higher",)
    assert judged(found, mode="not_worse") == (
        "log-loss is not shown to be within 0.05 of production's",
    )


def test_a_class_that_loses_keeps_production_where_all_in_all_nothing_is_lost() -> None:
    """Ten rows of a lost, twenty of b gained."""
    found = contest(800, range(0, 20, 2), range(1, 41, 2))
    for mode in ("better", "not_worse"):
        failures = judged(found, mode=mode, class_margin=0.0, alpha=0.1)
        assert failures == ("the recall of a is shown to be lower",)
        # Shown, and no more than the 10 of 400 that the margin allows.
        assert judged(found, mode=mode, class_margin=0.025, alpha=0.1) == ()


def test_figures_are_those_of_the_tests_themselves() -> None:
    found = contest(300, [0, 1], [0, 4, 5, 7])
    look = PlannedComparison(chosen=np.ones(300, dtype=bool), number=3, alpha=0.01)
    evidence = weigh(found, GateSettings(mode="better"), look, seed=5)
    assert (evidence.look, evidence.alpha) == (3, 0.01)
    assert (evidence.labels.gained, evidence.labels.lost) == (3, 1)
    assert evidence.p_value == pytest.approx(stats.binomtest(3, 4, alternative="greater").pvalue)
    # log(0.8 / 0.2) for each label, over all rows.
    assert evidence.log_loss.value == pytest.approx(-2 * np.log(4) / 300)
    assert [one.rows for one in evidence.classes] == [150, 150]
