"""Single steps against hand calculation, and identities between optimizers."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from ffn.nn import (
    OPTIMIZERS,
    SGD,
    Adam,
    AdamW,
    Momentum,
    Network,
    Optimizer,
    OptimizerState,
    spawn_generators,
)

NAMES = ["sgd", "momentum", "adam", "adamw"]


def take(state: OptimizerState, *gradients: float, factor: float = 1.0) -> None:
    for gradient in gradients:
        state.gradients[:] = gradient
        state.step(factor)


def single(optimizer: Optimizer, start: float = 0.0) -> tuple[OptimizerState, np.ndarray]:
    """Return a state and the parameters it moves: one weight and one bias, both ``start``."""
    parameters = np.full((1, 2), start)
    return OptimizerState(optimizer, Network((1, 1), parameters)), parameters[0]


def test_sgd_by_hand() -> None:
    state, p = single(SGD(learning_rate=0.1), 1.0)
    take(state, 2.0, -1.0)
    assert p == pytest.approx(1 - 0.2 + 0.1)


def test_momentum_by_hand() -> None:
    state, p = single(Momentum(learning_rate=0.1, momentum=0.5), 1.0)
    # v = 2, then 0.5 * 2 - 1 = 0, then 0 + 4
    take(state, 2.0, -1.0, 4.0)
    assert p == pytest.approx(1 - 0.1 * (2 + 0 + 4))


def test_momentum_keeps_its_velocity_out_of_the_learning_rate() -> None:
    state, p = single(Momentum(learning_rate=0.1, momentum=0.5))
    take(state, 1.0)
    take(state, 0.0, factor=10.0)
    # With the learning rate inside the velocity the second step would be 0.05, not 0.5.
    assert p == pytest.approx(-0.1 - 0.5)


@pytest.mark.parametrize("gradient", [1e-6, -1e-6, 1e-8, 1.0, 1e4])
def test_adams_first_step_is_the_papers(gradient: float) -> None:
    state, p = single(Adam(learning_rate=1.0))
    take(state, gradient)
    # Bias correction makes m_hat = g and v_hat = g^2 after one step.
    assert -p == pytest.approx(gradient / (abs(gradient) + 1e-8), rel=1e-12)


def test_adams_first_step_at_one_millionth_is_99_percent_of_the_learning_rate() -> None:
    state, p = single(Adam(learning_rate=0.001))
    take(state, 1e-6)
    assert -p / 0.001 == pytest.approx(1 / 1.01, rel=1e-12)
    assert -p / 0.001 == pytest.approx(0.990, abs=5e-4)


def test_adams_second_step_by_hand() -> None:
    state, p = single(Adam(learning_rate=0.1, beta1=0.5, beta2=0.75, epsilon=0.01))
    take(state, 2.0, 4.0)
    # m = 0.5*(0.5*2) + 0.5*4 = 2.5, of 1 - 0.25;  v = 0.75*(0.25*4) + 0.25*16 = 4.75, of 1 - 0.5625
    first = 2 / (2 + 0.01)
    second = (2.5 / 0.75) / (np.sqrt(4.75 / 0.4375) + 0.01)
    assert p == pytest.approx(-0.1 * (first + second), rel=1e-14)


@pytest.mark.parametrize("decay_biases", [False, True])
def test_adamws_decay_by_hand(decay_biases: bool) -> None:
    optimizer = AdamW(learning_rate=0.1, weight_decay=0.5, decay_biases=decay_biases)
    state, _ = single(optimizer, 2.0)
    take(state, 1.0, factor=0.5)
    step, decayed = 0.05 / (1 + 1e-8), 2 * (1 - 0.05 * 0.5)
    weight, bias = state.network.parameters[0]
    assert weight == pytest.approx(decayed - step, rel=1e-15)
    assert bias == pytest.approx((decayed if decay_biases else 2) - step, rel=1e-15)


def test_adamws_decay_follows_the_schedule() -> None:
    state, p = single(AdamW(learning_rate=0.1, weight_decay=0.5), 1.0)
    for factor in (1.0, 0.5, 0.5, 0.0, 2.0):
        take(state, 0.0, factor=factor)
    # Without a gradient Adam stands still, and what moves is the decay alone.
    assert p[0] == pytest.approx(0.95 * 0.975 * 0.975 * 1.0 * 0.9, rel=1e-14)


def random_course(optimizer: Optimizer) -> np.ndarray:
    generator = np.random.default_rng(3)
    network = Network((9, 5), generator.normal(size=(3, 50)))
    state = OptimizerState(optimizer, network)
    for step in range(40):
        state.gradients[:] = generator.normal(size=network.parameters.shape)
        state.step(1 / (1 + step))
    return network.parameters


def test_adamw_without_decay_is_adam() -> None:
    assert_array_equal(random_course(AdamW(weight_decay=0.0)), random_course(Adam()))


def test_momentum_zero_is_sgd() -> None:
    assert_array_equal(random_course(Momentum(momentum=0.0)), random_course(SGD()))


def test_adam_without_memory_takes_steps_of_the_gradients_sign() -> None:
    network = Network((1, 2), np.zeros((1, 4)))
    state = OptimizerState(Adam(learning_rate=0.1, beta1=0.0, beta2=0.0, epsilon=0.0), network)
    state.gradients[:] = [3.0, -1e-3, 1e5, -7.0]
    state.step()
    assert_allclose(network.parameters, [[-0.1, 0.1, -0.1, 0.1]], rtol=1e-14)


@pytest.mark.parametrize("name", NAMES)
def test_a_factor_scales_the_learning_rate(name: str) -> None:
    ends = []
    for rate, factor in ((0.02, 1.0), (0.2, 0.1)):
        network = Network.create((3, 4, 2), spawn_generators(0, 2), np.float64)
        state = OptimizerState(OPTIMIZERS[name](learning_rate=rate), network)
        take(state, 1.0, -0.3, factor=factor)
        ends.append(network.parameters)
    assert_allclose(ends[0], ends[1], rtol=1e-14)


def take_random_steps(state: OptimizerState, seeds: range) -> None:
    for seed in seeds:
        shape = state.gradients.shape
        state.gradients[:] = np.random.default_rng(seed).normal(size=shape)
        state.step()


@pytest.mark.parametrize("name", NAMES)
def test_memory_lets_a_fresh_state_go_on(name: str) -> None:
    optimizer = OPTIMIZERS[name]()
    straight = Network.create((3, 4, 2), spawn_generators(0, 1), np.float64)
    take_random_steps(OptimizerState(optimizer, straight), range(6))

    interrupted = Network.create((3, 4, 2), spawn_generators(0, 1), np.float64)
    first = OptimizerState(optimizer, interrupted)
    take_random_steps(first, range(3))
    second = OptimizerState(optimizer, interrupted, memory=first.memory)
    take_random_steps(second, range(3, 6))
    assert_array_equal(interrupted.parameters, straight.parameters)
    assert (first.memory.steps, second.memory.steps) == (3, 6)


def test_one_optimizer_may_train_several_networks() -> None:
    adam = Adam()
    ends = []
    for seeds in (range(3), range(5), range(3)):
        network = Network.create((3, 4, 2), spawn_generators(0, 1), np.float64)
        take_random_steps(OptimizerState(adam, network), seeds)
        ends.append(network.parameters)
    assert_array_equal(ends[0], ends[2])
    with pytest.raises(FrozenInstanceError, match="learning_rate"):
        adam.learning_rate = 1.0  # type: ignore[misc]


@pytest.mark.parametrize("decay_biases", [False, True])
def test_adamw_decays_weights_alone_unless_told_otherwise(decay_biases: bool) -> None:
    network = Network((3, 4, 2), np.ones((2, 26)))
    optimizer = AdamW(decay_biases=decay_biases, learning_rate=0.1, weight_decay=0.5)
    OptimizerState(optimizer, network).step()
    for i in range(2):
        assert_allclose(network.weights(i), 0.95)
        assert_allclose(network.biases(i), 0.95 if decay_biases else 1.0)


@pytest.mark.parametrize("decay_biases", [False, True])
def test_frozen_layers_do_not_decay(decay_biases: bool) -> None:
    network = Network((3, 4, 2), np.ones((1, 26)))
    optimizer = AdamW(learning_rate=0.1, weight_decay=0.5, decay_biases=decay_biases)
    OptimizerState(optimizer, network, frozen_layers=(0,)).step()
    assert (network.layers[0] == 1).all()
    assert_allclose(network.weights(1), 0.95)


def test_names_are_those_of_the_settings() -> None:
    assert {"sgd": SGD, "momentum": Momentum, "adam": Adam, "adamw": AdamW} == OPTIMIZERS
    assert list(OPTIMIZERS) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_optimizer_has_the_same_default_learning_rate(name: str) -> None:
    assert OPTIMIZERS[name]().learning_rate == 0.005


@pytest.mark.parametrize(
    ("kind", "name", "value", "expected"),
    [
        (SGD, "learning_rate", 0.0, "above 0"),
        (Momentum, "learning_rate", float("nan"), "above 0"),
        (Adam, "learning_rate", float("inf"), "above 0"),
        (Momentum, "momentum", 1.0, "from 0 to below 1"),
        (Adam, "beta1", -0.1, "from 0 to below 1"),
        (AdamW, "beta2", 1.0, "from 0 to below 1"),
        (Adam, "epsilon", -1e-8, "from 0 up"),
        (AdamW, "weight_decay", -0.01, "from 0 up"),
    ],
)
def test_numbers_out_of_range_are_refused(
    kind: type, name: str, value: float, expected: str
) -> None:
    with pytest.raises(ValueError, match=f"{name} is {value}; expected a number {expected}"):
        kind(**{name: value})


@pytest.mark.parametrize(
    ("kind", "name", "value", "expected"),
    [
        (SGD, "learning_rate", (0.1, 0.0), "learning_rate of network 1 is 0.0; .* above 0"),
        (Momentum, "momentum", (1.0, 0.5), "momentum of network 0 is 1.0; .* to below 1"),
        (AdamW, "weight_decay", (0.1, -1), "weight_decay of network 1 is -1; .* from 0 up"),
        (Adam, "beta2", (), r"beta2 is \(\); expected a number, or one for each network"),
        (Adam, "beta1", [0.9, 0.8], r"beta1 is \[0.9, 0.8\]; expected a number from 0 to below 1"),
        (SGD, "learning_rate", "fast", "learning_rate is fast; expected a number above 0"),
    ],
)
def test_each_networks_number_is_checked(
    kind: type, name: str, value: object, expected: str
) -> None:
    with pytest.raises(ValueError, match=expected):
        kind(**{name: value})


@pytest.mark.parametrize("name", NAMES)
def test_float32_stays_float32(name: str) -> None:
    network = Network.create((3, 4, 2), spawn_generators(0, 1), np.float32)
    exact = Network((3, 4, 2), network.parameters.astype(np.float64))
    for stack in (network, exact):
        take(OptimizerState(OPTIMIZERS[name](), stack), 0.5, -0.25)
    assert network.parameters.dtype == np.float32
    assert_allclose(network.parameters, exact.parameters, rtol=1e-5)
