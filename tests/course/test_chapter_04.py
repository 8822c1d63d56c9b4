"""Answers to the exercises of chapter 4."""

from __future__ import annotations

import numpy as np
import pytest

from ffn.nn import reference


def test_1_the_squared_error_learns_least_where_it_is_most_wrong() -> None:
    s, t = np.array([-10.0, 10.0, 0.0]), np.array([1, 0, 0])  # certain of class 1, and it is 0

    def p(s: np.ndarray) -> np.ndarray:
        return np.exp(reference.log_softmax(s[None]))[0]

    def squared_error(s: np.ndarray) -> float:
        return float(np.square(p(s) - t).sum())

    h = 1e-6
    steps = h * np.eye(3)
    by_squares = [(squared_error(s + d) - squared_error(s - d)) / (2 * h) for d in steps]
    # By hand: 2 (p - t) through softmax, whose slopes are p_c (1 - p_c) and -p_c p_d.
    by_hand = 2 * p(s) * ((p(s) - t) - (p(s) * (p(s) - t)).sum())
    np.testing.assert_allclose(by_squares, by_hand, atol=1e-9)
    assert np.abs(by_squares).max() < 1e-3
    assert np.abs(p(s) - t).max() > 0.99  # the slope of cross-entropy


def test_2_adam_hardly_notices_a_gradient_150_times_as_large() -> None:
    g = np.array([0.3, -0.02, 1.0])
    p = np.zeros(3)
    for optimizer, noticed in ((reference.sgd, True), (reference.adam, False)):
        once, larger = optimizer(p, g, 0.01, {}), optimizer(p, 150 * g, 0.01, {})
        assert np.allclose(once, larger, rtol=1e-5, atol=0) is not noticed
        if noticed:
            np.testing.assert_allclose(larger, 150 * once)


def test_3_a_nudge_is_neither_too_large_nor_too_small() -> None:
    """Too large: the loss bends. Too small: a difference of nearly equal numbers has no digits."""
    s, y = np.array([[1.0, 2.0, 0.0]]), np.array([0])
    really = np.exp(reference.log_softmax(s))[0, 0] - 1

    def error(h: float) -> float:
        step = np.array([[h, 0, 0]])
        measured = reference.mean_loss(s + step, y) - reference.mean_loss(s - step, y)
        return float(abs(measured / (2 * h) - really))

    assert error(1e-5) < 1e-10
    assert error(1e-1) > 1e-5
    assert error(1e-13) > 1e-5
    # Rounding leaves about 1e-16 / h, bending about h**2: the sum is least near h = 1e-5.
    assert error(1e-5) == pytest.approx(0, abs=min(error(1e-2), error(1e-9)))
