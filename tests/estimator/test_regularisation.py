"""Dropout and label smoothing of FFNClassifier: what ``ffn.nn.train`` does with them."""

from __future__ import annotations

import numpy as np
from numpy.testing import assert_array_equal
from sklearn.datasets import load_iris
from sklearn.preprocessing import StandardScaler

from ffn import FFNClassifier


def fitted(**settings: object) -> FFNClassifier:
    x, y = load_iris(return_X_y=True)
    return FFNClassifier(**{"epochs": 60, "random_state": 0, "learning_rate": 0.02} | settings).fit(
        StandardScaler().fit_transform(x), y
    )


def test_without_either_nothing_changes() -> None:
    plain = fitted()
    same = fitted(dropout=0.0, label_smoothing=0.0)
    assert_array_equal(plain.network_.parameters, same.network_.parameters)
    assert (fitted(dropout=0.3).network_.parameters != plain.network_.parameters).any()


def test_smoothed_labels_bound_the_confidence() -> None:
    """The loss is lowest where the label has 1 - epsilon + epsilon / C: 0.8 of three classes."""
    x, _ = load_iris(return_X_y=True)
    scaled = StandardScaler().fit_transform(x)
    smooth = fitted(label_smoothing=0.3, hidden_layer_sizes=(16,), epochs=400)
    sharp = fitted(hidden_layer_sizes=(16,), epochs=400)
    # Iris-setosa is told from the others without doubt.
    assert abs(np.median(smooth.predict_proba(scaled)[:50, 0]) - 0.8) < 0.05
    assert np.median(sharp.predict_proba(scaled)[:50, 0]) > 0.99


def test_prediction_has_no_dropout() -> None:
    x, _ = load_iris(return_X_y=True)
    model = fitted(dropout=0.5)
    assert_array_equal(model.predict_proba(x), model.predict_proba(x))


def test_partial_fit_takes_both() -> None:
    x, y = load_iris(return_X_y=True)
    plain, other = (
        FFNClassifier(random_state=0, **settings).partial_fit(x, y, classes=[0, 1, 2])
        for settings in ({}, {"dropout": 0.2, "label_smoothing": 0.1})
    )
    assert (plain.network_.parameters != other.network_.parameters).any()
