"""Two retrainings of one pipeline at once are refused, by a lock that dies with its process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from ffn.errors import BusyError, RegistryError
from ffn.settings.document import check_settings
from ffn.settings.pipeline import Pipeline
from ffn.storage.run_locks import the_only_pass, the_only_retraining

HOLD = """
import sys, time
from pathlib import Path
from ffn.storage.run_locks import the_only_retraining
with the_only_retraining(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def pipeline(tmp_path):
    settings = check_settings({"data": {"source": "t.csv", "target": "y"}}, "t")
    return Pipeline(name="p", settings=settings, folder=tmp_path, artifacts=tmp_path)


def test_another_process_is_refused_until_the_holder_is_dead(pipeline, repository):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(pipeline.artifacts)],
        cwd=repository,
        stdout=subprocess.PIPE,
    )
    try:
        assert holder.stdout.readline() == b"held\n"
        with (
            pytest.raises(BusyError, match=f"is already being retrained by process {holder.pid}"),
            the_only_retraining(pipeline.artifacts),
        ):
            pass
        with the_only_pass(pipeline.artifacts):
            pass  # a lock of its own
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
        with the_only_retraining(pipeline.artifacts):
            pass
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()


def test_a_link_is_no_lock(pipeline, tmp_path):
    (tmp_path / ".retraining.lock").symlink_to(tmp_path / "elsewhere")
    with (
        pytest.raises(RegistryError, match="is not a plain file"),
        the_only_retraining(pipeline.artifacts),
    ):
        pass
    assert not (tmp_path / "elsewhere").exists()


def test_a_pipe_is_no_lock(pipeline, tmp_path):
    os.mkfifo(tmp_path / ".retraining.lock")
    with (
        pytest.raises(RegistryError, match=r"\.retraining\.lock is not a plain file"),
        the_only_retraining(pipeline.artifacts),
    ):
        pass


def test_the_lock_is_free_again_after_an_error(pipeline):
    with pytest.raises(ValueError, match="x"), the_only_pass(pipeline.artifacts):
        raise ValueError("x")
    started = time.monotonic()
    with the_only_pass(pipeline.artifacts):
        assert time.monotonic() - started < 1
