"""Models of the past have the label sets that a retraining would have given them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ffn.backtesting.known_rows import read_known_rows
from ffn.backtesting.past_retraining import PastRetraining, past_pipeline, retrain_past
from ffn.settings.pipeline import find_pipeline
from ffn.training.steps import load
from tests.backtesting.histories_of_months import SETTINGS, months, write

SETS = "[decision]\nlabel_sets = 0.8\nexchangeable = true\n"


def past(root: Path, toml: str) -> PastRetraining:
    pipeline = find_pipeline("months", write(root, months(6), toml))
    history = read_known_rows(pipeline, load(pipeline), None)
    rows = np.arange(len(history.times)) < 400
    return retrain_past(past_pipeline(pipeline, history, rows, root / "past"))


def test_sets_are_calibrated_on_the_rows_set_aside(tmp_path: Path) -> None:
    made = past(tmp_path, SETTINGS + SETS)
    aside = made.division.calibration
    assert aside is not None
    assert not (aside & (made.division.training | made.division.held_out)).any()
    refitted = made.fitted.refitted
    assert refitted.decision is not None
    assert (refitted.decision.coverage, refitted.decision.calibration_rows) == (0.8, aside.sum())
    limits = refitted.bundle.rule.set_limits
    assert limits is not None
    # By hand: of m rows of a class, the k-th lowest probability of it, k = floor(0.2 (m + 1)).
    ((_, numbers, codes),) = made.dataset.pieces(refitted.bundle.schema)
    inputs = refitted.bundle.preparation.transform(numbers[aside], codes[aside])
    labels, p = made.dataset.labels[aside], refitted.bundle.probabilities(inputs)
    for c in range(2):
        own = np.sort(p[labels == c, c])
        assert limits[c] == pytest.approx(own[int(0.2 * (len(own) + 1)) - 1])
    assert made.fitted.evaluation.decision is not None
    assert made.fitted.evaluation.decision.label_sets is not None


def test_without_the_setting_there_are_none(tmp_path: Path) -> None:
    made = past(tmp_path, SETTINGS)
    assert (made.division.calibration, made.fitted.refitted.decision) == (None, None)
