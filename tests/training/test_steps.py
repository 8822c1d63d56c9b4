from __future__ import annotations

import csv
from dataclasses import replace

import numpy as np
import pytest

from ffn.errors import TrainingError
from ffn.nn import SGD
from ffn.settings.optimizer_settings import OptimizerSearch, OptimizerSettings
from ffn.training import candidate_training, fit, resampling, steps
from ffn.training.selection.model_selection import select_best
from tests.helpers.retrained import (
    InThreads,
    broken_training,
    bundle_bytes,
    candidates_of,
    made,
    prepare,
    run,
    shipped,
)

QUICK = {"epochs": 8, "networks": 4}


@pytest.mark.parametrize(("name", "floor"), [("iris", 0.93), ("penguins", 0.97)])
def test_adam_and_adamw_reach_the_promised_accuracy(repository, tmp_path, name, floor) -> None:
    pipeline = shipped(repository, name, tmp_path, rate="auto")
    assert pipeline.settings.training.networks == 16
    found = run(pipeline)
    accuracy = {line.optimizer: line.accuracy for line in found.selection.leaderboard}
    assert accuracy["adam"].value >= floor
    assert accuracy["adamw"].value >= floor
    assert all(a.low <= a.value <= a.high for a in accuracy.values())
    assert found.evaluation.accuracy.value >= floor - 0.05
    assert found.evaluation.rows == {"iris": 30, "penguins": 69}[name]
    assert found.refitted.epochs == 150


