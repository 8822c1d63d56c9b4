"""FFNClassifier: as good as scikit-learn's own, and what it promises about rows and weights."""

from __future__ import annotations

import copy
import doctest
import io
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris, load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.class_weight import compute_class_weight

from ffn import FFNClassifier
from ffn.errors import TrainingError
from ffn.estimator import classifier as classifier_module

Table = tuple[np.ndarray, np.ndarray]


@pytest.fixture(scope="module")
def iris() -> Table:
    x, y = load_iris(return_X_y=True)
    return StandardScaler().fit_transform(x), y


def parameters(model: FFNClassifier) -> np.ndarray:
    return model.network_.parameters


def fit(x: Any, y: Any, sample_weight: Any = None, **settings: Any) -> FFNClassifier:
    return FFNClassifier(**{"epochs": 5, "random_state": 0, **settings}).fit(x, y, sample_weight)


# Accuracy


@pytest.mark.parametrize(
    ("load", "settings", "least"),
    [
        (load_iris, {}, 0.94),
        (load_iris, {"optimizer": "adam"}, 0.94),
        (load_wine, {}, 0.96),
        (load_digits, {"hidden_layer_sizes": (64,), "epochs": 25}, 0.965),
    ],
)
def test_cross_validated_accuracy(load: Any, settings: dict[str, Any], least: float) -> None:
    x, y = load(return_X_y=True)
    model = make_pipeline(StandardScaler(), FFNClassifier(random_state=0, **settings))
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    assert cross_val_score(model, x, y, cv=folds).mean() >= least


@pytest.mark.parametrize("class_weight", [None, {0: 1.0, 1: 5.0, 2: 0.5}])
def test_without_hidden_layers_it_is_logistic_regression(
    iris: Table, class_weight: dict[int, float] | None
) -> None:
    generator = np.random.default_rng(0)
    x, y = iris[0], generator.permutation(iris[1])  # noise, so that the optimum is finite
    weights = generator.uniform(0.1, 3, size=len(x))
    ours = fit(
        x,
        y,
        weights,
        hidden_layer_sizes=(),
        optimizer="momentum",
        learning_rate=0.2,
        batch_size=1000,
        epochs=5000,
        class_weight=class_weight,
        dtype="float64",
    )
    theirs = LogisticRegression(C=1e12, tol=1e-10, max_iter=10_000, class_weight=class_weight)
    theirs.fit(x, y, weights)
    assert_allclose(ours.predict_proba(x), theirs.predict_proba(x), atol=1e-4)


# Rows as a set


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"early_stopping": True, "validation_fraction": 0.3, "patience": 2},
        {"class_weight": "balanced", "dtype": "float64", "n_networks": 2},
        {"numbers": "piecewise"},
        {"numbers": "piecewise", "early_stopping": True, "validation_fraction": 0.3},
    ],
)
def test_a_weight_is_the_row_repeated_and_order_does_not_matter(
    iris: Table, settings: dict[str, Any]
) -> None:
    x, y = iris
    counts = np.random.default_rng(0).integers(0, 4, size=len(x))
    weighted = fit(x, y, counts, **settings)
    repeated = np.random.default_rng(1).permutation(np.repeat(np.arange(len(x)), counts))
    assert_array_equal(parameters(fit(x[repeated], y[repeated], **settings)), parameters(weighted))


def test_only_the_proportions_of_weights_matter(iris: Table) -> None:
    x, y = iris
    weights = np.random.default_rng(0).uniform(0.5, 2, size=len(x))
    one, other = fit(x, y, weights), fit(x, y, weights * 1024)
    assert_array_equal(parameters(one), parameters(other))
    assert_array_equal(parameters(fit(x, y, np.full(len(x), 0.1))), parameters(fit(x, y)))


def test_the_signs_of_zeros_do_not_matter(iris: Table) -> None:
    x, y = np.round(iris[0]), iris[1]
    positive, negative = np.where(x == 0, 0.0, x), np.where(x == 0, -0.0, x)
    assert (np.signbit(positive) != np.signbit(negative)).any()
    assert_array_equal(parameters(fit(positive, y)), parameters(fit(negative, y)))


