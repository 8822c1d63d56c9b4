"""The inbox: each content once for each version, whatever happens to names, times and disks."""

from __future__ import annotations

import dataclasses
import gzip
import os
import shutil
import time

import pytest

from ffn.errors import DataError, FFNError, OutputError
from ffn.scoring.inbox import inbox_scan as module
from ffn.scoring.inbox.inbox_scan import ledger_path, scan_inbox, score_waiting
from ffn.scoring.inbox.listing import InboxFolder
from ffn.scoring.model import Model
from ffn.storage.atomic import write_bytes
from tests.helpers.inboxes import GOOD, pipeline_with, put
from tests.helpers.scorers import TenthsScorer

MODEL = Model(TenthsScorer())
NEXT = Model(dataclasses.replace(TenthsScorer(), version=8))


@pytest.fixture(autouse=True)
def _later(monkeypatch):
    """Let looks happen an hour later, when all files are quiet."""
    now = time.time
    monkeypatch.setattr(module.time, "time", lambda: now() + 3600)


@pytest.fixture
def pipeline(tmp_path):
    return pipeline_with(tmp_path)


def waiting(pipeline, model=MODEL):
    return [file.name for file in scan_inbox(pipeline, model.version).waiting]


def score_all(pipeline, model=MODEL):
    """One pass; returns the names scored and the reasons of those refused."""
    scored, refused = [], {}
    for file in scan_inbox(pipeline, model.version).waiting:
        try:
            if score_waiting(model, pipeline, file):
                scored.append(file.name)
        except OutputError:
            raise
        except FFNError as error:
            refused[file.name] = str(error)
    return scored, refused


def test_every_csv_is_scored_once(pipeline):
    put(pipeline, "b.csv")
    put(pipeline, "A.CSV", GOOD + b"3,4,\n")
    put(pipeline, "notes.txt")
    put(pipeline, ".hidden.csv")
    assert score_all(pipeline) == (["A.CSV", "b.csv"], {})
    assert (pipeline.predictions / "b.csv").read_bytes().startswith(b"id,size,colour,predicted_")
    assert score_all(pipeline) == ([], {})
    assert scan_inbox(pipeline, 7).scored == ("A.CSV", "b.csv")


def test_a_version_newly_in_production_scores_every_file(pipeline):
    put(pipeline, "a.csv")
    put(pipeline, "bad.csv", b"x\n1\n")
    assert score_all(pipeline)[0] == ["a.csv"]
    assert waiting(pipeline, NEXT) == ["a.csv", "bad.csv"]
    assert score_all(pipeline, NEXT)[0] == ["a.csv"]
    assert waiting(pipeline, NEXT) == []
    # Back to the version before: what lies in the outputs is not its own.
    assert waiting(pipeline, MODEL) == ["a.csv", "bad.csv"]


def test_without_rescoring_a_file_is_scored_once(tmp_path):
    pipeline = pipeline_with(tmp_path, rescore="none")
    put(pipeline, "a.csv")
    put(pipeline, "bad.csv", b"x\n1\n")
    score_all(pipeline)
    assert waiting(pipeline, NEXT) == []
    put(pipeline, "b.csv")
    assert waiting(pipeline, NEXT) == ["b.csv"]


def test_content_counts_and_not_times(pipeline):
    path = put(pipeline, "a.csv")
    score_all(pipeline)
    os.utime(path, (1_000_000_000, 1_000_000_000))
    assert waiting(pipeline) == []
    put(pipeline, "a.csv", GOOD + b"3,4,\n")
    assert score_all(pipeline)[0] == ["a.csv"]
    # Back to what it was: its first output is overwritten by now.
    put(pipeline, "a.csv")
    assert score_all(pipeline)[0] == ["a.csv"]
    assert b"\n3," not in (pipeline.predictions / "a.csv").read_bytes()


def test_a_refused_file_is_told_with_its_reason_and_not_tried_again(pipeline):
    put(pipeline, "bad.csv", b"x\n1\n")
    put(pipeline, "good.csv")
    scored, refused = score_all(pipeline)
    assert scored == ["good.csv"]
    assert 'no column "size"' in refused["bad.csv"]
    found = scan_inbox(pipeline, 7)
    assert (found.waiting, found.refused) == ((), refused)
    put(pipeline, "bad.csv", GOOD)
    assert score_all(pipeline) == (["bad.csv"], {})
    assert scan_inbox(pipeline, 7).refused == {}


def test_a_file_that_is_written_to_is_left(pipeline, monkeypatch):
    path = put(pipeline, "a.csv")
    with monkeypatch.context() as patched:
        patched.setattr(module.time, "time", lambda: path.stat().st_mtime + 0.9)
        found = scan_inbox(pipeline, 7)
        assert (found.waiting, list(found.settling)) == ((), ["a.csv"])
        put(pipeline, "a.csv", GOOD + b"3,4,\n")
    assert waiting(pipeline) == ["a.csv"]


def test_copied_times_do_not_make_a_file_quiet(pipeline, monkeypatch):
    path = put(pipeline, "a.csv")
    os.utime(path, (1_000_000_000, 1_000_000_000))  # as cp -p leaves it
    monkeypatch.setattr(module.time, "time", lambda: path.stat().st_ctime + 0.5)
    assert list(scan_inbox(pipeline, 7).settling) == ["a.csv"]


def test_a_clock_that_was_put_back_does_not_stop_the_inbox(pipeline, monkeypatch):
    put(pipeline, "a.csv")
    yesterday = time.time() - 86_400
    monkeypatch.setattr(module.time, "time", lambda: yesterday)
    assert list(scan_inbox(pipeline, 7).settling) == ["a.csv"]
    monkeypatch.setattr(module.time, "time", lambda: yesterday + 1.1)
    assert waiting(pipeline) == ["a.csv"]


