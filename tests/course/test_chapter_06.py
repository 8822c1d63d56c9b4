"""Answers to the exercises of chapter 6."""

from __future__ import annotations

import numpy as np
import pytest

from ffn.nn import reference


def test_1_adams_first_step_is_the_rate_whatever_the_gradient() -> None:
    p = np.zeros(4)
    g = np.array([1000, 0.001, -1000, -0.001])
    np.testing.assert_allclose(reference.adam(p, g, 0.01, {}), -0.01 * np.sign(g), rtol=2e-5)
    np.testing.assert_allclose(reference.sgd(p, g, 0.01, {}), -0.01 * g)


def test_2_without_a_gradient_adam_rests_and_adamw_shrinks_weights() -> None:
    w, g = np.full((1, 1), 3.0), np.zeros((1, 1))
    resting, shrinking = w, w
    memories: tuple[reference.Memory, reference.Memory] = ({}, {})
    for _ in range(100):
        resting = reference.adam(resting, g, 0.1, memories[0])
        shrinking = reference.adamw(shrinking, g, 0.1, memories[1])
    assert resting == w
    assert shrinking[0, 0] == pytest.approx(3 * (1 - 0.1 * 0.01) ** 100, rel=1e-12)
    assert reference.adamw(np.full(1, 3.0), np.zeros(1), 0.1, {}) == 3  # a bias does not shrink


def test_3_gradients_that_alternate_nearly_cancel() -> None:
    p, memory = np.zeros(1), {}
    for t in range(200):
        before = p
        p = reference.momentum(p, np.array([(-1.0) ** t]), 1.0, memory)
    # 1 - 0.9 + 0.9**2 - ... = 1 / (1 + 0.9), where equal gradients make 1 / (1 - 0.9).
    assert abs(p - before)[0] == pytest.approx(1 / 1.9, rel=1e-9)
