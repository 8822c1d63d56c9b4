"""Estimates with groups: identities with independent rows, hand calculations, and coverage."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import stats

from ffn.evaluation.calibration import measure_calibration
from ffn.evaluation.inference.differences import accuracy_difference
from ffn.evaluation.inference.grouped_classes import grouped_class_losses
from ffn.evaluation.inference.grouped_labels import (
    count_grouped_labels,
    grouped_accuracy_bound,
    grouped_p_not_worse,
    sign_flip_p,
)
from ffn.evaluation.inference.groups_of_rows import (
    design_effect,
    grouped_share,
    mean_of_rows,
    values_of_groups,
)
from ffn.evaluation.inference.paired import LabelCounts, class_losses, p_not_worse
from ffn.evaluation.metrics import evaluate_probabilities

NETS = st.lists(st.integers(-6, 6), min_size=1, max_size=11)


def test_equal_groups_have_the_values_of_their_means() -> None:
    values = np.array([1.0, 3, 2, 2, 10, 0])
    assert_allclose(values_of_groups(values, np.array([7, 7, 1, 1, 4, 4])), [2, 5, 2])


def test_the_error_is_that_of_the_delete_one_group_jackknife() -> None:
    generator = np.random.default_rng(0)
    groups = np.repeat(np.arange(9), generator.integers(1, 12, 9))
    values = generator.normal(size=len(groups)) + groups
    left_out = np.array([values[groups != g].mean() for g in range(9)])
    expected = np.sqrt(8 / 9 * np.square(left_out - left_out.mean()).sum())
    mean, error, count = mean_of_rows(values, groups)
    assert (mean, count) == (pytest.approx(values.mean()), 9)
    assert error == pytest.approx(expected)
    own = values_of_groups(values, groups)
    assert own.mean() == pytest.approx(values.mean())


def test_one_row_a_group_is_the_usual_mean() -> None:
    values = np.random.default_rng(1).exponential(size=40)
    assert values_of_groups(values, np.arange(40)[::-1]) is values
    assert mean_of_rows(values, np.arange(40))[1] == pytest.approx(stats.sem(values))
    assert design_effect(values, np.arange(40)) == pytest.approx(1)


def test_a_design_effect_is_the_size_of_groups_whose_rows_are_equal() -> None:
    values = np.repeat(np.random.default_rng(2).normal(size=400), 5)
    # Of equal rows five count as one; the variances have 399 and 1,999 degrees of freedom.
    assert design_effect(values, np.repeat(np.arange(400), 5)) == pytest.approx(
        5 * 1999 / 1995, rel=1e-6
    )
    assert design_effect(np.ones(30), np.repeat(np.arange(6), 5)) == 5


def test_a_share_without_a_mistake_has_as_many_rows_as_groups() -> None:
    found = grouped_share(np.ones(600, dtype=bool), np.repeat(np.arange(30), 20))
    q2 = stats.t.ppf(0.975, 29) ** 2
    assert (found.value, found.high) == (1, 1)
    assert found.low == pytest.approx(30 / (30 + q2)), "Wilson's lower bound at a share of 1"


def test_a_share_of_few_groups_is_unknown() -> None:
    one = grouped_share(np.array([True, False, True]), np.zeros(3))
    assert (one.low, one.high) == (0, 1)
    none = grouped_share(np.zeros(0, dtype=bool), np.zeros(0))
    assert np.isnan(none.value)
    assert (none.low, none.high) == (0, 1)


def test_intervals_of_shares_cover_the_truth_where_those_of_rows_do_not() -> None:
    """40 groups of 15 rows, right with probabilities that differ from group to group."""
    generator = np.random.default_rng(3)
    groups, covered, by_rows = np.repeat(np.arange(40), 15), 0, 0
    for _ in range(400):
        right = generator.random(600) < generator.beta(1.5, 0.5, 40)[groups]
        found = grouped_share(right, groups)
        covered += found.low <= 0.75 <= found.high
        plain = stats.binomtest(int(right.sum()), 600).proportion_ci(method="wilson")
        by_rows += plain.low <= 0.75 <= plain.high
    assert covered >= 372, "93 % of 400, where 95 % is claimed"
    assert by_rows < 280


@given(NETS)
def test_sign_flips_are_counted_exactly(net: list[int]) -> None:
    signs = itertools.product([-1, 1], repeat=len(net))
    sizes = np.abs(net)
    expected = np.mean([np.dot(sign, sizes) >= sum(net) for sign in signs])
    assert sign_flip_p(np.array(net)) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("gained", "lost"), [(0, 0), (9, 1), (40, 22), (3, 3), (900, 700)])
def test_with_one_row_a_group_sign_flips_are_mcnemars_exact_test(gained: int, lost: int) -> None:
    net = np.r_[np.ones(gained), -np.ones(lost), np.zeros(50)].astype(int)
    expected = stats.binomtest(gained, gained + lost, alternative="greater").pvalue if gained else 1
    assert sign_flip_p(net) == pytest.approx(expected, rel=1e-9)


def test_copies_of_rows_are_no_evidence() -> None:
    """Every row twenty times, in a group of its own: p-values and bounds hardly move."""
    generator = np.random.default_rng(4)
    labels = np.zeros(200, dtype=int)
    challenger, production = (generator.random((2, 200)) < [[0.08], [0.12]]).astype(int)
    times = 20
    once = count_grouped_labels(challenger, production, labels, np.arange(200))
    many = count_grouped_labels(
        *(np.repeat(each, times) for each in (challenger, production, labels, np.arange(200)))
    )
    assert many.counts.gained == times * once.counts.gained
    assert many.p_better == pytest.approx(once.p_better, rel=1e-9)
    assert many.error == pytest.approx(once.error)
    for found, close in (
        (grouped_p_not_worse(many, 0.02, 0.03), grouped_p_not_worse(once, 0.02, 0.03)),
        (grouped_accuracy_bound(many, 0.03), grouped_accuracy_bound(once, 0.03)),
    ):
        assert found == pytest.approx(close, abs=0.02)


def test_no_change_at_all_is_judged_by_the_number_of_groups() -> None:
    labels = np.zeros(3_000, dtype=int)
    few = count_grouped_labels(labels, labels, labels, np.repeat(np.arange(10), 300))
    many = count_grouped_labels(labels, labels, labels, np.arange(3_000))
    assert grouped_p_not_worse(few, 0.02, 0.05) == pytest.approx(
        p_not_worse(few.effective, 0.02, 0.05)
    )
    assert few.effective.rows == 10
    assert grouped_p_not_worse(few, 0.02, 0.05) > 0.5
    assert grouped_p_not_worse(many, 0.02, 0.05) < 0.0011


def test_the_interval_of_no_change_is_that_of_so_many_groups() -> None:
    labels = np.zeros(600, dtype=int)
    found = count_grouped_labels(labels, labels, labels, np.repeat(np.arange(30), 20))
    expected = accuracy_difference(LabelCounts(rows=30, gained=0, lost=0, production_wrong=0))
    assert found.interval(accuracy_difference) == expected
    assert expected.high > 0.1


def test_classes_are_tested_by_group() -> None:
    labels = np.repeat([0, 1], 100)
    production, challenger = labels.copy(), labels.copy()
    challenger[:12] = 1
    groups = np.r_[np.zeros(12), np.arange(1, 189)]
    by_group = grouped_class_losses(challenger, production, labels, ("a", "b"), groups)
    by_row = class_losses(challenger, production, labels, ("a", "b"))
    assert [(one.gained, one.lost) for one in by_group] == [(0, 12), (0, 0)]
    # One group lost labels: one coin. Twelve rows: twelve coins. Holm doubles the smaller.
    assert by_group[0].p_worse == pytest.approx(2 * 0.5)
    assert by_row[0].p_worse == pytest.approx(2 * 0.5**12)


def probabilities(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    own = generator.beta(4, 2, n)
    labels = (generator.random(n) < own).astype(int)
    return np.stack([1 - own, own], axis=1), labels


def test_figures_with_one_row_a_group_are_those_without_groups() -> None:
    own, labels = probabilities(300, 5)
    plain = evaluate_probabilities(own, labels, ("a", "b"), 0, usual=1)
    grouped = evaluate_probabilities(own, labels, ("a", "b"), 0, usual=1, groups=np.arange(300))
    assert (plain.groups, grouped.groups) == (0, 300)
    assert (plain.judges, grouped.judges) == (
        "300 held-out rows",
        "300 held-out rows of 300 groups",
    )
    assert (grouped.log_loss, grouped.brier) == (plain.log_loss, plain.brier)
    # Student's quantile in place of the normal one.
    for found, before in ((grouped.accuracy, plain.accuracy), (grouped.baseline, plain.baseline)):
        assert found.value == before.value
        assert found.low == pytest.approx(before.low, abs=0.001)
        assert found.high == pytest.approx(before.high, abs=0.001)
    assert grouped.macro_f1.low <= plain.macro_f1.low
    assert grouped.macro_f1.high >= plain.macro_f1.high
    assert grouped.macro_f1.high - grouped.macro_f1.low < 1.1 * (
        plain.macro_f1.high - plain.macro_f1.low
    )


def test_a_calibrated_model_is_not_accused_because_of_groups() -> None:
    """Forty groups, of which all rows are right or wrong together, with the stated probability."""
    generator, accused = np.random.default_rng(6), {True: 0, False: 0}
    groups = np.repeat(np.arange(40), 15)
    for seed in range(60):
        own = generator.beta(6, 2, 40).clip(0.5)
        labels = (generator.random(40) < own).astype(int)[groups]
        answers = np.stack([1 - own, own], axis=1)[groups]
        for told in accused:
            found = measure_calibration(answers, labels, seed, groups if told else None)
            accused[told] += found.shown_wrong
    assert accused[True] <= 8, "about a twentieth of 60"
    assert accused[False] > 30
