"""Gradients and dead units, against finite differences and a network made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from ffn.nn import Network, reference, spawn_generators
from ffn.watching.observation import SAMPLE_ROWS, Sample, layer_figures, sample_of


@pytest.fixture
def rows() -> Sample:
    random = np.random.default_rng(5)
    return Sample(random.standard_normal((40, 3)), random.integers(0, 3, 40))


def stack(widths: tuple[int, ...], k: int) -> Network:
    """Networks with biases: where all units below are silent, a sum of 0 is at ReLU's kink."""
    network = Network.create(widths, spawn_generators(1, k), np.float64)
    for layer in network.layers:
        layer[..., -1] = np.random.default_rng(3).standard_normal(layer.shape[:-1])
    return network


def as_reference(network: Network, k: int) -> list[np.ndarray]:
    """The arrays of network k as `ffn.nn.reference` has them."""
    return [
        array
        for layer in range(len(network.layers))
        for array in (network.weights(layer)[k].copy(), network.biases(layer)[k].copy())
    ]


def norms_by_differences(network: Network, k: int, rows: Sample) -> list[float]:
    """Norm of each layer's gradient, by central differences of the textbook's loss."""
    arrays, h = as_reference(network, k), 1e-6
    norms = []
    for layer in range(len(network.layers)):
        squares = 0.0
        for array in arrays[2 * layer : 2 * layer + 2]:
            for place in np.ndindex(array.shape):
                losses = []
                for step in (h, -h):
                    array[place] += step
                    scores = reference.forward(arrays, rows.x)[-1]
                    losses.append(reference.mean_loss(scores, rows.labels))
                    array[place] -= step
                squares += ((losses[0] - losses[1]) / (2 * h)) ** 2
        norms.append(np.sqrt(squares))
    return norms


def test_a_gradients_size_is_that_of_finite_differences(rows: Sample) -> None:
    network = stack((3, 5, 4, 3), 1)
    found = [layer.gradient for layer in layer_figures(network, rows)]
    np.testing.assert_allclose(found, norms_by_differences(network, 0, rows), rtol=1e-6)


def test_of_a_stack_it_is_the_median(rows: Sample) -> None:
    network = stack((3, 5, 3), 3)
    each = [norms_by_differences(network, k, rows) for k in range(3)]
    found = [layer.gradient for layer in layer_figures(network, rows)]
    np.testing.assert_allclose(found, np.median(each, axis=0), rtol=1e-6)


def test_a_unit_is_dead_if_it_answers_to_no_row() -> None:
    rows = Sample(np.array([[0.0], [1.0], [2.0]]), np.array([0, 1, 1]))
    network = Network((1, 3, 2), np.zeros((1, Network.count((1, 3, 2)))))
    #                        x - 5 < 0   x - 1.5: one row   -x: no row, 0 among them
    network.layers[0][0] = [[1.0, -5.0], [1.0, -1.5], [-1.0, 0.0]]
    hidden, top = layer_figures(network, rows)
    assert (hidden.units, hidden.dead) == (3, 2)
    assert (top.units, top.dead) == (0, 0)


def test_a_network_that_diverged_has_no_gradient(rows: Sample) -> None:
    network = Network.create((3, 5, 3), spawn_generators(1, 1))
    network.parameters[:] = np.nan
    assert all(np.isnan(layer.gradient) for layer in layer_figures(network, rows))


def test_a_sample_is_the_same_rows_each_time_and_each_row_once() -> None:
    x = np.arange(5_000.0)[:, np.newaxis]
    labels = np.arange(5_000) % 7
    first, second = (sample_of(x, labels) for _ in range(2))
    np.testing.assert_array_equal(first.x, second.x)
    assert len(np.unique(first.x)) == len(first.x) == SAMPLE_ROWS
    np.testing.assert_array_equal(first.labels, first.x[:, 0] % 7)
    np.testing.assert_array_equal(sample_of(x[:9], labels[:9]).x, x[:9])
