"""Temperatures against a search, on scores whose temperature is known, and in a retraining."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy import optimize, special, stats

from ffn.nn import Network, spawn_generators
from ffn.training import steps
from ffn.training.fit import train_stack
from ffn.training.resampling import candidate_resamples
from ffn.training.selection.model_selection import select_best
from ffn.training.temperature import ValidationAnswers, ask_on_validation, cool, fit_temperature
from tests.helpers.retrained import made, prepare, run, shipped


def drawn(
    temperature: float, rows: int = 400, networks: int = 8, seed: int = 0
) -> ValidationAnswers:
    """Scores ``temperature`` times too far apart, of labels drawn from the true shares."""
    rng = np.random.default_rng(seed)
    scores = special.log_softmax(rng.normal(0, 2, (rows, 4)), axis=1)
    labels = np.array([rng.choice(4, p=np.exp(own)) for own in scores])
    return ValidationAnswers(
        scores=scores * temperature,
        labels=labels,
        networks=np.arange(rows) % networks,
        fingerprints=rng.integers(0, 2**63, rows).astype(np.uint64),
    )


@pytest.mark.parametrize("temperature", [0.4, 1.0, 3.0])
def test_the_temperature_is_found_again(temperature: float) -> None:
    answers = drawn(temperature, rows=3_000)
    found = fit_temperature(answers, 0.25)
    assert found.value == pytest.approx(temperature, rel=0.1)
    assert found.applied == (temperature != 1)
    assert found.rows == 3_000


def test_no_other_temperature_has_a_lower_loss() -> None:
    answers = drawn(2.0)

    def loss(value: float) -> float:
        own = special.log_softmax(answers.scores / value, axis=1)
        return -float(own[np.arange(len(own)), answers.labels].mean())

    expected = optimize.minimize_scalar(loss, bounds=(0.1, 10), method="bounded").x
    assert fit_temperature(answers, 0.25).value == pytest.approx(expected, rel=1e-3)


def test_what_it_is_worth_is_judged_on_other_rows() -> None:
    """By hand: five folds of the fingerprints, then the corrected interval over networks."""
    answers = drawn(1.6)
    found = fit_temperature(answers, 0.25)
    folds = answers.fingerprints % 5
    changes = np.zeros(len(folds))
    for fold in range(5):
        others, own = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)

        def loss(value: float, rows: np.ndarray) -> np.ndarray:
            logs = special.log_softmax(answers.scores[rows] / value, axis=1)
            return -logs[np.arange(len(logs)), answers.labels[rows]]

        best = optimize.minimize_scalar(
            lambda value, rows=others: loss(value, rows).mean(),
            bounds=(0.1, 10),
            method="bounded",
            options={"xatol": 1e-9},
        ).x
        changes[own] = loss(best, own) - loss(1.0, own)
    means = np.array([changes[answers.networks == k].mean() for k in range(8)])
    half = stats.t.ppf(0.975, 7) * np.sqrt((1 / 8 + 0.25) * means.var(ddof=1))
    assert found.change.value == pytest.approx(means.mean(), rel=1e-4)
    assert found.change.high - found.change.value == pytest.approx(half, rel=1e-4)
    assert found.applied == (means.mean() + half < 0)


def test_chance_alone_hardly_ever_applies_one() -> None:
    """True temperature 1 in 100 draws of 100 rows: one end of a 95 % interval is 2.5 of them."""
    applied = [fit_temperature(drawn(1.0, 100, 8, seed), 0.25).applied for seed in range(100)]
    assert sum(applied) <= 7


@pytest.mark.parametrize("right", [True, False])
def test_rows_that_ask_for_no_end_of_certainty_have_a_bound(right: bool) -> None:
    scores = np.log(np.tile([0.7, 0.3], (40, 1)))
    answers = ValidationAnswers(
        scores=scores,
        labels=np.full(40, 0 if right else 1),
        networks=np.arange(40) % 4,
        fingerprints=np.arange(40, dtype=np.uint64),
    )
    assert fit_temperature(answers, 0.25).value == (0.05 if right else 50.0)


def test_a_cooled_network_has_its_scores_divided() -> None:
    network = Network.create((3, 5, 4), spawn_generators(np.random.SeedSequence(0), 2), np.float64)
    x = np.random.default_rng(0).normal(size=(20, 3))
    before = network.predict_proba(x)
    cool(network, 2.5)
    expected = special.softmax(np.log(before) / 2.5, axis=-1)
    np.testing.assert_allclose(network.predict_proba(x), expected, rtol=1e-12)


def test_each_network_is_asked_about_its_own_validation_rows(repository, tmp_path) -> None:
    pipeline = shipped(repository, "iris", tmp_path, epochs=3, networks=3)
    part = prepare(pipeline).training
    rows, validation_rows = candidate_resamples(part, pipeline.settings.training)
    settings = pipeline.settings.optimizers.candidates()["adam"]
    network, history = train_stack(
        part, pipeline, settings, settings.rates, branch=1, epochs=3, rows=rows,
        validation_rows=validation_rows,
    )  # fmt: skip
    answers = ask_on_validation(network, np.array([True, False, True]), part, validation_rows)
    assert answers.networks.tolist() == [0] * 24 + [2] * 24
    for k in (0, 2):
        own = answers.networks == k
        np.testing.assert_array_equal(
            answers.fingerprints[own], part.fingerprints[validation_rows[k]]
        )
        assert not np.isin(rows[k], validation_rows[k]).any()
        losses = -answers.scores[own, answers.labels[own]]
        # The history's figure is of the same network on the same rows, in float32.
        assert losses.mean() == pytest.approx(history.validation_loss[-1, k], rel=1e-4)


def overlapping(n: int) -> str:
    """Rows of three classes that nobody can tell apart well, with more columns than help."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 8))
    labels = (1.2 * x[:, :3] + rng.gumbel(size=(n, 3))).argmax(axis=1)
    lines = [
        ",".join(f"{value:.4f}" for value in row) + f",{'abc'[label]}"
        for row, label in zip(x, labels, strict=True)
    ]
    return "\n".join(["a,b,c,d,e,f,g,h,y", *lines]) + "\n"


