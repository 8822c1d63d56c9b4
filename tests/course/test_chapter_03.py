"""Answers to the exercises of chapter 3."""

from __future__ import annotations

import numpy as np
import pytest

from examples.course.flowers import iris, scaled
from ffn.nn import reference


def test_1_units_that_begin_equal_stay_equal() -> None:
    flowers, labels = iris()
    x = scaled(flowers)
    random = np.random.default_rng(0)
    start = reference.initialise((4, 16, 4, 3), random)
    network = [np.full_like(array, 0.5 if array.ndim == 2 else 0.0) for array in start]
    orders = [random.permutation(150) for _ in range(20)]
    reference.train(network, reference.adam, 0.01, x, labels, orders, 32)
    w1, b1, w2, _, _, _ = network
    assert not np.allclose(w1, 0.5)  # it did learn something
    np.testing.assert_allclose(w1, w1[:, :1].repeat(16, axis=1), rtol=0, atol=1e-12)
    np.testing.assert_allclose(b1, b1[:1].repeat(16), rtol=0, atol=1e-12)
    np.testing.assert_allclose(w2, w2[:1, :1].repeat(16, axis=0).repeat(4, axis=1), atol=1e-12)


def test_2_without_relu_c_is_1() -> None:
    random = np.random.default_rng(0)
    signal = random.standard_normal((500, 256))
    for _ in range(20):
        signal = signal @ (random.standard_normal((256, 256)) * np.sqrt(1 / 256))
    # The mean square is 1 on average; over 20 layers of 256 units it varies by sqrt(2 * 20 / 256).
    assert np.square(signal).mean() == pytest.approx(1, abs=3 * np.sqrt(2 * 20 / 256))


def test_3_hes_start_keeps_the_size_of_gradients_too() -> None:
    random = np.random.default_rng(0)
    network = reference.initialise((64,) * 21, random)
    x, labels = random.standard_normal((100, 64)), random.integers(64, size=100)

    def sizes(factor: float) -> list[float]:
        """Return the size of delta at the bottom and at the top: that of the biases' gradients."""
        begun = [factor * array for array in network]
        gradients = reference.backward(begun, reference.forward(begun, x), labels)
        return [float(np.sqrt(np.square(array).mean())) for array in gradients[1::2]]

    of_he = sizes(1)
    assert max(of_he) < 10 * min(of_he)
    # With variance 1 / n a gradient's mean square is halved by each of the 19 layers it passes.
    halved = sizes(np.sqrt(0.5))
    assert halved[0] / halved[-1] == pytest.approx(np.sqrt(0.5) ** 19, rel=0.6)
