"""What an audit found is told as long as the version is there, wherever the version is told of."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from ffn.auditing.audit_text import kept_finding, unseen_rows_sentence
from ffn.auditing.recorded_audit import recorded_audit
from ffn.pipelines.execution import InProcess
from ffn.pipelines.outcomes import RetrainOutcome
from ffn.pipelines.retraining import run_steps
from ffn.promotion.overview import summaries
from ffn.promotion.verdict import all_warnings
from ffn.registry.pointer import promote
from ffn.reports.status_page import read_status, status_lines
from ffn.settings.pipeline import Pipeline
from simulations.planted import PLANTED
from simulations.split_audits import planted_pipeline
from tests.auditing.test_split_audit import audited, of

TURNS, CLEAN = "a concept that turns", "clean"


def retrained(folder: Path, kind: str) -> tuple[Pipeline, RetrainOutcome]:
    planted = PLANTED[kind](np.random.default_rng([1, 12]))
    pipeline = planted_pipeline(folder, planted, epochs=12)
    pipeline = replace(pipeline, artifacts=folder / "artifacts" / pipeline.name)
    outcome = run_steps(pipeline, InProcess())
    assert isinstance(outcome, RetrainOutcome)
    return pipeline, outcome


def recorded(pipeline: Pipeline) -> dict:
    return json.loads((pipeline.artifacts / "models/0001/verdict.json").read_text())


def said(lines: list[str]) -> str:
    return " ".join(" ".join(lines).split())


def test_where_nothing_is_shown_unseen_rows_are_told_of_all_the_same(tmp_path: Path) -> None:
    pipeline, outcome = retrained(tmp_path, CLEAN)
    audit = outcome.version.verdict.audit
    assert recorded_audit(recorded(pipeline)) == audit
    told = unseen_rows_sentence(audit)
    assert told.startswith('For rows later by "opened" expect accuracy 0.')
    assert 'set split.time = "opened". For new values of "customer_id" expect accuracy 0.' in told
    status = read_status(pipeline)
    assert told in said(status_lines(status))
    assert status.to_json()["unseen"] == told
    assert "too_good" not in status.to_json()
    # It is no alarm.
    assert status.health.colour == "green"
    (summary,) = summaries(pipeline.artifacts)
    assert summary.warning == ""
    assert audit is not None
    assert [(one.rows, one.accuracy, one.log_loss) for one in summary.unseen] == [
        (f'{which} "{one.column}"', one.expected_accuracy, one.expected_log_loss)
        for which, one in zip(("rows later by", "new values of"), audit.columns, strict=True)
    ]
    first_paragraphs = outcome.report.html.read_text("utf-8").partition("<table")[0]
    assert "For rows later by &quot;opened&quot; expect accuracy" in first_paragraphs
    card = (pipeline.artifacts / "models/0001/model_card.md").read_text("utf-8")
    assert "For rows later by" in card


def test_a_version_that_is_promoted_by_hand_is_told_to_promise_too_much(tmp_path: Path) -> None:
    pipeline, outcome = retrained(tmp_path, TURNS)
    assert not outcome.version.verdict.promote
    # The reason says it, so nothing is said twice.
    assert summaries(pipeline.artifacts)[0].warning == ""
    status = read_status(pipeline)
    assert status.too_good == ""
    # The name stands once, and what to do is not to retrain what was kept back.
    assert status_lines(status)[0].startswith("planted: no model in production (")
    assert status_lines(status)[0].endswith("all the same: ffn promote planted 1")
    promote(pipeline.artifacts, 1, reason="meant")
    status = read_status(pipeline)
    assert 'The held-out figures are too good for rows later by "day": trained' in status.too_good
    assert status.too_good in said(status_lines(status))
    assert status.to_json()["too_good"] == status.too_good == all_warnings(pipeline.artifacts, 1)
    assert status.health.sentence == "amber: the held-out figures are shown to be too good"


def test_only_what_matters_is_a_finding_and_plain_categories_are_none() -> None:
    quiet, loud = audited(matters=False, kind="time"), audited(kind="time")
    assert kept_finding(None, "") == unseen_rows_sentence(None) == ""
    assert kept_finding(of("refuse", quiet), "") == unseen_rows_sentence(of("refuse", loud)) == ""
    assert unseen_rows_sentence(of("warn", audited(matters=False, feature=True))) == ""
    assert unseen_rows_sentence(of("warn", audited(), quiet, audited(matters=False))) == (
        'For rows later by "shop" expect accuracy 0.800 [0.700, 0.900] and log-loss 0.600 '
        "[0.400, 0.800], as of networks trained on earlier rows only; if such rows will be scored, "
        'set split.time = "shop". For new values of "shop" expect accuracy 0.800 [0.700, 0.900] '
        "and log-loss 0.600 [0.400, 0.800], as of networks trained on other values only; if such "
        'rows will be scored, set split.group = "shop".'
    )
    said_before = kept_finding(of("refuse", audited()), "")
    assert said_before.startswith('The held-out figures are too good for new values of "shop"')
    reason = f"t{said_before[1:]}"
    assert kept_finding(of("refuse", audited()), reason) == ""


@pytest.mark.parametrize(
    "change",
    [
        {"audit": None},
        {"audit": []},
        {"audit": {}},
        {"audit": {"columns": [3]}},
        {"audit": {"policy": "perhaps"}},
        {"audit": {"networks": "5"}},
        {"audit": {"alpha": None}},
        {"audit": {"columns": [{"kind": "day"}]}},
        {"audit": {"columns": [{"matters": 1}]}},
        {"audit": {"columns": [{"expected_accuracy": {"value": "x"}}]}},
        {"audit": {"columns": [{"accuracy": {"value": True}}]}},
    ],
)
def test_what_is_damaged_or_older_is_no_audit(change: dict) -> None:
    audit = of("warn", audited(), replace(audited(), column="town"))
    whole = json.loads(json.dumps({"audit": asdict(audit)}))
    assert recorded_audit(whole) == audit
    found = change["audit"]
    if isinstance(found, dict) and found:
        columns = found.get("columns")
        if columns and isinstance(columns[0], dict):
            found = {"columns": [whole["audit"]["columns"][0] | columns[0]]}
        found = whole["audit"] | found
    assert recorded_audit({"audit": found}) is None
    assert recorded_audit({}) is None
