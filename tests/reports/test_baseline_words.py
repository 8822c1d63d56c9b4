"""What is said of simpler models: all nine ways two intervals can lie."""

from __future__ import annotations

import dataclasses
import itertools
import re

import pytest
from report_inputs import Reported, render

from ffn.models.assessment.baselines import BOOSTING, LINEAR, MAJORITY, Baseline
from ffn.models.assessment.differences import Difference
from ffn.models.assessment.statistics import Interval
from ffn.reports.baselines import baselines_markdown, baselines_sentence

HEDGE = "as well, as far as these rows can tell"
# What there is to say of a simpler model, the strongest highest.
PHRASES = {
    3: ("does better", "do better"),
    2: ("labels more rows right", "label more rows right"),
    1: (f"labels {HEDGE}", f"label {HEDGE}"),
}
ABOVE, AROUND, BELOW = Interval(0.2, 0.1, 0.3), Interval(0, -0.1, 0.1), Interval(-0.2, -0.3, -0.1)

# The network minus the other: accuracy better, not told apart, worse; log-loss the same.
NINE = [(accuracy, loss) for accuracy in (ABOVE, AROUND, BELOW) for loss in (BELOW, AROUND, ABOVE)]
STRENGTH = [0, 0, 0, 1, 1, 3, 2, 3, 3]


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
    sentence = baselines_sentence([found], 1_234, 1_234)
    assert sentence == (f"On the same 1,234 held-out rows the network is {said} gradient boosting.")


def test_a_simpler_model_that_does_as_well_is_named(iris: Reported) -> None:
    for first, second in itertools.product(NINE, repeat=2):
        sentence = baselines_sentence(
            [
                baseline(iris, MAJORITY, *first),
                baseline(iris, LINEAR, *second),
                baseline(iris, BOOSTING, BELOW, ABOVE),
            ],
            30,
            30,
        )
        names = {"always answering the most frequent class": first, LINEAR: second}
        strengths = {name: STRENGTH[NINE.index(found)] for name, found in names.items()}
        strongest = max(strengths.values())
        said = re.search(r" (A simpler model|Simpler models) ([^:.]*): (.*)\.$", sentence)
        if not strongest:
            assert said is None
            continue
        assert said is not None
        best = [name for name, strength in strengths.items() if strength == strongest]
        assert said[3] == " and ".join(best)
        one, several = PHRASES[strongest]
        assert (said[1], said[2]) == (
            ("A simpler model", one) if len(best) == 1 else ("Simpler models", several)
        )
        # Nothing more is said: a second such sentence would contradict the first.
        assert sentence.count("impler model") == 1


def test_the_table_marks_what_is_shown_and_says_how_each_was_fitted(iris: Reported) -> None:
    found = [
        baseline(iris, MAJORITY, ABOVE, BELOW),
        dataclasses.replace(baseline(iris, LINEAR, AROUND, AROUND), problem="did not converge"),
    ]
    page = render(baselines_markdown(found, 30, 30))
    header, first, second = page.cells
    assert header == ["model", "accuracy", "Δ accuracy", "log-loss", "Δ log-loss"]
    assert first[2::2] == ["+0.2000 [+0.1000, +0.3000]", "-0.2000 [-0.3000, -0.1000]"]
    assert second[2] == "+0.0000 [-0.1000, +0.1000]"
    assert page.names().count("strong") == 3
    assert "with C = 1, L-BFGS, on 120 training rows (did not converge)" in page.text
    # As it is, too: who reads the card in an editor sees no references.
    assert "C = 1" in baselines_markdown(found, 30, 30)
