"""Answers to the exercises of chapter 9."""

from __future__ import annotations

import numpy as np
import pytest

from ffn.nn import reference


def test_1_the_row_of_ones_gives_the_gradient_of_the_biases() -> None:
    random = np.random.default_rng(0)
    x, labels = random.standard_normal((30, 4)), random.integers(3, size=30)
    network = reference.initialise((4, 3), random)
    by_w, by_b = reference.backward(network, reference.forward(network, x), labels)
    a = np.vstack([x.T, np.ones(30)])
    p = np.exp(reference.log_softmax(reference.forward(network, x)[-1]))
    delta = ((p - np.eye(3)[labels]) / 30).T
    np.testing.assert_allclose((delta @ a.T)[:, :-1], by_w.T, atol=1e-15)
    np.testing.assert_allclose((delta @ a.T)[:, -1], by_b, atol=1e-15)


@pytest.mark.parametrize(("rates", "same"), [([0.1] * 20, True), ([0.1] * 10 + [0.01] * 10, False)])
def test_2_a_rate_inside_the_velocity_is_the_same_until_the_rate_changes(
    rates: list[float], same: bool
) -> None:
    random = np.random.default_rng(0)
    outside = inside = np.zeros(3)
    memory: reference.Memory = {}
    velocity = np.zeros(3)
    for lr in rates:
        g = random.standard_normal(3)
        outside = reference.momentum(outside, g, lr, memory)
        velocity = 0.9 * velocity + lr * g
        inside = inside - velocity
    assert np.allclose(outside, inside, rtol=0, atol=1e-12) is same


def test_3_a_reshape_that_would_copy_raises_instead() -> None:
    flat = np.zeros(12)
    view = flat.reshape(3, 4, copy=False)
    view[0, 0] = 1
    assert flat[0] == 1  # a change of the view is a change of the parameters
    with pytest.raises(ValueError, match="copy"):
        flat.reshape(3, 4).T.reshape(12, copy=False)
