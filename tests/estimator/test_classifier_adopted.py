"""FFNClassifier around a network that was trained elsewhere."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError
from sklearn.preprocessing import StandardScaler

from ffn import FFNClassifier
from ffn.nn import Network

Table = tuple[np.ndarray, np.ndarray]


@pytest.fixture(scope="module")
def iris() -> Table:
    x, y = load_iris(return_X_y=True)
    order = np.random.default_rng(0).permutation(150)
    return StandardScaler().fit_transform(x)[order], y[order]


def parameters(model: FFNClassifier) -> np.ndarray:
    return model.network_.parameters


@pytest.fixture
def adopted(iris: Table) -> tuple[FFNClassifier, FFNClassifier]:
    """A fitted classifier, and one made of its networks and labels alone."""
    x, y = iris
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    own = FFNClassifier(epochs=20, n_networks=3, random_state=0).fit(x, names)
    network = Network(own.network_.widths, own.network_.parameters.copy())
    settings = {"epochs": 20, "random_state": 0}
    return own, FFNClassifier.from_network(network, own.classes_.tolist(), **settings)


def test_an_adopted_network_has_every_attribute_of_a_fitted_one(adopted, iris: Table) -> None:
    own, other = adopted
    assert set(vars(other)) == set(vars(own))
    assert (other.n_iter_, other.loss_curve_) == (0, [])
    assert other.history_.train_loss.shape == (0, 3)
    assert other.get_params() == own.get_params() | {"hidden_layer_sizes": (16, 4)}
    assert_array_equal(other.predict_proba(iris[0]), own.predict_proba(iris[0]))


def test_partial_fit_goes_on_from_an_adopted_network(adopted, iris: Table) -> None:
    own, other = adopted
    x, y = iris[0], own.classes_[iris[1]]
    before = parameters(other).copy()
    # A step of 1e-30 leaves float32 as it is.
    other.set_params(learning_rate=1e-30, weight_decay=0.0).partial_fit(x, y)
    assert_array_equal(parameters(other), before)
    assert (other.n_iter_, len(other.loss_curve_)) == (1, 1)
    other.set_params(learning_rate=0.005)
    for _ in range(20):
        other.partial_fit(x, y)
    assert other.n_iter_ == 21
    assert other.loss_curve_[-1] < other.loss_curve_[0]
    with pytest.raises(ValueError, match=r"classes is .*; it was .*setosa.* before"):
        other.partial_fit(x, y, classes=["oak", "elm"])


def test_partial_fit_of_an_adopted_network_is_repeatable(adopted, iris: Table) -> None:
    own, other = adopted
    x, y = iris[0], own.classes_[iris[1]]
    again = FFNClassifier.from_network(
        Network(own.network_.widths, own.network_.parameters.copy()),
        own.classes_.tolist(),
        epochs=20,
        random_state=0,
    )
    for model in (other, again):
        model.partial_fit(x[:75], y[:75]).partial_fit(x[75:], y[75:])
    assert_array_equal(parameters(other), parameters(again))


def test_a_warm_start_goes_on_from_an_adopted_network(adopted, iris: Table) -> None:
    own, other = adopted
    x, y = iris[0], own.classes_[iris[1]]
    for model in (own, other):
        model.set_params(warm_start=True).fit(x, y)
    assert_array_equal(parameters(other), parameters(own))
    assert other.n_iter_ == 20


def test_a_clone_of_an_adopted_network_is_unfitted_and_fits_alike(adopted, iris: Table) -> None:
    own, other = adopted
    x, y = iris[0], own.classes_[iris[1]]
    copy = clone(other)
    with pytest.raises(NotFittedError, match="not fitted yet"):
        copy.predict(x)
    assert_array_equal(parameters(copy.fit(x, y)), parameters(own))
