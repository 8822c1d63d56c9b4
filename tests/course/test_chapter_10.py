"""Answers to the exercises of chapter 10."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from examples.course.flowers import iris, scaled
from ffn.nn import reference


def test_1_the_best_of_600_guessing_networks_names_nearly_two_thirds() -> None:
    random = np.random.default_rng(0)
    best = random.binomial(30, 1 / 3, size=(2000, 600)).max(axis=1)
    # E[max] = sum over k of P(max > k), and P(max <= k) = P(one <= k) ** 600.
    expected = (1 - stats.binom.cdf(np.arange(30), 30, 1 / 3) ** 600).sum()
    assert best.mean() == pytest.approx(expected, abs=4 * best.std() / np.sqrt(2000))
    assert 0.55 < expected / 30 < 0.65


def test_2_raw_flowers_are_larger_than_any_scaled_one_and_so_are_their_scores() -> None:
    flowers, labels = iris()
    x = scaled(flowers)
    random = np.random.default_rng(0)
    network = reference.initialise((4, 16, 4, 3), random)
    orders = [random.permutation(150) for _ in range(100)]
    reference.train(network, reference.adam, 0.005, x, labels, orders, 32)
    assert np.median(np.linalg.norm(flowers, axis=1)) > np.linalg.norm(x, axis=1).max()
    raw, right = (reference.forward(network, inputs)[-1] for inputs in (flowers, x))
    assert np.ptp(raw, axis=1).mean() > 2 * np.ptp(right, axis=1).mean()
    confidence = np.exp(reference.log_softmax(raw)).max(axis=1).mean()
    accuracy = (raw.argmax(axis=1) == labels).mean()
    assert confidence > accuracy + 0.3


def test_3_of_30_rows_28_right_leave_much_room() -> None:
    interval = stats.binomtest(28, 30).proportion_ci(confidence_level=95 / 100, method="wilson")
    assert interval.low == pytest.approx(0.787, abs=5e-4)
    assert interval.high == pytest.approx(0.982, abs=5e-4)
    # The roots of (s - p)^2 = z^2 p (1 - p) / n, which is where Wilson's interval ends.
    for p in interval:
        assert (28 / 30 - p) ** 2 == pytest.approx(1.959964**2 * p * (1 - p) / 30, rel=1e-5)
