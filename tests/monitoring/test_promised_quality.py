"""What was promised of a version, read from its registered figures."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from ffn.auditing.audit_figures import ColumnAudit, SplitAudit
from ffn.auditing.optimism import Optimism
from ffn.bundles.contents import measure, seal
from ffn.evaluation.inference.statistics import Interval
from ffn.monitoring.promised_quality import Promise, PromisedQuality, read_promise
from ffn.promotion.register import jsonable

HELD_OUT = {"value": 0.784, "low": 0.771, "high": 0.797}
ACCURACY = {"value": 0.838, "low": 0.827, "high": 0.85}
LATER = {"value": 0.776, "low": 0.526, "high": 0.915}


def promise_of(
    artifacts: Path, test: dict[str, Any], audit: SplitAudit | None = None
) -> PromisedQuality:
    folder = artifacts / "models/0001"
    folder.mkdir(parents=True)
    (folder / "metrics.json").write_text(json.dumps({"test": test}))
    (folder / "verdict.json").write_text(json.dumps({"audit": jsonable(audit)} if audit else {}))
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


NOTHING = Optimism(value=0.0, low=-0.1, high=0.1, bound=-0.1)
DEPARTURE = Promise(
    kind="time",
    column="departure",
    accuracy=Interval(0.751, 0.7, 0.802),
    log_loss=Interval(0.52, 0.45, 0.59),
)
CUSTOMERS = Promise(
    kind="group",
    column="customer_id",
    accuracy=Interval(0.6, 0.55, 0.65),
    log_loss=Interval(0.7, 0.6, 0.8),
)


def audit_of(*promises: Promise, feature: bool = False, decided: bool = False) -> SplitAudit:
    columns = [
        ColumnAudit(
            column=one.column,
            kind="group" if one.kind == "group" else "time",
            values=150,
            feature=feature,
            rows=600,
            accuracy=NOTHING,
            log_loss=NOTHING,
            expected_accuracy=one.accuracy or Interval(0.0, 0.0, 0.0),
            expected_log_loss=one.log_loss or Interval(0.0, 0.0, 0.0),
            matters=False,
        )
        for one in promises
    ]
    return SplitAudit(
        policy="refuse",
        alpha=0.0125,
        accuracy_margin=0.02,
        log_loss_margin=0.05,
        networks=5,
        columns=tuple(columns),
        left_out={},
        decided=decided,
    )


TEST = {"accuracy": HELD_OUT, "correct": 3136, "rows": 4000}
EXACT = stats.beta.ppf(0.025, 3136, 4000 - 3136 + 1)


def test_of_scored_rows_that_holds_which_was_expected_of_later_rows(tmp_path: Path) -> None:
    found = promise_of(tmp_path, TEST, audit_of(DEPARTURE))
    assert found.applying == (DEPARTURE,)
    assert found.beside == Interval(**HELD_OUT)
    assert found.bounds(0.025)[0] == (0.7, 'rows later by "departure"')
    assert found.floor(0.025) == 0.7, "an alert waits for less than was expected"


def test_a_promise_for_new_groups_stands_beside_that_of_the_held_out_rows(tmp_path: Path) -> None:
    found = promise_of(tmp_path, TEST, audit_of(CUSTOMERS))
    assert [one.whose for one in found.applying] == ["", 'new values of "customer_id"']
    assert found.applying[1] == CUSTOMERS
    assert found.beside is None
    # Groups to come are others than those that judged: the square root of two.
    assert found.floor(0.025) == pytest.approx(0.6 - 0.05 * 2**0.5)
    assert found.bounds(0.025)[0][1] == 'new values of "customer_id"'
    assert sorted(bound for bound, _ in found.bounds(0.025))[1:] == pytest.approx(
        sorted([EXACT, HELD_OUT["low"]])
    )


def test_under_a_split_by_time_new_groups_stand_beside_the_later_period(tmp_path: Path) -> None:
    later = {"periods": 8, "accuracy": LATER, "log_loss": LATER}
    found = promise_of(tmp_path, TEST | {"later": later}, audit_of(CUSTOMERS))
    assert [one.whose for one in found.applying] == ["later rows", 'new values of "customer_id"']
    assert found.applying[0].accuracy == Interval(**LATER)
    assert found.beside == Interval(**HELD_OUT)
    assert found.bounds(0.025)[0] == (LATER["low"], "later rows")


def test_where_later_rows_were_expected_to_be_better_the_lowest_bound_stands(
    tmp_path: Path,
) -> None:
    better = replace(DEPARTURE, accuracy=Interval(0.85, 0.83, 0.87))
    found = promise_of(tmp_path, TEST, audit_of(better))
    assert found.floor(0.025) == pytest.approx(min(EXACT, HELD_OUT["low"]))


def test_plain_categories_promise_nothing(tmp_path: Path) -> None:
    assert promise_of(tmp_path, TEST, audit_of(CUSTOMERS, feature=True)).unseen == ()


def test_an_audit_of_other_labels_than_those_given_promises_nothing(tmp_path: Path) -> None:
    """Earlier releases judged the most probable class, whatever ``[decision]`` says."""
    decided = TEST | {"decision": {"source": "costs"}}
    assert promise_of(tmp_path / "old", decided, audit_of(DEPARTURE)).unseen == ()
    found = promise_of(tmp_path / "new", decided, audit_of(DEPARTURE, decided=True))
    assert found.unseen == (DEPARTURE,)


def test_of_weighted_rows_nothing_is_tested(tmp_path: Path) -> None:
    found = promise_of(tmp_path, TEST | {"effective_rows": 3000.0}, audit_of(DEPARTURE))
    assert (found.bounds(0.025), found.floor(0.025)) == ([], None)


@pytest.mark.parametrize("alpha", [0.025, 0.005, 0.0005])
def test_the_bound_for_later_rows_errs_as_rarely_as_the_alert_says(alpha: float) -> None:
    """Quarters whose means are by chance, and the mean of the next four of them."""
    rng = np.random.default_rng(6)
    seen, to_come = rng.normal(0.8, 0.01, (2, 400_000, 4))
    half = stats.t.ppf(0.975, 3) * seen.std(axis=1, ddof=1) / 2 * 2**0.5
    # The bound is linear in the half width, so two figures tell how much wider it is.
    unit = Promise(kind="time", column="d", accuracy=Interval(0.8, 0.7, 0.9), log_loss=None)
    promised = PromisedQuality(
        accuracy=None, log_loss=None, correct=9_999, rows=10_000, made_at=None, unseen=(unit,)
    )
    low = promised.floor(alpha)
    assert low is not None
    missed = to_come.mean(axis=1) < seen.mean(axis=1) - half * (0.8 - low) / 0.1
    assert missed.mean() <= alpha + 3 * np.sqrt(alpha / len(seen))


def test_the_promises_that_may_apply_are_in_the_json(tmp_path: Path) -> None:
    plain = promise_of(tmp_path / "plain", TEST).to_json()
    assert plain == {"accuracy": HELD_OUT, "log_loss": None, "rows": 4000}
    both = promise_of(tmp_path / "both", TEST, audit_of(DEPARTURE, CUSTOMERS)).to_json()
    assert both["accuracy"] == HELD_OUT
    assert [one["to"] for one in both["applies"]] == [
        'rows later by "departure"',
        'new values of "customer_id"',
    ]
    assert both["applies"][0]["accuracy"] == {"value": 0.751, "low": 0.7, "high": 0.802}
