"""``ffn watch`` beside a retraining that is running, in pipes and on a real terminal."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ffn.registry.live_runs import working
from ffn.watching.publication import is_watched, watching
from ffn.watching.snapshots import read_snapshots, snapshot_path
from tests.helpers.command_line import Done, command, environment, run_apart
from tests.helpers.waiting import LAST_RESORT, wait_for

STYLE = re.compile(rb"\x1b\[[0-9;?]*[a-zA-Z]")


@pytest.fixture
def endless(root: Path) -> Iterator[Path]:
    """A root whose pipeline is being retrained, for as long as the test lasts."""
    settings = root / "data/iris/pipeline.toml"
    settings.write_text(re.sub(r"epochs = \d+", "epochs = 1000000", settings.read_text()))
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    with subprocess.Popen(
        command("retrain", "iris", "--direct", "--root", root),
        env=environment(root),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            wait_for(lambda: working(root / "artifacts/iris"))
            with watching(root / "artifacts/iris"):
                wait_for(lambda: read_snapshots(root / "artifacts/iris"))
            yield root
        finally:
            process.kill()
            signal.signal(signal.SIGINT, before)


class Terminal:
    """``ffn watch`` on a terminal of 80 columns and 50 lines."""

    def __init__(self, root: Path, *arguments: str, **variables: str) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 80, 0, 0))
        self.process = subprocess.Popen(
            command(*(arguments or ("watch", "iris")), "--root", root),
            env=environment(root, TERM="xterm-256color", **variables),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        self.raw = b""

    def read(self) -> bool:
        """Take what has been written; False at the end, which Linux tells by an error."""
        with contextlib.suppress(OSError):
            some = os.read(self._ours, 65_536)
            self.raw += some
            return bool(some)
        return False

    def read_until(self, text: str, times: int = 1) -> None:
        deadline = time.monotonic() + LAST_RESORT
        while self.raw.count(text.encode()) < times:
            assert time.monotonic() < deadline, self.text[-2000:]
            assert self.read(), self.text[-2000:]

    @property
    def text(self) -> str:
        return STYLE.sub(b"", self.raw).decode()

    def end(self) -> int:
        while self.read():
            pass
        os.close(self._ours)
        return self.process.wait()


def test_it_looks_once_between_pipes_and_ends_with_ctrl_c_alone(endless: Path) -> None:
    # Once in lines,
    done = run_apart(endless, "watch", "iris", "--root", endless)
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert re.fullmatch(r"iris: retraining, begun \d\d:\d\d:\d\d UTC", lines[0])
    row = re.match(r"s sgd +[\d.]+ +[\d,]+/1,000,000 +(\S+) ", lines[3])
    # How low the loss is by now depends on the machine, and so does the number of its digits.
    assert row is not None
    assert 0 < float(row[1]) < 10
    assert "answers of sgd" in done.out
    assert max(map(len, lines)) <= 80
    assert "\x1b" not in done.out
    # once in JSON,
    found = json.loads(run_apart(endless, "watch", "iris", "--json", "--root", endless).out)
    (training,) = found["trainings"]
    assert training["training"] == "sgd"
    assert [layer["units"] for layer in training["layers"]] == [16, 4, 0]
    # and again and again on a terminal, until Ctrl-C, of which the retraining hears nothing.
    terminal = Terminal(endless)
    terminal.read_until("answers of sgd", times=4)
    assert b"\x1b[1;38;" in terminal.raw
    assert is_watched(endless / "artifacts/iris")
    os.killpg(terminal.process.pid, signal.SIGINT)
    assert terminal.end() == 0
    assert "Traceback" not in terminal.text
    assert "interrupted" not in terminal.text
    # The cursor that was hidden is shown again.
    assert terminal.raw.rindex(b"\x1b[?25h") > terminal.raw.rindex(b"\x1b[?25l")
    assert [run.what for run in working(endless / "artifacts/iris")] == ["retrain"]
    # It does not go on publishing for nobody.
    assert not is_watched(endless / "artifacts/iris")


def test_it_ends_with_the_retraining_and_leaves_the_last_picture(endless: Path) -> None:
    terminal = Terminal(endless, NO_COLOR="1")
    terminal.read_until("answers of sgd")
    retraining = int((endless / "artifacts/iris/.retraining.lock").read_text())
    os.kill(retraining, signal.SIGTERM)
    assert terminal.end() == 0
    last = terminal.text[terminal.text.rindex("iris: the retraining has ended") :]
    assert "answers of sgd" in last
    # Styles may be bold, but have no colour.
    assert not re.search(rb"\x1b\[[0-9;]*(?:38;|3[0-7])[0-9;]*m", terminal.raw)
    assert not snapshot_path(endless / "artifacts/iris", "sgd").exists()


def test_the_page_of_the_documentation_is_what_is_shown(
    ffn: Callable[..., Done], trained: Path, repository: Path
) -> None:
    page = (repository / "docs/watch.md").read_text("utf-8")
    documented = page.partition("```text\n")[2].partition("```")[0].splitlines()
    shown = ffn("watch", "iris", "--version", 1, "--root", trained).out.splitlines()
    # Another processor may round otherwise, and a letter at a boundary may change.
    assert len(shown) == len(documented)
    pairs = zip("\n".join(shown), "\n".join(documented), strict=False)
    different = sum(one != other for one, other in pairs)
    assert different < 0.02 * len("\n".join(documented))


def test_a_retraining_shows_itself_and_then_its_result(root: Path) -> None:
    terminal = Terminal(root, "retrain", "iris", "--direct", "--watch")
    assert terminal.end() == 0
    assert "answers of " in terminal.text
    shown, _, printed = terminal.text.rpartition("iris: the retraining has ended")
    assert "iris, version 1: validation of the optimizers" not in shown
    assert "iris, version 1: validation of the optimizers" in printed


def test_off_a_terminal_there_is_nothing_to_watch_a_retraining_on(root: Path) -> None:
    done = run_apart(root, "retrain", "iris", "--direct", "--watch", "--json", "--root", root)
    assert (done.code, done.err) == (0, "")
    assert json.loads(done.out)["version"] == 1
    assert not (root / "artifacts/iris/.watch").exists()
