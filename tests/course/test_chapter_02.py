"""Answers to the exercises of chapter 2."""

from __future__ import annotations

import numpy as np
import pytest

from examples.course.flowers import iris, scaled
from ffn.nn import reference


def test_1_without_relu_any_number_of_layers_is_one_layer() -> None:
    x = scaled(iris()[0])
    w1, b1, w2, b2, w3, b3 = reference.initialise((4, 16, 4, 3), np.random.default_rng(0))
    b1, b2, b3 = b1 + 1, b2 + 2, b3 + 3
    three = ((x @ w1 + b1) @ w2 + b2) @ w3 + b3
    one = reference.forward([w1 @ w2 @ w3, (b1 @ w2 + b2) @ w3 + b3], x)[-1]
    np.testing.assert_allclose(one, three, rtol=0, atol=1e-12)
    assert not np.allclose(reference.forward([w1, b1, w2, b2, w3, b3], x)[-1], three)


@pytest.mark.parametrize("constant", [-3.0, 0.5, 40.0])
def test_2_a_constant_added_to_all_scores_changes_nothing(constant: float) -> None:
    scores = np.random.default_rng(0).normal(size=(20, 3))
    labels = np.arange(20) % 3
    np.testing.assert_allclose(
        np.exp(reference.log_softmax(scores + constant)), np.exp(reference.log_softmax(scores))
    )
    assert reference.mean_loss(scores + constant, labels) == pytest.approx(
        reference.mean_loss(scores, labels), rel=1e-12
    )


def test_3_the_network_for_pictures_of_digits_has_79_510_numbers() -> None:
    # A weight for each pair of units, and a bias for each unit that is no input.
    counted = 784 * 100 + 100 + 100 * 10 + 10
    assert counted == 79_510
    network = reference.initialise((784, 100, 10), np.random.default_rng(0))
    assert sum(array.size for array in network) == counted
