"""``ffn.nn`` goes the way of the textbook network in ``ffn.nn.reference``."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special
from sklearn.datasets import load_iris

from ffn.nn import OPTIMIZERS, Network, reference, spawn_generators, train

WIDTHS = (4, 16, 4, 3)
LEARNING_RATE = 0.005


def iris() -> tuple[np.ndarray, np.ndarray]:
    x, labels = load_iris(return_X_y=True)
    return (x - x.mean(axis=0)) / x.std(axis=0), labels


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_stack_follows_the_reference_for_150_epochs_of_iris(name: str) -> None:
    x, labels = iris()
    generators = spawn_generators(7, 3)
    network = Network.create(WIDTHS, generators, np.float64)
    history = train(
        network,
        OPTIMIZERS[name](learning_rate=LEARNING_RATE),
        x,
        labels,
        epochs=150,
        batch_size=32,
        generators=generators,
    )
    for k, generator in enumerate(spawn_generators(7, 3)):
        parameters = reference.initialise(WIDTHS, generator)
        orders = (generator.permutation(150) for _ in range(150))
        losses = reference.train(
            parameters, getattr(reference, name), LEARNING_RATE, x, labels, orders, batch_size=32
        )
        assert losses[-1] < 0.5 * losses[0]
        np.testing.assert_allclose(history.train_loss[:, k], losses, rtol=0, atol=1e-12)
        for i, (weights, biases) in enumerate(zip(parameters[::2], parameters[1::2], strict=True)):
            np.testing.assert_allclose(network.weights(i)[k], weights, rtol=0, atol=1e-12)
            np.testing.assert_allclose(network.biases(i)[k], biases, rtol=0, atol=1e-12)


def test_the_references_loss_is_scipys() -> None:
    scores = np.random.default_rng(0).normal(scale=50, size=(40, 5))
    labels = np.arange(40) % 5
    expected = -special.log_softmax(scores, axis=1)[np.arange(40), labels].mean()
    assert reference.mean_loss(scores, labels) == pytest.approx(expected, rel=1e-13)


def test_the_references_gradients_are_those_of_central_differences() -> None:
    x, labels = iris()
    parameters = reference.initialise(WIDTHS, np.random.default_rng(2))
    gradients = reference.backward(parameters, reference.forward(parameters, x), labels)

    def loss() -> float:
        return reference.mean_loss(reference.forward(parameters, x)[-1], labels)

    for array, gradient in zip(parameters, gradients, strict=True):
        assert gradient.shape == array.shape
        for place in np.ndindex(array.shape):
            value = array[place]
            array[place] = value + 1e-6
            above = loss()
            array[place] = value - 1e-6
            below = loss()
            array[place] = value
            assert gradient[place] == pytest.approx((above - below) / 2e-6, rel=1e-5, abs=1e-8)
