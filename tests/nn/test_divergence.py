"""Networks that blow up are stopped, named, and can never be used."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from ffn.nn import Network

Run = Callable[..., tuple[Network, Any]]


def blow_up(*networks: int) -> Callable[[Network], None]:
    def start(network: Network) -> None:
        for k in networks:
            network.parameters[k] *= 1e200

    return start


@pytest.mark.parametrize(
    ("name", "rate"), [("sgd", 1e300), ("momentum", 1e300), ("adam", 1e200), ("adamw", 1e200)]
)
def test_a_huge_learning_rate_diverges_with_a_reason(run: Run, name: str, rate: float) -> None:
    network, history = run(seeds=range(2), optimizer=name, learning_rate=rate)
    assert not history.finished.any()
    for reason in history.diverged:
        assert reason in {"loss not finite after epoch 1", "parameters not finite after epoch 1"}
    assert np.isnan(network.parameters).all()
    assert_array_equal(history.best_epoch, [-1, -1])


def test_only_the_network_that_diverges_is_stopped(run: Run) -> None:
    network, history = run(seeds=range(3), epochs=6, start=blow_up(1))
    assert_array_equal(history.finished, [True, False, True])
    assert history.diverged == [None, "loss not finite after epoch 1", None]
    assert_array_equal(np.isnan(network.parameters).all(axis=1), [False, True, False])
    assert np.isfinite(network.parameters[[0, 2]]).all()
    assert_array_equal(history.best_epoch, [5, -1, 5])
    assert np.isnan(history.train_loss[1:, 1]).all()
    assert np.isfinite(history.train_loss[:, [0, 2]]).all()


def test_diverging_later_is_noticed_in_its_epoch(run: Run) -> None:
    # 97 rows in batches of 16 are 7 steps an epoch: step 21 is the first of the fourth.
    network, history = run(
        optimizer="sgd", epochs=10, schedule=lambda step: 1.0 if step < 21 else 1e305
    )
    assert history.diverged == ["loss not finite after epoch 4"]
    assert np.isfinite(history.train_loss[:3]).all()
    assert not np.isfinite(history.train_loss[3:]).any()
    assert np.isnan(network.parameters).all()


def test_infinite_parameters_count_even_when_the_loss_is_finite(run: Run) -> None:
    def start(network: Network) -> None:
        network.biases(0)[0, 2] = -np.inf

    _, history = run(start=start)
    assert history.diverged == ["parameters not finite after epoch 1"]


def test_a_validation_loss_that_is_not_finite_counts(run: Run) -> None:
    weights = np.ones(97)
    weights[60] = np.inf
    settings = {"rows": np.arange(50)[None], "validation_weights": weights}
    assert run(**settings)[1].diverged == [None]
    _, history = run(**settings, validation_rows=np.arange(50, 97)[None])
    assert history.diverged == ["loss not finite after epoch 1"]


def test_training_ends_early_when_all_have_diverged(run: Run) -> None:
    reported: list[int] = []
    run(seeds=range(2), epochs=10_000, start=blow_up(0, 1), on_epoch=reported.append)
    assert len(reported) == 1
    assert reported[0] <= 25


def test_a_network_that_diverges_after_it_stopped_keeps_its_best_epoch(run: Run) -> None:
    parts = {"rows": np.arange(45)[None], "validation_rows": np.arange(45, 97)[None]}
    settings = {"learning_rate": 0.05, "optimizer": "sgd", "batch_size": 45, **parts}

    def schedule(step: int) -> float:
        return -1.0 if step < 4 else 1e305

    # Going uphill every epoch is worse than the one before, so the first is the best.
    network, history = run(epochs=8, patience=2, schedule=schedule, **settings)
    assert history.diverged == [None]
    assert history.best_epoch[0] == 0
    first, _ = run(epochs=1, schedule=schedule, **settings)
    assert_array_equal(network.parameters, first.parameters)


def test_no_warning_escapes_and_numpys_error_state_is_left_as_it_was(run: Run) -> None:
    before = np.geterr()
    run(start=blow_up(0))
    assert np.geterr() == before


def test_a_watched_row_without_a_loss_leaves_the_training_figures_alone(
    run: Run, table: Any
) -> None:
    rows = {"rows": np.arange(60)[None], "validation_rows": np.arange(60, 97)[None]}
    _, sound = run(epochs=1, **rows)
    x = table.x.copy()
    x[70] = 1e308
    _, history = run(epochs=1, on=dataclasses.replace(table, x=x), **rows)
    assert history.diverged == ["loss not finite after epoch 1"]
    assert_array_equal(history.train_loss, sound.train_loss)
    assert_array_equal(history.train_accuracy, sound.train_accuracy)
    assert not np.isfinite(history.validation_loss).any()
