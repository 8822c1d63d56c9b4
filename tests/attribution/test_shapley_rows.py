"""Explanations of networks, against the definition on raw cells and by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from ffn.attribution.reference_row import reference_row
from ffn.attribution.shapley_rows import Explainer
from ffn.bundles.bundle import Bundle
from ffn.bundles.carried_model import CarriedModel
from ffn.errors import BundleError, DataError
from ffn.nn import Network, spawn_generators
from ffn.tabular.cells import MISSING, UNKNOWN
from tests.helpers.explainable import CATEGORIES, answer, explainable, shapley_by_orders, typical


def inputs(bundle: Bundle, rows: list[dict[str, Any]]) -> Any:
    numbers = [[row[one.name] for one in bundle.schema.numeric] for row in rows]
    codes = [
        [
            MISSING if row[one.name] is None else CATEGORIES.index(row[one.name])
            for one in bundle.schema.categorical
        ]
        for row in rows
    ]
    return bundle.preparation.transform(
        np.array(numbers, dtype=float).reshape(len(rows), -1),
        np.array(codes, dtype=int).reshape(len(rows), -1),
    )


def test_values_are_those_of_the_definition() -> None:
    """Of four columns, all 24 orders, with cells that are mixed before they are prepared."""
    bundle = explainable()
    assert [one.name for one in bundle.schema.features] == ["n0", "c0", "n1", "c1"]
    rows: list[dict[str, Any]] = [
        {"n0": 3.5, "c0": "p", "n1": -4.0, "c1": "r"},
        {"n0": None, "c0": "q", "n1": 2.0, "c1": None},
        {"n0": 0.0, "c0": "r", "n1": 1.0, "c1": "q"},
    ]
    labels = np.array([2, 0, 1])
    found = Explainer(bundle).explain(inputs(bundle, rows), labels)
    assert found.exact.all()
    assert not found.errors.any()
    for row, label, values in zip(rows, labels.tolist(), found.values, strict=True):
        expected = shapley_by_orders(bundle, row, label)
        assert_allclose(values, list(expected.values()), atol=1e-12)
        gain = answer(bundle, row)[label] - answer(bundle, typical(bundle))[label]
        assert values.sum() == pytest.approx(gain, abs=1e-12)
    # The third differs from the reference row in c0 alone, which has all of the gain.
    assert np.flatnonzero(found.values[2]).tolist() == [1]


def test_a_linear_network_of_two_columns_by_hand() -> None:
    """Each value is the mean of what its column adds first and of what it adds last."""
    bundle = explainable(2, 0, hidden=(), networks=1)
    numbers = np.array([1.5, -2.0])
    weights, bias = bundle.network.weights(0)[0].astype(float), bundle.network.biases(0)[0]

    def share(first: float, second: float) -> float:
        scaled = (np.array([first, second]) - 0.25) / 2
        scores = np.exp(scaled.astype(np.float32).astype(float) @ weights[:2] + bias)
        return float(scores[1] / scores.sum())

    (a, b), (r, s) = numbers, (0.0, 1.0)
    first = (share(a, s) - share(r, s) + share(a, b) - share(r, b)) / 2
    second = (share(r, b) - share(r, s) + share(a, b) - share(a, s)) / 2
    x = bundle.preparation.transform(numbers[np.newaxis], np.zeros((1, 0), dtype=int))
    found = Explainer(bundle).explain(x, np.array([1]))
    assert_allclose(found.values, [[first, second]], atol=1e-12)


def test_many_columns_are_estimated_and_add_up() -> None:
    bundle = explainable(14, 0, hidden=(8,), scale=2.0)
    generator = np.random.default_rng(3)
    numbers = generator.normal(0, 3, (5, 14))
    # The last row differs in two columns alone, so that it is exact.
    numbers[4] = np.arange(14)
    numbers[4, [2, 9]] += 3
    x = bundle.preparation.transform(numbers, np.zeros((5, 0), dtype=int))
    answers = bundle.probabilities(x)
    labels = answers.argmax(axis=1)
    explainer = Explainer(bundle)
    found = explainer.explain(x, labels)
    assert found.exact.tolist() == [False] * 4 + [True]
    assert (found.errors[:4].max(axis=1) > 0).all()
    assert np.flatnonzero(found.values[4]).tolist() == [2, 9]
    gains = answers[np.arange(5), labels] - explainer.reference_probabilities[labels]
    assert_allclose(found.values.sum(axis=1), gains, atol=1e-12)
    # A row is explained by itself, whatever rows are beside it.
    for i in range(5):
        alone = explainer.explain(x[i : i + 1], labels[i : i + 1])
        assert_allclose(alone.values[0], found.values[i], atol=1e-13)
        assert_allclose(alone.errors[0], found.errors[i], atol=1e-13)


def test_columns_that_do_the_same_have_the_same_value() -> None:
    bundle = explainable(3, 0, hidden=(4,), networks=1)
    first = bundle.network.layers[0]
    first[:, :, 1] = first[:, :, 0]
    # The reference rows of n0 and n1 differ, so both are moved by as much.
    x = bundle.preparation.transform(
        np.array([[2.0, 3.0, -1.0]]), np.zeros((1, 0), dtype=int)
    )  # fmt: skip
    base = Explainer(bundle)
    found = base.explain(x, np.array([0])).values[0]
    assert found[0] == pytest.approx(found[1], abs=1e-12)
    assert found[0] != 0


def test_the_reference_row_is_of_medians_and_most_frequent_categories() -> None:
    bundle = explainable(2, 2)
    assert bundle.reference is not None
    own = bundle.reference.categorical[0]
    changed = replace(
        bundle.reference, categorical=(own, replace(own, counts=(1, 2, 3), missing=4))
    )
    found = reference_row(bundle.schema, bundle.preparation, changed)
    assert found.codes.tolist() == [1, MISSING]
    assert found.to_json(bundle.schema) == {"n0": 0.0, "c0": "q", "n1": 1.0, "c1": None}
    explainer = Explainer(bundle)
    assert_array_equal(explainer.reference_probabilities, answer(bundle, typical(bundle)))
    told = explainer.to_json(bundle.schema)
    assert told["reference"] == typical(bundle)
    assert sum(told["reference_probabilities"].values()) == pytest.approx(1, abs=1e-5)


def test_a_bundle_without_histograms_is_refused_if_it_has_categories() -> None:
    with pytest.raises(BundleError, match="no histograms of its training rows"):
        Explainer(replace(explainable(1, 1), reference=None))
    assert Explainer(replace(explainable(2, 0), reference=None)).reference.codes.tolist() == []


def test_an_unknown_category_is_a_value_like_others() -> None:
    bundle = explainable(1, 1)
    x = bundle.preparation.transform(np.array([[0.0]]), np.array([[UNKNOWN]]))
    found = Explainer(bundle).explain(x, np.array([0])).values[0]
    gain = bundle.probabilities(x)[0, 0] - answer(bundle, typical(bundle))[0]
    assert_allclose(found, [0, gain], atol=1e-12)


def test_no_rows_and_a_mixture_that_overflows() -> None:
    bundle = explainable(2, 0, hidden=(1,), networks=1)
    empty = Explainer(bundle).explain(np.zeros((0, 4), np.float32), np.zeros(0, dtype=np.intp))
    assert empty.values.shape == (0, 2)
    huge = Network(bundle.network.widths, np.zeros(bundle.network.parameters.shape))
    huge.weights(0)[0, :2] = [[1e302], [-1e302]]
    huge.weights(1)[0] = [[1e10, 0, 0]]
    bundle = replace(bundle, network=huge)
    # Together the two columns cancel each other out.
    x = bundle.preparation.transform(np.array([[1e6, 1e6]]), np.zeros((1, 0), dtype=int))
    assert np.isfinite(bundle.probabilities(x)).all()
    with pytest.raises(DataError, match="mixed with the reference row, its numbers are too large"):
        Explainer(bundle).explain(x, np.array([0]))


@pytest.mark.parametrize("hidden", [(), (7,), (9, 5)])
def test_a_condensed_network_answers_as_the_whole_one_does_to_mixtures(
    hidden: tuple[int, ...],
) -> None:
    generator = np.random.default_rng(8)
    seeds = spawn_generators(np.random.SeedSequence(2), 3)
    network = Network.create((11, *hidden, 4), seeds, np.float64)
    network.parameters += generator.normal(size=network.parameters.shape)
    x, reference = generator.normal(size=(2, 11))
    x[4] = reference[4]
    groups = [[0, 1, 7], [2], [3, 5, 6, 8, 9, 10]]
    members = generator.random((40, 3)) < 0.5
    mixed = np.tile(reference, (40, 1))
    for group, is_in in zip(groups, members.T, strict=True):
        mixed[np.ix_(is_in, group)] = x[group]
    found = network.condensed(x, reference, groups).predict_proba(members)
    assert_allclose(found, network.predict_proba(mixed), atol=1e-13)


class Opaque:
    """A model of which nothing is known but its answers."""

    def __init__(self, bundle: Bundle) -> None:
        self.schema, self.preparation = bundle.schema, bundle.preparation
        self.reference, self.probabilities = bundle.reference, bundle.probabilities


def test_wide_networks_are_explained_as_narrow_ones_are() -> None:
    bundle = explainable(60, 30, hidden=(32, 16), networks=3, scale=1.5)
    generator = np.random.default_rng(5)
    x = bundle.preparation.transform(
        generator.normal(0, 3, (3, 60)), generator.integers(-1, 3, (3, 30))
    )
    labels = bundle.probabilities(x).argmax(axis=1)
    whole = Explainer(Opaque(bundle)).explain(x, labels)
    for model in (bundle, CarriedModel(bundle)):
        found = Explainer(model).explain(x, labels)
        assert_allclose(found.values, whole.values, atol=1e-13)
        assert_allclose(found.errors, whole.errors, atol=1e-13)
        assert_array_equal(found.exact, whole.exact)
    assert not np.array_equal(found.values, whole.values)
    deep = explainable(60, 30, hidden=(32,) * 9, networks=1)
    deep.network.parameters[:] = 3e38
    with pytest.raises(DataError, match="mixed with the reference row, its numbers are too large"):
        Explainer(deep).explain(x, labels)
