"""What is read back of a version's metric and label sets."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from ffn.criteria.decision_record import decision_record
from ffn.evaluation.inference.statistics import Interval

BY_COST = {"value": 0.5, "low": 0.25, "high": 0.75}
HALF = {"value": 0.5, "low": 0.375, "high": 0.625}


def recorded(metric: str = "", **test: Any) -> dict[str, Any]:
    """``metrics.json`` of a version with the classes bad and good, of which bad is the rarer."""
    return {
        "selection": {"metric": metric} if metric else {},
        "decision": {"test": {"cost": BY_COST}},
        "test": {
            "positive": "bad",
            "classes": [{"name": "bad"}, {"name": "good"}],
            "confusions": [[0, 0, 12], [0, 1, 8], [1, 0, 4], [1, 1, 76]],
            "average_precision": HALF,
            "balanced_accuracy": HALF,
            **test,
        },
    }


@pytest.mark.parametrize(
    ("metric", "positive", "figure"),
    [
        ("average precision", "bad", Interval(0.5, 0.375, 0.625)),
        ("balanced accuracy", "", Interval(0.5, 0.375, 0.625)),
        ("mean cost", "", Interval(0.5, 0.25, 0.75)),
        ("a metric of a later release", "", None),
    ],
)
def test_the_metric_is_the_recorded_figure(
    metric: str, positive: str, figure: Interval | None
) -> None:
    found = decision_record(recorded(metric))
    assert found is not None
    assert (found.metric, found.positive, found.figure) == (metric, positive, figure)
    assert (found.promised, found.coverage, found.classes) == (None, None, ())


@given(counts=st.lists(st.integers(0, 400), min_size=4, max_size=4))
def test_f1_is_scikit_learns_and_its_bounds_are_wilsons(counts: list[int]) -> None:
    pairs = [(0, 0), (0, 1), (1, 0), (1, 1)]
    confusions = [[*pair, rows] for pair, rows in zip(pairs, counts, strict=True) if rows]
    found = decision_record(recorded("F1", confusions=confusions))
    assert found is not None
    either = sum(counts[:3])
    if not either:
        assert found.figure is None
        return
    labels, predicted = (np.repeat([pair[i] for pair in pairs], counts) for i in (0, 1))
    figure = found.figure
    assert figure is not None
    assert figure.value == pytest.approx(f1_score(labels, predicted, pos_label=0))
    assert 0 <= figure.low <= figure.value <= figure.high <= 1
    # Wilson 1927: at each bound the share that was seen is 1.96 standard errors away.
    share = counts[0] / either
    for bound in (figure.low, figure.high):
        j = bound / (2 - bound)
        if 1e-9 < j < 1 - 1e-9:
            away = abs(share - j) / np.sqrt(j * (1 - j) / either)
            assert away == pytest.approx(1.959964, rel=1e-3)


def test_the_interval_of_f1_holds_the_true_one_nineteen_times_in_twenty() -> None:
    rng = np.random.default_rng(1)
    shares = np.array([0.06, 0.04, 0.05, 0.85])
    truth = 2 * 0.06 / (2 * 0.06 + 0.04 + 0.05)
    held = 0
    for own in rng.multinomial(500, shares, size=600).tolist():
        pairs = [(0, 0), (0, 1), (1, 0), (1, 1)]
        confusions = [[*pair, rows] for pair, rows in zip(pairs, own, strict=True)]
        found = decision_record(recorded("F1", confusions=confusions))
        assert found is not None
        assert found.figure is not None
        held += found.figure.low < truth < found.figure.high
    # Of 600 that hold it 95 % of the time, 552 to 588 do, but for one time in a thousand.
    assert 552 <= held <= 588


@pytest.mark.parametrize(
    "test",
    [
        {"groups": 30},
        {"effective_rows": 61.5},
        {"confusions": None},
        {"confusions": [[0, 0]]},
        {"confusions": [[0, 0, -3]]},
        {"confusions": [[0, 0, 10**400]]},
        {"confusions": [[0, 0, True]]},
        {"classes": [{"name": "bad"}, {"name": "bad"}]},
        {"classes": "bad"},
        {"positive": 3},
    ],
    ids=str,
)
def test_without_independent_rows_f1_has_no_figure(test: dict[str, Any]) -> None:
    found = decision_record(recorded("F1", **test))
    assert found is not None
    assert (found.metric, found.figure) == ("F1", None)


def test_label_sets_by_class() -> None:
    document = recorded()
    nothing = {"value": None, "low": None, "high": None}
    document["decision"] = {
        "coverage": 0.9,
        "test": {"label_sets": {"coverage": HALF, "of_classes": [HALF, nothing]}},
    }
    found = decision_record(document)
    assert found is not None
    assert (found.metric, found.figure) == ("", None)
    assert (found.promised, found.coverage) == (0.9, Interval(0.5, 0.375, 0.625))
    assert [one.name for one in found.classes] == ["bad", "good"]
    assert found.classes[0].coverage == Interval(0.5, 0.375, 0.625)
    assert np.isnan(found.classes[1].coverage.value)


@pytest.mark.parametrize(
    "document",
    [
        {},
        recorded(),
        {"selection": {"metric": 3}, "decision": []},
        {"decision": {"coverage": "0.9", "test": {"label_sets": {"coverage": HALF}}}},
        {"decision": {"coverage": 0.9, "test": {"label_sets": {"coverage": "high"}}}},
    ],
    ids=lambda document: str(document)[:30],
)
def test_a_version_with_neither_has_no_record(document: dict[str, Any]) -> None:
    assert decision_record(document) is None
