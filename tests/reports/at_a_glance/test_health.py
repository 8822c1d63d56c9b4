"""The rule of green, amber and red: each finding alone, and which one counts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ffn.evaluation.inference.statistics import Interval
from ffn.evaluation.metrics import ClassFigures
from ffn.monitoring.promised_quality import Promise
from ffn.monitoring.shortfall import Shortfall
from ffn.promotion.overview import HeldOutRecord
from ffn.registry.live_runs import LiveRun
from ffn.registry.run_log import DriftNote
from ffn.reports.at_a_glance.health import health_of
from ffn.scoring.inbox.inbox_scan import InboxScan
from tests.auditing.test_split_audit import audited, of
from tests.monitoring.test_realised_quality import FIGURES, QUALITY
from tests.reports.at_a_glance.conftest import run_record

AS_PROMISED = replace(QUALITY, figures=replace(FIGURES, accuracy=Interval(0.78, 0.77, 0.79)))
LATER = Promise(kind="time", column="day", accuracy=Interval(0.8, 0.78, 0.82), log_loss=None)
NEW = Promise(kind="group", column="who", accuracy=Interval(0.75, 0.7, 0.8), log_loss=None)
SHOWN = Shortfall(
    shown=True,
    alpha=0.05,
    bound=0.777,
    week="2026-W45",
    rows=5234,
    accuracy=FIGURES.accuracy,
    evidence=41.0,
    needed=20.0,
)
NEVER_FOUND = HeldOutRecord(
    classes=(
        ClassFigures(
            name="good", rows=30, recall=Interval(1, 0.9, 1), precision=Interval(0.7, 0.6, 0.8)
        ),
        ClassFigures(
            name="bad", rows=10, recall=Interval(0, 0, 0.3), precision=Interval(float("nan"), 0, 1)
        ),
    )
)
DRIFTED = replace(
    run_record("score", "scored"),
    drift=DriftNote(judged=2, detected=1, columns=("x",), text='"x" (PSI 0.4)'),
)


def test_nothing_to_do_is_green(fine):
    assert health_of(fine).sentence == "green: nothing needs attention"
    assert health_of(fine).to_json() == {"colour": "green", "findings": []}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"problem": "production.json: damaged."}, "red: it cannot score"),
        ({"production": None}, "red: no version is in production"),
        ({"production": None, "versions": 0, "latest": ()}, "amber: nothing is trained yet"),
        ({"latest": (run_record("retrain", "failed"),)}, "red: the last retraining failed"),
        ({"latest": (run_record("retrain", "refused"),)}, "red: the last retraining was refused"),
        ({"latest": (run_record("score", "crashed"),)}, "red: the last scoring crashed"),
        (
            {"latest": (run_record("evaluate", "refused"),)},
            "amber: the last evaluation was refused",
        ),
        ({"latest": (run_record("score", "missed"),)}, "amber: the last scoring was missed"),
        (
            {"latest": (run_record("retrain", "interrupted"),)},
            "amber: the last retraining was interrupted",
        ),
        ({"quality": QUALITY}, "amber: realised accuracy is below what was promised"),
        (
            {"quality": replace(QUALITY, shortfall=SHOWN)},
            "red: realised accuracy is shown to be below what was promised",
        ),
        (
            {"quality": replace(QUALITY, promised=replace(QUALITY.promised, unseen=(LATER,)))},
            'amber: realised accuracy is below what was promised for rows later by "day"',
        ),
        (
            {"quality": replace(QUALITY, shortfall=replace(SHOWN, whose="later rows"))},
            "red: realised accuracy is shown to be below what was promised for later rows",
        ),
        ({"held_out": NEVER_FOUND}, "amber: a class is never found"),
        ({"warning": "Logistic regression does."}, "amber: a simpler model is shown to be better"),
        (
            {"audit": of("refuse", audited())},
            "amber: the held-out figures are shown to be too good",
        ),
        (
            {"inbox": InboxScan(refused={"a.csv": "no header", "b.csv": "no header"})},
            "amber: 2 files in the inbox refused",
        ),
        ({"drift": DRIFTED}, "amber: the last files tested have drifted"),
    ],
)
def test_each_finding_has_its_colour(fine, changes, sentence):
    assert health_of(replace(fine, **changes)).sentence == sentence


@pytest.mark.parametrize(
    "changes",
    [
        {"quality": AS_PROMISED},
        {"quality": replace(QUALITY, figures=None)},
        {"quality": replace(QUALITY, promised=replace(QUALITY.promised, accuracy=None))},
        # Rows of new groups may well have such an accuracy, and it may be that they are such.
        {"quality": replace(QUALITY, promised=replace(QUALITY.promised, unseen=(NEW,)))},
        {"drift": replace(DRIFTED, drift=replace(DRIFTED.drift, detected=0))},
        # Not shown to matter, or a plain category.
        {"audit": of("refuse", audited(matters=False), audited(feature=True))},
        {"latest": tuple(run_record("retrain", done) for done in ("promoted", "kept", "skipped"))},
        {
            "production": None,
            "versions": 0,
            "problem": "there is no production.json",
            "at_work": (LiveRun(what="retrain", begun="2026-11-23T04:05:06+00:00"),),
        },
    ],
)
def test_what_is_as_it_should_be_is_no_finding(fine, changes):
    assert health_of(replace(fine, **changes)).colour == "green"


def test_the_worst_finding_gives_the_colour_and_comes_first(fine):
    both = replace(fine, drift=DRIFTED, latest=(run_record("score", "failed"),))
    assert health_of(both).sentence == (
        "red: the last scoring failed; the last files tested have drifted"
    )
    assert [one["colour"] for one in health_of(both).to_json()["findings"]] == ["red", "amber"]
