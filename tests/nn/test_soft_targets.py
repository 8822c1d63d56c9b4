"""Soft targets: probabilities of the classes to learn from, in place of labels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import log_softmax, softmax
from scipy.stats import entropy

from ffn.nn import (
    SGD,
    Adam,
    Network,
    cross_entropy,
    loss_and_gradients,
    spawn_generators,
    train,
)
from ffn.nn.losses import losses_and_hits, targets_of

STEP = 1e-5


def soft_targets(n: int, n_classes: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet(np.full(n_classes, 0.5), size=n)


def loss_by_scipy(network: Network, k: int, x: np.ndarray, targets: np.ndarray) -> float:
    """Return the mean of KL(t, p) + H(t), which is the cross-entropy."""
    hidden = np.clip(x @ network.weights(0)[k] + network.biases(0)[k], 0, None)
    p = softmax(hidden @ network.weights(1)[k] + network.biases(1)[k], axis=1)
    return float((entropy(targets, p, axis=1) + entropy(targets, axis=1)).mean())


def test_gradients_are_those_of_central_differences(table: Any) -> None:
    targets = soft_targets(97, 3)
    network = Network.create((4, 6, 3), spawn_generators(4, 2), np.float64)
    network.biases(0)[:] = 0.1
    loss, gradients = loss_and_gradients(network, table.x, targets)
    for k in range(2):
        assert loss[k] == pytest.approx(loss_by_scipy(network, k, table.x, targets), rel=1e-12)
        for column in range(network.parameters.shape[1]):
            value = network.parameters[k, column]
            network.parameters[k, column] = value + STEP
            above = loss_by_scipy(network, k, table.x, targets)
            network.parameters[k, column] = value - STEP
            below = loss_by_scipy(network, k, table.x, targets)
            network.parameters[k, column] = value
            expected = (above - below) / (2 * STEP)
            assert gradients[k, column] == pytest.approx(expected, rel=1e-5, abs=1e-8)


def test_a_step_of_training_follows_that_gradient(table: Any) -> None:
    targets, rate = soft_targets(97, 3), 0.25
    weights = np.random.default_rng(1).uniform(0, 2, size=97)
    generators = spawn_generators(4, 2)
    network = Network.create((4, 6, 3), generators, np.float64)
    before = Network((4, 6, 3), network.parameters.copy())
    train(
        network,
        SGD(learning_rate=rate),
        table.x,
        targets,
        epochs=1,
        batch_size=97,
        generators=generators,
        row_weights=weights,
    )
    _, expected = loss_and_gradients(before, table.x, targets, weights)
    assert_allclose((before.parameters - network.parameters) / rate, expected, atol=1e-12)


def test_one_hot_targets_are_labels(table: Any) -> None:
    """To the last bit: the same numbers go through the same operations."""
    ends = []
    for targets in (table.labels, np.eye(3)[table.labels]):
        generators = spawn_generators(2, 2)
        network = Network.create((4, 8, 3), generators)
        history = train(
            network,
            Adam(learning_rate=0.01),
            table.x,
            targets,
            epochs=5,
            batch_size=20,
            generators=generators,
            rows=np.arange(80)[None],
            validation_rows=np.arange(80, 97)[None],
            label_smoothing=0.1,
        )
        ends.append((network.parameters, history.train_loss, history.validation_accuracy))
    for mine, other in zip(*ends, strict=True):
        assert_array_equal(mine, other)


@pytest.mark.parametrize("shape", [(), (5,), (2, 5)], ids=str)
def test_the_loss_is_the_cross_entropy_of_two_distributions(shape: tuple[int, ...]) -> None:
    random = np.random.default_rng(3)
    logits = random.normal(scale=3, size=(*shape, 4, 6))
    targets = random.dirichlet(np.ones(4), size=(*shape, 6))
    expected = -(np.moveaxis(targets, -1, -2) * log_softmax(logits, axis=-2)).sum(axis=-2)
    assert_allclose(cross_entropy(logits, targets), expected, rtol=1e-12)


def test_a_row_is_right_if_the_same_class_is_most_probable() -> None:
    logits = np.array([[2.0, 0.0, 1.0], [1.0, 3.0, 1.0]])
    targets = np.array([[0.6, 0.4], [0.9, 0.1], [0.5, 0.5]])
    _, hits = losses_and_hits(logits, targets_of(targets, 2, np.float64), soft=True)
    # Among equals the first class counts, of scores as of targets.
    assert hits.tolist() == [True, False, True]


def test_the_answer_tends_to_the_target() -> None:
    target = np.array([[0.7, 0.25, 0.05]])
    generators = spawn_generators(0, 1)
    network = Network.create((2, 8, 3), generators, np.float64)
    history = train(
        network,
        Adam(learning_rate=0.02),
        np.ones((1, 2)),
        target,
        epochs=1000,
        batch_size=1,
        generators=generators,
    )
    assert_allclose(network.predict_proba(np.ones((1, 2)))[0], target, atol=1e-6)
    assert history.train_loss[-1, 0] == pytest.approx(entropy(target[0]), abs=1e-9)


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        (np.full((97, 4), 0.25), r"3 classes in 97 rows, \(97, 3\), not floats \(97, 4\)"),
        (np.zeros(97), r"not floats \(97,\); labels must be integers"),
        (np.full((97, 3), 0.3), "the sum 1 a row"),
        (np.tile([1.5, -0.5, 0.0], (97, 1)), "not negative"),
        (np.full((97, 3), np.nan), "must be probabilities"),
    ],
    ids=["another shape", "numbers as labels", "another sum", "negative", "not a number"],
)
def test_what_is_no_probability_is_refused(table: Any, targets: np.ndarray, message: str) -> None:
    generators = spawn_generators(0, 1)
    network = Network.create((4, 5, 3), generators)
    with pytest.raises(ValueError, match=message):
        train(
            network,
            Adam(),
            table.x,
            targets,
            epochs=1,
            batch_size=9,
            generators=generators,
        )
