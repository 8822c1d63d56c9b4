"""Paired differences against a likelihood that is maximised by search, and by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, stats

from ffn.evaluation.inference.differences import accuracy_difference, paired_difference
from ffn.evaluation.inference.paired import LabelCounts
from ffn.evaluation.inference.paired_losses import loss_bounds, row_losses


def counts(gained: int, lost: int, rows: int) -> LabelCounts:
    return LabelCounts(rows=rows, gained=gained, lost=lost, production_wrong=gained)


def score(gained: int, lost: int, rows: int, difference: float) -> float:
    """The score statistic, with the shares that fit best found by search.

    Gained, lost and unchanged rows are trinomial, with ``gained - lost`` fixed by the hypothesis;
    its variance is that of the difference of two shares.
    """

    def unlikely(share_lost: float) -> float:
        share_gained = share_lost + difference
        rest = 1 - share_lost - share_gained
        shares = np.array([share_gained, share_lost, rest])
        if (shares < 0).any():
            return np.inf
        seen = np.array([gained, lost, rows - gained - lost])
        return -float((seen * np.log(np.maximum(shares, 1e-300)))[seen > 0].sum())

    low, high = max(0.0, -difference), (1 - difference) / 2
    found = optimize.minimize_scalar(
        unlikely, bounds=(low, high), method="bounded", options={"xatol": 1e-12}
    )
    share_lost = float(found.x)
    variance = 2 * share_lost + difference - difference**2
    return float((gained - lost - rows * difference) / np.sqrt(rows * variance))


@pytest.mark.parametrize(
    ("gained", "lost", "rows"), [(12, 2, 50), (2, 12, 50), (3, 3, 30), (40, 25, 400), (1, 5, 30)]
)
def test_the_ends_are_where_the_score_is_that_of_the_level(gained, lost, rows) -> None:
    found = accuracy_difference(counts(gained, lost, rows))
    z = stats.norm.ppf(0.975)
    assert found.value == (gained - lost) / rows
    assert score(gained, lost, rows, found.low) == pytest.approx(z, abs=1e-3)
    assert score(gained, lost, rows, found.high) == pytest.approx(-z, abs=1e-3)


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 200))
def test_exchanged_models_have_the_interval_mirrored(gained: int, lost: int, same: int) -> None:
    rows = gained + lost + same + 1
    one = accuracy_difference(counts(gained, lost, rows))
    other = accuracy_difference(counts(lost, gained, rows))
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low), abs=1e-8)
    assert -1 <= one.low <= one.value <= one.high <= 1
    assert one.low < one.high


@pytest.mark.parametrize(("gains", "losses", "rows"), [(0.1, 0.1, 30), (0.15, 0.03, 69)])
def test_the_interval_covers(gains: float, losses: float, rows: int) -> None:
    draws = np.random.default_rng(0).multinomial(rows, [gains, losses, 1 - gains - losses], 400)
    found = [accuracy_difference(counts(int(g), int(b), rows)) for g, b, _ in draws]
    covered = sum(one.low <= gains - losses <= one.high for one in found)
    assert stats.binomtest(covered, 400, 0.95, alternative="less").pvalue > 0.001


def test_signs_say_who_is_better_and_only_where_it_is_shown() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 200)
    sure = np.where(np.eye(2, dtype=bool)[labels], 0.9, 0.1)
    guess = np.full((200, 2), 0.5)
    wrong = 1 - sure
    ours = paired_difference(sure, guess, labels, 0)
    theirs = paired_difference(guess, sure, labels, 0)
    assert (ours.in_accuracy, ours.in_log_loss) == (1, 1)
    assert (theirs.in_accuracy, theirs.in_log_loss) == (-1, -1)
    same = paired_difference(sure, sure, labels, 0)
    assert (same.in_accuracy, same.in_log_loss) == (0, 0)
    timid = np.where(np.eye(2, dtype=bool)[labels], 0.6, 0.4)
    assert paired_difference(sure, timid, labels, 0).in_accuracy == 0
    assert paired_difference(sure, timid, labels, 0).in_log_loss == 1
    assert paired_difference(wrong, sure, labels, 0).accuracy.value == -1


def test_losses_are_the_gates() -> None:
    rng = np.random.default_rng(3)
    one, other = (rng.dirichlet([2, 1, 1], 50) for _ in range(2))
    labels = rng.integers(0, 3, 50)
    found = paired_difference(one, other, labels, 7).log_loss
    expected = loss_bounds(row_losses(one, labels), row_losses(other, labels), 0.025, 7)
    assert (found.value, found.low, found.high) == (expected.value, expected.low, expected.high)
