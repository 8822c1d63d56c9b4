"""Answers to the exercises of chapter 7."""

from __future__ import annotations

import numpy as np
import pytest

from examples.course.flowers import iris
from ffn.nn import reference
from ffn.nn.schedules import cosine


def test_1_one_over_the_curvature_arrives_and_two_over_it_never_does() -> None:
    curvature = 4.0
    p = np.array([0.7])
    assert reference.sgd(p, curvature * p, 1 / curvature, {}) == 0
    for _ in range(5):
        there = reference.sgd(p, curvature * p, 2 / curvature, {})
        assert there == -p
        p = there


def test_2_millimetres_have_a_hundred_times_the_curvature() -> None:
    flowers, labels = iris()
    w, b = reference.initialise((4, 3), np.random.default_rng(0))
    direction = np.zeros_like(w)
    direction[2, 0] = 1  # the weight of petal length for setosa

    def curvature(times: float) -> float:
        """Return the second difference of the loss by that weight, of the same answers."""

        def loss(step: float) -> float:
            moved = [w / times + step * direction, b]
            return reference.mean_loss(reference.forward(moved, flowers * times)[-1], labels)

        h = 1e-3 / times
        return (loss(h) - 2 * loss(0) + loss(-h)) / h**2

    assert curvature(10) == pytest.approx(100 * curvature(1), rel=1e-4)
    # The limit of the rate, 2 / curvature, is a hundredth.


def test_3_the_cosine_falls_from_one_over_a_half_to_nearly_nothing() -> None:
    factor = cosine(total_steps=1000)
    assert factor(0) == 1
    assert factor(500) == pytest.approx(0.5, abs=1e-12)
    assert 0 < factor(999) < 1e-5
