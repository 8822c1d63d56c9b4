"""The metrics of ``[decision]`` beside scikit-learn's, and what each row contributes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from ffn.criteria.decision_metrics import METRIC_WORDS, metric_gain, metric_parts
from ffn.settings.decision_settings import DecisionSettings

COSTS = np.array([[0.0, 1.0], [10.0, 0.0]])
COSTS_OF_THREE = np.array([[0.0, 1.0, 2.0], [5.0, 0.0, 1.0], [3.0, 3.0, 0.0]])


def drawn(c: int, seed: int, n: int = 300) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    labels = generator.choice(c, size=n, p=[0.85, 0.15] if c == 2 else [0.6, 0.3, 0.1])
    scores = 1.5 * np.eye(c)[labels] + generator.normal(size=(n, c))
    shares = np.exp(scores)
    return shares / shares.sum(axis=1, keepdims=True), labels


def of(metric: str, p: np.ndarray, labels: np.ndarray, predicted: np.ndarray | None = None):
    costs = COSTS if p.shape[1] == 2 else COSTS_OF_THREE
    return metric_parts(
        metric, p, p.argmax(axis=1) if predicted is None else predicted, labels, costs
    )


def test_the_words_are_those_of_the_settings() -> None:
    assert set(METRIC_WORDS) == set(
        DecisionSettings.model_fields["metric"].annotation.__args__  # type: ignore[union-attr]
    )


@given(seed=st.integers(0, 200))
def test_they_are_scikit_learns(seed: int) -> None:
    p, labels = drawn(2, seed)
    predicted = p.argmax(axis=1)
    expected = {
        "average_precision": metrics.average_precision_score(labels, p[:, 1]),
        "balanced_accuracy": metrics.balanced_accuracy_score(labels, predicted),
        "f1": metrics.f1_score(labels, predicted),
        "expected_cost": (metrics.confusion_matrix(labels, predicted) * COSTS).sum() / 300,
    }
    for name, value in expected.items():
        assert of(name, p, labels).value == pytest.approx(value), name
    p, labels = drawn(3, seed)
    one_hot = np.eye(3)[labels]
    expected = {
        "average_precision": metrics.average_precision_score(one_hot, p, average="macro"),
        "balanced_accuracy": metrics.balanced_accuracy_score(labels, p.argmax(axis=1)),
    }
    for name, value in expected.items():
        assert of(name, p, labels).value == pytest.approx(value), name


@pytest.mark.parametrize(
    "metric", ["average_precision", "balanced_accuracy", "expected_cost", "f1"]
)
def test_the_variance_of_the_parts_is_that_of_a_bootstrap_within_classes(metric: str) -> None:
    p, labels = drawn(2, 7, 800)
    found = of(metric, p, labels)
    within = sum((labels == c).sum() * np.var(found.parts[labels == c], ddof=1) for c in (0, 1))
    generator = np.random.default_rng(1)
    own = [np.flatnonzero(labels == c) for c in (0, 1)]
    drawn_again = []
    for _ in range(1_000):
        rows = np.concatenate([generator.choice(rows, len(rows)) for rows in own])
        drawn_again.append(of(metric, p[rows], labels[rows]).value)
    assert np.sqrt(within) == pytest.approx(np.std(drawn_again), rel=0.12)


@pytest.mark.parametrize("metric", ["balanced_accuracy", "expected_cost", "f1"])
def test_no_label_gives_a_row_a_part_outside_the_bounds(metric: str) -> None:
    p, labels = drawn(2, 3)
    found = of(metric, p, labels)
    low, high = np.minimum(found.worst, found.best), np.maximum(found.worst, found.best)
    assert (found.parts >= low[labels] - 1e-12).all()
    assert (found.parts <= high[labels] + 1e-12).all()


def test_a_label_that_is_no_class_is_wrong_and_costs_the_most() -> None:
    p, labels = np.array([[0.6, 0.4], [0.3, 0.7]]), np.array([0, 1])
    unknown = np.array([-1, -1])
    assert of("expected_cost", p, labels, unknown).value == pytest.approx((1 + 10) / 2)
    assert of("balanced_accuracy", p, labels, unknown).value == 0


def test_less_cost_is_a_gain_and_so_is_more_precision() -> None:
    p, labels = drawn(2, 5)
    for metric, sign in (("expected_cost", -1), ("balanced_accuracy", 1)):
        perfect, own = of(metric, p, labels, labels), of(metric, p, labels)
        found = metric_gain(metric, perfect, own, labels, 0.05)
        assert found.value == pytest.approx(sign * (perfect.value - own.value))
        assert 0 < found.low < found.value < found.high
        assert found.p_value < 0.001
        back = metric_gain(metric, own, perfect, labels, 0.05)
        assert back.value == pytest.approx(-found.value)
        assert back.p_value > 0.99


def test_without_a_row_of_the_class_nothing_is_shown() -> None:
    p, labels = drawn(2, 5)
    p, labels = p[labels == 0], labels[labels == 0]
    for metric in ("average_precision", "f1"):
        one = of(metric, p, labels)
        assert np.isnan(one.value) or metric == "f1"
    found = metric_gain(
        "average_precision", *2 * [of("average_precision", p, labels)], labels, 0.05
    )
    assert (found.p_value, found.low) == (1.0, -np.inf)
