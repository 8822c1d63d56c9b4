"""Networks trained in groups within a bounded memory."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.metrics import log_loss

from ffn.nn import Adam, Network
from ffn.settings.optimizer_settings import OptimizerSearch
from ffn.settings.pipeline import find_pipeline
from ffn.training import candidate_training, fit
from ffn.training.network_groups import network_groups, run_groups
from ffn.training.resampling import candidate_resamples
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
        network, _ = fit.train_stack(
            prepared.training,
            pipeline,
            OptimizerSearch(Adam(), (0.005,)),
            [0.005, 0.02],
            branch=2,
            epochs=10,
        )
        return network

    together = stack()
    monkeypatch.setattr(fit, "networks_at_once", lambda *_: at_once)
    assert_array_equal(stack().parameters, together.parameters)
    monkeypatch.setattr(fit, "training_threads", lambda *_: 3)
    assert_array_equal(stack().parameters, together.parameters)


@pytest.mark.parametrize(("at_once", "sizes"), [(100, [4, 4]), (4, [2, 2, 2, 2]), (3, [2, 3, 3])])
def test_threads_share_the_memory_of_a_stack_too(
    repository, tmp_path, monkeypatch, at_once: int, sizes: list[int]
) -> None:
    """Two threads: groups of half the size that fits, but never of one network."""
    pipeline = shipped(repository, "iris", tmp_path, epochs=2, networks=8)
    part, seen = prepare(pipeline).training, []
    monkeypatch.setattr(fit, "networks_at_once", lambda *_: at_once)
    monkeypatch.setattr(fit, "training_threads", lambda *_: 2)
    train = fit.train

    def watched(network: Network, *args, **kwargs):
        seen.append(len(network.parameters))
        return train(network, *args, **kwargs)

    monkeypatch.setattr(fit, "train", watched)
    fit.train_stack(part, pipeline, OptimizerSearch(Adam(), (0.01,)), [0.01], branch=2, epochs=2)
    assert sorted(seen) == sizes


@pytest.mark.parametrize(("share", "looked_at"), [(0.1, 1_000), (0.45, 1_440)])
def test_training_figures_are_of_as_many_rows_as_those_beside_them(
    tmp_path, share: float, looked_at: int
) -> None:
    """Of 3,200 rows a network validates on 320 or 1,440; it looks at 1,000 others at least."""
    folder, rng = tmp_path / "data" / "noise", np.random.default_rng(0)
    folder.mkdir(parents=True)
    rows = "".join(f"{x:.9f},{'ab'[int(x > rng.normal())]}\n" for x in rng.normal(size=4_000))
    (folder / "train.csv").write_text(f"x,label\n{rows}")
    (folder / "pipeline.toml").write_text(
        '[data]\nsource = "train.csv"\ntarget = "label"\n[network]\nhidden_layers = [4]\n'
        f"[training]\nepochs = 1\nnetworks = 2\nvalidation_share = {share}\n"
        'ensemble = "resamples"\n[optimizers.adam]\nlearning_rate = 0.01\n'
    )
    pipeline = find_pipeline("noise", tmp_path)
    part = prepare(pipeline).training
    candidate = candidate_training.train_candidate(part, pipeline, "adam")
    probabilities = candidate.members.predict_proba(np.asarray(part.x))
    resamples, _ = candidate_resamples(part, pipeline.settings.training)
    for k, own in enumerate(resamples):
        some = own[np.linspace(0, len(own) - 1, looked_at).round().astype(int)]
        expected = log_loss(part.labels[some], probabilities[k, some])
        assert candidate.final.train_loss[0, k] == pytest.approx(expected, rel=1e-5)


def test_threads_share_the_networks() -> None:
    assert [g.stop - g.start for g in network_groups(8, 100, 2)] == [4, 4]
    assert [g.stop - g.start for g in network_groups(8, 3, 2)] == [2, 3, 3]
    assert [g.stop - g.start for g in network_groups(5, 100, 16)] == [2, 3]


@pytest.mark.parametrize("threads", [1, 3])
def test_progress_of_groups_is_their_average_and_never_falls(threads: int) -> None:
    told: list[int] = []

    def train(group: slice, report) -> int:
        for epoch in range(1, 11):
            report(epoch)
        return group.start

    groups = network_groups(12, 100, 6)
    assert run_groups(train, groups, threads, told.append) == [0, 2, 4, 6, 8, 10]
    assert told == list(range(1, 11))


def test_an_error_in_one_group_ends_the_others_and_is_raised() -> None:
    ended = threading.Event()

    def train(group: slice, report) -> None:
        if group.start == 0:
            raise RuntimeError("this one")
        while True:  # ends by the error that report raises
            try:
                report(1)
            except Exception:
                ended.set()
                raise

    with pytest.raises(RuntimeError, match=r"^this one$"):
        run_groups(train, network_groups(4, 100, 2), 2, None)
    assert ended.is_set()


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
    groups = [range(networks)[members] for members in network_groups(networks, at_once)]
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
