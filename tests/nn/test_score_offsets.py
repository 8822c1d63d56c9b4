"""Weighted classes whose probabilities are put back to the true shares."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss

from ffn.nn import SGD, Network, spawn_generators, train
from ffn.nn.engine import stack_in_training

Run = Callable[..., tuple[Network, Any]]
WEIGHTS = np.array([0.2, 1.0, 5.0])
ROWS = np.stack([np.arange(0, 60), np.arange(30, 90)])
VALIDATION = np.stack([np.arange(60, 97), np.r_[0:30, 90:97]])


def test_a_weighted_logistic_regression_is_sklearns_with_its_intercepts_put_back(
    table: Any,
) -> None:
    """Of sklearn's weighted model, the odds of two classes are divided by those of the weights."""
    weights = np.array([0.5, 1.0, 2.0])
    generators = spawn_generators(1, 1)
    network = Network.create((4, 3), generators, np.float64)
    train(
        network,
        SGD(learning_rate=0.5),
        table.x,
        table.labels,
        epochs=3_000,
        batch_size=97,
        generators=generators,
        row_weights=weights[table.labels] / weights[table.labels].mean(),
        score_offsets=-np.log(weights),
    )
    theirs = LogisticRegression(
        C=1e12, tol=1e-10, max_iter=10_000, class_weight=dict(enumerate(weights))
    )
    theirs.fit(table.x, table.labels)
    expected = theirs.predict_proba(table.x) / weights
    expected /= expected.sum(axis=1, keepdims=True)
    assert_allclose(network.predict_proba(table.x)[0], expected, atol=2e-4)


def test_where_the_network_can_learn_the_shares_it_answers_with_them() -> None:
    """A cell's rows are 90 of one class and 10 of the other, or 98 and 2: nothing else is right."""
    x = np.repeat([[1.0, 0.0], [0.0, 1.0]], 100, axis=0)
    labels = np.r_[np.repeat([0, 1], [90, 10]), np.repeat([0, 1], [98, 2])]
    weights = 200 / (2 * np.bincount(labels))
    generators = spawn_generators(5, 1)
    network = Network.create((2, 8, 2), generators, np.float64)
    settings = {"epochs": 2_000, "batch_size": 200, "generators": generators}
    train(
        network,
        SGD(learning_rate=0.5),
        x,
        labels,
        row_weights=weights[labels],
        score_offsets=-np.log(weights),
        **settings,
    )
    assert_allclose(network.predict_proba(np.eye(2))[0, :, 1], [0.1, 0.02], atol=1e-3)


def test_the_offsets_are_added_to_the_output_biases_and_to_nothing_else(
    run: Run, table: Any
) -> None:
    offsets = -np.log(WEIGHTS)
    settings = {"seeds": range(2), "row_weights": WEIGHTS[table.labels]}
    plain, _ = run(**settings)
    put_back, _ = run(score_offsets=offsets, **settings)
    plain.layers[-1][..., -1] += offsets
    assert_array_equal(put_back.parameters, plain.parameters)


@pytest.mark.parametrize("block", [None, 4])
def test_figures_are_those_of_the_probabilities_that_are_kept(
    run: Run, table: Any, monkeypatch: pytest.MonkeyPatch, block: int | None
) -> None:
    if block:
        monkeypatch.setattr(stack_in_training, "snapshots_at_once", lambda *_: block)
    settings = {
        "seeds": range(2),
        "rows": ROWS,
        "validation_rows": VALIDATION,
        "row_weights": WEIGHTS[table.labels],
        "score_offsets": -np.log(WEIGHTS),
    }
    _, history = run(epochs=6, **settings)
    for epoch in (0, 5):
        network, _ = run(epochs=epoch + 1, **settings)
        probabilities = network.predict_proba(table.x)
        for k, (rows, validation) in enumerate(zip(ROWS, VALIDATION, strict=True)):
            for part, losses, accuracies in (
                (rows, history.train_loss, history.train_accuracy),
                (validation, history.validation_loss, history.validation_accuracy),
            ):
                p, labels = probabilities[k, part], table.labels[part]
                assert losses[epoch, k] == pytest.approx(log_loss(labels, p, labels=[0, 1, 2]))
                assert accuracies[epoch, k] == accuracy_score(labels, p.argmax(axis=1))


def test_early_stopping_watches_them_and_those_that_stop_leave_the_others_as_they_are(
    run: Run, table: Any
) -> None:
    settings = {
        "rows": ROWS[:1],
        "validation_rows": VALIDATION[:1],
        "row_weights": WEIGHTS[table.labels],
        "score_offsets": -np.log(WEIGHTS),
        "learning_rate": 0.1,
        "epochs": 60,
    }
    network, stopped = run(seeds=range(8), patience=3, **settings)
    assert np.isnan(stopped.validation_loss[-1]).any(), "none stopped; the test shows nothing"
    _, through = run(seeds=range(8), **settings)
    for k in range(8):
        best = stopped.best_epoch[k]
        upto = through.validation_loss[: best + 4, k]
        assert best == upto.argmin()
        p = network.predict_proba(table.x[VALIDATION[0]])[k]
        expected = log_loss(table.labels[VALIDATION[0]], p, labels=[0, 1, 2])
        assert stopped.at_best("validation_loss")[k] == pytest.approx(expected)


@pytest.mark.parametrize("offsets", [[0.0, 1.0], [0.0, 1.0, np.nan], [0.0, 1.0, np.inf], 0.0])
def test_offsets_that_are_not_a_number_for_each_class_are_refused(run: Run, offsets: Any) -> None:
    with pytest.raises(ValueError, match="score_offsets must be 3 finite numbers"):
        run(score_offsets=offsets)
