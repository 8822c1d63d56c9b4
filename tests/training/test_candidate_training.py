"""Candidates trained at several learning rates."""

from __future__ import annotations

import itertools
import time
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from ffn.settings.optimizer_settings import OptimizerSettings
from ffn.training.candidate_training import train_candidate
from tests.helpers.retrained import prepare, run, shipped

QUICK = {"epochs": 8, "networks": 4}


def with_rates(pipeline, name: str, rates):
    optimizers = OptimizerSettings.model_validate({name: {"learning_rate": rates}})
    settings = pipeline.settings.model_copy(update={"optimizers": optimizers})
    return replace(pipeline, settings=settings)


@pytest.mark.parametrize("name", ["sgd", "adamw"])
def test_a_rate_gives_the_same_networks_alone_and_in_a_grid(repository, tmp_path, name) -> None:
    pipeline = shipped(repository, "iris", tmp_path, **QUICK, ensemble="resamples")
    part = prepare(pipeline).training
    rates = [0.001, 0.01, 0.1]
    alone = [train_candidate(part, with_rates(pipeline, name, rate), name) for rate in rates]
    together = train_candidate(part, with_rates(pipeline, name, rates), name)
    losses = np.array([candidate.validation_loss for candidate in alone])
    assert [line.loss.value for line in together.search.lines] == losses.mean(axis=1).tolist()
    best = int(losses.mean(axis=1).argmin())
    assert together.hyperparameters == alone[best].hyperparameters
    assert together.members is not None
    assert alone[best].members is not None
    assert_array_equal(together.members.parameters, alone[best].members.parameters)
    assert_array_equal(together.final.validation_loss, alone[best].history.validation_loss)
    chosen = [
        int(np.delete(losses, k, axis=1).mean(axis=1).argmin()) for k in range(losses.shape[1])
    ]
    assert_array_equal(together.validation_loss, losses[chosen, range(len(chosen))])


def test_the_grid_grows_until_the_best_rate_lies_inside(repository, tmp_path, monkeypatch) -> None:
    """With a grid far too low, rates are added above it; the result is that of the whole grid."""
    pipeline = shipped(repository, "iris", tmp_path, **QUICK)
    part = prepare(pipeline).training
    settings = OptimizerSettings.model_validate({"sgd": {}})
    monkeypatch.setattr(type(settings.sgd), "grid", (0.01, 0.03))
    auto = replace(pipeline, settings=pipeline.settings.model_copy(update={"optimizers": settings}))
    grown = train_candidate(part, auto, "sgd")
    rates = [line.rate for line in grown.search.lines]
    assert rates[:3] == [0.01, 0.03, 0.1]
    assert 4 <= len(rates) <= 6
    whole = train_candidate(part, with_rates(pipeline, "sgd", rates), "sgd")
    assert grown.search == whole.search
    assert_array_equal(grown.validation_loss, whole.validation_loss)


def test_a_list_does_not_grow(repository, tmp_path) -> None:
    pipeline = with_rates(shipped(repository, "iris", tmp_path, **QUICK), "sgd", [0.001, 0.003])
    found = train_candidate(prepare(pipeline).training, pipeline, "sgd")
    assert [line.rate for line in found.search.lines] == [0.001, 0.003]
    assert found.search.edge == "highest"


def test_an_ensemble_of_the_resamples_is_the_networks_that_were_compared(
    repository, tmp_path
) -> None:
    pipeline = with_rates(
        shipped(repository, "iris", tmp_path, **QUICK, patience=3, ensemble="resamples"),
        "adamw",
        [0.01, 0.03],
    )
    found = run(pipeline)
    (candidate,) = found.candidates
    assert candidate.members is not None
    network = found.refitted.bundle.network
    assert_array_equal(network.parameters, candidate.members.parameters)
    assert found.refitted.temperature is None
    assert found.refitted.learning_rate == candidate.search.rate
    x = found.prepared.x_test
    np.testing.assert_allclose(
        found.refitted.bundle.probabilities(x),
        np.mean([network.select([k]).predict_proba(x)[0] for k in range(4)], axis=0),
        rtol=1e-5,
    )
    assert found.refitted.epochs == np.median(candidate.final.best_epoch) // 1 + 1


