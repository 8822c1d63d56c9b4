"""Chosen thresholds, against trying every one with scikit-learn's figures."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sklearn import metrics

from ffn.decision_rules.rule import ARGMAX, DecisionRule
from ffn.decision_rules.rule_choice import check_decision, choose_rule, cost_matrix
from ffn.decision_rules.threshold_choice import best_threshold
from ffn.errors import SettingsError
from ffn.settings.decision_settings import DecisionSettings

COSTS = np.array([[0.0, 1.0], [7.0, 0.5]])
ROWS = st.lists(st.tuples(st.integers(0, 20), st.booleans()), min_size=2, max_size=25).filter(
    lambda rows: len({positive for _, positive in rows}) == 2
)


def figure(metric: str, positive: np.ndarray, labels: np.ndarray) -> float:
    if metric == "balanced_accuracy":
        return float(metrics.balanced_accuracy_score(positive, labels))
    if metric == "f1":
        return float(metrics.f1_score(positive, labels, zero_division=0.0))
    return -float((metrics.confusion_matrix(positive, labels, labels=[False, True]) * COSTS).sum())


@pytest.mark.parametrize("metric", ["balanced_accuracy", "f1", "expected_cost"])
@given(rows=ROWS)
@hypothesis_settings(max_examples=50)
def test_no_other_threshold_is_better(metric, rows):
    shares = np.array([share / 20 for share, _ in rows])
    positive = np.array([own for _, own in rows])
    threshold = best_threshold(shares, positive, metric, COSTS)
    # Every threshold that labels the rows otherwise, once.
    tried = {tuple(shares >= (i + 0.5) / 20) for i in range(20)}
    figures = [figure(metric, positive, np.array(labels)) for labels in tried]
    assert threshold is not None
    assert 0 < threshold < 1
    assert figure(metric, positive, shares >= threshold) == pytest.approx(max(figures))


def test_among_equally_good_thresholds_the_nearest_to_a_half_is_chosen():
    shares, positive = np.array([0.1, 0.2, 0.4, 0.9]), np.array([False, False, True, True])
    assert best_threshold(shares, positive, "f1", COSTS) == pytest.approx(0.3)
    assert best_threshold(shares, np.ones(4, dtype=bool), "f1", COSTS) is None


def test_unnamed_mistakes_cost_one():
    settings = DecisionSettings(costs={"b": {"a": 10.0, "b": 0.5}})
    found = cost_matrix(settings, ("a", "b", "c"))
    assert found.tolist() == [[0, 1, 1], [10, 0.5, 1], [1, 1, 0]]


def test_each_setting_gives_its_rule():
    def choose(classes=("bad", "good"), **settings):
        counts = np.array([5, 15, 80][-len(classes) :])
        shares = np.array([[0.3, 0.7], [0.1, 0.9], [0.05, 0.95], [0.25, 0.75]])
        return choose_rule(
            DecisionSettings(**settings), classes, counts, (shares, np.array([0, 1, 1, 1]))
        )

    assert choose().rule == ARGMAX
    assert choose(abstain_below=0.6).rule == DecisionRule(abstain_below=0.6)
    assert choose(costs={"bad": {"good": 10.0}}).rule.costs == ((0, 10), (1, 0))
    given_ = choose(costs={"bad": {"good": 10.0}}, thresholds={"bad": 0.2})
    assert (given_.source, given_.rule) == ("thresholds", DecisionRule(thresholds=(0.2, None)))
    tuned = choose(thresholds="auto", metric="balanced_accuracy")
    assert (tuned.source, tuned.rows) == ("tuned", 4)
    assert tuned.rule.thresholds == (pytest.approx(0.275), None)
    several = choose(("a", "b", "c"), thresholds="auto", metric="balanced_accuracy")
    # 100 rows, three classes: a third of the inverse shares.
    assert several.rule.weights == pytest.approx((100 / 15, 100 / 45, 100 / 240))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"costs": {"bda": {}}}, r'decision\.costs names "bda", which is .*Did you mean "bad"\?'),
        (
            {"costs": {"bad": {"god": 1.0}}},
            r'decision\.costs\.bad names "god", .*"bad", "good", "odd"',
        ),
        ({"thresholds": {"x": 0.2}}, r'decision\.thresholds names "x", which is not a class'),
        ({"thresholds": "auto", "metric": "f1"}, r'3; set metric = "balanced_accuracy"\.$'),
        (
            {"costs": {"bad": {"good": 5.0}}, "thresholds": "auto", "metric": "expected_cost"},
            r"there are 3; leave thresholds out",
        ),
        ({"metric": "f1"}, r'rarer of two classes, but there are 3; set metric = "balanced_acc'),
    ],
)
def test_what_does_not_fit_the_classes_is_refused(settings, message):
    with pytest.raises(SettingsError, match=message):
        check_decision(DecisionSettings(**settings), ("bad", "good", "odd"))


def test_validation_rows_of_one_class_choose_no_threshold():
    settings = DecisionSettings(thresholds="auto", metric="f1")
    with pytest.raises(SettingsError, match=r'do not have both "bad" and "good"\. Give it as a'):
        choose_rule(
            settings,
            ("bad", "good"),
            np.array([1, 9]),
            (np.full((3, 2), 0.5), np.ones(3, dtype=int)),
        )
