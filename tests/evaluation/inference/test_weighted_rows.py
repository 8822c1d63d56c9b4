"""Weighted means, shares and comparisons: identities, the jackknife written out, and coverage."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import special, stats

from ffn.evaluation.inference.grouped_classes import grouped_class_losses
from ffn.evaluation.inference.grouped_labels import (
    count_grouped_labels,
    grouped_accuracy_bound,
    grouped_p_not_worse,
)
from ffn.evaluation.inference.groups_of_rows import (
    mean_of_rows,
    units_of,
    values_of_groups,
    weighted_share,
)
from ffn.evaluation.inference.paired_losses import loss_bounds
from ffn.evaluation.inference.shares import share_of_rows
from ffn.evaluation.inference.statistics import wilson

WEIGHTED = st.integers(4, 25).flatmap(
    lambda n: st.tuples(
        st.lists(st.floats(-5, 5), min_size=n, max_size=n),
        st.lists(st.floats(0.1, 10), min_size=n, max_size=n),
        st.lists(st.integers(0, 3), min_size=n, max_size=n),
    )
)


def jackknife(values: np.ndarray, weights: np.ndarray, groups: np.ndarray) -> float:
    """Standard error of a weighted mean by leaving out one group after another."""
    left = [
        np.average(values[groups != g], weights=weights[groups != g]) for g in np.unique(groups)
    ]
    g = len(left)
    return float(np.sqrt((g - 1) / g * np.square(np.array(left) - np.mean(left)).sum()))


@given(WEIGHTED)
def test_the_error_of_a_weighted_mean_is_the_jackknife_s(drawn) -> None:
    values, weights, groups = map(np.array, drawn)
    each = np.arange(len(values))
    for own, labels in ((None, each), (groups, groups)):
        if len(np.unique(labels)) < 2:
            continue
        mean, error, count = mean_of_rows(values, own, weights)
        assert mean == pytest.approx(np.average(values, weights=weights), abs=1e-12)
        assert error == pytest.approx(jackknife(values, weights, labels), rel=1e-6, abs=1e-9)
        assert count == len(np.unique(labels))


@given(WEIGHTED)
def test_equal_weights_change_nothing(drawn) -> None:
    values, _, groups = map(np.array, drawn)
    equal = np.full(len(values), 0.3)
    assert_allclose(values_of_groups(values, None, equal), values, atol=1e-9)
    if len(np.unique(groups)) > 1:
        assert_allclose(
            values_of_groups(values, groups, equal), values_of_groups(values, groups), atol=1e-9
        )


def test_with_many_rows_it_is_the_linearised_variance() -> None:
    """n / (n - 1) times the sum of (w (y - mean) / sum w)²: Cochran 1977."""
    rng = np.random.default_rng(0)
    values, weights = rng.exponential(size=4_000), rng.lognormal(size=4_000)
    mean, error, n = mean_of_rows(values, None, weights)
    residuals = weights * (values - mean) / weights.sum()
    assert error == pytest.approx(np.sqrt(n / (n - 1) * (residuals**2).sum()), rel=0.01)


def test_a_weighted_share_has_wilson_s_interval_at_its_effective_rows() -> None:
    """Both bounds solve (share - p)² = q² p (1 - p) / rows, with 21 rows for 22 equal weights."""
    right = np.arange(22) < 15
    found = weighted_share(right, None, np.full(22, 2.5))
    q = stats.t.isf(0.025, 21)
    # The unbiased variance of a share is that of 21 rows.
    for p in (found.low, found.high):
        assert (15 / 22 - p) ** 2 == pytest.approx(q**2 * p * (1 - p) / 21)
    assert found.value == pytest.approx(15 / 22)


def test_without_a_mistake_the_effective_rows_of_the_weights_count() -> None:
    weights = np.array([1.0] * 10 + [10.0])
    # (10 + 10)² / (10 + 100) rows.
    rows = 400 / 110
    q = stats.t.isf(0.025, rows - 1)
    found = weighted_share(np.ones(11, dtype=bool), None, weights)
    assert found.value == found.high == 1
    assert found.low == pytest.approx(1 / (1 + q**2 / rows))
    assert units_of(np.arange(11) // 10, weights) == pytest.approx(2)
    assert share_of_rows(np.ones(0, dtype=bool), None, np.ones(0)).low == 0


def test_one_row_that_outweighs_all_others_says_next_to_nothing() -> None:
    weights = np.append(np.full(1_000, 1e-6), 1.0)
    found = weighted_share(np.arange(1_001) % 2 == 0, None, weights)
    assert found.value == pytest.approx(1, abs=1e-3)
    assert found.low < 0.05


def test_intervals_of_weighted_shares_hold_the_truth() -> None:
    """Of 500 samples whose heavy rows are the easier ones; those of equal rows miss it."""
    rng = np.random.default_rng(1)
    held = naive = 0
    # The weighted share in the limit: E[w p] / E[w], by quadrature over the weights.
    z = special.ndtri((np.arange(200_000) + 0.5) / 200_000)
    w, p = np.exp(0.8 * z), special.expit(0.5 + 0.8 * z)
    truth = (w * p).mean() / w.mean()
    for _ in range(500):
        z = rng.normal(size=150)
        right = rng.random(150) < special.expit(0.5 + 0.8 * z)
        found = weighted_share(right, None, np.exp(0.8 * z))
        equal = wilson(int(right.sum()), 150)
        held += found.low <= truth <= found.high
        naive += equal.low <= truth <= equal.high
    assert stats.binomtest(held, 500, 0.94, alternative="less").pvalue > 0.001
    assert naive < 250


def test_bounds_of_weighted_losses_are_about_the_weighted_mean() -> None:
    rng = np.random.default_rng(2)
    ours, other, weights = rng.random(80), rng.random(80), rng.integers(1, 5, 80)
    found = loss_bounds(ours, other, 0.025, 0, None, weights)
    assert found.value == pytest.approx(np.average(ours - other, weights=weights))
    half = stats.t.isf(0.025, 79) * jackknife(ours - other, weights, np.arange(80))
    assert found.low <= found.value - half * (1 - 1e-9)
    assert found.high >= found.value + half * (1 - 1e-9)
    assert found.high - found.low < 3 * half


def labels_of(rng: np.random.Generator, n: int, worse: float) -> tuple[np.ndarray, ...]:
    """Two models whose mistakes are independent, the first wrong more often by ``worse``."""
    labels = rng.integers(2, size=n)
    first = labels ^ (rng.random(n) < 0.2 + worse)
    second = labels ^ (rng.random(n) < 0.2)
    return first, second, labels, rng.lognormal(0, 0.8, n)


def test_labels_are_counted_by_weight() -> None:
    labels = np.zeros(4, dtype=int)
    first, second = np.array([0, 1, 0, 0]), np.array([1, 0, 0, 1])
    found = count_grouped_labels(first, second, labels, None, np.array([1.0, 2.0, 3.0, 4.0]))
    # Gained rows weigh 5, the lost one 2, of 10.
    assert found.difference == pytest.approx(0.3)
    assert (found.counts.gained, found.counts.lost) == (2, 1)
    assert_allclose(found.net, [1, -2, 0, 4])
    drop = grouped_class_losses(
        first, second, labels, ("a", "b"), None, np.array([1.0, 2.0, 3.0, 4.0])
    )
    assert drop[0].drop == pytest.approx(-0.3)
    assert (drop[1].rows, drop[1].p_worse) == (0, 1.0)


@pytest.mark.parametrize(("mode", "worse"), [("better", 0.0), ("not_worse", 0.05)])
def test_weighted_tests_keep_their_level(mode: str, worse: float) -> None:
    rng = np.random.default_rng(4)
    rejected = 0
    for _ in range(150):
        *both, weights = labels_of(rng, 150, worse)
        found = count_grouped_labels(*both, None, weights)
        p = found.p_better if mode == "better" else grouped_p_not_worse(found, worse, 0.05)
        rejected += p <= 0.05
    assert stats.binomtest(rejected, 150, 0.05, alternative="greater").pvalue > 0.001


def test_weighted_tests_find_what_is_there() -> None:
    rng = np.random.default_rng(5)
    first, second, labels, weights = labels_of(rng, 600, -0.12)
    found = count_grouped_labels(first, second, labels, None, weights)
    assert found.p_better < 0.01
    assert found.p_two_sided <= 2 * found.p_better + 1e-12
    assert grouped_p_not_worse(found, 0.02, 0.05) < 0.01
    assert grouped_accuracy_bound(found, 0.05) < 0.02
    # The other way round, nothing.
    back = count_grouped_labels(second, first, labels, None, weights)
    assert back.p_better > 0.9
    assert grouped_p_not_worse(back, 0.02, 0.05) > 0.5


def test_a_heavy_row_alone_promotes_nothing() -> None:
    """The challenger gains the one row that weighs as much as all others together."""
    labels = np.zeros(101, dtype=int)
    production = np.append(np.zeros(100, dtype=int), 1)
    found = count_grouped_labels(labels, production, labels, None, np.append(np.ones(100), 100.0))
    assert found.difference == pytest.approx(0.5)
    assert found.p_better > 0.2
