"""Gradients against central differences of a loss written in another way, with SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.special import log_softmax

from ffn.nn import Activations, Network, Propagation, loss_and_gradients, spawn_generators

STEP = 1e-5


def make_stack(widths: tuple[int, ...], k: int, seed: int) -> Network:
    network = Network.create(widths, spawn_generators(seed, k), np.float64)
    generator = np.random.default_rng(seed)
    for i in range(len(network.layers)):
        network.biases(i)[:] = generator.normal(scale=0.3, size=(k, widths[i + 1]))
    return network


def reference_loss(
    network: Network, x: np.ndarray, labels: np.ndarray, row_weights: np.ndarray
) -> tuple[np.ndarray, float]:
    """Return the loss [K] and how near a hidden unit comes to ReLU's corner."""
    losses, nearest = [], np.inf
    for k in range(len(network.parameters)):
        a = x
        for i in range(len(network.layers)):
            z = a @ network.weights(i)[k] + network.biases(i)[k]
            if i < len(network.layers) - 1:
                nearest = min(nearest, np.abs(z).min())
            a = np.clip(z, 0, None)
        own = log_softmax(z, axis=1)[np.arange(len(x)), labels]
        losses.append(-(own * row_weights).sum() / len(x))
    return np.array(losses), nearest


def central_differences(
    network: Network, x: np.ndarray, labels: np.ndarray, row_weights: np.ndarray
) -> np.ndarray:
    differences = np.empty_like(network.parameters)
    for p in range(network.parameters.shape[1]):
        values = network.parameters[:, p].copy()
        network.parameters[:, p] = values + STEP
        above, _ = reference_loss(network, x, labels, row_weights)
        network.parameters[:, p] = values - STEP
        below, _ = reference_loss(network, x, labels, row_weights)
        network.parameters[:, p] = values
        differences[:, p] = (above - below) / (2 * STEP)
    return differences


def assert_gradients_agree(
    network: Network, x: np.ndarray, labels: np.ndarray, row_weights: np.ndarray | None
) -> None:
    weights = np.ones(len(x)) if row_weights is None else row_weights
    loss, gradients = loss_and_gradients(network, x, labels, row_weights)
    np.testing.assert_allclose(
        loss, reference_loss(network, x, labels, weights)[0], rtol=1e-12, atol=1e-14
    )
    expected = central_differences(network, x, labels, weights)
    ours, theirs = network.layer_views(gradients), network.layer_views(expected)
    for i, (mine, reference) in enumerate(zip(ours, theirs, strict=True)):
        for k in range(len(mine)):
            error = np.linalg.norm(mine[k] - reference[k])
            size = np.linalg.norm(mine[k]) + np.linalg.norm(reference[k])
            assert error <= 1e-6 * size + 1e-10, f"network {k}, layer {i}"