def test_merged_rows_are_one_row_of_an_epoch(iris: Table) -> None:
    x, y = np.repeat(iris[0][:20], 50, axis=0), np.repeat(np.arange(20) % 2, 50)
    assert_array_equal(parameters(fit(x, y)), parameters(fit(x[::50], y[::50])))


def test_a_class_without_weight_is_no_class(iris: Table) -> None:
    x, y = iris
    model = fit(x, y, (y != 1).astype(float))
    assert model.classes_.tolist() == [0, 2]
    assert_array_equal(parameters(model), parameters(fit(x[y != 1], y[y != 1])))


def test_balanced_class_weights_are_scikit_learns(iris: Table) -> None:
    x, y = iris[0][:130], iris[1][:130]
    factors = dict(enumerate(compute_class_weight("balanced", classes=np.arange(3), y=y)))
    balanced = fit(x, y, class_weight="balanced", dtype="float64")
    given = fit(x, y, class_weight=factors, dtype="float64")
    by_row = fit(x, y, np.array([factors[label] for label in y]), dtype="float64")
    assert_allclose(parameters(balanced), parameters(given), rtol=1e-9)
    assert_allclose(parameters(balanced), parameters(by_row), rtol=1e-9)
    assert np.abs(parameters(balanced) - parameters(fit(x, y, dtype="float64"))).max() > 1e-3


# Randomness and types


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_an_integer_makes_fit_repeatable_to_the_bit(iris: Table, dtype: str) -> None:
    one, other = fit(*iris, dtype=dtype), fit(*iris, dtype=dtype)
    assert parameters(one).dtype == dtype
    assert_array_equal(parameters(one), parameters(other))
    assert (parameters(fit(*iris, dtype=dtype, random_state=1)) != parameters(one)).any()


def test_random_state_may_be_a_generator_or_none(iris: Table) -> None:
    by_state = [fit(*iris, random_state=np.random.RandomState(3)) for _ in range(2)]
    assert_array_equal(parameters(by_state[0]), parameters(by_state[1]))
    state = np.random.RandomState(3)
    drawn = [parameters(fit(*iris, random_state=state)) for _ in range(2)]
    assert_array_equal(drawn[0], parameters(by_state[0]))
    assert (drawn[0] != drawn[1]).any()
    unseeded = [parameters(fit(*iris, random_state=None)) for _ in range(2)]
    assert (unseeded[0] != unseeded[1]).any()


