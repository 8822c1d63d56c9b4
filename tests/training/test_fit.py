"""Networks trained in groups within a bounded memory."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from ffn.nn import Adam, Network
from ffn.training import candidate_training, fit
from tests.helpers.retrained import prepare, shipped


@pytest.mark.parametrize("at_once", [1, 2, 3])
@pytest.mark.parametrize("optimizer", ["momentum", "adamw"])
def test_the_groups_change_nothing(
    repository, tmp_path, monkeypatch, at_once: int, optimizer: str
) -> None:
    pipeline = shipped(
        repository, "iris", tmp_path, epochs=12, networks=5, patience=4, class_weight="balanced"
    )
    prepared = prepare(pipeline)
    together = candidate_training.train_candidate(prepared.training, pipeline, optimizer)
    monkeypatch.setattr(fit, "networks_at_once", lambda *_: at_once)
    told: list[int] = []
    apart = candidate_training.train_candidate(prepared.training, pipeline, optimizer, told.append)
    for name in ("train_accuracy", "validation_accuracy", "best_epoch"):
        assert_array_equal(getattr(apart.history, name), getattr(together.history, name))
    np.testing.assert_allclose(apart.history.train_loss, together.history.train_loss, rtol=1e-6)
    assert apart.history.diverged == together.history.diverged
    assert told == sorted(told)
    assert max(told) <= 12


@pytest.mark.parametrize("at_once", [2, 3, 4])
def test_the_bundle_is_the_same_to_the_bit(repository, tmp_path, monkeypatch, at_once) -> None:
    pipeline = shipped(repository, "penguins", tmp_path, epochs=10, networks=7, ensemble=True)
    prepared = prepare(pipeline)

    def stack() -> Network:
        network, _ = fit.train_stack(prepared.training, pipeline, Adam(), branch=2, epochs=10)
        return network

    together = stack()
    monkeypatch.setattr(fit, "networks_at_once", lambda *_: at_once)
    assert_array_equal(stack().parameters, together.parameters)


@pytest.mark.parametrize(
    ("networks", "at_once", "sizes"),
    [
        (1, 1, [1]),
        (1, 5, [1]),
        (3, 1, [1, 1, 1]),
        (2, 2, [2]),
        (3, 2, [3]),
        (5, 2, [2, 3]),
        (7, 3, [2, 2, 3]),
        (16, 100, [16]),
        (100, 64, [50, 50]),
    ],
)
def test_no_network_is_left_alone_where_two_fit(
    networks: int, at_once: int, sizes: list[int]
) -> None:
    groups = [range(networks)[members] for members in fit._groups(networks, at_once)]
    assert [len(group) for group in groups] == sizes
    assert [k for group in groups for k in group] == list(range(networks))


def test_wide_networks_train_in_smaller_groups() -> None:
    # 10 arrays of P = 1024 * 513 + 1024 * 1025 + 10 * 1025 floats, and 6 * 1024 rows * units.
    parameters = 1024 * 513 + 1024 * 1025 + 10 * 1025
    floats = 10 * parameters + 6 * 1024 * (512 + 1024 + 1024 + 10)
    assert fit.networks_at_once((512, 1024, 1024, 10), 1024, np.float32) == (
        256 * 1024**2 // (4 * floats)
    )
    assert fit.networks_at_once((4, 16, 4, 3), 32, np.float32) > 4096
    assert fit.networks_at_once((10_000, 100_000, 2), 32, np.float64) == 1
