"""A network trained in a stack goes the way it goes alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from ffn.nn import AdamW, Network, spawn_generators, train

NAMES = ["sgd", "momentum", "adam", "adamw"]
Run = Callable[..., tuple[Network, Any]]


def assert_same_course(
    one: tuple[Network, Any], k_one: int, other: tuple[Network, Any], k_other: int
) -> None:
    (network, history), (network_other, history_other) = one, other
    assert_allclose(
        network.parameters[k_one], network_other.parameters[k_other], rtol=1e-10, atol=1e-12
    )
    for name in ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy"):
        assert_allclose(
            getattr(history, name)[:, k_one],
            getattr(history_other, name)[:, k_other],
            rtol=1e-10,
            atol=1e-12,
        )
    assert history.best_epoch[k_one] == history_other.best_epoch[k_other]


@pytest.mark.parametrize("name", NAMES)
def test_stacked_equals_solo(run: Run, name: str) -> None:
    stacked = run(seeds=range(5), optimizer=name, epochs=12)
    for k in range(5):
        assert_same_course(stacked, k, run(seeds=[k], optimizer=name, epochs=12), 0)


@pytest.mark.parametrize("hidden", [(), (8,), (64, 32)])
def test_stacks_of_two_or_more_agree_to_the_bit(hidden: tuple[int, ...]) -> None:
    """Float32, the last of five batches smaller, and more classes than one vector holds."""
    generator = np.random.default_rng(0)
    x, labels = generator.normal(size=(70, 5)).astype(np.float32), np.arange(70) % 20

    def course(members: range) -> np.ndarray:
        generators = spawn_generators(5, 6)[members.start : members.stop]
        network = Network.create((5, *hidden, 20), generators)
        train(network, AdamW(), x, labels, epochs=3, batch_size=16, generators=generators)
        return network.parameters

    together = course(range(6))
    for members in (range(2), range(2, 6), range(1, 4)):
        assert_array_equal(course(members), together[members.start : members.stop])


def test_neighbours_and_position_do_not_matter(run: Run) -> None:
    alone = run(seeds=[3])
    assert_same_course(run(seeds=[3, 0]), 0, alone, 0)
    assert_same_course(run(seeds=[1, 2, 3]), 2, alone, 0)
    assert_same_course(run(seeds=[3, 3]), 1, alone, 0)


def test_different_seeds_go_different_ways(run: Run) -> None:
    network, _ = run(seeds=[0, 1])
    assert np.abs(network.parameters[0] - network.parameters[1]).max() > 0.1


@pytest.mark.parametrize("name", NAMES)
def test_a_diverging_neighbour_does_not_matter(run: Run, name: str) -> None:
    def make_diverge(network: Network) -> None:
        network.parameters[1] *= 1e200

    together = run(seeds=[0, 1, 2], optimizer=name, start=make_diverge)
    assert together[1].diverged[1] is not None
    for k in (0, 2):
        assert_same_course(together, k, run(seeds=[k], optimizer=name), 0)


def test_each_network_learns_from_its_own_rows(run: Run) -> None:
    rows = np.stack([np.arange(0, 60), np.arange(30, 90)])
    validation = np.stack([np.arange(60, 97), np.r_[0:30, 90:97]])
    both = run(seeds=[0, 1], rows=rows, validation_rows=validation)
    for k in range(2):
        own = {"rows": rows[k : k + 1], "validation_rows": validation[k : k + 1]}
        assert_same_course(both, k, run(seeds=[k], **own), 0)


def test_shared_rows_are_the_same_rows_for_each(run: Run) -> None:
    rows = np.arange(50)
    shared = run(seeds=[0, 1], rows=rows[None], validation_rows=np.arange(50, 97)[None])
    twice = run(
        seeds=[0, 1],
        rows=np.stack([rows, rows]),
        validation_rows=np.stack([np.arange(50, 97)] * 2),
    )
    for k in range(2):
        assert_same_course(shared, k, twice, k)


def test_stacked_early_stopping_equals_solo(run: Run) -> None:
    settings = {
        "rows": np.arange(50)[None],
        "validation_rows": np.arange(50, 97)[None],
        "patience": 3,
        "epochs": 60,
        "learning_rate": 0.05,
    }
    stacked = run(seeds=range(4), **settings)
    assert len(set(stacked[1].epochs_run)) > 1
    for k in range(4):
        solo = run(seeds=[k], **settings)
        assert_same_course(stacked, k, solo, 0)
        assert stacked[1].epochs_run[k] == solo[1].epochs_run[0]
