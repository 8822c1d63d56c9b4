"""Dropout: gradients with fixed masks, what masks look like, and what they depend on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import log_softmax
from sklearn.metrics import log_loss

from ffn.nn import SGD, Activations, AdamW, Dropout, Network, Propagation, spawn_generators, train
from ffn.nn.engine.random_bits import RandomBits

STEP = 1e-5
Run = Callable[..., tuple[Network, Any]]


def make_dropout(network: Network, p: Any, activations: Activations, seed: int) -> list[Dropout]:
    bits = RandomBits(spawn_generators(seed, len(network.parameters)))
    return [Dropout(p, bits.take, a) for a in activations.hidden]


def masked_loss(
    network: Network, x: np.ndarray, labels: np.ndarray, masks: Sequence[np.ndarray]
) -> tuple[np.ndarray, float]:
    """Return the loss [K] with these masks, and how near a unit comes to ReLU's corner."""
    losses, nearest = [], np.inf
    for k in range(len(network.parameters)):
        a = x
        for i in range(len(network.layers)):
            z = a @ network.weights(i)[k] + network.biases(i)[k]
            if i < len(masks):
                nearest = min(nearest, np.abs(z).min())
                a = np.clip(z, 0, None) * masks[i][k, :-1].T
        losses.append(-log_softmax(z, axis=1)[np.arange(len(x)), labels].mean())
    return np.array(losses), nearest


