"""Single steps against hand calculation, and identities between optimizers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from ffn.nn import SGD, Adam, AdamW, Momentum, Network, create_optimizer, spawn_generators
from ffn.nn import optimizers as optimizers_module

NAMES = ["sgd", "momentum", "adam", "adamw"]


def scalar(value: float = 1.0) -> np.ndarray:
    return np.array([[value]])


def take(optimizer: object, *gradients: float, factor: float = 1.0) -> None:
    for gradient in gradients:
        optimizer.gradients[:] = gradient
        optimizer.step(factor)


def test_sgd_by_hand() -> None:
    p = scalar(1.0)
    take(SGD(p, learning_rate=0.1), 2.0, -1.0)
    assert p[0, 0] == pytest.approx(1 - 0.2 + 0.1)


def test_momentum_by_hand() -> None:
    p = scalar(1.0)
    # v = 2, then 0.5 * 2 - 1 = 0, then 0 + 4
    take(Momentum(p, learning_rate=0.1, momentum=0.5), 2.0, -1.0, 4.0)
    assert p[0, 0] == pytest.approx(1 - 0.1 * (2 + 0 + 4))


def test_momentum_keeps_its_velocity_out_of_the_learning_rate() -> None:
    p = scalar(0.0)
    momentum = Momentum(p, learning_rate=0.1, momentum=0.5)
    take(momentum, 1.0)
    take(momentum, 0.0, factor=10.0)
    # With the learning rate inside the velocity the second step would be 0.05, not 0.5.
    assert p[0, 0] == pytest.approx(-0.1 - 0.5)


@pytest.mark.parametrize("gradient", [1e-6, -1e-6, 1e-8, 1.0, 1e4])
def test_adams_first_step_is_the_papers(gradient: float) -> None:
    p = scalar(0.0)
    take(Adam(p, learning_rate=1.0), gradient)
    # Bias correction makes m_hat = g and v_hat = g^2 after one step.
    assert -p[0, 0] == pytest.approx(gradient / (abs(gradient) + 1e-8), rel=1e-12)


def test_adams_first_step_at_one_millionth_is_99_percent_of_the_learning_rate() -> None:
    p = scalar(0.0)
    take(Adam(p, learning_rate=0.001), 1e-6)
    assert -p[0, 0] / 0.001 == pytest.approx(1 / 1.01, rel=1e-12)
    assert -p[0, 0] / 0.001 == pytest.approx(0.990, abs=5e-4)


def test_adams_second_step_by_hand() -> None:
    p = scalar(0.0)
    adam = Adam(p, learning_rate=0.1, beta1=0.5, beta2=0.75, epsilon=0.01)
    take(adam, 2.0, 4.0)
    # m = 0.5*(0.5*2) + 0.5*4 = 2.5, of 1 - 0.25;  v = 0.75*(0.25*4) + 0.25*16 = 4.75, of 1 - 0.5625
    first = 2 / (2 + 0.01)
    second = (2.5 / 0.75) / (np.sqrt(4.75 / 0.4375) + 0.01)
    assert p[0, 0] == pytest.approx(-0.1 * (first + second), rel=1e-14)


def test_adamws_decay_by_hand() -> None:
    p = np.array([[2.0, 2.0]])
    adamw = AdamW(p, learning_rate=0.1, weight_decay=0.5, decayed=np.array([True, False]))
    take(adamw, 1.0, factor=0.5)
    step = 0.05 / (1 + 1e-8)
    assert_allclose(p, [[2 * (1 - 0.05 * 0.5) - step, 2 - step]], rtol=1e-15)


def test_adamws_decay_follows_the_schedule() -> None:
    p = scalar(1.0)
    adamw = AdamW(p, learning_rate=0.1, weight_decay=0.5)
    for factor in (1.0, 0.5, 0.5, 0.0, 2.0):
        take(adamw, 0.0, factor=factor)
    # Without a gradient Adam stands still, and what moves is the decay alone.
    assert p[0, 0] == pytest.approx(0.95 * 0.975 * 0.975 * 1.0 * 0.9, rel=1e-14)


def random_course(make: Callable[[np.ndarray], object]) -> np.ndarray:
    generator = np.random.default_rng(3)
    p = generator.normal(size=(3, 50))
    optimizer = make(p)
    for step in range(40):
        optimizer.gradients[:] = generator.normal(size=p.shape)
        optimizer.step(1 / (1 + step))
    return p


def test_adamw_without_decay_is_adam() -> None:
    assert_array_equal(
        random_course(lambda p: AdamW(p, weight_decay=0.0)), random_course(lambda p: Adam(p))
    )


def test_momentum_zero_is_sgd() -> None:
    assert_array_equal(
        random_course(lambda p: Momentum(p, momentum=0.0)), random_course(lambda p: SGD(p))
    )


def test_adam_without_memory_takes_steps_of_the_gradients_sign() -> None:
    p = np.zeros((1, 4))
    adam = Adam(p, learning_rate=0.1, beta1=0.0, beta2=0.0, epsilon=0.0)
    adam.gradients[:] = [3.0, -1e-3, 1e5, -7.0]
    adam.step()
    assert_allclose(p, [[-0.1, 0.1, -0.1, 0.1]], rtol=1e-14)


@pytest.mark.parametrize("name", NAMES)
def test_a_factor_scales_the_learning_rate(name: str) -> None:
    ends = []
    for rate, factor in ((0.02, 1.0), (0.2, 0.1)):
        network = Network.create((3, 4, 2), spawn_generators(0, 2), np.float64)
        optimizer = create_optimizer(name, network, learning_rate=rate)
        for value in (1.0, -0.3):
            take(optimizer, value, factor=factor)
        ends.append(network.parameters)
    assert_allclose(ends[0], ends[1], rtol=1e-14)


@pytest.mark.parametrize("name", NAMES)
def test_blocks_do_not_show(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def course() -> np.ndarray:
        network = Network.create((3, 4, 2), spawn_generators(0, 3), np.float64)
        optimizer = create_optimizer(name, network, learning_rate=0.1)
        for seed in range(5):
            shape = optimizer.gradients.shape
            optimizer.gradients[:] = np.random.default_rng(seed).normal(size=shape)
            optimizer.step()
        return network.parameters

    whole = course()
    monkeypatch.setattr(optimizers_module, "_BLOCK", 7)
    assert_array_equal(course(), whole)


@pytest.mark.parametrize("name", NAMES)
def test_memory_lets_a_fresh_optimizer_go_on(name: str) -> None:
    def steps(optimizer: object, seeds: range) -> None:
        for seed in seeds:
            shape = optimizer.gradients.shape
            gradients = np.random.default_rng(seed).normal(size=shape)
            optimizer.gradients[:] = gradients
            optimizer.step()

    straight = Network.create((3, 4, 2), spawn_generators(0, 1), np.float64)
    steps(create_optimizer(name, straight), range(6))

    interrupted = Network.create((3, 4, 2), spawn_generators(0, 1), np.float64)
    first = create_optimizer(name, interrupted)
    steps(first, range(3))
    second = create_optimizer(name, interrupted)
    for mine, theirs in zip(second.memory, first.memory, strict=True):
        mine[...] = theirs
    steps(second, range(3, 6))
    assert_array_equal(interrupted.parameters, straight.parameters)


def test_created_adamw_decays_weights_alone_unless_told_otherwise() -> None:
    for decay_biases in (False, True):
        network = Network((3, 4, 2), np.ones((2, 26)))
        optimizer = create_optimizer(
            "adamw", network, decay_biases=decay_biases, learning_rate=0.1, weight_decay=0.5
        )
        optimizer.step()
        for i in range(2):
            assert_allclose(network.weights(i), 0.95)
            assert_allclose(network.biases(i), 0.95 if decay_biases else 1.0)


def test_created_adamw_does_not_decay_frozen_layers() -> None:
    network = Network((3, 4, 2), np.ones((1, 26)))
    create_optimizer(
        "adamw", network, frozen_layers=(0,), learning_rate=0.1, weight_decay=0.5
    ).step()
    assert (network.layers[0] == 1).all()
    assert_allclose(network.weights(1), 0.95)


@pytest.mark.parametrize(
    ("name", "kind"), [("sgd", SGD), ("momentum", Momentum), ("adam", Adam), ("adamw", AdamW)]
)
def test_created_by_name(name: str, kind: type) -> None:
    network = Network((3, 2), np.ones((1, 8)))
    optimizer = create_optimizer(name, network, learning_rate=0.125)
    assert type(optimizer) is kind
    assert optimizer.learning_rate == 0.125


def test_unknown_name_is_refused() -> None:
    with pytest.raises(ValueError, match='unknown optimizer "adamx"; there are sgd, momentum'):
        create_optimizer("adamx", Network((3, 2), np.ones((1, 8))))


@pytest.mark.parametrize("name", NAMES)
def test_float32_stays_float32(name: str) -> None:
    network = Network.create((3, 4, 2), spawn_generators(0, 1), np.float32)
    exact = Network((3, 4, 2), network.parameters.astype(np.float64))
    for stack in (network, exact):
        optimizer = create_optimizer(name, stack)
        take(optimizer, 0.5, -0.25)
    assert network.parameters.dtype == np.float32
    assert_allclose(network.parameters, exact.parameters, rtol=1e-5)
