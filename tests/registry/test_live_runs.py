"""Runs at work, and those that were killed, by processes that really are."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from ffn.registry.live_runs import at_work, killed, lives, take_killed
from ffn.registry.run_log import journal, note_killed, running

# A shell has what runs in its background ignore interrupts, tests too.
CODE = """
import signal, sys, time
from pathlib import Path
from ffn.registry.run_log import running
signal.signal(signal.SIGINT, signal.default_int_handler)
with running(Path(sys.argv[1]), "retrain", sys.argv[2]):
    print("at work", flush=True)
    time.sleep(600)
"""


@contextlib.contextmanager
def run_of_another_process(artifacts, repository, name):
    process = subprocess.Popen(
        [sys.executable, "-c", CODE, str(artifacts), name], cwd=repository, stdout=subprocess.PIPE
    )
    try:
        assert process.stdout.readline() == b"at work\n"
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_a_run_that_is_killed_is_told_once_by_whoever_looks(tmp_path, repository):
    with run_of_another_process(tmp_path, repository, "one") as process:
        assert lives(tmp_path, "one")
        assert journal(tmp_path) == []
        assert note_killed(tmp_path) == []
        process.kill()
        process.wait()
        assert not lives(tmp_path, "one")
    # Who only reads tells it, and writes nothing.
    before = sorted(tmp_path.rglob("*"))
    (seen,) = journal(tmp_path)
    assert sorted(tmp_path.rglob("*")) == before
    assert (seen.what, seen.outcome, seen.version) == ("retrain", "crashed", None)
    assert seen.text.startswith("its process was killed, or the machine was, begun 20")
    (noted,) = note_killed(tmp_path)
    assert (noted.what, noted.text) == (seen.what, seen.text)
    assert journal(tmp_path) == [noted]
    assert note_killed(tmp_path) == []


def test_the_next_run_writes_down_what_was_killed_before_it(tmp_path, repository):
    with run_of_another_process(tmp_path, repository, "one"):
        pass
    with running(tmp_path, "score") as note:
        note.outcome, note.text = "scored", "1 file scored."
    assert [entry.outcome for entry in journal(tmp_path)] == ["scored", "crashed"]


def test_a_run_that_ends_in_order_leaves_nothing(tmp_path, repository):
    with run_of_another_process(tmp_path, repository, "one") as process:
        process.send_signal(signal.SIGINT)
        process.wait()
    assert note_killed(tmp_path) == []
    (entry,) = journal(tmp_path)
    assert (entry.outcome, entry.text) == ("interrupted", "ended by SIGINT (Ctrl-C)")
    with at_work(tmp_path, "score", "", "two"):
        assert lives(tmp_path, "two")
    assert list((tmp_path / ".at-work").iterdir()) == []


def test_a_run_may_be_shown_until_its_process_ends(tmp_path, repository):
    code = CODE.replace("sys.argv[2])", "sys.argv[2], until_exit=True)")
    code = code.replace('    print("at work", flush=True)\n    time.sleep(600)', "    pass")
    code += 'print("reports", flush=True)\ninput()'
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path), "one"],
        cwd=repository,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with process:
        assert process.stdout.readline() == b"reports\n"
        assert lives(tmp_path, "one")
        assert note_killed(tmp_path) == []
        process.communicate(b"\n")
    assert not lives(tmp_path, "one")
    assert note_killed(tmp_path) == []


def test_a_killed_run_is_taken_by_one_alone(tmp_path):
    folder = tmp_path / ".at-work"
    folder.mkdir()
    for number in range(40):
        mark = {"what": "score", "begun": f"2026-01-01T00:00:{number:02}+00:00"}
        (folder / f"{number}").write_text(json.dumps(mark))
    newest = [one.begun[17:19] for one in killed(tmp_path)]
    assert newest == [f"{number:02}" for number in reversed(range(40))]
    with ThreadPoolExecutor(8) as pool:
        taken = [
            one
            for found in pool.map(lambda _: list(take_killed(tmp_path)), range(8))
            for one in found
        ]
    assert sorted(one.begun[17:19] for one in taken) == [f"{number:02}" for number in range(40)]


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff", b'{"what": 3, "begun": "a\\nb"}'])
def test_a_damaged_mark_is_told_in_one_line(tmp_path, content):
    (tmp_path / ".at-work").mkdir()
    (tmp_path / ".at-work/x").write_bytes(content)
    (entry,) = note_killed(tmp_path)
    assert entry.outcome == "crashed"
    assert entry.text.isprintable()
    assert entry.what.isprintable()
    assert list((tmp_path / ".at-work").iterdir()) == []


def test_a_pipe_among_the_marks_is_no_run_and_not_waited_for(tmp_path):
    (tmp_path / ".at-work").mkdir()
    os.mkfifo(tmp_path / ".at-work/pipe")
    assert killed(tmp_path) == []
    assert not lives(tmp_path, "pipe")


def test_what_cannot_be_shown_is_done_all_the_same(tmp_path):
    (tmp_path / ".at-work").write_text("in the way")
    with running(tmp_path, "score") as note:
        note.outcome = "scored"
    assert [entry.outcome for entry in journal(tmp_path)] == ["scored"]


@contextlib.contextmanager
def full_disk():
    """A disk that takes no more bytes: no file may be longer than it is."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("until_exit", [False, True])
def test_a_run_goes_on_and_ends_though_its_lock_file_cannot_be_written(tmp_path, until_exit):
    """What it was to write elsewhere, on another disk, is not lost."""
    begun = "2026-01-01T00:00:00+00:00"
    with full_disk(), at_work(tmp_path, "score", begun, "r", until_exit=until_exit):
        found = lives(tmp_path, "r")
    assert found
    assert lives(tmp_path, "r") == until_exit
