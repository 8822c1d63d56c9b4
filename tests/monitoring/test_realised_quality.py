"""Realised quality in figures and sentences, each made of the figures alone."""

from __future__ import annotations

import datetime
import math
from dataclasses import replace

import numpy as np
import pytest

from ffn.evaluation.inference.statistics import Interval
from ffn.monitoring.promised_quality import PromisedQuality
from ffn.monitoring.realised_figures import (
    LARGEST_LOSS,
    RealisedFigures,
    calibration_bins,
    realised_figures_of,
)
from ffn.monitoring.realised_quality import RealisedQuality, WeekQuality
from ffn.monitoring.record.scored_tables import week_of
from ffn.reports.score_page import estimate_sentence

SINCE = datetime.datetime(2026, 11, 2, 9, tzinfo=datetime.UTC).timestamp()
FIGURES = RealisedFigures(
    rows=5234,
    correct=3983,
    accuracy=Interval(0.761, 0.745, 0.776),
    log_loss=Interval(0.527, 0.49, 0.561),
    without_loss=0,
    overconfidence=Interval(0.031, 0.012, 0.05),
)
QUALITY = RealisedQuality(
    version=3,
    figures=FIGURES,
    promised=PromisedQuality(
        accuracy=Interval(0.784, 0.777, 0.797),
        log_loss=Interval(0.486, 0.46, 0.51),
        correct=784,
        rows=1000,
        made_at=None,
    ),
    since=SINCE,
    weeks=(
        WeekQuality(week="2026-W45", scored=6000, estimated=0.79, figures=FIGURES),
        WeekQuality(week="2026-W46", scored=2000, estimated=0.75, figures=None),
    ),
    bins=(),
    shortfall=None,
)


def test_realised_and_promised_stand_in_one_sentence() -> None:
    assert QUALITY.sentence == (
        "realised accuracy 0.761 [0.745, 0.776] on 5,234 rows since 2 November 2026, below the "
        "promised 0.784 [0.777, 0.797]"
    )
    for low, high, words in [
        (0.7, 0.78, "not shown to differ from"),
        (0.7, 0.7, "above"),
    ]:
        promised = replace(QUALITY.promised, accuracy=Interval(0.7, low, high))
        told = replace(QUALITY, promised=promised).sentence
        assert f", {words} the promised 0.700 [" in told
    nothing = replace(QUALITY, promised=replace(QUALITY.promised, accuracy=None)).sentence
    assert nothing.endswith("since 2 November 2026")


def test_promises_by_weight_are_shown_and_not_compared() -> None:
    """Scored rows have no weights, so 0.761 is neither below 0.784 by weight nor above it."""
    weighted = replace(QUALITY, promised=replace(QUALITY.promised, weighted=True))
    assert weighted.sentence.endswith(
        "since 2 November 2026; the promised 0.784 [0.777, 0.797] counts rows by weight, which "
        "scored rows do not have, so the two are not compared"
    )
    assert weighted.details[0].endswith("promised by weight 0.486 [0.460, 0.510]")
    assert weighted.promised.floor(0.05) is None


def test_log_loss_and_calibration_are_told_beside() -> None:
    assert QUALITY.details == [
        "realised log-loss 0.527 [0.490, 0.561], promised 0.486 [0.460, 0.510]",
        "confidence minus accuracy +0.0310 [+0.0120, +0.0500], shown to be overconfident",
    ]


def test_rows_that_may_have_been_trained_on_are_told() -> None:
    assert replace(QUALITY, unchecked=40).details[2] == (
        "whether the version was trained on 40 of 5,234 rows is not known: their outputs lack the "
        "features, or its training table has few patterns"
    )


def test_an_estimate_comes_with_its_record() -> None:
    assert QUALITY.estimate_sentence == (
        "estimated accuracy 0.780 of all 8,000 rows scored, if confidences are calibrated; so far "
        "the estimate was within the realised interval in 0 of 1 week"
    )
    unknown = replace(QUALITY, weeks=QUALITY.weeks[1:])
    assert unknown.estimate_sentence == (
        "estimated accuracy 0.750 of all 2,000 rows scored, if confidences are calibrated; not yet "
        "compared with labels"
    )
    assert replace(QUALITY, weeks=()).estimate_sentence == ""
    assert estimate_sentence([]) == "No row was scored, so no accuracy is estimated."


def test_figures_are_means_over_the_rows() -> None:
    correct = np.array([True, True, False, True])
    confidence = np.array([0.9, 0.6, 0.8, 1.0])
    truth = np.array([0.9, 0.6, 0.0, 1.0])
    found = realised_figures_of(correct, confidence, truth)
    assert (found.rows, found.correct, found.without_loss) == (4, 3, 0)
    assert found.accuracy.value == 0.75
    assert found.overconfidence.value == pytest.approx(0.825 - 0.75)
    assert found.log_loss is not None
    # A probability of 0.0000 counts as half a unit, 0.00005.
    expected = -(math.log(0.9) + math.log(0.6) + math.log(0.00005) + 0) / 4
    assert found.log_loss.value == pytest.approx(expected)
    assert pytest.approx(-math.log(0.00005)) == LARGEST_LOSS
    truth[2] = np.nan
    found = realised_figures_of(correct, confidence, truth)
    assert (found.log_loss, found.without_loss) == (None, 1)


def test_bins_are_tenths_of_the_confidence() -> None:
    found = calibration_bins(np.array([True, False, True, True]), np.array([0.5, 0.5999, 0.6, 1.0]))
    assert [(one.low, one.high, one.rows) for one in found] == [
        (0.5, 0.6, 2),
        (0.6, 0.7, 1),
        (0.9, 1.0, 1),
    ]
    assert found[0].stated == pytest.approx(0.54995)
    assert found[0].realised.value == 0.5


@pytest.mark.parametrize(
    ("day", "week"),
    [("2026-11-28", "2026-W48"), ("2027-01-03", "2026-W53"), ("2024-12-30", "2025-W01")],
)
def test_weeks_are_those_of_iso_8601(day: str, week: str) -> None:
    at = datetime.datetime.fromisoformat(f"{day}T12:00:00+00:00").timestamp()
    assert week_of(at) == week
