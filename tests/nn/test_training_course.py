"""Warm starts, frozen layers, weights, odd sizes, and symmetries of training."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from ffn.nn import (
    OPTIMIZERS,
    SGD,
    Adam,
    AdamW,
    Network,
    OptimizerState,
    constant,
    loss_and_gradients,
    spawn_generators,
    train,
)
from ffn.nn.engine.batches import Batches

NAMES = ["sgd", "momentum", "adam", "adamw"]
Run = Callable[..., tuple[Network, Any]]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("frozen", [{0}, {1}, {2}, {0, 2}], ids=str)
def test_frozen_layers_stay_and_others_move(table: Any, name: str, frozen: set[int]) -> None:
    generators = spawn_generators(0, 2)
    network = Network.create((4, 6, 5, 3), generators)
    before = [layer.copy() for layer in network.layers]
    optimizer = OPTIMIZERS[name](learning_rate=0.02)
    train(
        network,
        optimizer,
        table.x,
        table.labels,
        epochs=3,
        batch_size=16,
        generators=generators,
        frozen_layers=frozen,
    )
    for i, layer in enumerate(network.layers):
        for k in range(2):
            assert (layer[k] != before[i][k]).any() == (i not in frozen), f"layer {i}"


def test_all_layers_frozen_is_refused(run: Run) -> None:
    with pytest.raises(ValueError, match="all layers are frozen; there is nothing to train"):
        run(frozen_layers=(0, 1, 2))


@pytest.mark.parametrize("name", NAMES)
def test_warm_start_goes_on_where_training_stopped(table: Any, name: str) -> None:
    def course(*parts: int) -> np.ndarray:
        generators = spawn_generators(4, 2)
        network = Network.create((4, 6, 3), generators, np.float64)
        optimizer = OptimizerState(OPTIMIZERS[name](learning_rate=0.02), network)
        for epochs in parts:
            train(
                network,
                optimizer,
                table.x,
                table.labels,
                epochs=epochs,
                batch_size=16,
                generators=generators,
            )
        return network.parameters

    assert_array_equal(course(2, 3), course(5))


def test_a_state_made_for_other_frozen_layers_is_refused(table: Any) -> None:
    generators = spawn_generators(0, 1)
    network = Network.create((4, 6, 3), generators)
    state = OptimizerState(AdamW(), network, frozen_layers=(0,))
    with pytest.raises(ValueError, match=r"is for frozen layers \[0\]; frozen_layers is \[\]"):
        train(network, state, table.x, table.labels, epochs=1, batch_size=8, generators=generators)


def test_a_state_of_another_network_is_refused(table: Any) -> None:
    generators = spawn_generators(0, 1)
    network = Network.create((4, 6, 3), generators)
    state = OptimizerState(AdamW(), network.select([0]))
    with pytest.raises(ValueError, match="the optimizer's state moves another network"):
        train(network, state, table.x, table.labels, epochs=1, batch_size=8, generators=generators)


def test_warm_start_is_in_place(table: Any) -> None:
    generators = spawn_generators(0, 1)
    network = Network.create((4, 3), generators)
    memory = network.parameters
    optimizer = SGD()
    train(network, optimizer, table.x, table.labels, epochs=1, batch_size=8, generators=generators)
    assert network.parameters is memory
    assert np.shares_memory(network.layers[0], memory)


@pytest.mark.parametrize("name", NAMES)
def test_permuting_the_classes_permutes_the_answer(table: Any, name: str) -> None:
    new_place = np.array([2, 0, 1])

    def course(permuted: bool) -> np.ndarray:
        generators = spawn_generators(5, 2)
        network = Network.create((4, 6, 3), generators, np.float64)
        labels = table.labels
        if permuted:
            network.layers[-1][:, new_place] = network.layers[-1].copy()
            labels = new_place[labels]
        optimizer = OPTIMIZERS[name](learning_rate=0.02)
        train(network, optimizer, table.x, labels, epochs=8, batch_size=16, generators=generators)
        return network.predict_proba(table.x)

    assert_allclose(course(True)[..., new_place], course(False), rtol=1e-9, atol=1e-12)


def test_permuting_the_rows_and_their_order_changes_nothing(table: Any) -> None:
    shuffle = np.random.default_rng(0).permutation(97)

    def course(x: np.ndarray, labels: np.ndarray, rows: np.ndarray) -> np.ndarray:
        generators = spawn_generators(6, 1)
        network = Network.create((4, 6, 3), generators, np.float64)
        optimizer = Adam()
        train(
            network,
            optimizer,
            x,
            labels,
            epochs=3,
            batch_size=16,
            generators=generators,
            rows=rows[None],
        )
        return network.parameters

    moved = course(table.x[shuffle], table.labels[shuffle], np.argsort(shuffle))
    assert_array_equal(moved, course(table.x, table.labels, np.arange(97)))


def test_weights_of_one_are_no_weights(run: Run) -> None:
    weighted, _ = run(row_weights=np.ones(97))
    assert_allclose(weighted.parameters, run()[0].parameters, rtol=1e-12)


def test_doubling_the_weights_doubles_the_learning_rate_of_sgd(run: Run) -> None:
    doubled, _ = run(optimizer="sgd", learning_rate=0.05, row_weights=np.full(97, 2.0))
    faster, _ = run(optimizer="sgd", learning_rate=0.1)
    assert_allclose(doubled.parameters, faster.parameters, rtol=1e-10, atol=1e-13)


def test_rows_of_weight_zero_teach_nothing(run: Run, table: Any) -> None:
    weights = (table.labels != 1).astype(float)
    mislabelled = table.labels.copy()
    mislabelled[table.labels == 1] = 2
    generators = spawn_generators(99, 1)
    network = Network.create((4, 6, 5, 3), generators, np.float64)
    train(
        network,
        Adam(learning_rate=0.02),
        table.x,
        mislabelled,
        epochs=5,
        batch_size=16,
        generators=generators,
        row_weights=weights,
    )
    assert_array_equal(run(row_weights=weights)[0].parameters, network.parameters)


def test_class_weights_move_the_answer_towards_the_heavy_class(run: Run, table: Any) -> None:
    heavy = np.array([0.1, 0.1, 10.0])[table.labels]
    shares = [
        network.predict_proba(table.x)[0, :, 2].mean()
        for network, _ in (run(epochs=30), run(epochs=30, row_weights=heavy))
    ]
    assert shares[1] > shares[0] + 0.1


def test_rows_not_asked_for_are_not_looked_at(run: Run, table: Any) -> None:
    rows = np.arange(50)[None]
    spoilt = table.x.copy()
    spoilt[50:] = np.nan
    generators = spawn_generators(99, 1)
    network = Network.create((4, 6, 5, 3), generators, np.float64)
    train(
        network,
        Adam(learning_rate=0.02),
        spoilt,
        table.labels,
        epochs=5,
        batch_size=16,
        generators=generators,
        rows=rows,
    )
    assert_array_equal(network.parameters, run(rows=rows)[0].parameters)


def test_a_batch_size_above_the_row_count_is_one_batch(run: Run) -> None:
    above, _ = run(batch_size=1000, optimizer="sgd")
    exact, _ = run(batch_size=97, optimizer="sgd")
    assert_array_equal(above.parameters, exact.parameters)


def test_full_batches_are_gradient_descent(table: Any) -> None:
    generators = spawn_generators(3, 2)
    network = Network.create((4, 6, 3), generators, np.float64)
    byhand = Network((4, 6, 3), network.parameters.copy())
    train(
        network,
        SGD(learning_rate=0.5),
        table.x,
        table.labels,
        epochs=4,
        batch_size=97,
        generators=generators,
    )
    for _ in range(4):
        _, gradients = loss_and_gradients(byhand, table.x, table.labels)
        byhand.parameters -= 0.5 * gradients
    assert_allclose(network.parameters, byhand.parameters, rtol=1e-10, atol=1e-13)


def test_the_last_batch_may_be_smaller_and_counts_as_its_own_mean(table: Any) -> None:
    class InOrder:
        def permuted(self, rows: np.ndarray, *, axis: int, out: np.ndarray) -> None:
            assert axis == 1
            out[:] = rows

    start = Network.create((4, 6, 3), spawn_generators(3, 1), np.float64)
    network = start.select([0])
    train(
        network,
        SGD(learning_rate=0.5),
        table.x[:10],
        table.labels[:10],
        epochs=1,
        batch_size=7,
        generators=[InOrder()],
    )
    for batch in (slice(0, 7), slice(7, 10)):
        _, gradients = loss_and_gradients(start, table.x[batch], table.labels[batch])
        start.parameters -= 0.5 * gradients
    assert_allclose(network.parameters, start.parameters, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("block_bytes", [1, 3000, 512 * 1024])
def test_every_row_is_seen_once_an_epoch(table: Any, block_bytes: int) -> None:
    source = Batches(
        table.x,
        table.labels,
        None,
        np.arange(1.0, 98.0),
        generators=spawn_generators(0, 2),
        n_classes=3,
        batch_size=16,
        dtype=np.float64,
        block_bytes=block_bytes,
    )
    orders = [[generator.permutation(97) for _ in range(5)] for generator in spawn_generators(0, 2)]
    for epoch, batches in enumerate(source.epochs(5)):
        sizes, seen = [], []
        for batch in batches:
            n = batch.inputs.shape[2]
            sizes.append(n)
            assert (batch.inputs[:, -1] == 1).all()
            assert batch.row_weights is not None
            rows = batch.row_weights[:, 0].astype(int) - 1
            assert_allclose(batch.targets.sum(axis=1), 1 / n, rtol=1e-15)
            for k in range(2):
                assert_array_equal(batch.inputs[k, :-1].T, table.x[rows[k]])
                assert_array_equal(batch.targets[k].argmax(axis=0), table.labels[rows[k]])
            seen.append(rows)
        assert sizes == [16] * 6 + [1]
        assert_array_equal(np.concatenate(seen, axis=1), [orders[k][epoch] for k in range(2)])
    assert epoch == 4


def test_one_row() -> None:
    generators = spawn_generators(0, 2)
    network = Network.create((4, 6, 3), generators, np.float64)
    x, labels = np.array([[1.0, -1, 0.5, 2]]), np.array([1])
    history = train(
        network,
        Adam(learning_rate=0.05),
        x,
        labels,
        epochs=60,
        batch_size=32,
        generators=generators,
    )
    assert (np.diff(history.train_loss, axis=0) < 0).all()
    assert (network.predict_proba(x)[:, 0, 1] > 0.9).all()


def test_one_class_has_nothing_to_learn(table: Any) -> None:
    generators = spawn_generators(0, 1)
    network = Network.create((4, 6, 1), generators, np.float64)
    before = network.parameters.copy()
    history = train(
        network,
        Adam(),
        table.x,
        np.zeros(97, dtype=int),
        epochs=2,
        batch_size=16,
        generators=generators,
    )
    assert_array_equal(network.parameters, before)
    assert (history.train_loss == 0).all()
    assert (history.train_accuracy == 1).all()


@pytest.mark.parametrize("layout", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_layout_of_the_table_does_not_matter(
    run: Run, table: Any, layout: Any, dtype: type
) -> None:
    ends = []
    for x in (table.x.astype(dtype), np.array(table.x.astype(dtype), order=layout)):
        x.flags.writeable = False
        generators = spawn_generators(1, 1)
        network = Network.create((4, 6, 3), generators, np.float32)
        optimizer = Adam()
        train(network, optimizer, x, table.labels, epochs=2, batch_size=16, generators=generators)
        ends.append(network.parameters)
    assert_array_equal(ends[0], ends[1])


def test_float32_follows_float64(table: Any) -> None:
    ends = []
    for dtype in (np.float32, np.float64):
        generators = spawn_generators(1, 1)
        network = Network.create((4, 6, 3), generators, dtype)
        optimizer = AdamW(learning_rate=0.01)
        train(
            network,
            optimizer,
            table.x,
            table.labels,
            epochs=10,
            batch_size=16,
            generators=generators,
        )
        assert network.parameters.dtype == dtype
        ends.append(network.parameters)
    assert_allclose(ends[0], ends[1], rtol=0, atol=1e-4)


def test_a_schedule_of_zero_stands_still(run: Run) -> None:
    start = run(epochs=1, optimizer="sgd", schedule=lambda _: 0.0)[0].parameters
    assert_array_equal(start, run(epochs=6, optimizer="sgd", schedule=lambda _: 0.0)[0].parameters)
    moved = run(epochs=1, optimizer="sgd", schedule=constant())[0].parameters
    assert (moved != start).any()


def test_the_network_learns(run: Run, table: Any) -> None:
    for name, rate in (("sgd", 0.3), ("momentum", 0.05), ("adam", 0.02), ("adamw", 0.02)):
        _, history = run(seeds=range(4), optimizer=name, learning_rate=rate, epochs=60)
        assert history.train_accuracy[-1].mean() > 0.8, name
        assert (history.train_loss[-1] < history.train_loss[0]).all(), name
