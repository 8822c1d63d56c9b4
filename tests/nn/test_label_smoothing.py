"""Label smoothing: targets by hand, gradients by differences, and where it leads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import log_softmax
from sklearn.metrics import log_loss

from ffn.nn import SGD, Adam, Network, spawn_generators, train
from ffn.nn.engine.batches import Batches

STEP = 1e-5
Run = Callable[..., tuple[Network, Any]]


def test_targets_by_hand() -> None:
    source = Batches(
        np.zeros((2, 1)),
        np.array([2, 2]),
        None,
        None,
        generators=spawn_generators(0, 3),
        n_classes=4,
        batch_size=2,
        dtype=np.float64,
        label_smoothing=(0.1, 0.0, 0.4),
    )
    ((batch,),) = ([*batches] for batches in source.epochs(1))
    # (1 - 0.1) + 0.1 / 4 = 0.925 for the label, 0.1 / 4 for the others; all by 1 / B = 1 / 2
    assert_allclose(batch.targets[0, :, 0], [0.0125, 0.0125, 0.4625, 0.0125], rtol=1e-14)
    assert_array_equal(batch.targets[1, :, 0], [0, 0, 0.5, 0])
    assert_allclose(batch.targets[2, :, 1], [0.05, 0.05, 0.35, 0.05], rtol=1e-14)


def smoothed_loss(
    network: Network, x: np.ndarray, labels: np.ndarray, epsilons: Any, row_weights: np.ndarray
) -> np.ndarray:
    """Return Szegedy's loss ``(1 - epsilon) H(t, p) + epsilon H(1 / C, p)``, [K]."""
    losses = []
    for k, epsilon in enumerate(epsilons):
        hidden = np.clip(x @ network.weights(0)[k] + network.biases(0)[k], 0, None)
        log_p = log_softmax(hidden @ network.weights(1)[k] + network.biases(1)[k], axis=1)
        own, uniform = log_p[np.arange(len(x)), labels], log_p.mean(axis=1)
        losses.append(-(((1 - epsilon) * own + epsilon * uniform) * row_weights).mean())
    return np.array(losses)


@pytest.mark.parametrize("weighted", [False, True])
def test_gradients(table: Any, weighted: bool) -> None:
    epsilons, rate = (0.1, 0.0, 0.5), 0.25
    weights = np.random.default_rng(0).uniform(0, 2, size=97) if weighted else None
    generators = spawn_generators(4, 3)
    network = Network.create((4, 6, 3), generators, np.float64)
    network.biases(0)[:] = 0.1
    before = Network((4, 6, 3), network.parameters.copy())
    train(
        network,
        SGD(learning_rate=rate),
        table.x,
        table.labels,
        epochs=1,
        batch_size=97,
        generators=generators,
        row_weights=weights,
        label_smoothing=epsilons,
    )
    # A full batch's step of SGD is the learning rate times the gradient.
    gradients = (before.parameters - network.parameters) / rate
    by_hand = np.ones(97) if weights is None else weights
    for column in range(before.parameters.shape[1]):
        values, losses = before.parameters[:, column].copy(), []
        for moved in (STEP, -STEP):
            before.parameters[:, column] = values + moved
            losses.append(smoothed_loss(before, table.x, table.labels, epsilons, by_hand))
        before.parameters[:, column] = values
        difference = (losses[0] - losses[1]) / (2 * STEP)
        assert_allclose(gradients[:, column], difference, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("epsilon", [0.1, 0.3])
def test_the_answer_tends_to_the_smoothed_label(epsilon: float) -> None:
    generators = spawn_generators(0, 1)
    network = Network.create((2, 8, 4), generators, np.float64)
    train(
        network,
        Adam(learning_rate=0.02),
        np.ones((1, 2)),
        np.array([1]),
        epochs=1500,
        batch_size=1,
        generators=generators,
        label_smoothing=epsilon,
    )
    # The cross-entropy to a distribution is lowest at that distribution.
    others = epsilon / 4
    answer = network.predict_proba(np.ones((1, 2)))[0, 0]
    assert_allclose(answer, [others, 1 - 3 * others, others, others], atol=1e-6)


@pytest.mark.parametrize("nothing", [0.0, 0, (0.0, 0.0)], ids=str)
def test_no_smoothing_is_training_without_it(run: Run, nothing: Any) -> None:
    network, history = run(seeds=[0, 1], label_smoothing=nothing)
    plain, plain_history = run(seeds=[0, 1])
    assert network.parameters.tobytes() == plain.parameters.tobytes()
    assert_array_equal(history.train_loss, plain_history.train_loss)


def test_each_network_has_its_own_epsilon(run: Run) -> None:
    mixed, _ = run(seeds=[0, 1, 2], label_smoothing=(0.0, 0.2, 0.1))
    for k, epsilon in enumerate((0.0, 0.2, 0.1)):
        same, _ = run(seeds=[0, 1, 2], label_smoothing=epsilon)
        assert_array_equal(mixed.parameters[k], same.parameters[k])
        assert (mixed.parameters[k - 1] != same.parameters[k - 1]).any()


def test_recorded_losses_are_the_plain_cross_entropy(run: Run, table: Any) -> None:
    rows, held_out = np.arange(60), np.arange(60, 97)
    network, history = run(
        label_smoothing=0.3, rows=rows[None], validation_rows=held_out[None], epochs=8
    )
    for chosen, recorded in (
        (rows, history.train_loss[-1, 0]),
        (held_out, history.validation_loss[-1, 0]),
    ):
        plain = log_loss(table.labels[chosen], network.predict_proba(table.x[chosen])[0])
        assert recorded == pytest.approx(plain, rel=1e-9)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1.0, "label_smoothing is 1.0; expected a number from 0 to below 1"),
        ((0.1, -0.1), "label_smoothing of network 1 is -0.1; expected a number from 0 to below 1"),
        ((0.1,), "label_smoothing has 1 values for a stack of 2 networks; give one number"),
    ],
)
def test_a_wrong_share_is_refused(run: Run, value: Any, expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        run(seeds=[0, 1], label_smoothing=value)
