"""Schedules against values worked out by hand."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np
import pytest

from ffn.nn import SGD, Network, OptimizerState, constant, cosine, spawn_generators, train


def test_constant_is_one() -> None:
    assert [constant()(step) for step in (0, 1, 1000)] == [1, 1, 1]


def test_warm_up_climbs_in_equal_steps() -> None:
    factor = constant(warmup_steps=4)
    assert [factor(step) for step in range(6)] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1, 1])


def test_cosine_goes_through_its_quarters() -> None:
    factor = cosine(8)
    assert factor(0) == 1
    assert factor(2) == pytest.approx((1 + math.sqrt(0.5)) / 2)
    assert factor(4) == pytest.approx(0.5)
    assert factor(6) == pytest.approx((1 - math.sqrt(0.5)) / 2)
    assert factor(7) > 0
    assert factor(8) == pytest.approx(0)
    assert factor(100) == pytest.approx(0)


def test_cosine_ends_at_final() -> None:
    factor = cosine(10, final=0.1)
    assert factor(0) == 1
    assert factor(5) == pytest.approx(0.55)
    assert factor(10) == pytest.approx(0.1)


def test_cosine_after_warm_up() -> None:
    factor = cosine(12, warmup_steps=4)
    assert [factor(step) for step in range(5)] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1])
    assert factor(8) == pytest.approx(0.5)
    assert factor(12) == pytest.approx(0)


def test_warm_up_longer_than_the_training_stays_finite() -> None:
    factor = cosine(3, warmup_steps=5)
    assert [factor(step) for step in range(3)] == pytest.approx([1 / 6, 2 / 6, 3 / 6])


class Listener(SGD):
    """Moves nothing and notes the learning rate and the number of each step."""

    heard: ClassVar[list[tuple[float, int]]] = []

    def coefficients(self, lr: float, t: int) -> tuple[float, ...]:
        self.heard.append((lr, t))
        return (0.0,)


def test_training_takes_the_schedules_factor_at_every_step() -> None:
    generators = spawn_generators(0, 1)
    network = Network.create((2, 3, 2), generators)
    state = OptimizerState(Listener(learning_rate=0.5), network)
    Listener.heard.clear()
    train(
        network,
        state,
        np.arange(14.0).reshape(7, 2),
        np.arange(7) % 2,
        epochs=3,
        batch_size=3,
        generators=generators,
        schedule=lambda step: 10.0 + step,
    )
    assert Listener.heard == [(0.5 * (10 + step), step + 1) for step in range(9)]
