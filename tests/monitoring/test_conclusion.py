"""An alert when quality is shown to fall, and a rollback where the predecessor is shown better."""

from __future__ import annotations

import datetime
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

import ffn
from ffn.evaluation.inference.statistics import Interval
from ffn.monitoring.confidence_sequences import falls_short
from ffn.monitoring.promised_quality import PromisedQuality, read_promise
from ffn.monitoring.rolling_back import PredecessorTest
from ffn.monitoring.shortfall import find_shortfall
from ffn.registry.pointer import promote
from ffn.registry.versions import production_version
from ffn.reports.outcome_page import outcome_markdown, realised_section
from ffn.reports.status_page import read_status, status_lines, status_markdown
from ffn.settings.pipeline import find_pipeline
from tests.monitoring.conftest import change_settings, labels, rows, scored, write

MONDAY = datetime.datetime(2026, 11, 2, 12, tzinfo=datetime.UTC)


def promise(correct: int, n: int) -> PromisedQuality:
    return PromisedQuality(
        accuracy=None, log_loss=None, correct=correct, rows=n, made_at=MONDAY.timestamp()
    )


def weeks(*lengths: int) -> list[str]:
    """ISO weeks from that of the version on, 2026-W45, so many rows in each."""
    return [f"2026-W{45 + k}" for k, length in enumerate(lengths) for _ in range(length)]


@pytest.mark.parametrize(("correct", "n"), [(85, 100), (120, 120), (1, 30)])
def test_the_promised_bound_is_that_of_clopper_and_pearson(correct: int, n: int) -> None:
    expected = stats.binomtest(correct, n, alternative="greater").proportion_ci(0.975, "exact").low
    assert promise(correct, n).floor(0.025) == pytest.approx(expected, abs=1e-9)


def test_a_promised_interval_that_reaches_lower_is_the_bound() -> None:
    """As that of rows in groups, which resemble each other."""
    wide = replace(promise(85, 100), accuracy=Interval(0.85, 0.6, 0.95))
    assert wide.floor(0.025) == 0.6


def test_without_a_promise_or_rows_there_is_no_test() -> None:
    assert promise(0, 0).floor(0.025) is None
    assert promise(0, 10).floor(0.025) == 0.0
    assert find_shortfall(np.ones(3, dtype=bool), weeks(3), promise(0, 0), 0.05) is None
    assert find_shortfall(np.ones(0, dtype=bool), [], promise(9, 10), 0.05) is None


def test_a_fall_after_a_good_time_is_found_in_the_period_that_shows_it() -> None:
    good, bad = np.arange(2000) % 10 > 0, np.arange(150) % 2 > 0  # 0.9, then 0.5
    correct = np.concatenate([good, bad])
    found = find_shortfall(correct, weeks(1000, 1000, 150), promise(180, 200), 0.05)
    assert found is not None
    assert found.shown
    assert (found.week, found.rows, found.accuracy.value) == ("2026-W47", 150, 0.5)
    # The third week has alpha / 2 divided by 3 times 4.
    assert found.needed == pytest.approx(2 * 12 / 0.05)
    bound = promise(180, 200).floor(0.025)
    assert bound is not None
    assert found.evidence == pytest.approx(falls_short(75, 150, bound))
    assert found.sentence == (
        f"accuracy is shown to be below the promised bound {bound:.3f}: 0.500 "
        f"[{found.accuracy.low:.3f}, {found.accuracy.high:.3f}] on 150 rows scored since week "
        "2026-W47 (alpha 0.05, valid at every look)"
    )
    # In all rows together it does not show.
    assert falls_short(int(correct.sum()), len(correct), bound) < 1


def test_what_was_promised_raises_no_alert() -> None:
    good = np.arange(2000) % 10 > 0
    found = find_shortfall(good, weeks(1000, 1000), promise(180, 200), 0.05)
    assert found is not None
    assert not found.shown
    assert found.sentence == ""


def test_an_alert_is_told_everywhere_and_new_once(root: Path) -> None:
    found = rows(400, 30, noise=0.9, first=1000)
    scored(root, found)
    first = ffn.evaluate("flow", labels(root, found), root=root)
    again = ffn.evaluate("flow", root=root)
    assert first.conclusion.alert == again.conclusion.alert
    assert first.conclusion.alert.startswith("version 1: accuracy is shown to be below the promi")
    assert (first.conclusion.is_new, again.conclusion.is_new) == (True, False)
    assert first.quality is not None
    promised = read_promise(root / "artifacts/flow", 1).accuracy
    assert promised is not None
    tail = f"shown to be below the promised {promised.value:.3f} [{promised.low:.3f}, "
    assert tail in first.quality.sentence
    status = read_status(find_pipeline("flow", root))
    alert = first.conclusion.alert.removeprefix("version 1: ")
    assert f"  quality  {alert}" in status_lines(status)
    assert f"  quality  {first.quality.sentence}" in status_lines(status)
    assert "Quality: accuracy is shown to be below" in status_markdown(status)
    told = json.loads(json.dumps(status.to_json()))["quality"]
    assert told["sentence"] == first.quality.sentence
    assert told["shortfall"]["shown"] is True
    page = outcome_markdown(first.conclusion.qualities)
    assert f"Warning: {alert[:40]}" in page
    assert "estimated accuracy" in page


