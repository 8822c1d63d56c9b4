"""FFNClassifier learning in parts: warm starts, frozen layers, partial_fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_digits, load_iris
from sklearn.preprocessing import StandardScaler

from ffn import FFNClassifier
from ffn.nn import Network, loss_and_gradients

Table = tuple[np.ndarray, np.ndarray]


@pytest.fixture(scope="module")
def iris() -> Table:
    x, y = load_iris(return_X_y=True)
    order = np.random.default_rng(0).permutation(150)
    return StandardScaler().fit_transform(x)[order], y[order]


def parameters(model: FFNClassifier) -> np.ndarray:
    return model.network_.parameters


# Warm start


def test_a_warm_start_begins_where_the_last_fit_ended(iris: Table) -> None:
    model = FFNClassifier(epochs=20, random_state=0).fit(*iris)
    before = parameters(model).copy()
    standing_still = {"epochs": 1, "learning_rate": 1e-30, "weight_decay": 0.0}
    model.set_params(warm_start=True, **standing_still).fit(*iris)
    assert_array_equal(parameters(model), before)
    model.set_params(warm_start=False).fit(*iris)
    assert (parameters(model) != before).any()


def test_a_warm_start_improves_on_the_last_fit(iris: Table) -> None:
    model = FFNClassifier(epochs=5, warm_start=True, random_state=0)
    losses = [model.fit(*iris).loss_curve_[-1] for _ in range(6)]
    assert (np.diff(losses) < 0).all()
    assert model.n_iter_ == 5


def test_a_warm_start_may_see_some_of_the_classes_only(iris: Table) -> None:
    x, y = iris
    model = FFNClassifier(epochs=5, warm_start=True, random_state=0).fit(x, y)
    model.set_params(class_weight="balanced").fit(x[y != 1], y[y != 1])
    assert model.classes_.tolist() == [0, 1, 2]
    assert model.predict_proba(x).shape == (150, 3)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"hidden_layer_sizes": (8,)}, r"cannot continue 1 network of widths \(4, 16, 4, 3\)"),
        ({"n_networks": 2}, "with 2 of widths"),
    ],
)
def test_a_warm_start_needs_the_same_networks(
    iris: Table, change: dict[str, Any], expected: str
) -> None:
    model = FFNClassifier(epochs=2, warm_start=True).fit(*iris).set_params(**change)
    with pytest.raises(ValueError, match=expected):
        model.fit(*iris)


def test_a_warm_start_needs_the_same_features_and_classes(iris: Table) -> None:
    x, y = iris
    model = FFNClassifier(epochs=2, warm_start=True).fit(x, y)
    with pytest.raises(ValueError, match="X has 3 features, but FFNClassifier is expecting 4"):
        model.fit(x[:, :3], y)
    with pytest.raises(ValueError, match='y holds "3", which is not one of the classes'):
        model.fit(x, y + 1)


def test_a_warm_start_may_change_the_dtype(iris: Table) -> None:
    model = FFNClassifier(epochs=2, warm_start=True, random_state=0).fit(*iris)
    before = parameters(model).copy()
    model.set_params(dtype="float64", learning_rate=1e-30, weight_decay=0.0).fit(*iris)
    assert parameters(model).dtype == np.float64
    assert_allclose(parameters(model), before, rtol=1e-15)


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam", "adamw"])
def test_fine_tuning_with_frozen_layers(optimizer: str) -> None:
    x, y = load_digits(return_X_y=True)
    x = x / 16
    low, high = y < 5, y >= 5
    # Learn features on the digits 0 to 4, then tell 5 to 9 apart with the same features.
    model = FFNClassifier((32,), epochs=15, learning_rate=0.01, random_state=0)
    model.fit(x[low], y[low] % 5)
    before = [layer.copy() for layer in model.network_.layers]
    surprised = model.score(x[high], y[high] % 5)
    rate = {"sgd": 0.5, "momentum": 0.05}.get(optimizer, 0.01)
    model.set_params(
        warm_start=True, frozen_layers=(0,), optimizer=optimizer, learning_rate=rate, epochs=30
    )
    model.fit(x[high], y[high] % 5)
    assert_array_equal(model.network_.layers[0], before[0])
    assert (model.network_.layers[1] != before[1]).any()
    assert model.score(x[high], y[high] % 5) > max(0.85, surprised + 0.2)


# partial_fit


def test_one_call_with_one_batch_is_one_step(iris: Table) -> None:
    x, y = iris
    model = FFNClassifier(
        optimizer="sgd", learning_rate=0.5, batch_size=150, dtype="float64", random_state=0
    )
    model.partial_fit(x, y, classes=[0, 1, 2])
    by_hand = Network(model.network_.widths, parameters(model).copy())
    weights = np.random.default_rng(0).uniform(0, 5, size=150)
    model.partial_fit(x, y, sample_weight=weights)
    _, gradients = loss_and_gradients(by_hand, x, y, weights)
    assert_allclose(parameters(model), by_hand.parameters - 0.5 * gradients, rtol=1e-10, atol=1e-13)


def test_partial_fit_learns_in_parts(iris: Table) -> None:
    x, y = iris
    model = FFNClassifier(learning_rate=0.01, random_state=0)
    for _ in range(80):
        for part in range(0, 150, 50):
            model.partial_fit(x[part : part + 50], y[part : part + 50], classes=[0, 1, 2])
    assert model.score(x, y) > 0.95
    assert model.n_iter_ == len(model.loss_curve_) == 240
    assert model.loss_curve_[-1] < model.loss_curve_[0] / 5


def test_a_part_may_lack_classes(iris: Table) -> None:
    x, y = iris
    model = FFNClassifier(random_state=0).partial_fit(x[y == 1], y[y == 1], classes=[2, 1, 0])
    assert model.classes_.tolist() == [0, 1, 2]
    assert model.predict_proba(x).shape == (150, 3)


def test_the_optimizers_memory_is_kept_from_call_to_call() -> None:
    # Two calls with one gradient g: momentum moves by g and then by 1.5 g.
    x, y = np.array([[1.0]]), np.array([0])
    settings = {"hidden_layer_sizes": (), "optimizer": "momentum", "momentum": 0.5}
    model = FFNClassifier(**settings, learning_rate=1e-6, dtype="float64", random_state=0)
    places = [parameters(model.partial_fit(x, y, classes=[0, 1])).copy() for _ in range(3)]
    steps = np.diff(places, axis=0)
    # Steps two and three: 1 + 0.5 and 1 + 0.5 + 0.25.
    assert_allclose(steps[1] / steps[0], 1.75 / 1.5, rtol=1e-4)


def test_a_changed_learning_rate_counts_at_once_and_keeps_the_memory() -> None:
    x, y = np.array([[1.0]]), np.array([0])
    settings = {"hidden_layer_sizes": (), "optimizer": "momentum", "momentum": 0.5}
    model = FFNClassifier(**settings, learning_rate=1e-6, dtype="float64", random_state=0)
    places = [parameters(model.partial_fit(x, y, classes=[0, 1])).copy()]
    for rate in (1e-6, 2e-6):
        model.set_params(learning_rate=rate)
        places.append(parameters(model.partial_fit(x, y)).copy())
    steps = np.diff(places, axis=0)
    assert_allclose(steps[1] / steps[0], 2 * 1.75 / 1.5, rtol=1e-4)


@pytest.mark.parametrize("optimizer", ["momentum", "adam", "adamw"])
def test_layers_frozen_between_calls_stay_still(iris: Table, optimizer: str) -> None:
    model = FFNClassifier(optimizer=optimizer, random_state=0)
    model.partial_fit(*iris, classes=[0, 1, 2])
    model.set_params(frozen_layers=(0, 1))
    before = [layer.copy() for layer in model.network_.layers]
    model.partial_fit(*iris)
    for i, layer in enumerate(model.network_.layers):
        assert (layer != before[i]).any() == (i == 2)


def test_another_optimizer_starts_without_memory(iris: Table) -> None:
    model = FFNClassifier(optimizer="adam", random_state=0).partial_fit(*iris, classes=[0, 1, 2])
    model.set_params(optimizer="momentum").partial_fit(*iris)
    assert np.isfinite(parameters(model)).all()


def test_partial_fit_goes_on_from_fit(iris: Table) -> None:
    model = FFNClassifier(epochs=20, random_state=0).fit(*iris)
    before = parameters(model).copy()
    model.partial_fit(*iris)
    assert 0 < np.abs(parameters(model) - before).max() < 0.1
    assert model.n_iter_ == 21
    assert model.history_.train_loss.shape == (1, 1)


def test_fit_begins_anew_after_partial_fit(iris: Table) -> None:
    model = FFNClassifier(epochs=3, random_state=0).partial_fit(*iris, classes=[0, 1, 2, 3])
    assert_array_equal(
        parameters(model.fit(*iris)), parameters(FFNClassifier(epochs=3, random_state=0).fit(*iris))
    )


def test_rows_of_weight_zero_are_left_out_of_a_part(iris: Table) -> None:
    x, y = iris
    weights = (np.arange(150) % 3 > 0).astype(float)
    mislabelled = np.where(weights > 0, y, 77)
    kept = weights > 0
    one = FFNClassifier(random_state=0).partial_fit(x, mislabelled, [0, 1, 2], weights)
    other = FFNClassifier(random_state=0).partial_fit(x[kept], y[kept], [0, 1, 2])
    assert_array_equal(parameters(one), parameters(other))


def test_class_weights_of_a_part(iris: Table) -> None:
    x, y = iris
    one = FFNClassifier(class_weight={0: 2.0, 1: 0.5}, random_state=0)
    other = FFNClassifier(random_state=0)
    one.partial_fit(x, y, [0, 1, 2])
    other.partial_fit(x, y, [0, 1, 2], np.array([2, 0.5, 1])[y])
    assert_array_equal(parameters(one), parameters(other))


@pytest.mark.parametrize(
    ("settings", "classes", "expected"),
    [
        ({}, None, "the first call of partial_fit needs classes"),
        ({}, [0, 1], 'y holds "2", which is not one of the classes'),
        ({"class_weight": "balanced"}, [0, 1, 2], "needs all rows at once; give a dictionary"),
    ],
)
def test_impossible_first_calls_are_refused(
    iris: Table, settings: dict[str, Any], classes: list[int] | None, expected: str
) -> None:
    with pytest.raises(ValueError, match=expected):
        FFNClassifier(**settings).partial_fit(*iris, classes=classes)


def test_other_classes_later_are_refused(iris: Table) -> None:
    model = FFNClassifier(random_state=0).partial_fit(*iris, classes=[0, 1, 2])
    model.partial_fit(*iris, classes=[2, 1, 0])
    with pytest.raises(ValueError, match=r'classes is "\[0, 1, 2, 3\]"; it was "\[0, 1, 2\]"'):
        model.partial_fit(*iris, classes=[0, 1, 2, 3])