def test_the_training_part_is_standardised_and_the_held_out_part_with_its_figures(
    repository, tmp_path
) -> None:
    prepared = prepare(shipped(repository, "iris", tmp_path, dtype="float64"))
    assert prepared.x_train.shape == (120, 4)
    assert prepared.x_test.shape == (30, 4)
    np.testing.assert_allclose(prepared.x_train.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(prepared.x_train.std(axis=0), 1)
    assert np.abs(prepared.x_test.mean(axis=0)).min() > 1e-3


@pytest.mark.parametrize(
    ("name", "training"),
    [("iris", {}), ("penguins", {}), ("penguins", {"ensemble": "distilled", "batch_size": 2000})],
    ids=["iris", "penguins", "distilled"],
)
def test_nothing_of_the_held_out_rows_reaches_the_model(
    repository, tmp_path, name, training
) -> None:
    """Their labels exchanged and their values replaced: the same bytes, another evaluation."""
    pipeline = shipped(repository, name, tmp_path, **QUICK, **training)
    dataset = steps.load(pipeline)
    held_out = steps.split(dataset, pipeline)
    with pipeline.source.open(newline="") as file:
        header, *rows = csv.reader(file)
    target = header.index(dataset.target)

    def exchange(tested):
        labels = np.random.default_rng(0).permutation([row[target] for row in tested])
        for row, label in zip(tested, labels, strict=True):
            row[target] = label

    def distort(tested):
        for row in tested:
            for column, cell in zip(header, row, strict=True):
                if column in dataset.numeric and cell not in dataset.missing_values:
                    row[header.index(column)] = repr(-1000 * float(cell))
                elif column in dataset.categorical and cell not in dataset.missing_values:
                    row[header.index(column)] = "elsewhere"

    original = run(pipeline, held_out=held_out)
    expected = bundle_bytes(original, tmp_path / "original")
    for change in (exchange, distort):
        changed = [row.copy() for row in rows]
        change([row for row, tested in zip(changed, held_out.held_out, strict=True) if tested])
        assert changed != rows
        with (tmp_path / pipeline.source.name).open("w", newline="") as file:
            csv.writer(file).writerows([header, *changed])
        found = run(replace(pipeline, folder=tmp_path), held_out=held_out)
        assert bundle_bytes(found, tmp_path / change.__name__) == expected
        assert found.selection.comparisons == original.selection.comparisons
        assert found.evaluation != original.evaluation


def test_one_training_row_more_does_reach_it(repository, tmp_path) -> None:
    """The test above would also pass if nothing ever changed the bytes."""
    pipeline = shipped(repository, "iris", tmp_path, **QUICK)
    held_out = steps.split(steps.load(pipeline), pipeline)
    first = bundle_bytes(run(pipeline, held_out=held_out), tmp_path / "one")
    fewer = held_out.held_out.copy()
    fewer[np.flatnonzero(fewer)[0]] = False
    assert bundle_bytes(run(pipeline, held_out=fewer), tmp_path / "two") != first


def test_one_seed_gives_one_bundle_wherever_the_tasks_run(repository, tmp_path) -> None:
    pipeline = shipped(repository, "iris", tmp_path, **QUICK)
    first = bundle_bytes(run(pipeline), tmp_path / "one")
    assert bundle_bytes(run(pipeline), tmp_path / "two") == first
    assert bundle_bytes(run(pipeline, executor=InThreads()), tmp_path / "threads") == first
    other = shipped(repository, "iris", tmp_path, **QUICK, seed=43)
    assert bundle_bytes(run(other), tmp_path / "other") != first


def test_optimizers_meet_the_same_resamples_and_weights(repository, tmp_path, monkeypatch) -> None:
    """With one optimizer under both names the figures are the same to the last bit."""
    pipeline = shipped(repository, "iris", tmp_path, **QUICK)
    prepared = prepare(pipeline)
    first = candidate_training.train_candidate(prepared.training, pipeline, "sgd")
    same = OptimizerSearch(SGD(), (SGD().learning_rate,))
    monkeypatch.setattr(OptimizerSettings, "candidates", lambda _: {"adam": same})
    second = candidate_training.train_candidate(prepared.training, pipeline, "adam")
    np.testing.assert_array_equal(first.validation_loss, second.validation_loss)
    assert first.validation_to_train == 24 / 96
    assert len(set(first.validation_loss.tolist())) == 4


@pytest.mark.parametrize("networks", [2, 4])
def test_more_networks_leave_the_first_ones_as_they_are(repository, tmp_path, networks) -> None:
    pipelines = [
        shipped(repository, "iris", tmp_path, epochs=3, networks=k, dtype="float64")
        for k in (networks, 8)
    ]
    few, many = (
        candidate_training.train_candidate(prepare(pipeline).training, pipeline, "adamw")
        for pipeline in pipelines
    )
    np.testing.assert_allclose(many.validation_loss[:networks], few.validation_loss, rtol=1e-12)


def test_each_use_of_randomness_has_its_own(repository, tmp_path) -> None:
    """Resamples, candidates and refit share a seed and no number."""
    training = shipped(repository, "iris", tmp_path, **QUICK).settings.training
    drawn = [
        generator.random()
        for branch in (resampling._RESAMPLES, candidate_training._CANDIDATES, steps._REFIT)
        for generator in resampling.generators(training, branch)
    ]
    assert len(set(drawn)) == 12


def test_the_network_with_the_lowest_training_loss_is_kept(repository, tmp_path) -> None:
    found = run(shipped(repository, "iris", tmp_path, **QUICK))
    kept, losses = found.refitted.bundle, found.refitted.history.train_loss[-1]
    own = kept.probabilities(found.prepared.x_train)[np.arange(120), found.prepared.labels_train]
    assert kept.network.parameters.shape[0] == 1
    assert -np.log(own).mean() == pytest.approx(losses.min(), rel=1e-5)
    assert losses.min() < np.median(losses)


def test_an_ensemble_keeps_them_all(repository, tmp_path) -> None:
    found = run(shipped(repository, "iris", tmp_path, **QUICK, ensemble=True))
    assert found.refitted.bundle.network.parameters.shape[0] == 4


def diverge(monkeypatch, which) -> None:
    """Let these networks diverge in the next training."""
    monkeypatch.setattr(fit, "train", broken_training(fit.train, which))


@pytest.mark.parametrize("ensemble", [True, False])
def test_a_network_that_diverged_is_not_kept(repository, tmp_path, monkeypatch, ensemble) -> None:
    pipeline = shipped(repository, "iris", tmp_path, **QUICK, ensemble=ensemble)
    prepared, candidates, selection = candidates_of(pipeline)
    diverge(monkeypatch, [0, 2])
    refitted = steps.refit(prepared.training, pipeline, selection, candidates)
    assert len(refitted.bundle.network.parameters) == (2 if ensemble else 1)
    assert np.isfinite(refitted.bundle.network.parameters).all()


def test_a_refit_that_diverges_is_said(repository, tmp_path, monkeypatch) -> None:
    pipeline = shipped(repository, "iris", tmp_path, **QUICK)
    prepared, candidates, selection = candidates_of(pipeline)
    diverge(monkeypatch, range(4))
    with pytest.raises(TrainingError, match=r"every network diverged on the whole training part"):
        steps.refit(prepared.training, pipeline, selection, candidates)


def test_absurd_learning_rates_end_in_one_clear_line(tmp_path) -> None:
    rows = "".join(f"{i},{i % 5},{'ab'[i % 2]}\n" for i in range(40))
    toml = "[training]\nepochs = 20\nnetworks = 2\n" + "".join(
        f"[optimizers.{name}]\nlearning_rate = 1e38\n" for name in ("sgd", "momentum")
    )
    with pytest.raises(TrainingError, match=r"every network diverged \(sgd: .* not finite after"):
        run(made(tmp_path, "p,q,y\n" + rows, toml))


def test_early_stopping_refits_for_the_median_best_epoch(repository, tmp_path) -> None:
    pipeline = shipped(repository, "iris", tmp_path, epochs=300, networks=5, patience=2)
    prepared = prepare(pipeline)
    candidate = candidate_training.train_candidate(prepared.training, pipeline, "adam")
    refitted = steps.refit(prepared.training, pipeline, select_best([candidate]), [candidate])
    losses = candidate.history.validation_loss
    best = sorted(int(np.nanargmin(losses[:, k])) + 1 for k in range(5))
    assert best[0] < best[2] < best[4], "no spread; the test shows nothing"
    assert refitted.epochs == best[2]
    assert refitted.history.train_loss.shape == (best[2], 5)


def test_of_stopped_networks_the_best_epoch_is_compared(repository, tmp_path) -> None:
    pipeline = shipped(repository, "iris", tmp_path, epochs=200, networks=3, patience=2)
    prepared = prepare(pipeline)
    candidate = candidate_training.train_candidate(prepared.training, pipeline, "adam")
    losses = candidate.history.validation_loss
    assert np.isnan(losses[-1]).any(), "none stopped early; the test shows nothing"
    np.testing.assert_array_equal(candidate.validation_loss, np.nanmin(losses, axis=0))


def test_balanced_weights_give_every_class_the_same_sum(tmp_path) -> None:
    rows = "".join(f"{i},{i % 7},{'aaaab'[i % 5]}\n" for i in range(100))
    toml = "[training]\nepochs = 2\nnetworks = 2\nclass_weight = 'balanced'"
    pipeline = made(tmp_path, "p,q,y\n" + rows, toml)
    prepared = prepare(pipeline)
    of_class = fit._class_weights(prepared.training, pipeline.settings.training)
    weights = of_class[prepared.labels_train]
    sums = np.bincount(prepared.labels_train, weights)
    assert sums[0] == pytest.approx(sums[1])
    assert weights.mean() == pytest.approx(1)
    # Rows of the rare class count four times as much: the training must feel it.
    plain = made(tmp_path, "p,q,y\n" + rows, toml.replace("balanced", "none"))
    heavy, light = (
        candidate_training.train_candidate(prepared.training, p, "adam").validation_loss
        for p in (pipeline, plain)
    )
    assert not np.allclose(heavy, light)


@pytest.mark.parametrize(
    "training",
    [
        {"dtype": "float64"},
        {"schedule": "cosine"},
        {"schedule": "cosine", "warmup_epochs": 3},
        {"warmup_epochs": 7},
        {"batch_size": 1_000_000},
        {"batch_size": 1},
        {"test_share": 0.001, "validation_share": 0.001},
        {"test_share": 0.99, "validation_share": 0.99},
        {"networks": 2, "epochs": 1},
    ],
    ids=str,
)
def test_every_setting_trains(repository, tmp_path, training) -> None:
    pipeline = shipped(repository, "iris", tmp_path, **{**QUICK, **training})
    found = run(pipeline)
    network = found.refitted.bundle.network
    assert network.parameters.dtype == training.get("dtype", "float32")
    assert np.isfinite(network.parameters).all()
    assert min(c.rows for c in found.evaluation.classes) >= 1
    assert all(c.history.finished.all() for c in found.candidates)


def test_cosine_and_constant_differ(repository, tmp_path) -> None:
    losses = []
    for schedule in ("constant", "cosine"):
        pipeline = shipped(repository, "iris", tmp_path, **QUICK, schedule=schedule)
        losses.append(
            candidate_training.train_candidate(
                prepare(pipeline).training, pipeline, "sgd"
            ).validation_loss
        )
    assert (losses[0] < losses[1]).all(), "a rate that falls to zero learns less in eight epochs"


def test_the_smallest_table_there_can_be(tmp_path) -> None:
    """Three rows of each class: fewer than a batch, one to test on, one to validate on."""
    pipeline = made(tmp_path, "x,y\n1,a\n2,a\n3,a\n7,b\n8,b\n9,b\n")
    found = run(pipeline)
    assert found.evaluation.rows == 2
    assert found.prepared.x_train.shape == (4, 1)
    assert found.candidates[0].validation_to_train == 1
