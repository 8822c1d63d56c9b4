"""What is said of simpler models: all nine ways two intervals can lie."""

from __future__ import annotations

import dataclasses
import itertools
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ffn.evaluation.baselines import BOOSTING, LINEAR, MAJORITY, Baseline
from ffn.evaluation.inference.differences import Difference, paired_difference
from ffn.evaluation.inference.statistics import Interval
from ffn.reports.baselines_section import accuracy_doubt, baselines_markdown, baselines_sentence
from tests.helpers.report_inputs import Reported, render

HEDGE = "not shown to be less accurate"
# What there is to say of a simpler model, the strongest highest.
PHRASES = {
    3: ("performs better", "perform better"),
    2: ("is more accurate", "are more accurate"),
    1: (f"is {HEDGE}", f"are {HEDGE}"),
}
ABOVE, AROUND, BELOW = Interval(0.2, 0.1, 0.3), Interval(0, -0.1, 0.1), Interval(-0.2, -0.3, -0.1)

# The network minus the other: accuracy better, not different, worse; log-loss the same.
NINE = [(accuracy, loss) for accuracy in (ABOVE, AROUND, BELOW) for loss in (BELOW, AROUND, ABOVE)]
STRENGTH = [0, 0, 0, 1, 1, 3, 2, 3, 3]


def baseline(iris: Reported, name: str, accuracy: Interval, log_loss: Interval) -> Baseline:
    (found,) = (b for b in iris.examination.baselines if b.name == name)
    return dataclasses.replace(found, difference=Difference(accuracy=accuracy, log_loss=log_loss))


@pytest.mark.parametrize(
    ("accuracy", "log_loss", "said"),
    [
        (ABOVE, BELOW, "better than gradient boosting"),
        (ABOVE, AROUND, "better than gradient boosting in accuracy only"),
        (ABOVE, ABOVE, "better than gradient boosting in accuracy but worse in log-loss"),
        (AROUND, BELOW, "better than gradient boosting in log-loss only"),
        (AROUND, AROUND, "not significantly different from gradient boosting"),
        (AROUND, ABOVE, "worse than gradient boosting in log-loss only"),
        (BELOW, BELOW, "worse than gradient boosting in accuracy but better in log-loss"),
        (BELOW, AROUND, "worse than gradient boosting in accuracy only"),
        (BELOW, ABOVE, "worse than gradient boosting"),
    ],
)
def test_the_network_is_what_the_intervals_show(iris: Reported, accuracy, log_loss, said) -> None:
    found = baseline(iris, BOOSTING, accuracy, log_loss)
    sentence = baselines_sentence([found], 1_234, 1_234)
    assert sentence == f"On the same 1,234 held-out rows the network is {said}."


@pytest.mark.parametrize("loss", [BELOW, AROUND, ABOVE])
@pytest.mark.parametrize(
    ("accuracy", "found"),
    [(ABOVE, ""), (AROUND, "is not shown to be higher"), (BELOW, "is shown to be lower")],
)
def test_the_accuracy_is_doubted_as_the_paired_difference_asks(
    iris: Reported, accuracy: Interval, loss: Interval, found: str
) -> None:
    usual = baseline(iris, MAJORITY, accuracy, loss)
    doubt = accuracy_doubt([usual, baseline(iris, LINEAR, ABOVE, BELOW)])
    of_usual = "than that of always predicting the most frequent class."
    assert doubt == (f"The network's accuracy {found} {of_usual}" if found else "")
    # The sentence that follows it never says the opposite.
    sentence = baselines_sentence([usual], 30, 30)
    better = " better than " in sentence and "in log-loss only" not in sentence
    assert better == (not doubt)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.floats(-2, 2), st.integers(12, 60))
def test_what_is_said_can_be_read_off_the_figures_in_the_table(
    iris: Reported, seed: int, skill: float, rows: int
) -> None:
    """Of made-up answers, between far worse than the other model and far better."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(2, size=rows)

    def answers(skill: float) -> np.ndarray:
        sure = 1 / (1 + np.exp(-(skill * (2 * labels - 1) + generator.normal(size=rows))))
        return np.stack([1 - sure, sure], axis=1)

    (usual,) = (b for b in iris.examination.baselines if b.name == MAJORITY)
    found = paired_difference(answers(skill), answers(0.0), labels, seed % 100)
    both = [dataclasses.replace(usual, difference=found)]
    page = render(baselines_markdown(both, rows, rows))
    sentence = baselines_sentence(both, rows, rows)
    shown = []
    for cell, sign in zip(page.cells[1][2::2], (1, -1), strict=True):
        low, high = (float(bound) for bound in re.findall(r"[-+][\d.e-]+", cell)[1:])
        shown.append(sign * ((low > 0) - (high < 0)))
    accuracy, loss = shown
    assert bool(accuracy_doubt(both)) == (accuracy <= 0)
    assert ("not significantly different" in sentence) == (accuracy == loss == 0)
    assert ("better" in sentence.split(".")[0]) == (1 in shown)
    assert ("worse" in sentence.split(".")[0]) == (-1 in shown)
    assert ("performs better" in sentence) == (accuracy + loss < 0 and accuracy <= 0)


def test_a_part_of_the_held_out_rows_is_not_called_the_same(iris: Reported) -> None:
    found = [baseline(iris, BOOSTING, ABOVE, BELOW)]
    assert baselines_sentence(found, 1, 1).startswith("On the same 1 held-out row the network is ")
    assert baselines_sentence(found, 50_000, 200_000).startswith(
        "On 50,000 of the 200,000 held-out rows the network is "
    )


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
        names = {"always predicting the most frequent class": first, LINEAR: second}
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
