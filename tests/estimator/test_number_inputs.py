"""FFNClassifier with `numbers="piecewise"`: what is learnt, from which rows, and what it is for."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_iris
from sklearn.preprocessing import StandardScaler

from ffn import FFNClassifier
from ffn.estimator import classifier
from ffn.estimator.number_inputs import NumberInputs
from ffn.nn import Network

Table = tuple[np.ndarray, np.ndarray]


@pytest.fixture(scope="module")
def iris() -> Table:
    x, y = load_iris(return_X_y=True)
    return x.astype(np.float32), y


def fit(x: Any, y: Any, sample_weight: Any = None, **settings: Any) -> FFNClassifier:
    known = {"epochs": 5, "random_state": 0, "numbers": "piecewise"}
    return FFNClassifier(**{**known, **settings}).fit(x, y, sample_weight)


def stripes(n: int, seed: int) -> Table:
    """Two classes in six stripes along one feature, whose numbers spread over 18 decades."""
    place = np.random.default_rng(seed).uniform(0, 6, n)
    return 10 ** (3 * place)[:, None], place.astype(int) % 2


def test_encoded_numbers_tell_apart_what_standardised_ones_do_not() -> None:
    (x, y), (other, expected) = stripes(600, 7), stripes(300, 8)
    settings = {"epochs": 60, "optimizer": "adam"}
    scaler = StandardScaler().fit(x)
    plain = fit(scaler.transform(x), y, numbers="standardised", **settings)
    assert plain.score(scaler.transform(other), expected) < 0.75
    assert fit(x, y, **settings).score(other, expected) > 0.95


def test_the_encoding_is_of_the_distinct_rows_trained_on(iris: Table) -> None:
    x, y = iris
    weights = (np.arange(150) % 3 > 0).astype(float)
    model = fit(
        np.vstack([x, x[:70]]), np.append(y, y[:70]), np.append(weights, weights[:70]), bins=4
    )
    assert (model.n_features_in_, model.network_.widths) == (4, (24, 16, 4, 3))
    table = np.unique(np.column_stack([x, y])[weights > 0], axis=0)
    inputs = model.number_inputs_.transform(x.astype(float))
    for f in range(4):
        z = (x[:, f].astype(float) - table[:, f].mean()) / table[:, f].std()
        clip = z / np.sqrt(1 + z**2 / 9)
        assert_allclose(inputs[:, 6 * f + 4], clip, atol=1e-12)
        known = (table[:, f] - table[:, f].mean()) / table[:, f].std()
        edges = np.quantile(known / np.sqrt(1 + known**2 / 9), [0, 0.25, 0.5, 0.75, 1])
        low = edges[0]
        # The bins, each times its width, add up to the distance from the lowest edge.
        assert_allclose(inputs[:, 6 * f : 6 * f + 4] @ np.diff(edges), clip - low, atol=1e-9)


def test_rows_to_stop_by_are_not_learnt_from(iris: Table, monkeypatch) -> None:
    x, y = iris
    kept = np.arange(0, 150, 2)
    monkeypatch.setattr(classifier, "hold_out", lambda *_: (kept, np.arange(1, 150, 2)))
    model = fit(x, y, early_stopping=True)
    expected = NumberInputs(x, kept, 16).transform(x)
    assert_array_equal(model.number_inputs_.transform(x), expected)


def test_a_row_has_the_same_answer_whatever_rows_are_asked_with_it(iris: Table) -> None:
    model = fit(*iris)
    learnt = model.number_inputs_
    together = learnt.transform(iris[0])
    for start, stop in ((0, 1), (3, 20), (149, 150)):
        assert_array_equal(learnt.transform(iris[0][start:stop]), together[start:stop])
    assert together.dtype == np.float32


def test_a_copy_predicts_alike(iris: Table) -> None:
    model = fit(*iris)
    again = pickle.loads(pickle.dumps(model))
    assert_array_equal(again.predict_proba(iris[0]), model.predict_proba(iris[0]))


def test_a_warm_start_and_partial_fit_keep_the_encoding(iris: Table) -> None:
    x, y = iris
    model = fit(x, y, warm_start=True)
    before = model.number_inputs_.transform(x)
    model.set_params(bins=4).fit(x[::2], y[::2])
    model.partial_fit(x[1::2], y[1::2])
    assert_array_equal(model.number_inputs_.transform(x), before)
    model.set_params(numbers="standardised")
    for go_on in (model.fit, model.partial_fit):
        with pytest.raises(ValueError, match=r'"standardised"; .* with "piecewise"; fit again'):
            go_on(x, y)
    model.set_params(warm_start=False).fit(x, y)
    assert model.number_inputs_ is None
    assert model.network_.widths[0] == 4


def test_the_first_part_of_a_stream_determines_the_encoding(iris: Table) -> None:
    x, y = iris
    model = FFNClassifier(numbers="piecewise", random_state=0)
    model.partial_fit(x[::3], y[::3], classes=[0, 1, 2])
    expected = NumberInputs(x, np.arange(0, 150, 3), 16).transform(x)
    assert_array_equal(model.partial_fit(x, y).number_inputs_.transform(x), expected)


def test_networks_from_elsewhere_take_inputs_as_they_are(iris: Table) -> None:
    network = Network((4, 3), np.zeros((1, 15), np.float32))
    adopted = FFNClassifier.from_network(network, ["a", "b", "c"])
    assert_allclose(adopted.predict_proba(iris[0]), 1 / 3)
    with pytest.raises(ValueError, match=r"numbers is .*piecewise.*take inputs as they are"):
        FFNClassifier.from_network(network, ["a", "b", "c"], numbers="piecewise")


@pytest.mark.parametrize("column", [[1e300, -1e300, 5, 7], [1.7e308, -1.7e308, 0, 1], [3] * 4])
def test_extreme_numbers_have_finite_inputs(column: list[float]) -> None:
    x = np.array(column, dtype=float)[:, None]
    learnt = NumberInputs(x, np.arange(4), 16)
    inputs = learnt.transform(np.array([[0.0], [1.7e308], [-1.7e308], *x.tolist()]))
    assert np.isfinite(inputs).all()
    if column[0] != 3:
        assert len(np.unique(inputs[-4:, -1])) > 1