def test_a_file_that_changes_or_goes_while_it_is_scored_is_not_refused(pipeline):
    put(pipeline, "a.csv")
    put(pipeline, "b.csv", b"x\n1\n")
    first, second = scan_inbox(pipeline, 7).waiting
    first.path.unlink()
    put(pipeline, "b.csv", b"x\n1\n2\n")
    assert score_waiting(MODEL, pipeline, first) is None
    assert score_waiting(MODEL, pipeline, second) is None
    assert waiting(pipeline) == ["b.csv"]
    assert scan_inbox(pipeline, 7).refused == {}


def test_an_output_that_cannot_be_written_is_no_fault_of_the_file(pipeline):
    put(pipeline, "a.csv")
    pipeline.artifacts.mkdir()
    pipeline.predictions.write_text("in the way")
    with pytest.raises(OutputError, match="cannot be written"):
        score_all(pipeline)
    pipeline.predictions.unlink()
    assert score_all(pipeline) == (["a.csv"], {})


@pytest.mark.parametrize("kind", ["link", "folder", "fifo"])
def test_what_is_no_file_is_refused_and_not_opened(pipeline, tmp_path, kind):
    path = pipeline.folder / "inbox" / "a.csv"
    if kind == "link":
        path.symlink_to(shutil.copy(put(pipeline, "b.csv"), tmp_path / "elsewhere.csv"))
    elif kind == "folder":
        path.mkdir()
    else:
        os.mkfifo(path)
    assert "a.csv" not in waiting(pipeline)
    assert scan_inbox(pipeline, 7).refused == {
        "a.csv": "it is a link, a folder or a device; put a file there"
    }


def test_names_that_would_overwrite_or_cannot_be_told_are_refused(pipeline):
    put(pipeline, "a.csv")
    put(pipeline, "a.csv.rejects.csv")
    put(pipeline, "a.csv.gz", gzip.compress(GOOD))
    (pipeline.folder / "inbox" / os.fsdecode(b"\xff.csv")).write_bytes(GOOD)
    found = scan_inbox(pipeline, 7)
    assert [file.name for file in found.waiting] == ["a.csv"]
    assert sorted(found.refused.values()) == [
        "its name is not valid UTF-8; rename it",
        "its output could have the same name as another file's rejects; rename it",
        "its output would have the same name as that of a.csv; rename it",
    ]


def test_files_are_moved_if_that_is_asked(tmp_path):
    pipeline = pipeline_with(tmp_path, move=True)
    inbox = pipeline.folder / "inbox"
    put(pipeline, "a.csv")
    put(pipeline, "bad.csv", b"x\n1\n")
    score_all(pipeline)
    put(pipeline, "a.csv", GOOD + b"3,4,\n")
    assert score_all(pipeline)[0] == ["a.csv"]
    assert (inbox / "done/a.csv").read_bytes() == GOOD
    assert sorted(path.name.split("-")[-1] for path in (inbox / "done").iterdir()) == [
        "a.csv",
        "a.csv",
    ]
    assert [path.name for path in (inbox / "refused").iterdir()] == ["bad.csv"]
    assert scan_inbox(pipeline, 7).scored == ()
    assert waiting(pipeline, NEXT) == []


def test_ten_thousand_known_files_are_not_read_again(pipeline, monkeypatch):
    for number in range(10_000):
        put(pipeline, f"{number:05}.csv", b"id,size,colour\n%d,1,\n" % number)
    assert len(scan_inbox(pipeline, 7).waiting) == 10_000

    def refuse(folder, name, seen, sha256=""):
        raise AssertionError(f"{name} is read")

    monkeypatch.setattr(InboxFolder, "open_source", refuse)
    assert len(scan_inbox(pipeline, 7).waiting) == 10_000


def test_a_look_that_reads_nothing_writes_nothing(pipeline):
    put(pipeline, "a.csv")
    found = scan_inbox(pipeline, 7, read=False)
    assert (found.new, found.waiting) == (1, ())
    assert not ledger_path(pipeline).exists()
    score_all(pipeline)
    put(pipeline, "b.csv")
    found = scan_inbox(pipeline, 7, read=False)
    assert (found.scored, found.new) == (("a.csv",), 1)


def test_a_damaged_ledger_is_told_and_may_be_removed(pipeline):
    put(pipeline, "a.csv")
    score_all(pipeline)
    write_bytes(ledger_path(pipeline), b"no database" * 100)
    with pytest.raises(DataError, match=r"inbox\.sqlite cannot be used .*remove it"):
        scan_inbox(pipeline, 7)
    ledger_path(pipeline).unlink()
    assert waiting(pipeline) == ["a.csv"]


def test_compressed_tables_are_scored(pipeline):
    put(pipeline, "a.csv.gz", gzip.compress(GOOD))
    assert score_all(pipeline)[0] == ["a.csv.gz"]
    assert (pipeline.predictions / "a.csv").read_bytes().startswith(b"id,size,colour,predicted_")


def test_no_inbox_is_an_empty_one(pipeline):
    (pipeline.folder / "inbox").rmdir()
    assert scan_inbox(pipeline, None).waiting == ()


def test_the_ledger_is_for_its_owner_alone(pipeline):
    put(pipeline, "bad.csv", b"x\n1\n")
    score_all(pipeline)
    assert ledger_path(pipeline).stat().st_mode & 0o777 == 0o600


def test_a_link_is_no_ledger(pipeline, tmp_path):
    put(pipeline, "a.csv")
    pipeline.artifacts.mkdir()
    ledger_path(pipeline).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DataError, match="is a link; the ledger must be a regular file"):
        scan_inbox(pipeline, 7)
    assert not (tmp_path / "elsewhere").exists()
