"""What is said of simpler models: all nine ways two intervals can lie."""

from __future__ import annotations

import dataclasses
import itertools

import pytest
from report_inputs import Reported, render

from ffn.models.assessment.baselines import BOOSTING, LINEAR, MAJORITY, Baseline
from ffn.models.assessment.differences import Difference
from ffn.models.assessment.statistics import Interval
from ffn.reports.baselines import baselines_markdown, baselines_sentence

ABOVE, AROUND, BELOW = Interval(0.2, 0.1, 0.3), Interval(0, -0.1, 0.1), Interval(-0.2, -0.3, -0.1)


def baseline(iris: Reported, name: str, accuracy: Interval, log_loss: Interval) -> Baseline:
    (found,) = (b for b in iris.examination.baselines if b.name == name)
    return dataclasses.replace(found, difference=Difference(accuracy=accuracy, log_loss=log_loss))


@pytest.mark.parametrize(
    ("accuracy", "log_loss", "said"),
    [
        (ABOVE, BELOW, "better than"),
        (ABOVE, AROUND, "better in accuracy alone than"),
        (ABOVE, ABOVE, "better in accuracy and worse in log-loss than"),
        (AROUND, BELOW, "better in log-loss alone than"),
        (AROUND, AROUND, "not told apart from"),
        (AROUND, ABOVE, "worse in log-loss alone than"),
        (BELOW, BELOW, "worse in accuracy and better in log-loss than"),
        (BELOW, AROUND, "worse in accuracy alone than"),
        (BELOW, ABOVE, "worse than"),
    ],
)
def test_the_network_is_what_the_intervals_show(iris: Reported, accuracy, log_loss, said) -> None:
    found = baseline(iris, BOOSTING, accuracy, log_loss)
    sentence = baselines_sentence([found], 1_234)
    assert sentence == (f"On the same 1,234 held-out rows the network is {said} gradient boosting.")


def test_a_simpler_model_that_does_as_well_is_named(iris: Reported) -> None:
    better = (ABOVE, BELOW)
    for first, second in itertools.product([better, (AROUND, BELOW), (BELOW, ABOVE)], repeat=2):
        sentence = baselines_sentence(
            [
                baseline(iris, MAJORITY, *first),
                baseline(iris, LINEAR, *second),
                baseline(iris, BOOSTING, BELOW, ABOVE),
            ],
            30,
        )
        said = {
            phrase: sentence.split(phrase)[1].split(".")[0]
            for phrase in ("does better: ", "as far as these rows can tell: ")
            if phrase in sentence
        }
        for name, found in (
            ("always answering the most frequent class", first),
            (LINEAR, second),
        ):
            assert (name in said.get("does better: ", "")) == (found == (BELOW, ABOVE))
            as_well = said.get("as far as these rows can tell: ", "")
            assert (name in as_well) == (found == (AROUND, BELOW))
        assert not any(BOOSTING in names for names in said.values())


def test_the_table_marks_what_is_shown_and_says_how_each_was_fitted(iris: Reported) -> None:
    found = [
        baseline(iris, MAJORITY, ABOVE, BELOW),
        dataclasses.replace(baseline(iris, LINEAR, AROUND, AROUND), problem="did not converge"),
    ]
    page = render(baselines_markdown(found, 30))
    header, first, second = page.cells
    assert header == ["model", "accuracy", "Δ accuracy", "log-loss", "Δ log-loss"]
    assert first[2::2] == ["0.200 [0.100, 0.300]", "-0.200 [-0.300, -0.100]"]
    assert second[2] == "0.000 [-0.100, 0.100]"
    assert page.names().count("strong") == 3
    assert "on 120 training rows (did not converge)" in page.text
