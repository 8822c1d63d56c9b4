"""Baselines on made-up tables: which rows they are fitted on, and what happens if they fail."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from threadpoolctl import threadpool_limits

from ffn.evaluation.baselines import BOOSTING, LINEAR, MAJORITY, compare_baselines
from ffn.promotion.register import jsonable


def test_a_long_table_is_drawn_from_and_no_class_is_lost(monkeypatch) -> None:
    rng = np.random.default_rng(0)
    labels = np.append(rng.integers(0, 2, 4_000), [2, 3])
    x = rng.normal(size=(len(labels), 3)) + labels[:, None]
    fitted = []

    class Recording(LogisticRegression):
        def fit(self, x, y):
            fitted.append((x, y))
            self.max_iter = 3
            return super().fit(x, y)

    monkeypatch.setattr("sklearn.linear_model.LogisticRegression", Recording)
    ours = np.full((50, 4), 0.25)
    names = ("a", "b", "c", "d")
    table = (ours, x[:50], labels[:50], x, labels, names)
    found, _ = compare_baselines(*table, seed=5, alpha=0.05, most_rows=300)
    ((drawn, own),) = fitted
    assert 300 <= len(drawn) <= 304
    assert set(own) == {0, 1, 2, 3}
    table_rows = {tuple(row) for row in x}
    assert {tuple(row) for row in drawn} <= table_rows
    assert len({tuple(row) for row in drawn}) == len(drawn)
    majority, linear, boosting = found
    assert majority.fitted_rows == 4_002
    assert linear.fitted_rows == boosting.fitted_rows == len(drawn)
    assert linear.problem == "did not converge"
    again, _ = compare_baselines(*table, seed=5, alpha=0.05, most_rows=300)
    assert jsonable(again) == jsonable(found)


def test_a_model_that_cannot_be_fitted_is_left_out_and_told(monkeypatch) -> None:
    class Failing(LogisticRegression):
        def fit(self, x, y):
            raise MemoryError("no\nroom.")

    class Absurd(LogisticRegression):
        def predict_proba(self, x):
            return np.full((len(x), 2), np.nan)

    rng = np.random.default_rng(0)
    x, labels = rng.normal(size=(200, 2)), rng.integers(2, size=200)
    ours, names = np.full((50, 2), 0.5), ("a", "b")
    monkeypatch.setattr("sklearn.linear_model.LogisticRegression", Failing)
    found, unfitted = compare_baselines(ours, x[:50], labels[:50], x, labels, names, 0, alpha=0.04)
    assert [baseline.name for baseline in found] == [MAJORITY, BOOSTING]
    # The level is shared by those that are there.
    assert {baseline.bounds.alpha for baseline in found} == {0.02}
    assert unfitted == {LINEAR: r"MemoryError: no\nroom"}
    monkeypatch.setattr("sklearn.linear_model.LogisticRegression", Absurd)
    _, unfitted = compare_baselines(ours, x[:50], labels[:50], x, labels, names, 0, alpha=0.04)
    assert unfitted == {LINEAR: "ArithmeticError: its probabilities are not finite"}


@pytest.mark.parametrize("lonely", [False, True])
def test_boosting_of_many_rows_stops_early_as_by_default(monkeypatch, lonely: bool) -> None:
    rng = np.random.default_rng(0)
    x, labels = rng.normal(size=(10_001, 2)), rng.integers(2, size=10_001)
    if lonely:
        labels[0] = 2
    names = ("a", "b", "c") if lonely else ("a", "b")
    test_x, test_labels = rng.normal(size=(60, 2)), rng.integers(2, size=60)
    ours = np.full((60, len(names)), 1 / len(names))
    found, unfitted = compare_baselines(ours, test_x, test_labels, x, labels, names, 7, alpha=0.05)
    assert unfitted == {}
    assert ("at most 100 iterations, stopped early by 10 % of" in found[2].settings) is not lonely
    plain = HistGradientBoostingClassifier(random_state=7)
    with threadpool_limits(1):
        if lonely:
            # Which is why it is not done.
            with pytest.raises(ValueError, match="least populated class"):
                plain.fit(x, labels)
            return
        plain.fit(x, labels)
    assert plain.n_iter_ < 100
    loss = log_loss(test_labels, plain.predict_proba(test_x))
    assert found[2].evaluation.log_loss.value == pytest.approx(loss, rel=1e-6)


def test_boosting_sees_each_number_once() -> None:
    rng = np.random.default_rng(0)
    number, labels = rng.normal(size=300), rng.integers(2, size=300)
    # A bin, the number, a quantile, a category.
    x = np.stack([number.clip(0, 1), number, number.round(1), rng.integers(2, size=300)], axis=1)
    ours, names = np.full((100, 2), 0.5), ("a", "b")
    table = (ours, x[200:], labels[200:], x[:200], labels[:200], names, 3)
    (_, linear, boosting), _ = compare_baselines(*table, alpha=0.05, told_once=[1, 3])
    for found, model, seen in (
        (linear, LogisticRegression(max_iter=1_000), [0, 1, 2, 3]),
        (boosting, HistGradientBoostingClassifier(random_state=3), [1, 3]),
    ):
        with threadpool_limits(1):
            answers = model.fit(x[:200, seen], labels[:200]).predict_proba(x[200:, seen])
        assert found.evaluation.log_loss.value == pytest.approx(log_loss(labels[200:], answers))
    assert boosting.settings.endswith("at most 31 leaves, each number as one input")
    assert "as one input" not in compare_baselines(*table, alpha=0.05)[0][2].settings


def test_many_classes_get_fewer_trees() -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(250), 2)
    x = rng.normal(size=(500, 2))
    names = tuple(map(str, range(250)))
    ours = np.full((20, 250), 1 / 250)
    found, _ = compare_baselines(ours, x[:20], labels[:20], x, labels, names, 0, alpha=0.05)
    assert "4 iterations" in found[2].settings
