"""Label sets: their limits are order statistics, and who is in a set."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffn.decision_rules.label_sets import set_limits
from ffn.decision_rules.rule import ARGMAX, DecisionRule
from ffn.decision_rules.rule_choice import check_decision
from ffn.errors import SettingsError
from ffn.settings.decision_settings import DecisionSettings


def two(shares: np.ndarray) -> np.ndarray:
    return np.stack([1 - shares, shares], axis=1)


@given(m=st.integers(1, 60), hundredths=st.integers(50, 99))
def test_of_m_rows_and_a_new_one_no_more_than_promised_are_missed(m: int, hundredths: int) -> None:
    """The new row's rank among all m + 1 is uniform.

    The limit is the k-th lowest of m, so a new row is missed where it is among the k lowest of all
    m + 1: with the probability k / (m + 1), which is at most 1 - coverage, and for k + 1 is not.
    """
    shares = np.random.default_rng(m).permutation(np.arange(1, m + 1) / (m + 1))
    (_, limit) = set_limits(two(shares), np.ones(m, dtype=int), hundredths / 100)
    k = round(float(limit) * (m + 1))
    assert 100 * k <= (m + 1) * (100 - hundredths) < 100 * (k + 1)


def test_each_class_has_its_own_limit_and_one_with_few_rows_none() -> None:
    shares = np.r_[np.linspace(0.5, 0.9, 19), np.linspace(0.1, 0.9, 8)]
    labels = np.repeat([1, 0], [19, 8])
    limits = set_limits(two(shares), labels, 0.9)
    # Of 19 the second lowest, of 8 none.
    assert limits == (0.0, pytest.approx(0.5 + 0.4 / 18))


def test_of_a_group_one_row_of_each_class_calibrates() -> None:
    shares = np.random.default_rng(1).random(60)
    labels, groups = np.ones(60, dtype=int), np.repeat(np.arange(20), 3)
    assert set_limits(two(shares), labels, 0.9, groups) == set_limits(
        two(shares[::3]), labels[::3], 0.9
    )


def test_a_set_has_the_classes_that_reach_their_limits_and_the_label() -> None:
    rule = DecisionRule(thresholds=(0.1, None, None), set_limits=(0.3, 0.2, 0.9))
    p = np.array([[0.5, 0.3, 0.2], [0.15, 0.8, 0.05], [0.05, 0.1, 0.85]])
    members = rule.label_sets(p, rule.labels(p))
    # By hand: the label of the second row is the first class, by its threshold.
    assert members.tolist() == [[True, True, False], [True, True, False], [False, False, True]]
    with pytest.raises(ValueError, match="has no label sets"):
        ARGMAX.label_sets(p, ARGMAX.labels(p))


def test_limits_are_stored_and_follow_their_classes() -> None:
    rule = DecisionRule(set_limits=(0.0, 0.25, 1.0))
    assert DecisionRule.from_json(rule.to_json(), 3) == rule
    assert rule.reordered([2, 0, 1]).set_limits == (1.0, 0.0, 0.25)
    assert rule.by_probability
    for forged in ([0.1, 0.2], [0.1, 0.2, 1.5], [0.1, 0.2, "x"], [0.1, -0.2, 0.3]):
        with pytest.raises(ValueError, match="does not fit the classes"):
            DecisionRule.from_json({"set_limits": forged}, 3)
    assert replace(rule, set_limits=None) == ARGMAX


def test_a_class_with_the_separator_is_refused() -> None:
    with pytest.raises(SettingsError, match=r'the class "a\|b" has one in its name'):
        check_decision(DecisionSettings(label_sets=0.9), ("a|b", "c"))
    check_decision(DecisionSettings(), ("a|b", "c"))
