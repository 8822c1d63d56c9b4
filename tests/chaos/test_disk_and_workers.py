"""A full disk, and a training process that is killed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.chaos.conftest import change_data, epochs
from tests.helpers.command_line import command, environment, listing, run_apart
from tests.helpers.service import processes, serving
from tests.helpers.waiting import wait_for


@pytest.fixture
def small_disk(root):
    """A file system of 4 MB for all that Iris leaves."""
    folder = root / "artifacts/iris"
    folder.mkdir(parents=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("only root may mount a small disk")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_full_disk_leaves_production_and_is_told_in_one_line(root, home, small_disk):
    with serving(root, home) as service:
        wait_for(lambda: ("score-iris-v0001", "Completed") in service.states(), 120, service.said)
        before = listing(small_disk / "models/0001")
        filler = small_disk / "filler"
        with contextlib.suppress(OSError), filler.open("wb") as file:
            while True:
                file.write(b"x" * 4096)
        change_data(root)
        wait_for(lambda: ("retrain-iris", "Failed") in service.states(), 90, service.said)
        message = service.message("retrain-iris")
        assert "\n" not in message
        assert "No space left on device" in message or "MB free" in message
        assert service.production() == 1
        assert listing(small_disk / "models/0001") == before
        filler.unlink()
        change_data(root)
        wait_for(lambda: (service.production() or 0) > 1, 90, service.said)
        assert service.end() < 10


def test_a_training_process_that_is_killed_costs_no_other(root, home):
    epochs(root, 20_000)
    run = subprocess.Popen(
        command(
            "retrain", "iris", "--root", root, "--runner", "process", "--workers", "2", "--json"
        ),
        env=environment(home),
        stdout=subprocess.PIPE,
        text=True,
    )

    def workers():
        found = processes(home).items()
        return [pid for pid, line in found if "spawn_main" in line and busy(pid)]

    def busy(pid):
        with contextlib.suppress(OSError):
            stat = Path(f"/proc/{pid}/stat").read_text().rsplit(")")[-1].split()
            return sum(map(int, stat[11:13])) / os.sysconf("SC_CLK_TCK") > 6
        return False

    os.kill(wait_for(workers, 120)[0], signal.SIGKILL)
    said, _ = run.communicate(timeout=400)
    assert run.returncode == 0
    found = json.loads(said)
    assert found["promoted"]
    # All four were compared: those that the killed one took with it were trained again.
    assert set(found["optimizers"]) == {"sgd", "momentum", "adam", "adamw"}
    assert found["failures"] == {}
    root.joinpath("artifacts").rename(root / "killed")
    again = run_apart(home, "retrain", "iris", "--direct", "--json", "--root", root)
    assert json.loads(again.out)["bundle_sha256"] == found["bundle_sha256"]
