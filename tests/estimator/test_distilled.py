"""``FFNClassifier(distilled=True)``: one network that answers like several."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import entropy
from sklearn.datasets import load_iris, make_moons
from sklearn.metrics import log_loss

from ffn import FFNClassifier

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


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"distilled": 1}, r"distilled is \"1\"; expected True or False"),
        ({"student_layer_sizes": (0,)}, r"student_layer_sizes is .*; expected None or whole"),
    ],
    ids=str,
)
def test_wrong_parameters_are_named(wrong: dict[str, Any], message: str) -> None:
    x, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match=message):
        FFNClassifier(**wrong).fit(x, y)
