"""Networks of one stack with different hyper-parameters, against stacks where one holds for all."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from ffn.nn import (
    SGD,
    Adam,
    AdamW,
    Memory,
    Momentum,
    Network,
    Optimizer,
    OptimizerState,
    cosine,
    spawn_generators,
    train,
)

# Values for four networks of every hyper-parameter, alone and together.
OPTIMIZERS_BY_NETWORK = [
    SGD(learning_rate=(0.3, 0.01, 0.1, 0.03)),
    Momentum(learning_rate=(0.05, 0.01, 0.02, 0.03)),
    Momentum(learning_rate=0.02, momentum=(0.0, 0.5, 0.9, 0.99)),
    Adam(learning_rate=(0.05, 0.001, 0.01, 0.003)),
    Adam(learning_rate=0.01, beta1=(0.0, 0.5, 0.9, 0.95)),
    Adam(learning_rate=0.01, beta2=(0.9, 0.99, 0.999, 0.9999)),
    Adam(learning_rate=0.01, epsilon=(0.0, 1e-8, 1e-3, 1.0)),
    AdamW(learning_rate=0.01, weight_decay=(0.0, 0.01, 0.1, 1.0)),
    AdamW(learning_rate=(0.05, 0.001, 0.01, 0.003), weight_decay=0.1, decay_biases=True),
    AdamW(
        learning_rate=(0.05, 0.001, 0.01, 0.003),
        beta1=(0.0, 0.5, 0.9, 0.95),
        beta2=(0.9, 0.99, 0.999, 0.9999),
        epsilon=(0.0, 1e-8, 1e-3, 1.0),
        weight_decay=(0.0, 0.01, 0.1, 1.0),
    ),
]


def described(optimizer: Any) -> str:
    return "-".join([type(optimizer).__name__, *optimizer.by_network])


def course(table: Any, optimizer: Optimizer, dtype: type, networks: list[int]) -> np.ndarray:
    """Return the parameters of some of four networks after training them in one stack."""
    generators = [spawn_generators(7, 4)[k] for k in networks]
    network = Network.create((4, 6, 5, 3), generators, dtype)
    train(
        network,
        optimizer,
        table.x,
        table.labels,
        epochs=10,
        batch_size=16,
        generators=generators,
        schedule=cosine(70, warmup_steps=5),
    )
    return network.parameters


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("optimizer", OPTIMIZERS_BY_NETWORK, ids=described)
def test_each_network_goes_as_if_its_number_held_for_all(
    table: Any, optimizer: Any, dtype: type
) -> None:
    together = course(table, optimizer, dtype, [0, 1, 2, 3])
    for k in range(4):
        numbers = {name: values[k] for name, values in optimizer.by_network.items()}
        same = course(table, replace(optimizer, **numbers), dtype, [0, 1, 2, 3])
        assert_array_equal(together[k], same[k])
        other = (k + 1) % 4
        assert (together[other] != same[other]).any()


def test_part_of_a_stack_learns_the_same(table: Any) -> None:
    optimizer = OPTIMIZERS_BY_NETWORK[-1]
    together = course(table, optimizer, np.float32, [0, 1, 2, 3])
    assert_array_equal(
        course(table, optimizer.select([3, 1]), np.float32, [3, 1]), together[[3, 1]]
    )


def test_a_tuple_of_equal_numbers_is_the_number(table: Any) -> None:
    several = AdamW(learning_rate=(0.01,) * 4, beta1=(0.9,) * 4, weight_decay=(0.1,) * 4)
    one = AdamW(learning_rate=0.01, weight_decay=0.1)
    networks = [0, 1, 2, 3]
    assert_array_equal(
        course(table, several, np.float32, networks), course(table, one, np.float32, networks)
    )


def test_two_rates_by_hand() -> None:
    network = Network((1, 1), np.ones((2, 2)))
    state = OptimizerState(AdamW(learning_rate=(0.1, 0.2), weight_decay=(0.5, 0.0)), network)
    state.step(0.5)
    # No gradient: the weight of the first network decays by 0.1 * 0.5 * 0.5, and biases do not.
    assert_array_equal(network.parameters, [[1 - 0.025, 1.0], [1.0, 1.0]])


def test_selecting_networks_selects_their_numbers() -> None:
    optimizer = AdamW(learning_rate=(0.1, 0.2, 0.3), weight_decay=0.5, decay_biases=True)
    assert optimizer.select([2, 0]) == AdamW(
        learning_rate=(0.3, 0.1), weight_decay=0.5, decay_biases=True
    )


def test_optimizers_with_equal_tuples_are_equal_and_hash_alike() -> None:
    assert Adam(beta1=(0.9, 0.8)) == Adam(beta1=(0.9, 0.8))
    assert hash(Adam(beta1=(0.9, 0.8))) == hash(Adam(beta1=(0.9, 0.8)))
    assert Adam(beta1=(0.9, 0.8)) != Adam(beta1=(0.8, 0.9))


@pytest.mark.parametrize("values", [(0.1,), (0.1, 0.2), (0.1, 0.2, 0.3, 0.4)])
def test_a_tuple_that_does_not_fit_the_stack_is_refused(values: tuple[float, ...]) -> None:
    network = Network((1, 1), np.ones((3, 2)))
    with pytest.raises(
        ValueError,
        match=f"learning_rate has {len(values)} values for a stack of 3 networks; give one number",
    ):
        OptimizerState(SGD(learning_rate=values), network)


def test_training_goes_on_with_each_networks_number() -> None:
    gradients = np.random.default_rng(0).normal(size=(6, 3, 26))
    optimizer = Adam(learning_rate=(0.1, 0.01, 0.001), beta2=(0.9, 0.99, 0.999))

    def steps(stops: list[int]) -> np.ndarray:
        network = Network((3, 4, 2), np.ones((3, 26)))
        memory: Memory | None = None
        for start, stop in zip([0, *stops], stops, strict=False):
            state = OptimizerState(optimizer, network, memory=memory)
            for gradient in gradients[start:stop]:
                state.gradients[:] = gradient
                state.step()
            memory = state.memory
        return network.parameters

    assert_array_equal(steps([2, 6]), steps([6]))