def test_members_bounds_an_ensemble(repository, tmp_path) -> None:
    pipeline = with_rates(
        shipped(repository, "iris", tmp_path, **QUICK, ensemble="resamples", members=3),
        "adamw",
        0.01,
    )
    assert len(run(pipeline).refitted.bundle.network.parameters) == 3


def test_racing_drops_hopeless_rates_and_changes_no_other_network(repository, tmp_path) -> None:
    pipeline = shipped(repository, "iris", tmp_path, epochs=8, networks=12, ensemble="resamples")
    wide = pipeline.settings.network.model_copy(update={"hidden_layers": (64, 32)})
    pipeline = replace(pipeline, settings=pipeline.settings.model_copy(update={"network": wide}))
    part = prepare(pipeline).training
    raced = train_candidate(part, with_rates(pipeline, "adam", [1e-5, 0.003, 0.01]), "adam")
    assert [line.resamples for line in raced.search.lines] == [3, 6, 12]
    assert raced.search.rate != 1e-5
    alone = train_candidate(part, with_rates(pipeline, "adam", raced.search.rate), "adam")
    assert_array_equal(raced.final.validation_loss, alone.history.validation_loss)
    assert raced.members is not None
    assert alone.members is not None
    assert_array_equal(raced.members.parameters, alone.members.parameters)


def within(pipeline, budget: str):
    training = pipeline.settings.training.model_copy(update={"time_budget": budget})
    return replace(pipeline, settings=pipeline.settings.model_copy(update={"training": training}))


def test_a_time_budget_ends_networks_and_keeps_their_best_epoch(
    repository, tmp_path, monkeypatch
) -> None:
    """The clock jumps by a second at each look, so that every budget of seconds is a count."""
    pipeline = shipped(repository, "iris", tmp_path, epochs=600, networks=4)
    part = prepare(pipeline).training
    free = train_candidate(part, pipeline, "adam")
    looks = itertools.count()
    monkeypatch.setattr(time, "monotonic", lambda: float(next(looks)))
    # Four candidates share it: ten looks each, a few of them before training begins.
    short = train_candidate(part, within(pipeline, "40s"), "adam")
    assert short.ended == 4
    assert free.ended == 0
    ran = short.final.epochs_run
    assert len(set(ran.tolist())) == 1
    assert 1 <= ran[0] < 600
    assert_array_equal(short.final.best_epoch, ran - 1)
    # Up to there the networks are those of a training without a limit.
    assert_array_equal(short.final.validation_loss[: ran[0]], free.final.validation_loss[: ran[0]])
    assert np.isnan(short.final.validation_loss[ran[0] :]).all()


def test_a_budget_that_suffices_changes_nothing(repository, tmp_path) -> None:
    pipeline = shipped(
        repository, "iris", tmp_path, **QUICK, patience=2, ensemble="resamples", rate="auto"
    )
    part = prepare(pipeline).training
    free = train_candidate(part, pipeline, "sgd")
    bounded = train_candidate(part, within(pipeline, "1h"), "sgd")
    assert bounded.ended == 0
    assert bounded.search == free.search
    assert free.members is not None
    assert bounded.members is not None
    assert_array_equal(bounded.members.parameters, free.members.parameters)


def test_a_refit_takes_as_long_as_the_networks_that_were_ended(
    repository, tmp_path, monkeypatch
) -> None:
    pipeline = shipped(repository, "iris", tmp_path, epochs=600, networks=4)
    looks = itertools.count()
    monkeypatch.setattr(time, "monotonic", lambda: float(next(looks)))
    found = run(within(with_rates(pipeline, "adam", 0.01), "10s"))
    (candidate,) = found.candidates
    assert candidate.ended == 4
    assert found.refitted.epochs == candidate.final.epochs_run[0] < 600
