"""A file of the inbox that was scored by its name waits no more, unless a pass would change it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from ffn.pipelines.batch_scoring import options_for, score_steps
from ffn.pipelines.execution import InProcess
from ffn.scoring.inbox import inbox_scan
from ffn.scoring.inbox.inbox_scan import InboxScan, ledger_path, scan_inbox, score_waiting
from ffn.scoring.inputs import files_to_score
from ffn.scoring.model import Model
from ffn.settings.pipeline import Pipeline
from ffn.storage.real_path import real_path
from tests.helpers.inboxes import GOOD, pipeline_with, put
from tests.helpers.scorers import TenthsScorer

MODEL = Model(TenthsScorer())
BAD = GOOD + b"3,x,red\n"


@pytest.fixture(autouse=True)
def _later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let looks happen an hour later: a change of the last seconds may not show in a file."""
    now = time.time
    monkeypatch.setattr(inbox_scan.time, "time", lambda: now() + 3600)


@pytest.fixture
def pipeline(tmp_path: Path) -> Pipeline:
    found = pipeline_with(real_path(tmp_path))
    put(found, "a.csv")
    put(found, "b.csv")
    return found


def score(pipeline: Pipeline, *files: Path | str, output: Any = None, **options: Any) -> None:
    inbox = pipeline.folder / "inbox"
    named = files_to_score(pipeline, [inbox / file for file in files], output)
    score_steps(MODEL, pipeline, named, options_for(pipeline, **options), InProcess())


def state(pipeline: Pipeline, *, read: bool = False) -> InboxScan:
    return scan_inbox(pipeline, MODEL.version, read=read)


def waiting(pipeline: Pipeline, version: int = MODEL.version) -> list[str]:
    return [file.name for file in scan_inbox(pipeline, version).waiting]


def test_it_is_scored_for_a_status_and_for_the_next_pass(pipeline: Pipeline) -> None:
    score(pipeline, "a.csv")
    # A status reads no file, so it knows of the other one only that it is new.
    assert (state(pipeline).scored, state(pipeline).new) == (("a.csv",), 1)
    assert waiting(pipeline) == ["b.csv"]
    assert waiting(pipeline, 8) == ["a.csv", "b.csv"]


def test_all_tables_of_the_inbox_are_meant_without_a_name(pipeline: Pipeline) -> None:
    score(pipeline)
    assert (state(pipeline).scored, waiting(pipeline)) == (("a.csv", "b.csv"), [])


def test_tolerances_change_no_byte(pipeline: Pipeline) -> None:
    score(pipeline, "a.csv", drift="off", max_reject_rate=0.5, workers=1, force=True)
    assert state(pipeline).scored == ("a.csv",)


@pytest.mark.parametrize(
    "options", [{"probabilities": True}, {"only_id": "size"}, {"on_unknown": "reject"}]
)
def test_with_other_options_a_pass_writes_other_bytes(
    pipeline: Pipeline, options: dict[str, Any]
) -> None:
    score(pipeline, "a.csv", **options)
    output = pipeline.predictions / "a.csv"
    before = output.read_bytes()
    assert waiting(pipeline) == ["a.csv", "b.csv"]
    score_waiting(MODEL, pipeline, state(pipeline, read=True).waiting[0])
    assert (output.read_bytes() == before) == ("on_unknown" in options)
    assert waiting(pipeline) == ["b.csv"]


def test_elsewhere_is_not_where_a_pass_writes(pipeline: Pipeline, tmp_path: Path) -> None:
    score(pipeline, "a.csv", output=tmp_path / "mine.csv")
    (tmp_path / "a.csv").write_bytes(GOOD)
    score(pipeline, tmp_path / "a.csv")
    assert waiting(pipeline) == ["a.csv", "b.csv"]


def test_new_content_waits(pipeline: Pipeline) -> None:
    score(pipeline, "a.csv")
    put(pipeline, "a.csv", GOOD + b"3,4,red\n")
    assert waiting(pipeline) == ["a.csv", "b.csv"]


def test_content_that_changed_after_it_was_scored_waits(pipeline: Pipeline) -> None:
    class Changing(TenthsScorer):
        def probabilities(self, x: Any, /) -> Any:
            # The first file has its output when the second one is scored.
            if (pipeline.predictions / "a.csv").exists():
                put(pipeline, "a.csv", GOOD + b"3,4,red\n")
            return super().probabilities(x)

    named = files_to_score(pipeline, [pipeline.folder / "inbox" / f for f in ("a.csv", "b.csv")])
    score_steps(Model(Changing()), pipeline, named, options_for(pipeline), InProcess())
    assert waiting(pipeline) == ["a.csv"]


def test_a_file_of_this_very_moment_is_read_again_but_not_scored_again(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    score(pipeline, "a.csv")
    assert state(pipeline).scored == ()
    now = time.time
    monkeypatch.setattr(inbox_scan.time, "time", lambda: now() + 3600)
    assert waiting(pipeline) == ["b.csv"]


def test_a_refused_file_is_what_it_was(pipeline: Pipeline) -> None:
    put(pipeline, "b.csv", BAD)
    score(pipeline, "b.csv", max_reject_rate=0.0)
    assert waiting(pipeline) == ["a.csv", "b.csv"]
    score(pipeline, "b.csv")
    assert waiting(pipeline) == ["a.csv"]


def test_a_file_that_is_still_to_be_moved_waits_for_that(tmp_path: Path) -> None:
    moving = pipeline_with(real_path(tmp_path), move=True)
    put(moving, "a.csv")
    score(moving, "a.csv")
    (file,) = state(moving, read=True).waiting
    done = score_waiting(MODEL, moving, file)
    assert done is not None
    assert done.unchanged
    assert not list((moving.folder / "inbox").glob("*.csv"))


def test_a_link_is_another_file(pipeline: Pipeline, tmp_path: Path) -> None:
    (tmp_path / "far.csv").write_bytes(GOOD)
    (pipeline.folder / "inbox/link.csv").symlink_to(tmp_path / "far.csv")
    score(pipeline, "link.csv")
    assert "link.csv" in state(pipeline, read=True).refused


def test_an_inbox_that_is_a_link_itself(pipeline: Pipeline, tmp_path: Path) -> None:
    inbox = pipeline.folder / "inbox"
    inbox.rename(tmp_path / "share")
    inbox.symlink_to(tmp_path / "share")
    score(pipeline, "a.csv")
    assert state(pipeline).scored == ("a.csv",)


def test_a_ledger_that_cannot_be_used_keeps_nothing_from_being_scored(pipeline: Pipeline) -> None:
    pipeline.artifacts.mkdir()
    ledger_path(pipeline).write_bytes(b"no database" * 100)
    score(pipeline, "a.csv")
    assert (pipeline.predictions / "a.csv").exists()
