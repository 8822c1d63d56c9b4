"""A figure of each network on rows that it did not learn, with a rule chosen on other rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn import metrics

from ffn.criteria.criterion import criterion_of
from ffn.decision_rules.threshold_choice import best_threshold
from ffn.errors import TrainingError
from ffn.quantities import interval
from ffn.settings.decision_settings import DecisionSettings
from ffn.training.selection.model_selection import select_best
from ffn.training.temperature import ValidationAnswers
from tests.helpers.histories import candidate

CLASSES = ("bad", "good")
NOISE = np.array([0.02, -0.01, 0.00, 0.01, -0.02, 0.01, -0.01, 0.00])


def answers(k: int = 4, n: int = 120, skill: float = 1.5, seed: int = 0) -> ValidationAnswers:
    """Predictions of k networks, each for n of 300 rows, one in ten of them bad."""
    generator = np.random.default_rng(seed)
    labels = np.where(np.arange(300) % 10 == 0, 0, 1)
    rows = np.concatenate([np.sort(generator.permutation(300)[:n]) for _ in range(k)])
    scores = skill * (labels[rows] == 0) - 2.2 + np.random.default_rng(9).normal(size=k * n)
    bad = 1 / (1 + np.exp(-scores))
    return ValidationAnswers(
        scores=np.log(np.stack([bad, 1 - bad], axis=1)),
        labels=labels[rows],
        networks=np.repeat(np.arange(k), n),
        fingerprints=rows.astype(np.uint64),
    )


def of_networks(given: ValidationAnswers, **settings: object) -> np.ndarray:
    criterion = criterion_of(DecisionSettings(**settings), CLASSES)
    assert criterion is not None
    return criterion.of_networks(
        given.probabilities(), given.labels, given.networks, given.fingerprints, 5
    )


def test_without_a_metric_there_is_no_criterion() -> None:
    assert criterion_of(DecisionSettings(thresholds={"bad": 0.2}), CLASSES) is None


def test_of_a_fixed_rule_it_is_scikit_learns_on_the_networks_own_rows() -> None:
    given = answers()
    found = of_networks(given, metric="balanced_accuracy", thresholds={"bad": 0.2})
    assert np.isnan(found[4]), "a network without predictions"
    for k in range(4):
        own = given.networks == k
        predicted = np.where(given.probabilities()[own, 0] >= 0.2, 0, 1)
        expected = metrics.balanced_accuracy_score(given.labels[own], predicted)
        assert found[k] == pytest.approx(expected)


def test_a_threshold_is_chosen_on_rows_that_the_figure_is_not_computed_from() -> None:
    given = answers()
    found = of_networks(given, metric="f1", thresholds="auto")
    shares = given.probabilities()[:, 0]
    for k in range(4):
        own = given.networks == k
        others = ~np.isin(given.fingerprints, given.fingerprints[own])
        assert not (others & own).any()
        threshold = best_threshold(shares[others], given.labels[others] == 0, "f1", 1 - np.eye(2))
        expected = metrics.f1_score(given.labels[own] == 0, shares[own] >= threshold)
        assert found[k] == pytest.approx(expected)


def test_the_labels_of_a_network_do_not_touch_its_own_threshold() -> None:
    given = answers()
    before = of_networks(given, metric="balanced_accuracy", thresholds="auto")
    own = given.networks == 0
    given.labels[own] = 1 - given.labels[own]
    after = of_networks(given, metric="balanced_accuracy", thresholds="auto")
    # Both recalls turn into their complements if the threshold stays.
    assert after[0] == pytest.approx(1 - before[0])


def test_the_metric_selects_where_the_log_loss_would_not() -> None:
    """adam has the lower log-loss, and sgd tells the bad ones apart."""
    criterion = criterion_of(DecisionSettings(metric="average_precision"), CLASSES)
    pair = [
        replace(candidate("sgd", 0.5 + NOISE), answers=answers(8, skill=3.0)),
        replace(candidate("adam", 0.3 + NOISE), answers=answers(8, skill=0.2)),
    ]
    assert select_best(pair).winner == "adam"
    chosen = select_best(pair, criterion)
    assert chosen.winner == "sgd"
    assert chosen.metric == "average precision"
    assert chosen.reason == (
        "sgd has the highest mean average precision on validation rows; no other ties with it."
    )
    first, second = chosen.leaderboard
    assert first.figure.value > 0.6 > second.figure.value
    assert second.p_value < 0.05
    (pairing,) = chosen.comparisons
    assert pairing.difference.value == pytest.approx(second.figure.value - first.figure.value)


def test_a_metric_that_no_resample_has_is_refused() -> None:
    criterion = criterion_of(DecisionSettings(metric="average_precision"), CLASSES)
    given = answers(8)
    given.labels[:] = 1
    with pytest.raises(TrainingError, match="no resample's validation rows give the average"):
        select_best([replace(candidate("sgd", 0.5 + NOISE), answers=given)], criterion)


def test_a_figure_of_nothing_found_is_shown_without_a_sign() -> None:
    criterion = criterion_of(DecisionSettings(metric="f1"), CLASSES)
    given = answers(k=8)
    # All are taken for good ones.
    none = replace(given, scores=np.log(np.full_like(given.scores, (0.1, 0.9))))
    (line,) = select_best(
        [replace(candidate("adam", NOISE + 0.3), answers=none)], criterion
    ).leaderboard
    assert line.figure is not None
    assert interval(line.figure) == "0.000 [0.000, 0.000]"