def test_a_pipeline_without_outcomes_has_a_status_as_before(root: Path) -> None:
    change_settings(root, '[outcomes]\nid = "id"\n', "")
    status = read_status(find_pipeline("flow", root))
    assert status.quality is None
    assert "quality" not in status.to_json()
    assert not any(line.startswith("  quality") for line in status_lines(status))


def worse_version(root: Path) -> None:
    """Put a version 2 into production that was trained on labels of which most are random."""
    write(root / "data/flow/train.csv", rows(600, 1, noise=1.0))
    change_settings(root, "[inbox]", '[gate]\nmode = "always"\n\n[inbox]')
    change_settings(root, 'id = "id"\n', 'id = "id"\nrollback = true\n')
    assert ffn.retrain("flow", root=root).version.number == 2


def test_a_version_that_is_shown_to_be_worse_is_rolled_back_once(root: Path) -> None:
    worse_version(root)
    artifacts = root / "artifacts/flow"
    found = rows(200, 31, first=1000)
    output = scored(root, found)
    before = output.read_bytes()
    outcome = ffn.evaluate("flow", labels(root, found), root=root)
    test = outcome.conclusion.predecessor
    assert test is not None
    assert test.shown
    assert (test.version, test.predecessor, test.rows) == (2, 1, 200)
    # The same counts from the two models, asked by another way.
    import pandas as pd

    frame = pd.DataFrame(found, columns=["id", "p", "q", "y"]).astype({"p": float, "q": float})
    right = [
        ffn.load(artifacts / f"models/{number:04d}").predict(frame) == frame["y"]
        for number in (1, 2)
    ]
    assert test.predecessor_alone == np.sum(right[0] & ~right[1])
    assert test.version_alone == np.sum(right[1] & ~right[0])
    assert production_version(artifacts) == outcome.conclusion.production == 1
    entry = json.loads((artifacts / "history.jsonl").read_text().splitlines()[-1])
    assert (entry["action"], entry["reason"]) == ("rollback", test.sentence)
    assert outcome.conclusion.rolled_back == f"rolled back to version 1: {test.sentence}"
    # What the predecessor said was given to nobody.
    assert output.read_bytes() == before
    assert [q.version for q in outcome.conclusion.qualities] == [1, 2]
    heading, text = realised_section(find_pipeline("flow", root), 2)
    assert heading == "## Realised quality"
    assert "**Version 2: realised accuracy 0." in text
    assert realised_section(find_pipeline("flow", root), None) == []
    assert outcome.conclusion.qualities[0].weeks == ()
    # Somebody who promotes it again knows more.
    promote(artifacts, 2, reason="by hand")
    again = ffn.evaluate("flow", root=root)
    assert again.conclusion.predecessor == test
    assert again.conclusion.rolled_back == ""
    assert production_version(artifacts) == 2


def test_equal_versions_are_not_rolled_back(root: Path) -> None:
    change_settings(root, "[inbox]", '[gate]\nmode = "always"\n\n[inbox]')
    change_settings(root, 'id = "id"\n', 'id = "id"\nrollback = true\n')
    assert ffn.retrain("flow", root=root, force=True).version.number == 2
    found = rows(100, 32, first=1000)
    scored(root, found)
    outcome = ffn.evaluate("flow", labels(root, found), root=root)
    test = outcome.conclusion.predecessor
    assert test is not None
    assert (test.version_alone, test.predecessor_alone, test.evidence) == (0, 0, 1.0)
    assert production_version(root / "artifacts/flow") == 2


def test_a_comparison_is_told_in_a_sentence() -> None:
    test = PredecessorTest(
        version=3,
        predecessor=1,
        rows=1812,
        version_alone=41,
        predecessor_alone=90,
        evidence=214.2,
        alpha=0.05,
    )
    assert test.sentence == (
        "version 1 is shown to be more accurate than version 3: of 1,812 rows whose labels have "
        "come, 1 alone labels 90 correctly and 3 alone 41 (evidence 214, needed 20; alpha 0.05, "
        "valid at every look)"
    )
