"""The paired tests of the gate, against published figures, scipy and full enumeration."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ffn.evaluation.inference import paired
from ffn.evaluation.inference.paired import (
    LabelCounts,
    accuracy_bound,
    class_losses,
    count_labels,
    p_better,
    p_not_worse,
)
from ffn.evaluation.inference.paired_losses import loss_bounds, row_losses


def counts(rows: int, gained: int, lost: int) -> LabelCounts:
    return LabelCounts(rows=rows, gained=gained, lost=lost, production_wrong=gained)


def test_labels_gained_and_lost_by_hand() -> None:
    labels = np.array([0, 0, 1, 1, 2, 2])
    production = np.array([0, 1, 1, 0, -1, 2])
    challenger = np.array([0, 0, 0, 0, 2, 2])
    found = count_labels(challenger, production, labels)
    assert found == LabelCounts(rows=6, gained=2, lost=1, production_wrong=3)
    assert found.difference == pytest.approx(1 / 6)
    assert found.at_best == LabelCounts(rows=6, gained=3, lost=0, production_wrong=3)


@pytest.mark.parametrize(
    ("gained", "lost", "p"),
    [
        (2, 0, 0.25),  # 30 rows, production at 28: the best there is proves nothing
        (5, 0, 1 / 32),
        (0, 0, 1.0),
        (9, 1, 11 / 1024),
        (8, 8, 0.5 + math.comb(16, 8) / 2**17),
    ],
)
def test_exact_mcnemar_by_hand(gained: int, lost: int, p: float) -> None:
    assert p_better(gained, lost) == pytest.approx(p)


def test_exact_mcnemar_of_a_published_table() -> None:
    """Agresti, Categorical Data Analysis, 10.1: 86 and 150 of 1,600 changed their approval.

    z = -4.17 there; the exact tail lies near the normal one.
    """
    tail = sum(math.comb(236, k) for k in range(150, 237)) / 2**236
    assert p_better(150, 86) == pytest.approx(tail)
    assert p_better(150, 86) == pytest.approx(stats.norm.sf(4.17), rel=0.3)
    assert p_better(86, 150) > 0.999


@pytest.mark.parametrize(("lost", "gained", "bound"), [(28, 25, 0.0247), (25, 28, 0.0148)])
def test_the_score_is_that_of_a_published_implementation(lost, gained, bound) -> None:
    """R, PropCIs::scoreci.mp(25, 28, 618), 90 %: from -0.0148 to 0.0247, where it is -1.645."""
    found = paired.tango_score(np.array(lost), np.array(gained), 618, bound)
    assert found == pytest.approx(stats.norm.ppf(0.05), abs=0.01)


def test_the_exact_bound_is_a_little_beyond_the_approximate_one() -> None:
    assert 0.0247 <= accuracy_bound(counts(618, 25, 28), 0.05) <= 0.0247 + 0.001


def test_without_a_changed_row_only_many_rows_rule_a_loss_out() -> None:
    """Nothing changed: it is as likely as 0.98^n where 2 % are lost."""
    for rows in (30, 100, 300):
        p = p_not_worse(counts(rows, 0, 0), 0.02, 0.05)
        assert 0.98**rows <= p <= 0.98**rows + 0.0015


def test_many_rows_agree_with_the_normal_test() -> None:
    rows, gained, lost, margin = 50_000, 1_500, 1_560, 0.003
    difference, changed = (gained - lost) / rows, (gained + lost) / rows
    z = (difference + margin) / math.sqrt((changed - difference**2) / rows)
    p = p_not_worse(counts(rows, gained, lost), margin, 0.05)
    assert stats.norm.sf(z) <= p <= stats.norm.sf(z) * 1.15 + 0.001


@pytest.mark.parametrize(
    ("rows", "margin", "alpha"), [(20, 0.1, 0.05), (30, 0.05, 0.2), (25, 0.3, 0.01)]
)
def test_the_test_of_labels_keeps_its_level_whatever_changes(rows, margin, alpha) -> None:
    """Every outcome of ``rows`` rows, weighted by its probability where the margin is just lost."""
    outcomes = [(g, s) for g in range(rows + 1) for s in range(rows + 1 - g)]
    passed = [
        (g, s) for g, s in outcomes if p_not_worse(counts(rows, g, s), margin, alpha) <= alpha
    ]
    assert passed
    for gains in np.linspace(0, (1 - margin) / 2, 15):
        shares = [gains, gains + margin, 1 - margin - 2 * gains]
        cells = np.array([[g, s, rows - g - s] for g, s in passed])
        wrong = stats.multinomial.pmf(cells, rows, np.abs(shares)).sum()
        assert wrong <= alpha + 1e-12


@given(
    rows=st.integers(1, 300),
    gained=st.integers(0, 150),
    lost=st.integers(0, 149),
    margin=st.floats(0.005, 0.5),
)
def test_more_gained_or_a_wider_margin_never_speaks_against(rows, gained, lost, margin) -> None:
    rows += gained + lost
    p = p_not_worse(counts(rows, gained, lost), margin, 0.05)
    assert 0 < p <= 1
    assert p_not_worse(counts(rows, gained, lost), min(0.99, margin * 1.5), 0.05) <= p + 1e-9
    if lost:
        assert p_not_worse(counts(rows, gained + 1, lost - 1), margin, 0.05) <= p + 1e-9


def test_the_bound_is_the_margin_that_the_test_just_rules_out() -> None:
    found = counts(400, 11, 9)
    bound = accuracy_bound(found, 0.03)
    assert p_not_worse(found, bound + 0.001, 0.03) <= 0.03 < p_not_worse(found, bound - 0.001, 0.03)
    # Nothing changed: 1 - alpha^(1/n), but for the fiftieth that the nuisance parameter costs.
    assert accuracy_bound(counts(300, 0, 0), 0.05) == pytest.approx(
        1 - 0.049 ** (1 / 300), abs=2e-4
    )
    assert accuracy_bound(counts(3, 0, 3), 0.05) == 1.0


def test_each_class_has_its_test_and_holm_all_of_them() -> None:
    """Class a loses 7 of 7 changed rows (p = 1/128), b gains, c has none; times 3 by Holm."""
    labels = np.repeat([0, 1, 2], [10, 10, 5])
    production = labels.copy()
    production[10:13] = 0
    challenger = labels.copy()
    challenger[:7] = 1
    a, b, c = class_losses(challenger, production, labels, ("a", "b", "c"))
    assert (a.rows, a.gained, a.lost, a.p_worse) == (10, 0, 7, pytest.approx(3 / 128))
    assert (b.gained, b.lost, b.p_worse) == (3, 0, 1.0)
    assert (c.gained, c.lost, c.p_worse) == (0, 0, 1.0)
    assert (a.drop, b.drop, c.drop) == (0.7, -0.3, 0.0)


def test_losses_are_logarithms_and_have_a_ceiling() -> None:
    probabilities = np.array([[0.5, 0.5], [0.2, 0.8], [1.0, 0.0]])
    found = row_losses(probabilities, np.array([0, 1, 1]))
    assert found == pytest.approx([math.log(2), -math.log(0.8), 6 * math.log(10)])


def test_bounds_of_normal_differences_are_students() -> None:
    rng = np.random.default_rng(3)
    difference = rng.normal(0.1, 1, 5_000)
    found = loss_bounds(difference, np.zeros(5_000), 0.01, seed=1)
    expected = stats.ttest_1samp(difference, 0).confidence_interval(0.98)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert found.value == pytest.approx(difference.mean())


def test_of_few_skewed_differences_the_outer_bounds_count() -> None:
    difference = np.random.default_rng(3).exponential(1, 60)
    found = loss_bounds(difference, np.zeros(60), 0.025, seed=1)
    student = stats.ttest_1samp(difference, 0).confidence_interval(0.95)
    bootstrap = stats.bootstrap(
        (difference,), np.mean, n_resamples=9_999, rng=np.random.default_rng(1)
    ).confidence_interval
    assert bootstrap.high > student.high > student.low
    assert found.low == pytest.approx(min(student.low, bootstrap.low))
    assert found.high == pytest.approx(bootstrap.high)


def test_the_same_seed_gives_the_same_bounds_to_the_bit() -> None:
    losses = np.random.default_rng(0).exponential(1, (2, 80))
    losses[0] **= 3
    assert loss_bounds(*losses, 0.03, seed=5) == loss_bounds(*losses, 0.03, seed=5)
    assert loss_bounds(*losses, 0.03, seed=5) != loss_bounds(*losses, 0.03, seed=6)


def test_what_cannot_be_bounded_is_not() -> None:
    one = loss_bounds(np.array([0.3]), np.array([0.1]), 0.05, seed=0)
    assert (one.low, one.high) == (-math.inf, math.inf)
    same = loss_bounds(np.full(40, 0.3), np.full(40, 0.3), 0.05, seed=0)
    assert (same.low, same.value, same.high) == (0, 0, 0)
