"""Bounds for one model beside several: by hand, by enumeration, and their level under equality."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from ffn.evaluation.inference.simultaneous_losses import simultaneous_bounds, unseen_row_bound

ALPHA = 0.05


def two(right: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Probabilities [n, 2] that give the true label so much."""
    answers = np.empty((len(labels), 2))
    answers[np.arange(len(labels)), labels] = right
    answers[np.arange(len(labels)), 1 - labels] = 1 - right
    return answers


@pytest.mark.parametrize("n", [1, 2, 5, 40])
def test_the_bound_of_equal_values_is_known(n: int) -> None:
    """The weight of the unseen value is Beta(1, n): above 1 - a^(1/n) with probability a."""
    expected = 0.7 - (1 - ALPHA ** (1 / n)) * (0.7 + 2)
    assert unseen_row_bound(np.full(n, 0.7), -2.0, ALPHA, seed=1) == pytest.approx(
        expected, abs=0.03
    )


@pytest.mark.parametrize("n", [10, 30, 100])
@pytest.mark.parametrize("share", [0.02, 0.05, 0.2])
def test_rows_that_are_not_in_the_sample_are_reckoned_with(n: int, share: float) -> None:
    """A mean of zero: mostly a little above, rarely far below. All samples are gone through."""
    above = 0.1
    below = -above * (1 - share) / share
    shown_by = {"support": 0.0, "t": 0.0}
    for rare in range(n + 1):
        values = np.array([below] * rare + [above] * (n - rare))
        chance = stats.binom.pmf(rare, n, share)
        spread = values.std(ddof=1) / np.sqrt(n)
        student = values.mean() - stats.t.isf(ALPHA, n - 1) * spread
        shown_by["t"] += chance * (student > 0)
        shown_by["support"] += chance * (unseen_row_bound(values, below, ALPHA, seed=3) > 0)
    assert shown_by["support"] <= ALPHA
    if n * share <= 3:
        assert shown_by["t"] > 0.04


def test_the_bounds_of_a_hand_calculated_difference() -> None:
    """The network halves its belief; the other gives 0.8 to the label on 32 of 40 rows."""
    labels = np.arange(40) % 2
    right = np.where(np.arange(40) < 32, 0.8, 0.2)
    ours, other = two(np.full(40, 0.5), labels), two(right, labels)
    (found,) = simultaneous_bounds(ours, [other], labels, ALPHA, seed=0)
    # Of each row log(0.8 / 0.5) = 0.4700 or log(0.2 / 0.5) = -0.9163; their mean is 0.8 * 0.4700
    # - 0.2 * 0.9163 = 0.1927, their standard deviation 1.3863 * sqrt(0.16 * 40 / 39) = 0.5616.
    assert found.value == pytest.approx(0.1927, abs=1e-4)
    # Student's t with 39 degrees of freedom: 0.1927 -+ 1.6849 * 0.5616 / sqrt(40).
    assert found.low <= 0.1927 - 0.1496 + 1e-4
    assert found.high >= 0.1927 + 0.1496 - 1e-4
    # With the label that the other model gives 0.2, every row has log(0.2 / 0.5).
    lowest = unseen_row_bound(np.log(right / 0.5), float(np.log(0.4)), ALPHA, seed=0)
    assert found.low <= lowest
    assert found.low > -0.1


def test_the_unseen_row_has_the_worst_label_of_each_row_in_the_mean() -> None:
    """All labels happen to be the other model's own."""
    labels = np.zeros(25, dtype=int)
    ours = np.tile([0.5, 0.3, 0.2], (25, 1))
    other = np.tile([0.9, 0.099, 0.001], (25, 1))
    other[0] = [0.85, 0.05, 0.1]
    (found,) = simultaneous_bounds(ours, [other], labels, ALPHA, seed=0)
    unseen = (24 * np.log(0.001 / 0.2) + np.log(0.05 / 0.3)) / 25
    mean = (24 * np.log(0.9 / 0.5) + np.log(0.85 / 0.5)) / 25
    assert found.value == pytest.approx(mean)
    # As for equal values, which these nearly are.
    expected = mean - (1 - ALPHA ** (1 / 25)) * (mean - unseen)
    assert found.low == pytest.approx(expected, abs=0.03)
    # Student's t and the bootstrap see next to no variance.
    assert found.low < mean - 0.15


def test_several_models_share_the_level_and_many_rows_need_no_resamples() -> None:
    rng = np.random.default_rng(5)
    labels = rng.integers(2, size=2_400)
    ours = two(rng.uniform(0.3, 0.9, 2_400), labels)
    others = [two(rng.uniform(0.3, 0.9, 2_400), labels) for _ in range(3)]
    found = simultaneous_bounds(ours, others, labels, ALPHA, seed=0)
    own = np.arange(2_400), labels
    for bounds, other in zip(found, others, strict=True):
        test = stats.ttest_rel(-np.log(ours[own]), -np.log(other[own]))
        interval = test.confidence_interval(1 - 2 * ALPHA / 3)
        assert (bounds.low, bounds.high) == pytest.approx((interval.low, interval.high))
        assert bounds.alpha == ALPHA / 3


def test_one_row_shows_nothing() -> None:
    ours, other = np.array([[0.1, 0.9]]), np.array([[0.9, 0.1]])
    (found,) = simultaneous_bounds(ours, [other], np.array([0]), ALPHA, seed=0)
    assert (found.low, found.high) == (-np.inf, np.inf)
    assert found.value == pytest.approx(np.log(9))


def test_of_equally_good_models_one_is_rarely_shown_to_be_better() -> None:
    """Exchangeable, so equal in truth. The whole level for each of three would err in a tenth."""
    rng = np.random.default_rng(0)
    runs, rows, wrong = 600, 2_100, 0
    for seed in range(runs):
        truth = rng.uniform(0.1, 0.9, rows)
        labels = (rng.random(rows) < truth).astype(int)
        models = []
        for _ in range(4):
            logit = np.log(truth / (1 - truth)) + rng.normal(0, 1, rows)
            p = 1 / (1 + np.exp(-logit))
            models.append(np.stack([1 - p, p], axis=1))
        found = simultaneous_bounds(models[0], models[1:], labels, ALPHA, seed)
        wrong += any(bounds.low > 0 for bounds in found)
    assert 0 < wrong <= stats.binom.isf(0.001, runs, ALPHA)
