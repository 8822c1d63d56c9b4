"""``FFNClassifier(distilled=True)``: one network that answers like several."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import entropy
from sklearn.datasets import load_iris, make_moons
from sklearn.metrics import log_loss

from ffn import FFNClassifier
from ffn.distillation.teaching_trees import Beside, fit_beside

TEACHER: dict[str, Any] = {
    "optimizer": "adam",
    "learning_rate": 0.05,
    "epochs": 60,
    "batch_size": 1024,
    "n_networks": 8,
    "random_state": 0,
    "dtype": "float64",
}


@pytest.fixture(scope="module")
def moons() -> tuple[np.ndarray, np.ndarray]:
    found: tuple[np.ndarray, np.ndarray] = make_moons(1200, noise=0.35, random_state=0)
    return found


@pytest.mark.parametrize("numbers", ["standardised", "piecewise"])
def test_it_answers_like_the_ensemble_that_the_same_seed_gives(moons: Any, numbers: Any) -> None:
    x, y = moons
    rows, new = slice(0, 200), slice(200, None)
    ensemble = FFNClassifier((32,), numbers=numbers, **TEACHER).fit(x[rows], y[rows])
    student = FFNClassifier(
        (32,), numbers=numbers, distilled=True, student_layer_sizes=(24, 12), **TEACHER
    ).fit(x[rows], y[rows])
    assert student.network_.widths[1:] == (24, 12, 2)
    assert len(student.network_.parameters) == 1
    # The teachers are the ensemble, to the last bit.
    np.testing.assert_array_equal(student.history_.train_loss, ensemble.history_.train_loss)
    assert student.n_iter_ == ensemble.n_iter_ == 60
    average, answers = ensemble.predict_proba(x[new]), student.predict_proba(x[new])
    inputs = (
        x[new] if ensemble.number_inputs_ is None else ensemble.number_inputs_.transform(x[new])
    )
    each = ensemble.network_.predict_proba(inputs)
    assert entropy(average, answers, axis=1).mean() < entropy(average, each, axis=-1).mean()
    assert log_loss(y[new], answers) < np.mean([log_loss(y[new], one) for one in each])


def test_without_layers_of_its_own_it_has_those_of_the_others(moons: Any) -> None:
    x, y = moons
    parameters = TEACHER | {"batch_size": 4096, "epochs": 2}
    model = FFNClassifier((5, 4), distilled=True, **parameters).fit(x[:50], y[:50])
    assert model.network_.widths == (2, 5, 4, 2)
    again = FFNClassifier((5, 4), distilled=True, **parameters).fit(x[:50], y[:50])
    assert model.network_.parameters.tobytes() == again.network_.parameters.tobytes()


def test_weights_reach_it_through_its_teachers(moons: Any) -> None:
    x, y = moons[0][:60], moons[1][:60]
    parameters = TEACHER | {"batch_size": 4096, "epochs": 20}
    model = FFNClassifier((8,), distilled=True, **parameters)
    plain = model.fit(x, y).predict_proba(x)
    weighted = model.fit(x, y, sample_weight=np.where(y == 1, 20.0, 1.0)).predict_proba(x)
    assert weighted[:, 1].mean() > plain[:, 1].mean() + 0.05


def test_what_cannot_go_on_says_so() -> None:
    x, y = load_iris(return_X_y=True)
    model = FFNClassifier(distilled=True, warm_start=True)
    with pytest.raises(ValueError, match="a distilled network cannot go on"):
        model.fit(x, y)
    assert not hasattr(model, "partial_fit")
    assert hasattr(FFNClassifier(), "partial_fit")


def checkerboard(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    x = random.normal(size=(n, 2))
    return x, ((x[:, 0] > 0) ^ (x[:, 1] > 0.3)).astype(int)


BOOSTED = TEACHER | {
    "epochs": 8,
    "batch_size": 2048,
    "early_stopping": True,
    "validation_fraction": 0.25,
    "distilled": True,
    "student_layer_sizes": (32, 32),
}


@pytest.mark.parametrize("numbers", ["standardised", "piecewise"])
def test_boosted_trees_teach_it_what_the_networks_do_not_know(numbers: Any) -> None:
    (x, y), (new, theirs) = checkerboard(500, 0), checkerboard(1000, 1)
    loss = {
        teachers: log_loss(
            theirs,
            FFNClassifier((4,), numbers=numbers, boosted_teachers=teachers, **BOOSTED)
            .fit(x, y)
            .predict_proba(new),
        )
        for teachers in (0, 2)
    }
    assert loss[2] < 0.5 * loss[0]


def test_boosted_trees_are_weighted_by_the_rows_held_out(monkeypatch) -> None:
    """By those beside the ensemble that the same seed gives, found again from the answers."""
    x, y = checkerboard(400, 2)
    asked: list[tuple[Any, ...]] = []
    found: list[Beside | None] = []

    def kept(*arguments: Any, **weights: Any) -> Beside | None:
        asked.append(arguments)
        found.append(fit_beside(*arguments, **weights))
        return found[-1]

    monkeypatch.setattr("ffn.estimator.distilled_network.fit_beside", kept)
    FFNClassifier((4,), boosted_teachers=2, **BOOSTED).fit(x, y)
    ((inputs, labels, _, _, folds, _),) = asked
    (beside,) = found
    assert beside is not None
    assert len(beside.trees.models) == len(folds) == 2
    rows = folds[0].validation
    assert len(rows) == 100
    assert not np.isin(rows, folds[0].rows).any()
    ensemble = FFNClassifier((4,), **BOOSTED | {"distilled": False, "student_layer_sizes": None})
    truth = np.arange(len(rows)), labels[rows]
    of_networks = ensemble.fit(x, y).predict_proba(inputs[rows])[truth]
    of_trees = beside.trees.predict_proba(inputs[rows])[truth]
    shares = np.linspace(0, 1, 1001)[:, None]
    losses = -np.log((1 - shares) * of_networks + shares * of_trees).mean(axis=1)
    assert beside.share == pytest.approx(shares[losses.argmin(), 0], abs=2e-3)


def test_boosted_trees_see_columns_of_any_kind() -> None:
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"shop": [f"s{k:02d}" for k in random.integers(0, 30, 600)]})
    frame["n"] = random.normal(size=600)
    y = (frame["shop"].str[1:].astype(int) % 2) ^ (frame["n"] > 0)
    model = FFNClassifier((4,), kinds="auto", boosted_teachers=2, **BOOSTED).fit(frame, y)
    again = FFNClassifier((4,), kinds="auto", boosted_teachers=2, **BOOSTED).fit(frame, y)
    assert model.network_.parameters.tobytes() == again.network_.parameters.tobytes()
    assert model.score(frame, y) > 0.9


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"boosted_teachers": -1}, r"boosted_teachers is \"-1\"; expected a whole number from 0"),
        (
            {"boosted_teachers": 2, "distilled": True},
            r"boosted_teachers is 2; they teach .* early_stopping=True give them; set both",
        ),
        (
            {"boosted_teachers": 2, "early_stopping": True},
            r"boosted_teachers is 2; they teach the network of distilled=True",
        ),
        ({"distilled": 1}, r"distilled is \"1\"; expected True or False"),
        ({"student_layer_sizes": (0,)}, r"student_layer_sizes is .*; expected None or whole"),
    ],
    ids=str,
)
def test_wrong_parameters_are_named(wrong: dict[str, Any], message: str) -> None:
    x, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match=message):
        FFNClassifier(**wrong).fit(x, y)
