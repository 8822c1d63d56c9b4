"""Answers to the exercises of chapter 8."""

from __future__ import annotations

import numpy as np
import pytest

from examples.course.flowers import iris, scaled
from ffn.nn import Adam, Network, reference, spawn_generators, train


def stop(losses: list[float], patience: int) -> tuple[int, int]:
    """Return the epoch that is kept, and the last one that is trained, from 0."""
    best = 0
    for epoch, loss in enumerate(losses):
        if loss < losses[best]:
            best = epoch
        if epoch - best == patience:
            return best, epoch
    return best, len(losses) - 1


def test_1_early_stopping_keeps_the_lowest_before_patience_ran_out() -> None:
    assert stop([3, 2, 1, 2, 2, 0], 2) == (2, 4)  # it never sees the 0
    assert stop([3, 2, 1, 2, 2, 0], 3) == (5, 5)
    flowers, labels = iris()
    rows = np.random.default_rng(0).permutation(150)
    whole, stopped = (
        train(
            Network.create((4, 16, 3), spawn_generators(3, 1), np.float64),
            Adam(learning_rate=0.05),
            scaled(flowers),
            labels,
            epochs=60,
            batch_size=32,
            generators=spawn_generators(5, 1),
            rows=rows[None, :90],
            validation_rows=rows[None, 90:],
            patience=patience,
        )
        for patience in (None, 5)
    )
    best, last = stop(whole.validation_loss[:, 0].tolist(), 5)
    assert stopped.best_epoch[0] == best
    assert np.isfinite(stopped.validation_loss[:, 0]).sum() == last + 1 < 60


@pytest.mark.parametrize("temperature", [0.1, 2.0, 50.0])
def test_2_a_temperature_changes_what_is_claimed_and_no_answer(temperature: float) -> None:
    scores = np.random.default_rng(0).normal(scale=5, size=(200, 4))
    labels = np.arange(200) % 4
    softer = scores / temperature
    np.testing.assert_array_equal(softer.argmax(axis=1), scores.argmax(axis=1))
    assert reference.mean_loss(scores / 1e9, labels) == pytest.approx(np.log(4), abs=1e-6)


def test_3_random_labels_can_be_learnt_by_heart_and_teach_nothing() -> None:
    random = np.random.default_rng(0)
    x = random.standard_normal((330, 4))
    labels = random.integers(3, size=330)
    network = reference.initialise((4, 64, 64, 3), random)
    orders = [random.permutation(30) for _ in range(300)]
    losses = reference.train(network, reference.adam, 0.01, x[:30], labels[:30], orders, 30)
    assert losses[-1] < 0.01
    right = (reference.forward(network, x[30:])[-1].argmax(axis=1) == labels[30:]).mean()
    # A third, give or take three standard errors of 300 answers.
    assert right == pytest.approx(1 / 3, abs=3 * np.sqrt(2 / 9 / 300))
