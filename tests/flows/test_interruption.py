"""Ctrl-C and SIGTERM: a run ends in seconds, marked so, and leaves nothing behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from ffn.registry.live_runs import working
from ffn.registry.run_log import journal
from tests.helpers.command_line import OF_EVERY_RUN, command, environment
from tests.helpers.endless_run import states, trains
from tests.helpers.prefect_home import started_before
from tests.helpers.service import processes
from tests.helpers.waiting import LAST_RESORT, wait_for


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """One for all runs."""
    home = tmp_path_factory.mktemp("home")
    started_before(home / ".prefect")
    return home


@pytest.fixture(autouse=True)
def _interruptible():
    """Let a run's process be interrupted as from a terminal: background jobs ignore SIGINT."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def endless(root):
    """A pipeline whose training takes minutes."""
    settings = root / "data/iris/pipeline.toml"
    settings.write_text(re.sub(r"epochs = \d+", "epochs = 1000000", settings.read_text()))
    return root


def spins(run: subprocess.Popen[bytes]) -> bool:
    """Whether a process has worked for longer than all its imports take."""
    ticks = sum(map(int, Path(f"/proc/{run.pid}/stat").read_text().rsplit(")")[-1].split()[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK") > 3


def listing(root: Path) -> set[str]:
    """Every file that is no cache, which the next training would use."""
    files = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
    return {
        str(path) for path in files if "cache" not in path.parts and path.name not in OF_EVERY_RUN
    }


def wait_until(ready, run: subprocess.Popen[bytes]) -> None:
    def begun():
        assert run.poll() is None, "the run has ended"
        return ready()

    wait_for(begun)


@pytest.mark.parametrize(
    ("options", "number"),
    # With one worker three trainings are still to begin, and the server has a core to itself.
    [
        (["--direct"], signal.SIGINT),
        (["--direct"], signal.SIGTERM),
        (["--workers", "1"], signal.SIGINT),
        (["--workers", "1"], signal.SIGTERM),
        (["--workers", "1", "--runner", "process"], signal.SIGINT),
    ],
)
def test_a_signal_ends_a_training(endless, home, tmp_path, options, number):
    before = listing(endless)
    printed = tmp_path / "printed"
    with printed.open("wb") as output:
        run = subprocess.Popen(
            command("retrain", "iris", "--root", endless, *options),
            env=environment(home),
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        direct = "--direct" in options
        wait_until(lambda: spins(run) if direct else trains(home), run)
        assert len(processes(home)) > (0 if direct else 1)
        assert [at_work.what for at_work in working(endless / "artifacts/iris")] == ["retrain"]
        if number == signal.SIGINT:
            # Ctrl-C reaches all that the terminal has in the foreground.
            os.killpg(run.pid, number)
        else:
            run.send_signal(number)
        # Left alone, it would train for longer than that.
        run.wait(timeout=LAST_RESORT)
        assert run.returncode == 128 + number
        said = printed.read_text()
        assert said.startswith("ffn: interrupted; finished work is kept.\n")
        assert "Traceback" not in said
        # Servers and workers have ended with it, or are about to.
        wait_for(lambda: not processes(home))
    finally:
        for pid in processes(home):
            os.kill(pid, signal.SIGKILL)
        run.wait()
    assert listing(endless) == before
    assert working(endless / "artifacts/iris") == []
    ended = journal(endless / "artifacts/iris")[0]
    assert (ended.what, ended.outcome) == ("retrain", "interrupted")
    assert ended.text.startswith(f"ended by {number.name}" if direct else "ended ")
    if not direct:
        assert states(home, "flow_run")["retrain-iris"] in {"CRASHED", "CANCELLED"}
        assert "RUNNING" not in states(home, "task_run").values()
