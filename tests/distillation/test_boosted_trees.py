"""Boosted trees as teachers: they are scikit-learn's, and their share is that of lowest loss."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import xlogy
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from ffn.distillation.boosted_trees import BoostedTrees, fit_boosted_trees, most_iterations
from ffn.distillation.teaching_trees import mean_by_row, share_of_trees, thinned
from ffn.tabular.encodings.tree_inputs import TreeInputs

PLAIN = TreeInputs.of(range(2), [])


def steps(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return numbers, and classes that jump where they do."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(n, 2))
    labels = (x[:, 0] > 0).astype(int) + 2 * (x[:, 1] > 0.5)
    noisy = random.random(n) < 0.2
    labels[noisy] = random.integers(4, size=noisy.sum())
    return x, labels


def reference(x, labels, weights=None, **options) -> HistGradientBoostingClassifier:
    model = HistGradientBoostingClassifier(
        learning_rate=0.2, l2_regularization=1, max_features=0.5, n_iter_no_change=10, **options
    )
    with threadpool_limits(1):
        return model.fit(x, labels, sample_weight=weights)


def test_a_model_is_scikit_learns_stopped_by_the_validation_rows() -> None:
    (x, labels), (others, theirs) = steps(400, 0), steps(200, 1)
    found = fit_boosted_trees(x, labels, PLAIN, 4, 5, validation=(others, theirs))
    assert found is not None
    iterations = found.iterations
    assert 10 < iterations < most_iterations(4)
    # The same without a look at these rows, for as many iterations.
    same = reference(x, labels, max_iter=iterations, early_stopping=False, random_state=5)
    np.testing.assert_array_equal(found.predict_proba(others), same.predict_proba(others))
    # And it was right to end: later ones do not lower their loss.
    longer = reference(x, labels, max_iter=iterations + 100, early_stopping=False, random_state=5)
    losses = [
        -np.log(stage[np.arange(200), theirs]).mean()
        for stage in longer.staged_predict_proba(others)
    ]
    assert np.argmin(losses) < iterations


def test_weights_count_rows_again() -> None:
    x, labels = steps(200, 2)
    weights = np.random.default_rng(0).integers(1, 4, size=200).astype(float)
    found = fit_boosted_trees(
        x, labels, PLAIN, 4, 0, validation=None, weights=weights, iterations=9
    )
    same = reference(x, labels, weights, max_iter=9, early_stopping=False, random_state=0)
    assert found is not None
    np.testing.assert_array_equal(found.predict_proba(x), same.predict_proba(x))


def test_a_class_that_a_resample_lacks_has_no_probability() -> None:
    (x, labels), (others, theirs) = steps(300, 3), steps(100, 4)
    known = labels != 2
    found = fit_boosted_trees(x[known], labels[known], PLAIN, 4, 0, validation=(others, theirs))
    assert found is not None
    answers = found.predict_proba(others)
    assert (answers[:, 2] == 0).all()
    np.testing.assert_allclose(answers.sum(axis=1), 1)


@pytest.mark.parametrize("lacking", ["classes", "validation rows"])
def test_nothing_is_fitted_to_one_class_or_stopped_by_no_row(lacking: str) -> None:
    x, labels = steps(100, 5)
    if lacking == "classes":
        assert fit_boosted_trees(x, np.ones(100, int), PLAIN, 4, 0, validation=(x, labels)) is None
    else:
        some = np.where(labels > 1, 1, labels)
        others = np.full(100, 3)
        assert fit_boosted_trees(x, some, PLAIN, 4, 0, validation=(x, others)) is None


def test_codes_are_divided_as_categories() -> None:
    """Odd ones differ from even ones: no threshold tells that, two leaves do."""
    codes = np.arange(240) % 12
    x = np.eye(12, dtype=np.float32)[codes]
    inputs = TreeInputs.of(range(12), [range(12)])
    found = fit_boosted_trees(x, codes % 2, inputs, 2, 0, validation=None, iterations=1)
    assert found is not None
    assert (found.predict_proba(x).argmax(axis=1) == codes % 2).all()
    assert found.models[0].is_categorical_.tolist() == [True]


@given(n=st.integers(1, 500), most=st.integers(1, 400))
def test_of_a_long_table_rows_at_even_distances_are_learnt_from(n: int, most: int) -> None:
    rows = np.random.default_rng(n).permutation(n)
    found = thinned(rows, PLAIN, most)
    steps = [step for step in range(1, n + 1) if found.tolist() == rows.tolist()[::step]]
    assert steps
    assert 2 * len(found) <= most or len(found) == 1
    # A row of two values fits beside them if a shorter step is possible.
    assert steps[0] == 1 or 2 * len(rows[:: steps[0] - 1]) > most


def test_probabilities_of_several_models_are_averaged() -> None:
    x, labels = steps(200, 7)
    models = [
        fit_boosted_trees(x, labels, PLAIN, 4, seed, validation=None, iterations=3)
        for seed in (0, 1)
    ]
    together = BoostedTrees.together([one for one in models if one])
    assert len(together.models) == 2
    expected = np.mean([one.predict_proba(x) for one in models if one], axis=0)
    np.testing.assert_allclose(together.predict_proba(x), expected, rtol=1e-12)


def test_answers_of_a_row_are_averaged_over_those_that_it_has() -> None:
    found = mean_by_row(
        4, [(np.array([0, 2]), np.array([0.2, 0.4])), (np.array([2, 3]), np.array([0.8, 0.5]))]
    )
    np.testing.assert_allclose(found, [0.2, np.nan, 0.6, 0.5])


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 99))
def test_two_that_are_each_sure_of_other_rows_share_as_many(percent: int) -> None:
    """-p log(1-s) - (1-p) log s is lowest at s = 1-p, where it is the entropy."""
    networks = np.arange(100) < percent
    share = share_of_trees(networks.astype(float), (~networks).astype(float))
    assert share == pytest.approx(1 - percent / 100, abs=1e-4)
    p = percent / 100
    loss = -np.mean(np.log(np.where(networks, 1 - share, share)))
    assert loss == pytest.approx(-xlogy(p, p) - xlogy(1 - p, 1 - p), rel=1e-6)


def test_the_better_of_two_takes_all_and_weights_decide_which() -> None:
    good, bad = np.full(10, 0.9), np.full(10, 0.4)
    assert share_of_trees(good, bad) == pytest.approx(0, abs=1e-4)
    assert share_of_trees(bad, good) == pytest.approx(1, abs=1e-4)
    first = np.r_[good[:5], bad[:5]]
    assert share_of_trees(first, first[::-1]) == pytest.approx(0.5, abs=1e-3)
    assert share_of_trees(first, first[::-1], np.r_[np.zeros(5), np.ones(5)]) > 0.99


@pytest.mark.parametrize(("classes", "iterations"), [(2, 300), (3, 300), (20, 50), (3000, 1)])
def test_many_classes_get_fewer_iterations(classes: int, iterations: int) -> None:
    assert most_iterations(classes) == iterations
