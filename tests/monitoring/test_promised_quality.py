"""What was promised of a version, read from its registered figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from scipy import stats

from ffn.bundles.contents import measure, seal
from ffn.evaluation.inference.statistics import Interval
from ffn.monitoring.promised_quality import PromisedQuality, read_promise

ACCURACY = {"value": 0.838, "low": 0.827, "high": 0.85}
LATER = {"value": 0.776, "low": 0.526, "high": 0.915}


def promise_of(artifacts: Path, test: dict[str, Any]) -> PromisedQuality:
    folder = artifacts / "models/0001"
    folder.mkdir(parents=True)
    (folder / "metrics.json").write_text(json.dumps({"test": test}))
    seal(folder, measure(folder), pipeline=artifacts.name, version=1)
    return read_promise(artifacts, 1)


def test_the_promise_is_that_of_the_held_out_rows(tmp_path: Path) -> None:
    found = promise_of(tmp_path, {"accuracy": ACCURACY, "correct": 3367, "rows": 4018})
    assert found.accuracy == Interval(**ACCURACY)
    exact = stats.beta.ppf(0.025, 3367, 4018 - 3367 + 1)
    assert found.floor(0.025) == pytest.approx(min(exact, ACCURACY["low"]))


def test_under_a_split_by_time_it_is_that_for_a_later_period(tmp_path: Path) -> None:
    loss = {"value": 0.488, "low": 0.313, "high": 0.761}
    test = {"accuracy": ACCURACY, "correct": 3367, "rows": 4018}
    later = {"periods": 8, "accuracy": LATER, "log_loss": loss}
    found = promise_of(tmp_path, test | {"later": later})
    assert (found.accuracy, found.log_loss) == (Interval(**LATER), Interval(**loss))
    assert found.floor(0.025) == LATER["low"], "an alert waits for less than was expected"


def test_where_rows_are_of_groups_the_bound_is_that_of_a_prediction(tmp_path: Path) -> None:
    """The difference of two means of as many groups has twice the variance of either."""
    test = {"accuracy": ACCURACY, "correct": 3367, "rows": 4018, "groups": 30}
    found = promise_of(tmp_path, test)
    assert found.floor(0.025) == pytest.approx(0.838 - 0.011 * 2**0.5)
    later = {"periods": 8, "accuracy": LATER}
    both = promise_of(tmp_path / "later", test | {"later": later})
    assert both.floor(0.025) == LATER["low"], "which is of a prediction already"


def test_nothing_is_promised_by_files_that_do_not_say_it(tmp_path: Path) -> None:
    found = promise_of(tmp_path, {"later": "soon", "rows": True})
    assert (found.accuracy, found.rows, found.floor(0.05)) == (None, 0, None)