def random_rows(n: int, n_in: int, n_classes: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    return generator.normal(size=(n, n_in)), generator.integers(n_classes, size=n)


@pytest.mark.parametrize("k", [1, 2, 5])
@pytest.mark.parametrize("hidden", [(), (7,), (6, 4), (5, 4, 6), (5, 5, 4, 4)], ids=len)
def test_gradients_at_every_depth(hidden: tuple[int, ...], k: int) -> None:
    network = make_stack((4, *hidden, 3), k, seed=1)
    x, labels = random_rows(9, 4, 3, seed=2)
    assert reference_loss(network, x, labels, np.ones(9))[1] > 10 * STEP
    assert_gradients_agree(network, x, labels, None)


@pytest.mark.parametrize("n", [1, 2, 33])
@pytest.mark.parametrize("widths", [(1, 1, 2), (1, 8, 1), (10, 2, 5), (3, 12, 7)], ids=str)
def test_gradients_at_every_width_and_batch_size(widths: tuple[int, ...], n: int) -> None:
    network = make_stack(widths, 2, seed=3)
    x, labels = random_rows(n, widths[0], widths[-1], seed=5)
    assert reference_loss(network, x, labels, np.ones(n))[1] > 10 * STEP
    assert_gradients_agree(network, x, labels, None)


@pytest.mark.parametrize("kind", ["class weights", "row weights", "some rows weigh nothing"])
def test_gradients_with_weights(kind: str) -> None:
    network = make_stack((4, 6, 5, 3), 2, seed=6)
    x, labels = random_rows(12, 4, 3, seed=7)
    row_weights = {
        "class weights": np.array([0.2, 1.0, 3.5])[labels],
        "row weights": np.random.default_rng(8).uniform(0, 4, size=12),
        "some rows weigh nothing": np.arange(12) % 3.0,
    }[kind]
    assert_gradients_agree(network, x, labels, row_weights)


@settings(max_examples=100, deadline=None)
@given(
    hidden=st.lists(st.integers(1, 6), max_size=4),
    n_in=st.integers(1, 5),
    n_classes=st.integers(1, 4),
    k=st.integers(1, 3),
    n=st.integers(1, 12),
    seed=st.integers(0, 2**31),
    weighted=st.booleans(),
)
def test_gradients_of_any_network(
    hidden: list[int], n_in: int, n_classes: int, k: int, n: int, seed: int, weighted: bool
) -> None:
    network = make_stack((n_in, *hidden, n_classes), k, seed)
    x, labels = random_rows(n, n_in, n_classes, seed)
    # At ReLU's corner the loss has no derivative, and a difference across it means nothing.
    assume(reference_loss(network, x, labels, np.ones(n))[1] > 20 * STEP)
    weights = np.random.default_rng(seed).uniform(0, 3, size=n) if weighted else None
    assert_gradients_agree(network, x, labels, weights)


@pytest.mark.parametrize("frozen", [{0}, {1}, {2}, {0, 1}, {0, 2}, {1, 2}], ids=str)
def test_frozen_layers_leave_the_other_gradients_as_they_are(frozen: set[int]) -> None:
    network = make_stack((4, 6, 5, 3), 2, seed=9)
    x, labels = random_rows(8, 4, 3, seed=10)
    _, whole = loss_and_gradients(network, x, labels)
    untouched = -123.0
    gradients = np.full_like(whole, untouched)
    propagation = Propagation(
        network.layers, Activations(network.layers, 8), network.layer_views(gradients), frozen
    )
    inputs = np.broadcast_to(np.vstack([x.T, np.ones(8)]), (2, 5, 8))
    logits = propagation.forward(inputs)
    propagation.backward(logits, np.eye(3)[labels].T / 8)
    parts = zip(network.layer_views(gradients), network.layer_views(whole), strict=True)
    for i, (mine, expected) in enumerate(parts):
        if i in frozen:
            assert (mine == untouched).all()
        else:
            np.testing.assert_allclose(mine, expected, rtol=1e-13)


def test_a_row_of_weight_zero_has_no_influence() -> None:
    network = make_stack((4, 6, 3), 2, seed=12)
    x, labels = random_rows(10, 4, 3, seed=13)
    weights = np.ones(10)
    weights[[2, 7]] = 0
    kept = weights > 0
    loss, gradients = loss_and_gradients(network, x, labels, weights)
    loss_without, gradients_without = loss_and_gradients(network, x[kept], labels[kept])
    np.testing.assert_allclose(loss * 10, loss_without * 8, rtol=1e-13)
    np.testing.assert_allclose(gradients * 10, gradients_without * 8, rtol=1e-12, atol=1e-14)


def test_a_weight_of_three_is_the_row_three_times() -> None:
    network = make_stack((4, 6, 3), 1, seed=14)
    x, labels = random_rows(6, 4, 3, seed=15)
    counts = np.array([1, 3, 1, 2, 1, 1])
    loss, gradients = loss_and_gradients(network, x, labels, counts.astype(float))
    repeated = np.repeat(np.arange(6), counts)
    loss_repeated, gradients_repeated = loss_and_gradients(network, x[repeated], labels[repeated])
    np.testing.assert_allclose(loss * 6, loss_repeated * 9, rtol=1e-13)
    np.testing.assert_allclose(gradients * 6, gradients_repeated * 9, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("n_classes", [2, 16, 17, 40])
@pytest.mark.parametrize("k", [1, 3])
def test_many_classes_have_the_same_gradients(n_classes: int, k: int) -> None:
    network = make_stack((4, 6, n_classes), k, seed=14)
    x, labels = random_rows(30, 4, n_classes, seed=15)
    assert_gradients_agree(network, x, labels, None)
