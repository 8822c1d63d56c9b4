"""A row of weight w and w equal rows: the same gradient, the same training, the same figures."""

from __future__ import annotations

import numpy as np
from numpy.testing import assert_allclose

from ffn.nn import SGD, Network, spawn_generators, train
from ffn.nn.gradients import loss_and_gradients

RNG = np.random.default_rng(5)
X = RNG.normal(size=(20, 3))
LABELS = RNG.integers(3, size=20)
TIMES = RNG.integers(1, 5, 20)
# Scaled to mean 1, as they are everywhere.
WEIGHTS = TIMES / TIMES.mean()


def network() -> Network:
    return Network.create((3, 5, 3), spawn_generators(np.random.SeedSequence(1), 2), "float64")


def test_the_gradient_is_that_of_repeated_rows() -> None:
    loss, gradients = loss_and_gradients(network(), X, LABELS, WEIGHTS)
    again, others = loss_and_gradients(network(), X.repeat(TIMES, axis=0), LABELS.repeat(TIMES))
    assert_allclose(loss, again, rtol=1e-12)
    assert_allclose(gradients, others, rtol=1e-10, atol=1e-14)


def test_so_is_a_training_in_whole_epochs_and_what_stops_it() -> None:
    """Validated on the rows themselves, the curves of loss and accuracy are the same, too."""
    made, curves = [], []
    for x, labels, weights in (
        (X, LABELS, WEIGHTS),
        (X.repeat(TIMES, axis=0), LABELS.repeat(TIMES), None),
    ):
        own = network()
        history = train(
            own,
            SGD(learning_rate=0.3),
            x,
            labels,
            epochs=30,
            batch_size=1_000,
            generators=spawn_generators(np.random.SeedSequence(2), 2),
            validation_rows=np.arange(len(x))[None],
            row_weights=weights,
            validation_weights=weights,
            patience=5,
        )
        made.append(own.parameters)
        curves.append((history.train_loss, history.validation_loss, history.validation_accuracy))
    assert_allclose(made[0], made[1], rtol=1e-8, atol=1e-10)
    for one, other in zip(*curves, strict=True):
        assert_allclose(one, other, rtol=1e-8)
