"""Answers to the exercises of chapter 5."""

from __future__ import annotations

import numpy as np

from examples.course.flowers import iris, scaled
from ffn.nn import reference

FLOWERS, LABELS = iris()
X = scaled(FLOWERS)


def gradients(network: list[np.ndarray], rows: np.ndarray) -> list[np.ndarray]:
    return reference.backward(network, reference.forward(network, X[rows]), LABELS[rows])


def test_1_the_batches_gradients_average_to_that_of_all_rows() -> None:
    network = reference.initialise((4, 16, 4, 3), np.random.default_rng(0))
    batches = np.random.default_rng(1).permutation(150).reshape(5, 30)
    each = [gradients(network, rows) for rows in batches]
    for i, of_all in enumerate(gradients(network, np.arange(150))):
        np.testing.assert_allclose(np.mean([one[i] for one in each], axis=0), of_all, atol=1e-14)


def test_2_a_flower_that_is_there_twice_counts_twice() -> None:
    network = reference.initialise((4, 16, 4, 3), np.random.default_rng(0))
    a, b, twice = (gradients(network, np.array(rows)) for rows in ([7], [80], [7, 7, 80]))
    for one, other, both in zip(a, b, twice, strict=True):
        np.testing.assert_allclose(both, (2 * one + other) / 3, atol=1e-14)


def test_3_a_sorted_table_ends_with_the_last_species_in_mind() -> None:
    found = {}
    for name, order in (
        ("sorted", np.arange(150)),
        ("random", np.random.default_rng(1).permutation(150)),
    ):
        network = reference.initialise((4, 16, 4, 3), np.random.default_rng(0))
        found[name] = reference.train(network, reference.sgd, 0.1, X, LABELS, [order], 10)[-1]
        if name == "sorted":
            answers = np.exp(reference.log_softmax(reference.forward(network, X)[-1]))
            assert answers[:, 2].mean() > 0.4  # virginica, a third of the flowers, came last
    assert found["sorted"] > found["random"]
