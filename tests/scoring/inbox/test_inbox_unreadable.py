"""A file in the inbox that may not be read."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from pathlib import Path

import pytest

from ffn.scoring.inbox import inbox_scan as module
from ffn.scoring.inbox.inbox_scan import scan_inbox
from tests.helpers.inboxes import pipeline_with, put


@pytest.fixture(autouse=True)
def _later(monkeypatch):
    """Let looks happen an hour later, when all files are quiet."""
    now = time.time
    monkeypatch.setattr(module.time, "time", lambda: now() + 3600)


@pytest.fixture
def shared():
    """A pipeline that everybody may use, since what root may not read is hard to make."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o777)
        yield pipeline_with(folder)


@contextlib.contextmanager
def nobody():
    """Be somebody without rights while the block runs, if we are root."""
    us = os.geteuid()
    if us == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(us)


def test_a_file_that_may_not_be_read_is_refused_with_the_reason(shared):
    pipeline = shared
    put(pipeline, "a.csv")
    locked = put(pipeline, "locked.csv")
    locked.chmod(0o200)
    with nobody():
        found = scan_inbox(pipeline, 7)
        status = scan_inbox(pipeline, 7, read=False)
    reason = f"{locked} cannot be read: Permission denied."
    assert [file.name for file in found.waiting] == ["a.csv"]
    assert (found.refused, found.settling) == ({"locked.csv": reason}, {})
    # Who only looks at the status reads no file, and hears of it all the same.
    assert (status.refused, status.new, status.settling) == ({"locked.csv": reason}, 0, {})
    locked.chmod(0o644)
    with nobody():
        assert [file.name for file in scan_inbox(pipeline, 7).waiting] == ["a.csv", "locked.csv"]
        assert scan_inbox(pipeline, 7, read=False).refused == {}
