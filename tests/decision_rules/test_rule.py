"""Labels by costs, thresholds and factors, against calculations by hand and plain definitions."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffn.decision_rules.rule import ARGMAX, DecisionRule

# Bad loans that are taken for good ones cost ten times as much as the reverse.
LOANS = DecisionRule(costs=((0.0, 10.0), (1.0, 0.0)))
HALVES = st.integers(2, 5).flatmap(
    lambda c: st.lists(
        st.lists(st.integers(1, 64), min_size=c, max_size=c), min_size=1, max_size=6
    ).map(lambda rows: np.array(rows, dtype=float) / np.sum(rows, axis=1, keepdims=True))
)


@given(HALVES)
def test_the_default_is_argmax(probabilities):
    assert ARGMAX.labels(probabilities).tolist() == probabilities.argmax(axis=1).tolist()


def test_costs_move_the_threshold_to_where_expected_costs_are_equal():
    # Labelled "good" it costs 10 p, labelled "bad" 1 - p: equal at p = 1/11.
    probabilities = np.array([[p, 1 - p] for p in (0.05, 1 / 11 - 1e-9, 1 / 11 + 1e-9, 0.6)])
    assert LOANS.labels(probabilities).tolist() == [1, 1, 0, 0]
    assert LOANS.confidences(probabilities, LOANS.labels(probabilities)) == pytest.approx(
        [0.95, 10 / 11, 1 / 11, 0.6]
    )


@given(HALVES, st.randoms())
def test_costs_choose_the_lowest_expected_cost(probabilities, random):
    c = probabilities.shape[1]
    costs = tuple(tuple(float(random.randint(0, 9)) for _ in range(c)) for _ in range(c))
    labels = DecisionRule(costs=costs).labels(probabilities)
    for row, label in zip(probabilities, labels, strict=True):
        expected = [sum(p * costs[i][j] for i, p in enumerate(row)) for j in range(c)]
        assert expected[label] <= min(expected) + 1e-12


@given(HALVES)
def test_a_row_is_decided_by_itself(probabilities):
    c = probabilities.shape[1]
    rule = DecisionRule(costs=tuple(tuple(abs(i - j) ** 1.5 for j in range(c)) for i in range(c)))
    alone = [int(rule.labels(row[None])[0]) for row in probabilities]
    assert rule.labels(probabilities).tolist() == alone


@pytest.mark.parametrize(
    ("thresholds", "row", "label"),
    [
        ((0.2, None), [0.2, 0.8], 0),
        ((0.2, None), [0.19, 0.81], 1),
        ((0.9, None), [0.8, 0.2], 1),
        # Ratios 1.5 and 1.4.
        ((0.2, 0.5), [0.3, 0.7], 0),
        ((None, None, 0.1), [0.5, 0.4, 0.1], 2),
        ((None, None, 0.1), [0.41, 0.5, 0.09], 1),
        # None reaches its threshold: ratios 0.5, 0.8, 0.25.
        ((0.6, 0.5, 0.8), [0.3, 0.4, 0.2], 1),
    ],
)
def test_thresholds(thresholds, row, label):
    assert DecisionRule(thresholds=thresholds).labels(np.array([row])).tolist() == [label]


def test_factors_multiply_probabilities():
    probabilities = np.array([[0.9, 0.1], [0.96, 0.04]])
    assert DecisionRule(weights=(1.0, 10.0)).labels(probabilities).tolist() == [1, 0]


def test_a_row_below_the_limit_has_no_label():
    rule = DecisionRule(abstain_below=0.7)
    # 0.69996 is written as 0.7000, and the label says the same.
    probabilities = np.array([[0.69996, 0.30004], [0.69994, 0.30006], [0.1, 0.9]])
    assert rule.answers(probabilities, np.array(["a", "b"])).tolist() == ["a", None, "b"]
    assert rule.answers(probabilities, np.array([3, 4])).tolist() == [3, None, 4]
    assert ARGMAX.answers(probabilities, np.array([3, 4])).dtype == np.int64


RULES = [
    LOANS,
    DecisionRule(thresholds=(0.2, None)),
    DecisionRule(weights=(0.5, 4.0), abstain_below=0.25),
    DecisionRule(abstain_below=0.7),
]


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_survives_json_and_another_order_of_classes(rule):
    assert DecisionRule.from_json(json.loads(json.dumps(rule.to_json())), 2) == rule
    probabilities = np.array([[p, 1 - p] for p in np.linspace(0.01, 0.985, 40)])
    turned = rule.reordered([1, 0]).labels(probabilities[:, ::-1])
    assert turned.tolist() == (1 - rule.labels(probabilities)).tolist()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({}, "other fields"),
        ([], "other fields"),
        ({"cost": []}, "other fields"),
        ({"costs": [[0, 1], [1, 0]], "weights": [1, 1]}, "decides twice"),
        ({"costs": [[0, 1]]}, "does not fit the classes"),
        ({"costs": [[0, 1], [-1, 0]]}, "does not fit the classes"),
        ({"costs": [[0, 1], [True, 0]]}, "does not fit the classes"),
        ({"costs": None}, "does not fit the classes"),
        ({"thresholds": [0.2, 1.0]}, "does not fit the classes"),
        ({"weights": [1, 0]}, "does not fit the classes"),
        ({"weights": [1, 1, 1]}, "does not fit the classes"),
        ({"abstain_below": 1}, "abstains below no probability"),
        ({"abstain_below": "0.5"}, "abstains below no probability"),
    ],
)
def test_a_forged_rule_is_refused(value, message):
    with pytest.raises(ValueError, match=message):
        DecisionRule.from_json(value, 2)
