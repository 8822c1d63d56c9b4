"""Bounds for dependent rows, beside calculations by hand, other libraries and simulated truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ffn.auditing.optimism import measure_optimism
from ffn.evaluation.inference.statistics import resampled_mean


def test_with_one_row_a_cluster_it_is_the_interval_of_a_mean() -> None:
    values = np.random.default_rng(1).normal(size=40)
    found = measure_optimism(values, np.arange(40), np.full(5, values.mean()), 0.25, 0.01)
    low, high = stats.t.interval(0.95, 39, values.mean(), stats.sem(values))
    assert (found.low, found.high) == pytest.approx((low, high))
    assert found.bound == pytest.approx(values.mean() + stats.t.ppf(0.01, 39) * stats.sem(values))


def test_equal_clusters_count_as_their_means() -> None:
    means = np.random.default_rng(2).normal(size=12)
    found = measure_optimism(
        np.repeat(means, 7), np.repeat(np.arange(12), 7), np.full(5, means.mean()), 0.25, 0.05
    )
    low, high = stats.t.interval(0.95, 11, means.mean(), stats.sem(means))
    assert (found.value, found.low, found.high) == pytest.approx((means.mean(), low, high))


def test_unequal_clusters_by_hand() -> None:
    """Sums 3, 0 and 0 of 1, 2 and 3 rows: mean 1/2, residuals 2.5, -1, -1.5, so 9.5 * 3/2 / 36."""
    found = measure_optimism(
        np.array([3.0, 0, 0, 0, 0, 0]), np.array([7, 8, 8, 9, 9, 9]), np.full(5, 0.5), 0.25, 0.05
    )
    half = stats.t.ppf(0.975, 2) * np.sqrt(9.5 * 1.5 / 36)
    assert (found.value, found.high - found.value) == pytest.approx((0.5, half))


def test_the_luck_of_networks_is_that_of_the_corrected_t() -> None:
    by_network = np.array([0.6, 0.0, 0.0, 0.0, 0.1])
    found = measure_optimism(np.full(50, 0.14), np.arange(50), by_network, 0.25, 0.05)
    expected = resampled_mean(by_network, 0.25)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


@given(st.lists(st.floats(-1, 1), min_size=3, max_size=30), st.floats(0.001, 0.2))
def test_a_stricter_level_never_raises_the_bound(values, alpha) -> None:
    rows = np.array(values)
    networks = rows[:3] if len(rows) < 5 else rows[:5]
    strict, lax = (
        measure_optimism(rows, np.arange(len(rows)), networks, 0.25, level).bound
        for level in (alpha / 2, alpha)
    )
    assert strict <= lax <= rows.mean() + 1e-12


def test_clusters_that_are_alike_keep_the_level() -> None:
    """Of 400 tables without any difference, about 2.5 % are above a bound at 0.025."""
    generator, above = np.random.default_rng(3), 0
    for _ in range(400):
        clusters = np.repeat(np.arange(30), 10)
        values = generator.normal(size=30)[clusters] + generator.normal(size=300)
        by_network = values.reshape(5, -1).mean(axis=1)
        above += measure_optimism(values, clusters, by_network, 0.25, 0.025).bound > 0
    assert above / 400 <= 0.04
