"""Sentences on a recorded metric and recorded label sets are made of their figures."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ffn.criteria.decision_record import ClassCoverage, DecisionRecord
from ffn.evaluation.inference.statistics import NO_FIGURE, Interval
from ffn.reports.decision_record_lines import (
    decision_json,
    decision_lines,
    decision_paragraphs,
    metric_words,
    set_words,
)
from tests.helpers.report_inputs import render


def held(name: str, value: float) -> ClassCoverage:
    return ClassCoverage(name=name, coverage=Interval(value, value - 0.1, value + 0.05))


BOTH = DecisionRecord(
    metric="average precision",
    positive="bad",
    figure=Interval(0.5, 0.4, 0.6),
    promised=0.8,
    coverage=Interval(0.85, 0.8, 0.9),
    classes=(
        held("good", 0.9),
        ClassCoverage(name="never", coverage=NO_FIGURE),
        held("bad", 0.75),
    ),
)


def test_the_words() -> None:
    assert metric_words(BOTH) == 'average precision of "bad" 0.500 [0.400, 0.600]'
    assert metric_words(replace(BOTH, positive="")) == "average precision 0.500 [0.400, 0.600]"
    assert metric_words(replace(BOTH, figure=None)) == (
        'average precision of "bad", of which no figure with an interval is recorded'
    )
    begun = (
        "hold the class in 0.850 [0.800, 0.900] of the held-out rows, "
        "0.8 is promised for each class"
    )
    assert set_words(BOTH, most=3) == (
        f'{begun}; by class: "good" 0.900 [0.800, 0.950], "never" without rows, '
        '"bad" 0.750 [0.650, 0.800]'
    )
    # The lowest coverage first; a class without rows is the last to be named.
    assert set_words(BOTH, most=1) == (
        f'{begun}; by class: "bad" 0.750 [0.650, 0.800], 2 classes of higher coverage'
    )
    assert set_words(replace(BOTH, classes=()), most=3) == begun


@pytest.mark.parametrize("most", [1, 3])
def test_the_lines_of_the_status(most: int) -> None:
    lines = decision_lines(BOTH, most=most)
    assert max(map(len, lines)) <= 80
    assert lines[0] == '  metric   average precision of "bad" 0.500 [0.400, 0.600]'
    assert lines[1].startswith("  sets     hold the class in 0.850 [0.800, 0.900]")
    joined = " ".join(line.strip() for line in lines[1:])
    assert joined == f"sets     {set_words(BOTH, most=most)}"


def test_what_is_absent_is_not_mentioned() -> None:
    assert (metric_words(None), set_words(None, most=3)) == ("", "")
    assert (decision_lines(None, most=3), decision_paragraphs(None, most=3)) == ([], [])
    assert decision_json(None) == {}
    metric_only = replace(BOTH, promised=None, coverage=None, classes=())
    sets_only = replace(BOTH, metric="", positive="", figure=None)
    assert len(decision_lines(metric_only, most=3)) == 1
    assert decision_lines(sets_only, most=1)[0].startswith("  sets     hold")
    assert metric_words(sets_only) == ""


def test_names_from_files_stay_text_in_markdown() -> None:
    hostile = replace(BOTH, positive="<b>*x*", classes=(held("<i>|_y_", 0.9),))
    page = render("\n\n".join(decision_paragraphs(hostile, most=3)))
    assert page.tags == render("Metric.\n\nLabel sets.").tags
    assert "<b>*x*" in page.text
    assert "<i>|_y_" in page.text


def test_figures_of_json_are_lists() -> None:
    assert decision_json(BOTH) == {
        "decision": {
            "metric": "average precision",
            "positive": "bad",
            "figure": [0.5, 0.4, 0.6],
            "promised": 0.8,
            "coverage": [0.85, 0.8, 0.9],
            "classes": [
                {"name": "good", "coverage": [0.9, 0.8, pytest.approx(0.95)]},
                {"name": "never", "coverage": None},
                {"name": "bad", "coverage": [0.75, 0.65, 0.8]},
            ],
        }
    }
