"""Two retrainings of one pipeline at once are refused, by a lock that dies with its process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from ffn.errors import BusyError, RegistryError
from ffn.settings.document import check_settings
from ffn.settings.pipeline import Pipeline
from ffn.storage.pipeline_locks import inbox_lock, retraining_lock

HOLD = """
import sys, time
from pathlib import Path
from ffn.storage.pipeline_locks import retraining_lock
with retraining_lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def pipeline(tmp_path):
    (tmp_path / "p").mkdir()
    settings = check_settings({"data": {"source": "t.csv", "target": "y"}}, "t")
    return Pipeline(name="p", settings=settings, folder=tmp_path, artifacts=tmp_path / "p")


def test_another_process_is_refused_until_the_holder_is_dead(pipeline, repository):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(pipeline.artifacts)],
        cwd=repository,
        stdout=subprocess.PIPE,
    )
    try:
        assert holder.stdout.readline() == b"held\n"
        with (
            pytest.raises(
                BusyError, match=f"^p is already being retrained by process {holder.pid}"
            ),
            retraining_lock(pipeline.artifacts),
        ):
            pass
        with inbox_lock(pipeline.artifacts):
            pass  # a lock of its own
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
        with retraining_lock(pipeline.artifacts):
            pass
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()


def test_a_link_is_no_lock(pipeline, tmp_path):
    (pipeline.artifacts / ".retraining.lock").symlink_to(tmp_path / "elsewhere")
    with (
        pytest.raises(RegistryError, match="is not a plain file"),
        retraining_lock(pipeline.artifacts),
    ):
        pass
    assert not (tmp_path / "elsewhere").exists()


def test_a_pipe_is_no_lock(pipeline):
    os.mkfifo(pipeline.artifacts / ".retraining.lock")
    with (
        pytest.raises(RegistryError, match=r"\.retraining\.lock is not a plain file"),
        retraining_lock(pipeline.artifacts),
    ):
        pass


def test_the_lock_is_free_again_after_an_error(pipeline):
    with pytest.raises(ValueError, match="x"), inbox_lock(pipeline.artifacts):
        raise ValueError("x")
    # A lock that is held is refused at once, so nothing is waited for here.
    with inbox_lock(pipeline.artifacts):
        pass
