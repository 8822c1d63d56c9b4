"""A status in which nothing needs attention, to change one thing of."""

from __future__ import annotations

import pytest

from ffn.evaluation.inference.statistics import Interval
from ffn.registry.run_log import RunRecord
from ffn.reports.status_page import Status
from ffn.scoring.inbox.inbox_scan import InboxScan

RUN_ID = "0b6a3c55-2f5e-4c60-9d0b-6b1f0a3f8a11"


def run_record(what: str, outcome: str, text: str = "done", run: str = RUN_ID) -> RunRecord:
    return RunRecord(
        at="2026-11-23T04:05:06+00:00",
        what=what,
        outcome=outcome,
        version=3,
        text=text,
        seconds=1.0,
        run=run,
    )


@pytest.fixture
def fine() -> Status:
    return Status(
        pipeline="loans",
        at="2026-11-23T06:00:00+00:00",
        production=3,
        problem="",
        promoted_at="2026-11-20T06:00:00+00:00",
        accuracy=Interval(0.9, 0.88, 0.92),
        versions=3,
        runs=(),
        drift=None,
        judged_from=100,
        inbox=InboxScan(),
        latest=(run_record("retrain", "kept"), run_record("score", "scored")),
    )