TOML = """[network]
hidden_layers = [32, 16]
[training]
epochs = 60
networks = 6
[optimizers.adam]
learning_rate = 0.01
"""


def test_an_overconfident_recipe_is_cooled_by_validation_rows_alone(tmp_path) -> None:
    pipeline = made(tmp_path, overlapping(400), TOML)
    found = run(pipeline)
    temperature = found.refitted.temperature
    assert temperature is not None
    assert temperature.applied
    assert temperature.value > 1.5
    # As trained: the same refit of a candidate that was asked nothing.
    silent = [dataclasses.replace(c, answers=None) for c in found.candidates]
    plain = steps.refit(found.prepared.training, pipeline, select_best(silent), silent)
    assert plain.temperature is None
    network = plain.bundle.network
    cool(network, temperature.value)
    np.testing.assert_array_equal(network.parameters, found.refitted.bundle.network.parameters)
    x, labels = found.prepared.x_test, found.prepared.labels_test
    before = plain.bundle.probabilities(x)
    after = found.refitted.bundle.probabilities(x)
    np.testing.assert_array_equal(before.argmax(axis=1), after.argmax(axis=1))
    cool(network, 1 / temperature.value)
    losses = [
        -np.log(bundle.probabilities(x)[np.arange(len(x)), labels]).mean()
        for bundle in (plain.bundle, found.refitted.bundle)
    ]
    assert losses[1] < losses[0] - 0.1


def test_an_ensemble_is_left_as_it_is(tmp_path) -> None:
    pipeline = made(
        tmp_path, overlapping(120), TOML.replace("epochs = 60", "epochs = 5\nensemble = true")
    )
    assert run(pipeline).refitted.temperature is None
