"""A person who has just put a file into the inbox gets its rows, or hears when to come back."""

from __future__ import annotations

import io
import os
import time

import pytest

from ffn.pipelines.outcomes import ScoreOutcome
from ffn.scoring.inbox import settling
from ffn.scoring.inbox.inbox_scan import InboxScan, score_waiting
from ffn.scoring.inbox.settling import look_when_quiet
from ffn.scoring.model import Model
from flows.cli.display.summary import print_scoring
from tests.helpers import inboxes
from tests.helpers.inboxes import GOOD, pipeline_with
from tests.helpers.scorers import TenthsScorer

MODEL = Model(TenthsScorer())


@pytest.fixture
def clock(monkeypatch):
    """Sleeps pass at once, and are kept."""
    begun, slept = time.time(), []
    monkeypatch.setattr(time, "time", lambda: begun + sum(slept))
    monkeypatch.setattr(settling.time, "sleep", slept.append)
    return slept


def put(pipeline, name):
    """Put a file there now, by the same clock."""
    path = inboxes.put(pipeline, name)
    os.utime(path, (time.time(), time.time()))
    return path


def told(seen, results=()):
    """What a person reads at the end."""
    out = io.StringIO()
    outcome = ScoreOutcome(pipeline="things", version=7, results=results, refusals=(), inbox=seen)
    print_scoring(outcome, out)
    return out.getvalue()


def test_a_file_that_was_just_put_there_is_waited_for(tmp_path, clock):
    pipeline, stages = pipeline_with(tmp_path, settle="5s"), []
    put(pipeline, "a.csv")
    seen = look_when_quiet(pipeline, 7, stages.append)
    assert [file.name for file in seen.waiting] == ["a.csv"]
    assert stages == ["waiting for 1 file changed less than 5s ago"]
    assert clock == [pytest.approx(5, abs=0.1)]
    assert score_waiting(MODEL, pipeline, seen.waiting[0]).scored == 2


def test_quiet_files_are_not_waited_for(tmp_path, clock):
    pipeline = pipeline_with(tmp_path, settle="5s")
    put(pipeline, "a.csv")
    clock.append(60)
    assert [file.name for file in look_when_quiet(pipeline, 7, pytest.fail).waiting] == ["a.csv"]
    assert clock == [60]


def test_what_is_written_to_meanwhile_is_left_and_told(tmp_path, clock, monkeypatch):
    pipeline = pipeline_with(tmp_path, settle="5s")
    path = put(pipeline, "a.csv")

    def write(seconds):
        clock.append(seconds)
        path.write_bytes(GOOD + b"3,4,red\n")
        os.utime(path, (time.time(), time.time()))

    monkeypatch.setattr(settling.time, "sleep", write)
    seen = look_when_quiet(pipeline, 7, lambda _: None)
    assert (seen.waiting, list(seen.settling)) == ((), ["a.csv"])
    assert told(seen) == (
        "1 file was changed only a moment ago and skipped for now: a.csv. Run again in 5 s.\n"
    )


def test_nobody_waits_for_an_hour(tmp_path, clock):
    pipeline = pipeline_with(tmp_path, settle="1h")
    put(pipeline, "a.csv")
    put(pipeline, "b.csv")
    seen = look_when_quiet(pipeline, 7, pytest.fail)
    assert clock == []
    assert told(seen) == (
        "2 files were changed only a moment ago and skipped for now: "
        "a.csv, b.csv. Run again in 3,600 s.\n"
    )


def test_nothing_new_is_said(tmp_path):
    assert told(InboxScan(scored=("a.csv", "b.csv"), refused={"c.csv": "why"})) == (
        "things, version 7: nothing new in the inbox (2 scored before, 1 refused before).\n"
    )
    assert told(InboxScan()) == (
        "things, version 7: nothing new in the inbox (0 scored before, 0 refused before).\n"
    )