def test_network_k_is_the_same_whatever_the_number_of_networks(iris: Table) -> None:
    few, many = fit(*iris, n_networks=2, dtype="float64"), fit(*iris, n_networks=5, dtype="float64")
    assert_allclose(parameters(many)[:2], parameters(few), rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize(
    "names",
    [
        ["setosa", "versicolor", "virginica"],
        [-5, 3, 100],
        [1.0, 2.0, 4.0],
    ],
)
@pytest.mark.parametrize("kind", [None, object])
def test_labels_of_any_type(iris: Table, names: list[Any], kind: type | None) -> None:
    x, y = iris
    labels = np.array(names, dtype=kind)[y]
    if kind is object and not isinstance(names[0], str):
        labels = labels.astype(type(names[0]))
    model = fit(x, labels)
    plain = fit(x, y)
    assert model.classes_.tolist() == names
    assert_array_equal(model.predict(x), np.array(names, dtype=kind)[plain.predict(x)])
    assert_array_equal(model.predict_proba(x), plain.predict_proba(x))


def test_boolean_labels(iris: Table) -> None:
    x, y = iris
    model = fit(x, y == 0, epochs=60)
    assert model.classes_.tolist() == [False, True]
    assert model.predict(x).dtype == bool
    assert model.score(x, y == 0) == 1


def test_data_frames_bring_their_names(iris: Table) -> None:
    x, y = iris
    frame = pd.DataFrame(x, columns=["a", "b", "c", "d"])
    model = fit(frame, pd.Series(y))
    assert model.feature_names_in_.tolist() == ["a", "b", "c", "d"]
    assert model.n_features_in_ == 4
    assert_array_equal(parameters(model), parameters(fit(x, y)))
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(frame.rename(columns={"a": "z"}))


def test_read_only_memory_maps_lists_and_both_float_types(iris: Table, tmp_path: Path) -> None:
    x, y = iris[0].astype(np.float32), iris[1]
    file = np.memmap(tmp_path / "x", np.float32, "w+", shape=x.shape)
    file[:] = x
    file.flush()
    expected = parameters(fit(x, y))
    mapped = np.memmap(tmp_path / "x", np.float32, "r", shape=x.shape)
    for table in (mapped, x.tolist(), x.astype(np.float64), np.asfortranarray(x)):
        assert_array_equal(parameters(fit(table, y)), expected)


def test_one_row_and_one_class() -> None:
    model = fit([[1.0, 2.0]], ["only"])
    assert model.predict([[5.0, -3.0], [0.0, 0.0]]).tolist() == ["only", "only"]
    assert_array_equal(model.predict_proba([[5.0, -3.0]]), [[1.0]])


def test_the_callers_arrays_are_left_as_they_are(iris: Table) -> None:
    x, y = (array.copy() for array in iris)
    weights = np.arange(150.0)
    fit(x, y, weights, class_weight="balanced", dtype="float64")
    assert_array_equal(x, iris[0])
    assert_array_equal(weights, np.arange(150.0))


# Prediction


def test_a_rows_answer_does_not_depend_on_the_rows_it_is_asked_with(iris: Table) -> None:
    x, y = iris
    model = fit(x, y, n_networks=2)
    together = model.predict_proba(x)
    assert together.dtype == np.float64
    alone = np.vstack([model.predict_proba(row[None]) for row in x])
    assert_allclose(alone, together, rtol=1e-12)
    assert_allclose(together.sum(axis=1), 1, rtol=1e-14)


def test_networks_are_averaged_and_those_that_diverged_left_out(iris: Table) -> None:
    x, y = iris
    model = fit(x, y, n_networks=3, dtype="float64")
    each = model.network_.predict_proba(x.astype(np.float64))
    assert_allclose(model.predict_proba(x), each.mean(axis=0), rtol=1e-13)
    parameters(model)[1] = np.nan
    assert_allclose(model.predict_proba(x), each[[0, 2]].mean(axis=0), rtol=1e-13)


def test_log_probabilities_of_the_impossible_are_minus_infinity(iris: Table) -> None:
    model = fit(*iris, epochs=50)
    logarithms = model.predict_log_proba(np.array([[1e6, -1e6, 1e6, -1e6]]))
    assert (logarithms == -np.inf).any()
    x = iris[0]
    assert_allclose(np.exp(model.predict_log_proba(x)), model.predict_proba(x), rtol=1e-12)


# What fit leaves behind


@pytest.mark.parametrize("n_networks", [1, 3])
def test_the_last_recorded_figures_are_scikit_learns(iris: Table, n_networks: int) -> None:
    x, y = iris
    model = fit(x, y, epochs=20, dtype="float64", n_networks=n_networks)
    each = model.network_.predict_proba(x)
    losses = [log_loss(y, p) for p in each]
    assert model.n_iter_ == len(model.loss_curve_) == 20
    assert model.loss_curve_[-1] == pytest.approx(np.mean(losses), rel=1e-10)
    assert_allclose(model.history_.train_loss[-1], losses, rtol=1e-10)
    assert model.score(x, y) == pytest.approx(accuracy_score(y, each.mean(axis=0).argmax(axis=1)))


def test_the_loss_curve_is_the_mean_of_the_networks_still_running(iris: Table) -> None:
    model = FFNClassifier(n_networks=9, early_stopping=True, patience=2, random_state=3).fit(*iris)
    losses = model.history_.train_loss
    ran = (~np.isnan(losses)).any(axis=1)
    assert len({int((~np.isnan(network)).sum()) for network in losses.T}) > 1
    assert model.loss_curve_ == pytest.approx(np.nanmean(losses[ran], axis=1), rel=1e-12)
    assert model.n_iter_ == ran.sum()


def test_early_stopping_watches_a_part_of_the_rows(iris: Table) -> None:
    x, y = iris
    generator = np.random.default_rng(0)
    y = np.where(generator.uniform(size=150) < 0.3, generator.integers(3, size=150), y)
    model = fit(x, y, epochs=500, early_stopping=True, patience=5, learning_rate=0.05, n_networks=2)
    history = model.history_
    assert model.n_iter_ == history.epochs_run.max() < 500
    assert_array_equal(history.best_epoch, np.nanargmin(history.validation_loss, axis=0))
    assert_array_equal(history.epochs_run - 1 - history.best_epoch, 5)
    # Of 149 different rows a tenth is 15, and an accuracy is a whole number of fifteenths.
    fifteenths = history.validation_accuracy[0] * 15
    assert_allclose(fifteenths, np.round(fifteenths))


def test_an_improvement_below_min_delta_is_none(iris: Table) -> None:
    model = fit(*iris, epochs=50, early_stopping=True, patience=3, min_delta=1e6)
    assert model.n_iter_ == 4
    assert model.history_.best_epoch.tolist() == [0]


def test_cosine_and_warm_up_change_the_course(iris: Table) -> None:
    ends = [
        parameters(fit(*iris, optimizer="sgd", **settings))
        for settings in (
            {},
            {"schedule": "cosine"},
            {"warmup_epochs": 2},
            {"schedule": "cosine", "warmup_epochs": 2},
        )
    ]
    for i, one in enumerate(ends):
        for other in ends[i + 1 :]:
            assert (one != other).any()


@pytest.mark.parametrize(
    ("optimizer", "mine", "other"),
    [
        ("momentum", "momentum", "beta1"),
        ("adam", "beta1", "momentum"),
        ("adam", "beta2", "weight_decay"),
        ("adam", "epsilon", "weight_decay"),
        ("adamw", "weight_decay", "momentum"),
        ("sgd", "learning_rate", "beta2"),
    ],
)
def test_each_optimizer_takes_its_own_parameters(
    iris: Table, optimizer: str, mine: str, other: str
) -> None:
    plain = parameters(fit(*iris, optimizer=optimizer))
    assert_array_equal(parameters(fit(*iris, optimizer=optimizer, **{other: 0.5})), plain)
    assert (parameters(fit(*iris, optimizer=optimizer, **{mine: 0.5})) != plain).any()


# With scikit-learn's tools


def test_grid_search_in_two_processes(iris: Table) -> None:
    search = GridSearchCV(
        make_pipeline(StandardScaler(), FFNClassifier(epochs=100, random_state=0)),
        {"ffnclassifier__hidden_layer_sizes": [(), (8,)]},
        n_jobs=2,
        cv=3,
    ).fit(*iris)
    assert search.best_score_ > 0.9
    assert len(search.cv_results_["params"]) == 2


def test_clone_is_unfitted_and_equal(iris: Table) -> None:
    model = fit(*iris, hidden_layer_sizes=[5], frozen_layers=[0], class_weight={0: 2.0})
    other = clone(model)
    assert other.get_params() == model.get_params()
    assert not hasattr(other, "network_")
    assert_array_equal(parameters(other.fit(*iris)), parameters(model))


@pytest.mark.parametrize("how", ["joblib", "deepcopy"])
def test_a_copy_predicts_and_goes_on_learning_as_the_original(iris: Table, how: str) -> None:
    x, y = iris
    model = FFNClassifier(random_state=0).partial_fit(x, y, classes=[0, 1, 2])
    if how == "joblib":
        file = io.BytesIO()
        joblib.dump(model, file)
        other = joblib.load(file)
    else:
        other = copy.deepcopy(model)
    assert_array_equal(other.predict_proba(x), model.predict_proba(x))
    before = parameters(model).copy()
    for part in (model, other):
        part.partial_fit(x, y)
    assert_array_equal(parameters(other), parameters(model))
    assert (parameters(model) != before).any()


# Refusals


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("hidden_layer_sizes", (16, 0), "whole numbers from 1 up"),
        ("hidden_layer_sizes", -1, "whole numbers from 1 up"),
        ("hidden_layer_sizes", "16", "whole numbers from 1 up"),
        ("hidden_layer_sizes", (2.5,), "whole numbers from 1 up"),
        ("hidden_layer_sizes", None, "whole numbers from 1 up"),
        ("optimizer", "adamm", 'Did you mean "adam"'),
        ("optimizer", None, '"sgd" or "momentum" or "adam" or "adamw"'),
        ("learning_rate", 0, "a number above 0"),
        ("learning_rate", -0.1, "a number above 0"),
        ("learning_rate", float("nan"), "a number above 0"),
        ("learning_rate", float("inf"), "a number above 0"),
        ("learning_rate", "0.1", "a number above 0"),
        ("batch_size", 0, "a whole number from 1 up"),
        ("batch_size", True, "a whole number from 1 up"),
        ("epochs", 1.5, "a whole number from 1 up"),
        ("momentum", 1.0, "from 0 up to, not including, 1"),
        ("dropout", 1.0, "from 0 up to, not including, 1"),
        ("label_smoothing", -0.1, "from 0 up to, not including, 1"),
        ("beta1", -0.1, "from 0 up to, not including, 1"),
        ("beta2", 1, "from 0 up to, not including, 1"),
        ("epsilon", 0.0, "a number above 0"),
        ("weight_decay", -1, "a number from 0 up"),
        ("schedule", "linear", '"constant" or "cosine"'),
        ("warmup_epochs", -1, "a whole number from 0 up"),
        ("early_stopping", 1, "True or False"),
        ("patience", 0, "a whole number from 1 up"),
        ("min_delta", -1e-9, "a number from 0 up"),
        ("validation_fraction", 1.0, "a number between 0 and 1"),
        ("class_weight", "even", "or a dictionary"),
        ("class_weight", {0: -1.0}, "weights are numbers from 0 up"),
        ("class_weight", {0: float("nan")}, "weights are numbers from 0 up"),
        ("class_weight", {0: 0.0, 1: 0.0, 2: 0.0}, "class_weight is zero for every class"),
        ("class_weight", {"setosa": 2.0}, "not in class_weight"),
        ("n_networks", 0, "a whole number from 1 up"),
        ("warm_start", "yes", "True or False"),
        ("frozen_layers", (3,), "the layers are 0 to 2"),
        ("frozen_layers", (0, 1, 2), "at least one must be left to train"),
        ("frozen_layers", (-1,), "numbers of layers"),
        ("frozen_layers", 0, "numbers of layers"),
        ("dtype", "float16", '"float32" or "float64"'),
        ("numbers", "bins", '"standardised" or "piecewise"'),
        ("bins", 1, "a whole number from 2 to 256"),
        ("bins", 257, "a whole number from 2 to 256"),
        ("random_state", "seed", "cannot be used to seed"),
    ],
)
def test_impossible_parameters_are_refused(
    iris: Table, name: str, value: Any, expected: str
) -> None:
    with pytest.raises(ValueError, match=expected) as refusal:
        fit(*iris, **{name: value})
    assert "\n" not in str(refusal.value)
    assert name in str(refusal.value) or name == "random_state"


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        (np.ones(149), r"sample_weight has shape \(149,\); expected one weight for each of 150"),
        (-np.ones(150), "sample_weight holds -1.0"),
        (np.zeros(150), "sample_weight is zero for every row"),
        (np.full(150, np.nan), "sample_weight contains NaN"),
    ],
)
def test_impossible_weights_are_refused(iris: Table, weights: np.ndarray, expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        fit(*iris, weights)


def test_values_beyond_the_dtype_are_refused(iris: Table) -> None:
    x, y = iris
    model = fit(x, y)
    for method in (model.fit, lambda x, _: model.predict(x)):
        with pytest.raises(ValueError, match="infinity or a value too large for dtype"):
            method(np.where(x > 1, 1e300, x), y)


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_divergence_says_what_to_do_and_keeps_what_was_learnt(iris: Table, optimizer: str) -> None:
    model = fit(*iris)
    before = parameters(model).copy()
    model.set_params(learning_rate=1e30, optimizer=optimizer)
    for learn in (model.fit, model.partial_fit):
        with pytest.raises(TrainingError, match=r"learning_rate=1e\+30; lower the learning rate"):
            learn(*iris)
        assert_array_equal(parameters(model), before)
    model.set_params(learning_rate=0.005).partial_fit(*iris)
    assert np.isfinite(parameters(model)).all()


def test_the_example_in_the_docstring_runs() -> None:
    done = doctest.testmod(classifier_module)
    assert done.attempted >= 6
    assert done.failed == 0
