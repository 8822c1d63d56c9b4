"""Steps as files, and what is said of them."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest

from ffn.backtesting.steps_of_walk import (
    Answered,
    PastDecision,
    PastPromise,
    WalkStep,
    read_step,
    step_in_words,
    write_step,
)
from ffn.evaluation.inference.statistics import Interval

PROMISE = PastPromise(
    rows=30,
    accuracy=Interval(0.9, 0.7, 0.97),
    log_loss=Interval(0.31, 0.0, math.inf),
    later_log_loss=Interval(0.3, 0.1, 0.9),
)
STEP = WalkStep(
    number=2,
    at=1.5e15,
    rows=90,
    promise=PROMISE,
    decisions={
        "1mo": PastDecision(promoted=True, reason="better"),
        "never": PastDecision(promoted=False, reason="no"),
    },
    production={"1mo": 2, "never": 0},
    newest=2,
)
ANSWERED = Answered(
    rows=np.array([4, 7]),
    truth={"1mo": np.array([0.25, np.nan]), "newest": np.array([0.5, 0.5])},
    right={"1mo": np.array([True, False]), "newest": np.array([False, True])},
    rejected=np.array([False, True]),
    unknown=np.array([False, False]),
    related=np.array([False, False]),
)


@pytest.mark.parametrize(
    "step", [STEP, WalkStep(number=0, at=2001.0, rows=5, problem="too few rows")]
)
def test_a_step_is_read_as_it_was_written(tmp_path: Path, step: WalkStep) -> None:
    write_step(tmp_path, step, ANSWERED)
    found = read_step(tmp_path)
    assert found is not None
    assert found[0] == step
    for name, value in dataclasses.asdict(ANSWERED).items():
        own = getattr(found[1], name)
        if isinstance(value, dict):
            assert own.keys() == value.keys()
            for key in value:
                np.testing.assert_array_equal(own[key], value[key])
        else:
            np.testing.assert_array_equal(own, value)
    assert found[1].judged.tolist() == [True, False]


@pytest.mark.parametrize("name", ["step.json", "answers.safetensors"])
def test_a_damaged_step_is_none(tmp_path: Path, name: str) -> None:
    write_step(tmp_path, STEP, ANSWERED)
    (tmp_path / name).write_bytes(b"{}")
    assert read_step(tmp_path) is None
    (tmp_path / name).unlink()
    assert read_step(tmp_path) is None


def test_steps_in_words() -> None:
    assert step_in_words(STEP) == "a model of 90 known rows, promoted for 1mo"
    kept = {"1mo": PastDecision(promoted=False, reason="")}
    said = "a model of 90 known rows, kept back"
    assert step_in_words(dataclasses.replace(STEP, decisions=kept)) == said
    assert step_in_words(WalkStep(number=0, at=1, rows=1, problem="it is too short")) == (
        "no new model, because it is too short"
    )
