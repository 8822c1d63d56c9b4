"""Paired test of a metric that is a sum over rows, with class sizes as they are."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from ffn.evaluation.inference.class_wise_gain import class_wise_gain


def test_of_one_class_it_is_students_t() -> None:
    gains = np.random.default_rng(1).normal(0.3, 1.0, size=40) / 40
    found = class_wise_gain(gains, np.zeros(40, dtype=int), None, 0.05)
    test = stats.ttest_1samp(gains * 40, 0, alternative="greater")
    interval = test.confidence_interval(0.95)
    assert found.value == pytest.approx(gains.sum())
    assert found.p_value == pytest.approx(test.pvalue)
    assert found.low == pytest.approx(interval.low)


def test_of_two_classes_it_is_welchs_t_of_the_sum_of_their_means() -> None:
    """The sum of two means is the difference of the first and the second with another sign."""
    generator = np.random.default_rng(2)
    one, other = generator.normal(0.1, 1, 12), generator.normal(0.2, 0.3, 50)
    gains = np.concatenate([one / 12, other / 50])
    found = class_wise_gain(gains, np.repeat([0, 1], [12, 50]), None, 0.025)
    test = stats.ttest_ind(one, -other, equal_var=False, alternative="greater")
    two_sided = stats.ttest_ind(one, -other, equal_var=False).confidence_interval(0.95)
    assert found.p_value == pytest.approx(test.pvalue)
    assert (found.low, found.high) == pytest.approx((two_sided.low, two_sided.high))


@pytest.mark.parametrize(("gained", "lost"), [(3, 0), (8, 2), (5, 5)])
def test_where_labels_decide_it_is_at_least_the_exact_test_of_mcnemar(
    gained: int, lost: int
) -> None:
    gains = np.zeros(200)
    gains[:gained], gains[gained : gained + lost] = 1 / 200, -1 / 200
    found = class_wise_gain(gains, np.zeros(200, dtype=int), np.array([-1 / 200]), 0.05)
    exact = stats.binomtest(gained, gained + lost, alternative="greater").pvalue
    by_t = stats.ttest_1samp(gains, 0, alternative="greater").pvalue
    assert found.p_value == pytest.approx(max(exact, by_t))


def test_where_no_label_changes_few_rows_show_little() -> None:
    """With one more row that is lost: mean -1/21 of the class, variance 1/21 of the mean's."""
    labels = np.repeat([0, 1], [400, 20])
    share = np.array([1 / 800, 1 / 40])
    found = class_wise_gain(np.zeros(420), labels, -share, 0.05)
    assert (found.value, found.high, found.p_value) == (0, 0, 1)
    expected = 0.0
    for rows in (400, 20):
        values = np.r_[np.zeros(rows), -0.5]
        expected += values.mean()
    variances = [np.var(np.r_[np.zeros(m), -0.5], ddof=1) / (m + 1) for m in (400, 20)]
    freedom = sum(variances) ** 2 / sum(v**2 / m for v, m in zip(variances, (400, 20), strict=True))
    expected -= stats.t.isf(0.05, freedom) * np.sqrt(sum(variances))
    assert found.low == pytest.approx(expected)
    # Ten times as many rows show ten times as much.
    more = class_wise_gain(np.zeros(4_200), np.repeat([0, 1], [4_000, 200]), -share / 10, 0.05)
    assert found.low < 8 * more.low


def test_scores_that_never_differ_are_bounded_by_the_rarest_class() -> None:
    """The largest share of rows of which 20 all miss with a probability of 0.05."""
    found = class_wise_gain(np.zeros(120), np.repeat([0, 1], [100, 20]), None, 0.05)
    assert found.low == pytest.approx(-stats.beta.isf(0.05, 1, 20))


def test_groups_of_one_row_are_rows() -> None:
    gains = np.random.default_rng(3).normal(0.1, 1, 60) / 60
    labels = np.repeat([0, 1], [40, 20])
    alone = class_wise_gain(gains, labels, None, 0.05)
    grouped = class_wise_gain(gains, labels, None, 0.05, np.arange(60))
    assert grouped.low == pytest.approx(alone.low, rel=0.03)
    assert grouped.p_value == pytest.approx(alone.p_value, rel=0.03)


def test_rows_that_are_copied_add_nothing_in_groups() -> None:
    gains = np.random.default_rng(4).normal(0.1, 1, 60) / 60
    labels = np.repeat([0, 1], [40, 20])
    alone = class_wise_gain(gains, labels, None, 0.05)
    copied = class_wise_gain(
        np.repeat(gains / 5, 5), np.repeat(labels, 5), None, 0.05, np.repeat(np.arange(60), 5)
    )
    assert copied.low == pytest.approx(alone.low, rel=0.03)
    assert copied.p_value == pytest.approx(alone.p_value, rel=0.05)


@pytest.mark.parametrize("groups", [None, np.zeros(5, dtype=int)])
def test_a_class_of_one_row_or_a_single_group_shows_nothing(groups: np.ndarray | None) -> None:
    labels = np.array([0, 0, 0, 0, 1]) if groups is None else np.zeros(5, dtype=int)
    found = class_wise_gain(np.full(5, 0.1), labels, None, 0.05, groups)
    assert (found.p_value, found.low, found.high) == (1.0, -np.inf, np.inf)
