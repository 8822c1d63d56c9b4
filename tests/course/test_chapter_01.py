"""Answers to the exercises of chapter 1."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from examples.course.flowers import iris, scaled
from ffn.nn import reference


@pytest.mark.parametrize("classes", [2, 3, 10])
def test_1_to_know_nothing_costs_the_logarithm_of_the_number_of_classes(classes: int) -> None:
    labels = np.arange(50) % classes
    assert reference.mean_loss(np.full((50, classes), 7.0), labels) == pytest.approx(
        np.log(classes), rel=1e-14
    )


def test_2_a_network_without_hidden_layers_is_logistic_regression() -> None:
    flowers, labels = iris()
    two = labels > 0
    x, y = scaled(flowers[two][:, 2:]), labels[two] - 1
    network = reference.initialise((2, 2), np.random.default_rng(0))
    everything = [np.arange(100)] * 3000  # one batch an epoch: no noise
    losses = reference.train(network, reference.momentum, 0.5, x, y, everything, 100)
    theirs = LogisticRegression(C=np.inf, tol=1e-10).fit(x, y)
    assert losses[-1] == pytest.approx(log_loss(y, theirs.predict_proba(x)), abs=1e-6)
    difference = network[0][:, 1] - network[0][:, 0]
    np.testing.assert_allclose(difference, theirs.coef_[0], rtol=1e-2)


def test_3_renumbered_species_need_renumbered_columns_of_the_last_layer() -> None:
    flowers, labels = iris()
    x = scaled(flowers)
    network = reference.initialise((4, 16, 4, 3), np.random.default_rng(0))
    before = reference.mean_loss(reference.forward(network, x)[-1], labels)
    new = np.array([2, 0, 1])  # species c is now number new[c]
    old = np.argsort(new)  # what is number c now was old[c]
    *below, w, b = network
    renumbered = [*below, w[:, old], b[old]]
    after = reference.mean_loss(reference.forward(renumbered, x)[-1], new[labels])
    assert after == pytest.approx(before, rel=1e-12)
    assert reference.mean_loss(reference.forward(network, x)[-1], new[labels]) != before