@pytest.mark.parametrize("frozen", [(), (0,)], ids=["all layers", "the first frozen"])
@pytest.mark.parametrize("p", [0.5, (0.2, 0.0, 0.9)], ids=str)
@pytest.mark.parametrize("hidden", [(9,), (8, 7), (8, 7, 6)], ids=len)
def test_gradients_with_fixed_masks(hidden: tuple[int, ...], p: Any, frozen: Any) -> None:
    network = Network.create((4, *hidden, 3), spawn_generators(1, 3), np.float64)
    generator = np.random.default_rng(2)
    x, labels = generator.normal(size=(11, 4)), generator.integers(3, size=11)
    for i in range(len(network.layers)):
        network.biases(i)[:] = generator.normal(scale=0.3, size=network.biases(i).shape)
    gradients = np.zeros_like(network.parameters)
    activations = Activations(network.layers, 11)
    dropout = make_dropout(network, p, activations, seed=3)
    propagation = Propagation(
        network.layers, activations, network.layer_views(gradients), frozen, dropout
    )
    logits = propagation.forward(np.broadcast_to(np.vstack([x.T, np.ones(11)]), (3, 5, 11)))
    propagation.backward(logits, np.eye(3)[labels].T / 11)
    masks = [layer.mask.copy() for layer in dropout]
    assert masked_loss(network, x, labels, masks)[1] > 10 * STEP

    learning = network.parameter_mask([i for i in range(len(hidden) + 1) if i not in frozen])
    differences = np.zeros_like(gradients)
    for column in np.flatnonzero(learning):
        values = network.parameters[:, column].copy()
        network.parameters[:, column] = values + STEP
        above, _ = masked_loss(network, x, labels, masks)
        network.parameters[:, column] = values - STEP
        below, _ = masked_loss(network, x, labels, masks)
        network.parameters[:, column] = values
        differences[:, column] = (above - below) / (2 * STEP)
    assert np.abs(differences).max(axis=1).min() > 1e-3
    assert_allclose(gradients, differences, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("p", [0.1, 0.5, 0.8])
def test_masks_have_the_right_values_share_and_mean(p: float, dtype: type) -> None:
    bits = RandomBits(spawn_generators(0, 2))
    layer = Dropout(p, bits.take, np.empty((2, 51, 40), dtype))
    masks = []
    for _ in range(100):
        a = np.full((2, 51, 40), 3, dtype)
        assert_array_equal(layer.forward(a), 3 * layer.mask)
        masks.append(layer.mask.copy())
    drawn = np.stack(masks)
    assert drawn.dtype == dtype
    # The row of ones adds the biases of the layer above, which never drop out.
    assert (drawn[:, :, -1] == 1).all()
    units = drawn[:, :, :-1]
    values = np.unique(units)
    assert values[0] == 0
    assert_allclose(values[1:], [1 / (1 - p)], rtol=1e-4)
    n = units.size
    assert abs((units == 0).mean() - p) < 5 * np.sqrt(p * (1 - p) / n) + 2**-17
    # Each M has mean 1 and variance p / (1 - p).
    assert abs(units.mean(dtype=float) - 1) < 5 * np.sqrt(p / (1 - p) / n)
    # Over 100 batches of 2000 units, networks, units, rows and batches have nothing in common.
    for axis in range(4):
        left, right = np.split(np.moveaxis(units - units.mean(dtype=float), axis, 0), 2)
        correlation = (left * right).mean(dtype=float) / units.var(dtype=float)
        assert abs(correlation) < 5 / np.sqrt(n / 2)


def test_the_factor_fits_the_rounded_probability() -> None:
    # 0.3 * 2^16 = 19660.8, so 19661 of 65536 draws drop a unit.
    every = np.arange(2**16, dtype=np.uint16)[None]
    layer = Dropout(0.3, lambda n: every[:, :n], np.empty((1, 257, 256)))
    layer.forward(np.ones((1, 257, 256)))
    units = layer.mask[:, :-1]
    assert (units == 0).sum() == 19661
    assert units.mean() == pytest.approx(1, rel=1e-12)


def test_a_probability_next_to_one_keeps_the_numbers_finite() -> None:
    every = np.arange(2**16, dtype=np.uint16)[None]
    layer = Dropout(1 - 1e-9, lambda n: every[:, :n], np.empty((1, 257, 256)))
    layer.forward(np.ones((1, 257, 256)))
    assert np.count_nonzero(layer.mask[:, :-1]) == 1
    assert layer.mask.max() == 2**16


@pytest.mark.parametrize("drawn_bytes", [1, 100, 512 * 1024])
def test_a_stream_depends_on_its_generator_alone(drawn_bytes: int) -> None:
    expected = RandomBits(spawn_generators(0, 3)).take(1000)
    bits = RandomBits(spawn_generators(0, 3)[1:], drawn_bytes=drawn_bytes)
    pieces = [bits.take(n).copy() for n in (1, 6, 0, 300, 93, 600)]
    assert_array_equal(np.concatenate(pieces, axis=1), expected[1:])


def test_bits_are_uniform_and_a_network_without_generator_gets_zeros() -> None:
    generators = spawn_generators(0, 2)
    bits = RandomBits([generators[0], None, generators[1]]).take(2**16)
    assert bits.dtype == np.uint16
    assert (bits[1] == 0).all()
    for own in bits[[0, 2]]:
        # chi-square of 256 equally likely values of either byte: mean 255, deviation 22.6
        for byte in (own >> 8, own & 255):
            counts = np.bincount(byte, minlength=256)
            assert abs(((counts - 256) ** 2 / 256).sum() - 255) < 5 * 22.6


@pytest.mark.parametrize("nothing", [0.0, 0, (0.0, 0.0)], ids=str)
def test_no_dropout_is_training_without_it(run: Run, nothing: Any) -> None:
    network, history = run(seeds=[0, 1], optimizer="adamw", dropout=nothing)
    plain, plain_history = run(seeds=[0, 1], optimizer="adamw")
    assert network.parameters.tobytes() == plain.parameters.tobytes()
    assert_array_equal(history.train_loss, plain_history.train_loss)


def course(table: Any, networks: Sequence[int], p: Any, dtype: type = np.float32) -> np.ndarray:
    generators = [spawn_generators(5, 6)[k] for k in networks]
    network = Network.create((4, 12, 7, 3), generators, dtype)
    train(
        network,
        AdamW(learning_rate=0.01),
        table.x,
        table.labels,
        epochs=6,
        batch_size=16,
        generators=generators,
        dropout=p,
    )
    return network.parameters


def test_each_network_has_its_own_probability(table: Any) -> None:
    mixed = course(table, [0, 1, 2, 3], (0.0, 0.5, 0.2, 0.0))
    for k, p in enumerate((0.0, 0.5, 0.2, 0.0)):
        assert_array_equal(mixed[k], course(table, [0, 1, 2, 3], p)[k])
    assert (course(table, [0, 1], 0.0) != course(table, [0, 1], 0.2)).any(axis=1).all()


def test_masks_depend_neither_on_neighbours_nor_on_position(table: Any) -> None:
    together = course(table, range(6), 0.3)
    for networks in ([0, 1], [5, 2, 3], [4, 0]):
        assert_array_equal(course(table, networks, 0.3), together[networks])
    alone = course(table, [3], 0.3, np.float64)
    assert_allclose(alone[0], course(table, range(6), 0.3, np.float64)[3], rtol=1e-10, atol=1e-12)


def test_the_order_of_the_rows_is_the_same_with_dropout(table: Any) -> None:
    states = []
    for p in (0.0, 0.5):
        generators = spawn_generators(5, 2)
        network = Network.create((4, 6, 3), generators)
        train(
            network,
            SGD(),
            table.x,
            table.labels,
            epochs=3,
            batch_size=16,
            generators=generators,
            dropout=p,
        )
        states.append([generator.bit_generator.state for generator in generators])
    assert states[0] == states[1]


def test_a_later_call_draws_new_masks_whatever_the_neighbours(table: Any) -> None:
    def two_calls(first: Any, second: Any, networks: Sequence[int]) -> np.ndarray:
        generators = [spawn_generators(5, 6)[k] for k in networks]
        network = Network.create((4, 6, 3), generators)
        for p in (first, second):
            train(
                network,
                SGD(),
                table.x,
                table.labels,
                epochs=2,
                batch_size=16,
                generators=generators,
                dropout=p,
            )
        return network.parameters

    both = two_calls((0.0, 0.5), 0.5, [0, 1])
    assert_array_equal(both[0], two_calls(0.0, 0.5, [0, 2])[0])
    assert_array_equal(both[1], two_calls(0.5, 0.5, [1, 2])[0])


def test_a_step_by_hand(table: Any) -> None:
    """One hidden layer, two batches in an epoch, against the chain rule written out."""
    p, rate, n = 0.4, 0.5, 20
    x, labels = table.x[:n], table.labels[:n]
    generator = spawn_generators(8, 1)[0]
    network = Network.create((4, 6, 3), [generator], np.float64)
    w1, w2 = network.weights(0)[0].copy(), network.weights(1)[0].copy()
    b1, b2 = np.zeros(6), np.zeros(3)
    train(
        network,
        SGD(learning_rate=rate),
        x,
        labels,
        epochs=1,
        batch_size=12,
        generators=[generator],
        dropout=p,
    )
    again = spawn_generators(8, 1)[0]
    Network.create((4, 6, 3), [again])
    order = again.permuted(np.arange(n))
    words = again.spawn(1)[0].integers(2**64, size=1000, dtype=np.uint64)
    draws = words.view(np.uint16)
    threshold = round(p * 2**16)
    for start, stop in ((0, 12), (12, 20)):
        rows, size = order[start:stop], stop - start
        own = draws[6 * start : 6 * stop].reshape(6, size).T
        mask = (own >= threshold) * 2**16 / (2**16 - threshold)
        z = x[rows] @ w1 + b1
        a = np.clip(z, 0, None) * mask
        delta = (np.exp(log_softmax(a @ w2 + b2, axis=1)) - np.eye(3)[labels[rows]]) / size
        below = (delta @ w2.T) * mask * (z > 0)
        w2, b2 = w2 - rate * a.T @ delta, b2 - rate * delta.sum(axis=0)
        w1, b1 = w1 - rate * x[rows].T @ below, b1 - rate * below.sum(axis=0)
    for i, (w, b) in enumerate(((w1, b1), (w2, b2))):
        assert_allclose(network.weights(i)[0], w, rtol=1e-10, atol=1e-13)
        assert_allclose(network.biases(i)[0], b, rtol=1e-10, atol=1e-13)


def test_recorded_figures_are_those_of_the_whole_network(run: Run, table: Any) -> None:
    network, history = run(seeds=[0, 1], dropout=0.5)
    for k, p in enumerate(network.predict_proba(table.x)):
        assert history.train_loss[-1, k] == pytest.approx(log_loss(table.labels, p), rel=1e-9)
        assert history.train_accuracy[-1, k] == (p.argmax(axis=1) == table.labels).mean()


def test_without_hidden_layers_there_is_nothing_to_drop(table: Any) -> None:
    def linear(p: float) -> np.ndarray:
        generators = spawn_generators(0, 2)
        network = Network.create((4, 3), generators)
        train(
            network,
            SGD(),
            table.x,
            table.labels,
            epochs=2,
            batch_size=16,
            generators=generators,
            dropout=p,
        )
        return network.parameters

    assert_array_equal(linear(0.5), linear(0.0))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1.0, "dropout is 1.0; expected a number from 0 to below 1"),
        ((0.1, -0.1), "dropout of network 1 is -0.1; expected a number from 0 to below 1"),
        ((0.1, 0.2, 0.3), "dropout has 3 values for a stack of 2 networks; give one number"),
    ],
)
def test_a_wrong_probability_is_refused(run: Run, value: Any, expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        run(seeds=[0, 1], dropout=value)
