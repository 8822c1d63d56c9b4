"""Weighted figures: those of repeated rows, of scikit-learn's ``sample_weight``, and coverage."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import special, stats
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    balanced_accuracy_score,
    f1_score,
    log_loss,
    roc_auc_score,
)

from ffn.decision_rules.rule import DecisionRule
from ffn.decision_rules.threshold_choice import best_threshold
from ffn.evaluation.baselines import compare_baselines
from ffn.evaluation.class_figures import share_of_class
from ffn.evaluation.later_periods import expect_later
from ffn.evaluation.metrics import HeldOutEvaluation, evaluate_probabilities
from ffn.training.temperature import ValidationAnswers, fit_temperature

COSTS = np.array([[0.0, 1.0, 2.0], [3.0, 0.0, 1.0], [1.0, 5.0, 0.0]])


def sample(n: int, c: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = rng.integers(c, size=n)
    scores = rng.normal(size=(n, c)).round(1) + 1.2 * np.eye(c)[labels]
    return special.softmax(scores, axis=1), labels, rng.integers(1, 5, n)


def evaluated(p: Any, labels: Any, **more: Any) -> HeldOutEvaluation:
    classes = tuple("abc"[: p.shape[1]])
    return evaluate_probabilities(p, labels, classes, 0, usual=0, **more)


def points(found: HeldOutEvaluation) -> dict[str, Any]:
    named = {
        name: getattr(found, name).value
        for name in (
            "accuracy",
            "macro_f1",
            "log_loss",
            "brier",
            "balanced_accuracy",
            "auc",
            "average_precision",
            "baseline",
        )
    }
    by_class = [
        (one.recall.value, one.precision.value, one.auc.value, one.average_precision.value)
        for one in found.classes
    ]
    shares = [share_of_class(found.classes, one.name) for one in found.classes]
    bins = [(one.confidence, one.accuracy.value) for one in found.calibration.bins]
    return named | {
        "classes": np.array(by_class),
        "shares": np.array(shares),
        "error": found.calibration.error,
        "bins": np.array(bins),
    }


@pytest.mark.parametrize("c", [2, 3])
def test_a_row_of_weight_w_counts_as_w_rows(c: int) -> None:
    p, labels, weights = sample(120, c)
    one = points(evaluated(p, labels, weights=weights * 0.7))
    other = points(evaluated(p.repeat(weights, axis=0), labels.repeat(weights)))
    assert one.keys() == other.keys()
    for name, value in one.items():
        assert value == pytest.approx(other[name], rel=1e-9), name


def test_figures_are_those_of_scikit_learn_s_sample_weight() -> None:
    p, labels, weights = sample(150, 3)
    predicted, own = p.argmax(axis=1), {"sample_weight": weights}
    found = evaluated(p, labels, weights=weights)
    assert found.accuracy.value == pytest.approx(accuracy_score(labels, predicted, **own))
    assert found.log_loss.value == pytest.approx(log_loss(labels, p, **own))
    assert found.balanced_accuracy.value == pytest.approx(
        balanced_accuracy_score(labels, predicted, **own)
    )
    assert found.macro_f1.value == pytest.approx(
        f1_score(labels, predicted, average="macro", **own)
    )
    for i, one in enumerate(found.classes):
        assert one.auc.value == pytest.approx(roc_auc_score(labels == i, p[:, i], **own))
        assert one.average_precision.value == pytest.approx(
            average_precision_score(labels == i, p[:, i], **own)
        )
    assert (found.rows, found.correct) == (150, int((predicted == labels).sum()))
    assert "150 held-out rows (by weight as many as " in found.judges


def test_costs_and_the_curve_count_rows_by_weight() -> None:
    p, labels, weights = sample(100, 3, 1)
    rule = DecisionRule(costs=tuple(map(tuple, COSTS.tolist())))
    one = evaluated(p, labels, rule=rule, costs=COSTS, weights=weights).decision
    other = evaluated(
        p.repeat(weights, axis=0), labels.repeat(weights), rule=rule, costs=COSTS
    ).decision
    assert one is not None
    assert other is not None
    for name in ("cost", "argmax_cost", "difference", "argmax_accuracy"):
        assert getattr(one, name).value == pytest.approx(getattr(other, name).value), name
    for mine, theirs in zip(one.curve, other.curve, strict=True):
        assert mine.coverage.value == pytest.approx(theirs.coverage.value)
        assert mine.accuracy.value == pytest.approx(theirs.accuracy.value, nan_ok=True)


def test_intervals_are_wider_than_for_as_many_equal_rows() -> None:
    p, labels, _ = sample(400, 2, 2)
    weights = np.random.default_rng(0).lognormal(0, 1.2, 400)
    one, other = evaluated(p, labels, weights=weights), evaluated(p, labels)
    for name in ("accuracy", "log_loss", "auc", "average_precision", "balanced_accuracy"):
        mine, theirs = getattr(one, name), getattr(other, name)
        assert mine.high - mine.low > 1.2 * (theirs.high - theirs.low), name


@pytest.mark.parametrize("grouped", [False, True])
def test_ranking_and_losses_hold_the_truth(grouped: bool) -> None:
    """Of 40 samples of a world in which light rows are harder; with groups, they share a shift."""
    rng = np.random.default_rng(9)

    def draw(n: int) -> tuple[np.ndarray, ...]:
        labels, groups = rng.integers(2, size=n), np.arange(n) // (5 if grouped else 1)
        shift = (rng.normal(size=n) * 0.7)[groups] if grouped else 0
        z = rng.normal(size=n)
        scores = (1 + 0.6 * z) * (2 * labels - 1) + rng.normal(size=n) * 1.5 + shift
        p = special.expit(scores)
        return np.column_stack([1 - p, p]), labels, np.exp(0.7 * z), groups

    big = draw(200_000)
    own = {"sample_weight": big[2]}
    truth = {
        "auc": roc_auc_score(big[1], big[0][:, 1], **own),
        "average_precision": average_precision_score(big[1], big[0][:, 1], **own),
        "balanced_accuracy": balanced_accuracy_score(big[1], big[0].argmax(axis=1), **own),
        "macro_f1": f1_score(big[1], big[0].argmax(axis=1), average="macro", **own),
        "log_loss": log_loss(big[1], big[0], **own),
    }
    held = dict.fromkeys(truth, 0)
    for _ in range(40):
        p, labels, weights, groups = draw(200)
        found = evaluate_probabilities(
            p, labels, ("a", "b"), 0, usual=0, weights=weights, groups=groups if grouped else None
        )
        for name, value in truth.items():
            one = getattr(found, name)
            held[name] += one.low <= value <= one.high
    for name, count in held.items():
        assert stats.binomtest(count, 40, 0.92, alternative="less").pvalue > 0.001, name


def test_thresholds_temperature_and_periods_count_rows_by_weight() -> None:
    p, labels, weights = sample(80, 2, 3)
    repeated = p.repeat(weights, axis=0), labels.repeat(weights)
    costs = np.array([[0.0, 1.0], [4.0, 0.0]])
    for metric in ("balanced_accuracy", "f1", "expected_cost"):
        assert best_threshold(p[:, 1], labels == 1, metric, costs, weights) == best_threshold(
            repeated[0][:, 1], repeated[1] == 1, metric, costs
        )

    def answers(p: Any, labels: Any, rows: Any, weights: Any = None) -> ValidationAnswers:
        return ValidationAnswers(
            scores=3 * np.log(p),
            labels=labels,
            networks=rows % 4,
            fingerprints=rows.astype(np.uint64),
            weights=weights,
        )

    rows = np.arange(80)
    one = fit_temperature(answers(p, labels, rows, weights), 0.25)
    other = fit_temperature(answers(*repeated, rows.repeat(weights)), 0.25)
    assert one.value == pytest.approx(other.value)
    assert one.change.value == pytest.approx(other.change.value)
    assert one.change.high == pytest.approx(other.change.high)

    # Two rows an hour, of which the heavier one is right, or the lighter one.
    times, right = np.arange(200) // 2, np.arange(200) % 2 == 0
    for first, lowest, highest in ((9.0, 0.8, 0.95), (1 / 9, 0.05, 0.2)):
        found = expect_later(times, right, np.ones(200), np.where(right, first, 1.0))
        assert found is not None
        assert lowest < found.accuracy.value < highest
        assert found.log_loss.value == pytest.approx(1)


def test_simpler_models_are_fitted_and_judged_by_weight() -> None:
    """Rows of weight 3 and 1, or the former three times: the same logistic regression."""
    rng = np.random.default_rng(7)
    x = rng.normal(size=(160, 2))
    labels = (x[:, 0] + rng.normal(size=160) > 0).astype(int)
    weights = rng.integers(1, 4, 160)
    train, test = slice(0, 100), slice(100, 160)
    ours = np.full((60, 2), 0.5)
    one, _ = compare_baselines(
        ours,
        x[test],
        labels[test],
        x[train],
        labels[train],
        ("a", "b"),
        0,
        alpha=0.05,
        weights_test=weights[test],
        weights_train=weights[train],
    )
    times, own = weights[train], weights[test]
    other, _ = compare_baselines(
        ours.repeat(own, axis=0),
        x[test].repeat(own, axis=0),
        labels[test].repeat(own),
        x[train].repeat(times, axis=0),
        labels[train].repeat(times),
        ("a", "b"),
        0,
        alpha=0.05,
    )
    for mine, theirs in zip(one[:2], other[:2], strict=True):
        assert mine.evaluation.log_loss.value == pytest.approx(
            theirs.evaluation.log_loss.value, rel=1e-3
        )
        assert mine.difference.accuracy.value == pytest.approx(theirs.difference.accuracy.value)
        assert mine.bounds.value == pytest.approx(theirs.bounds.value, rel=1e-3)
