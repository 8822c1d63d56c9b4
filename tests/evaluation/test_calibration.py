"""The expected calibration error by hand, and what chance makes of it by another road."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from ffn.evaluation.calibration import measure_calibration


def error(probabilities: np.ndarray, labels: np.ndarray) -> float:
    return measure_calibration(probabilities, labels, seed=0).error


def two_classes(confidence: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows answered with class 0 at these confidences, and labels that make them right or not."""
    return np.stack((confidence, 1 - confidence), axis=1), np.where(right, 0, 1)


def test_calibration_error_by_hand() -> None:
    """Confidence 0.9 ten times, 8 right: gap 0.1; 0.6 ten times, 9 right: gap 0.3."""
    probabilities = np.repeat([[0.9, 0.1], [0.6, 0.4]], 10, axis=0)
    labels = np.array([0] * 8 + [1] * 2 + [0] * 9 + [1])
    assert error(probabilities, labels) == pytest.approx((10 * 0.1 + 10 * 0.3) / 20)


def test_confidences_of_one_bin_balance_each_other() -> None:
    """0.81 and 0.85 lie in the bin (0.8, 13/15]: of two rows one right, so 0.83 - 0.5."""
    probabilities = np.array([[0.81, 0.19], [0.85, 0.15]])
    assert error(probabilities, np.array([0, 1])) == pytest.approx(0.33)


def test_certainty_that_is_right_is_calibrated() -> None:
    assert error(np.eye(3), np.arange(3)) == 0
    assert error(np.eye(3), np.array([1, 2, 0])) == 1


def test_bins_hold_what_lies_in_them() -> None:
    confidence = np.array([0.55, 0.59, 0.81, 0.99, 1.0])
    probabilities, labels = two_classes(confidence, np.array([True, False, True, True, True]))
    bins = measure_calibration(probabilities, labels, seed=0).bins
    assert [(round(15 * one.low), one.rows) for one in bins] == [(8, 2), (12, 1), (14, 2)]
    assert [one.confidence for one in bins] == pytest.approx([0.57, 0.81, 0.995])
    assert [one.accuracy.value for one in bins] == [0.5, 1, 1]
    expected = stats.binomtest(1, 2).proportion_ci(method="wilson")
    assert (bins[0].accuracy.low, bins[0].accuracy.high) == pytest.approx(tuple(expected))


@pytest.mark.parametrize("n", [40, 2_500])
def test_chance_alone_in_one_bin_is_a_binomial(n: int) -> None:
    """All confidences are 0.8, so the error is |hits / n - 0.8|, whose distribution is known."""
    probabilities, labels = two_classes(np.full(n, 0.8), np.arange(n) < 0.8 * n)
    found = measure_calibration(probabilities, labels, seed=1)
    hits = np.arange(n + 1)
    errors, chances = np.abs(hits / n - 0.8), stats.binom.pmf(hits, n, 0.8)
    assert found.error == pytest.approx(0)
    assert found.expected == pytest.approx(errors @ chances, rel=0.04)
    beyond = chances[errors > found.limit + 1e-9].sum()
    assert beyond <= 0.06
    assert chances[errors >= found.limit - 1e-9].sum() >= 0.04


def test_a_calibrated_model_is_seldom_called_wrong_and_an_overconfident_one_is() -> None:
    rng = np.random.default_rng(5)
    called_wrong = []
    for seed in range(200):
        confidence = rng.uniform(0.5, 1, 100)
        answers = two_classes(confidence, rng.random(100) < confidence)
        called_wrong.append(measure_calibration(*answers, seed).shown_wrong)
    # One in twenty of 200 is 10; 20 or more happen by chance once in four hundred times.
    assert sum(called_wrong) < 20
    confidence = rng.uniform(0.9, 1, 100)
    overconfident = two_classes(confidence, rng.random(100) < 0.7)
    assert measure_calibration(*overconfident, seed=0).shown_wrong


def test_the_same_seed_gives_the_same_figures() -> None:
    answers = two_classes(np.linspace(0.5, 1, 60), np.arange(60) % 3 > 0)
    assert measure_calibration(*answers, 3) == measure_calibration(*answers, 3)
    assert measure_calibration(*answers, 3) != measure_calibration(*answers, 4)
