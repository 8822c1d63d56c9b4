"""Costs and coverage of a rule on held-out rows, calculated by hand and by SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

from ffn.decision_rules.rule import DecisionRule
from ffn.evaluation.decision_evaluation import coverage_curve, evaluate_rule, row_costs
from ffn.evaluation.metrics import evaluate_probabilities

COSTS = np.array([[0.0, 10.0], [1.0, 0.0]])
RULE = DecisionRule(costs=((0.0, 10.0), (1.0, 0.0)))


def rare(rows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Calibrated probabilities of a class of 5 %, and labels drawn by them."""
    generator = np.random.default_rng(seed)
    bad = generator.beta(0.5, 9.5, rows)
    labels = (generator.random(rows) >= bad).astype(int)
    return np.stack((bad, 1 - bad), axis=1), labels


def test_costs_find_rare_rows_that_the_most_probable_class_misses():
    probabilities, labels = rare(4_000)
    found = evaluate_rule(probabilities, labels, RULE, COSTS, 0)
    predicted = np.where(probabilities[:, 0] > 1 / 11, 0, 1)
    confusion = metrics.confusion_matrix(labels, predicted)
    assert found.cost.value == pytest.approx((10 * confusion[0, 1] + confusion[1, 0]) / 4_000)
    assert found.cost.low < found.cost.value < found.cost.high
    assert [r.value for r in found.recalls] == pytest.approx(
        metrics.recall_score(labels, predicted, average=None)
    )
    assert found.recalls[0].value > 0.5 > 0.1 > found.argmax_recalls[0].value
    assert found.difference.high < 0, "calibrated probabilities: the rule is the cheapest"
    assert found.difference.value == pytest.approx(found.cost.value - found.argmax_cost.value)


def test_the_coverage_curve_counts_rows_and_right_labels():
    probabilities = np.array([[0.55, 0.45], [0.3, 0.7], [0.05, 0.95], [0.92, 0.08]])
    labels = np.array([1, 1, 1, 0])
    curve = coverage_curve(probabilities, labels, DecisionRule(abstain_below=0.65))
    found = {point.below: (point.rows, point.accuracy.value) for point in curve}
    assert (found[0.0], found[0.65], found[0.8]) == ((4, 0.75), (3, 1.0), (2, 1.0))
    assert found[0.99][0] == 0
    point = next(point for point in curve if point.below == 0.8)
    wilson = stats.binomtest(2, 4).proportion_ci(method="wilson")
    assert (point.coverage.low, point.coverage.high) == pytest.approx((wilson.low, wilson.high))


def test_a_label_that_no_longer_exists_costs_the_most():
    costs = row_costs(np.array([-1, -1, 1, 0]), np.array([0, 1, 0, 0]), COSTS)
    assert costs.tolist() == [10, 1, 10, 0]


def test_figures_on_held_out_rows_are_those_of_the_rule():
    probabilities, labels = rare(500)
    found = evaluate_probabilities(probabilities, labels, ("bad", "good"), 0, usual=1, rule=RULE)
    predicted = np.where(probabilities[:, 0] > 1 / 11, 0, 1)
    assert found.confusion.tolist() == metrics.confusion_matrix(labels, predicted).tolist()
    assert found.log_loss.value == pytest.approx(metrics.log_loss(labels, probabilities[:, 1]))
