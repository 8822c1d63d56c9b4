"""Killed at any point, the next evaluation neither loses nor doubles a row."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

import ffn
from tests.monitoring.conftest import change_settings, labels, rows, scored
from tests.training_history.test_appending import history, train

# An audit hook is called before what it is told of happens.
KILLED = """
import os, signal, sys
import ffn

root, point, labels = sys.argv[1:]
renamed = False


def hook(event, args):
    global renamed
    now = ""
    if event == "open" and ".tmp" in str(args[0]) and f"{root}/data/flow" in str(args[0]):
        now = "" if "x" in str(args[1]) else "reading"
    if event == "os.rename" and str(args[1]).endswith("train.csv"):
        now, renamed = "renaming", True
    if event == "sqlite3.connect" and renamed:
        now = "noting"
    if now == point:
        os.kill(os.getpid(), signal.SIGKILL)


sys.addaudithook(hook)
ffn.evaluate("flow", labels, root=root)
"""


@pytest.mark.parametrize(
    ("point", "with_ids"),
    [("reading", False), ("renaming", True), ("noting", True), ("noting", False)],
)
def test_every_row_is_there_once_after_a_kill(root: Path, point: str, with_ids: bool) -> None:
    found = rows(12, 40, first=1000)
    if not with_ids:
        # The training table has no column of ids, so rows are known by their content.
        change_settings(root, 'exclude = ["id"]\n', "")
        lines = [line.partition(",")[2] for line in train(root).read_text().splitlines()]
        train(root).write_text("\n".join(lines) + "\n")
    before = train(root).read_text()
    after = before + "".join(",".join(row[not with_ids :]) + "\n" for row in found)
    scored(root, found)
    given = labels(root, found)
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, str(root), point, str(given)], check=False, timeout=120
    )
    assert ended.returncode == -signal.SIGKILL
    assert train(root).read_text() == (after if point == "noting" else before)
    outcome = ffn.evaluate("flow", root=root)
    assert train(root).read_text() == after
    there = 12 if point == "noting" else 0
    assert (history(outcome).appended, history(outcome).there) == (12 - there, there)
    assert history(ffn.evaluate("flow", given, root=root)).sentence == ""
    assert train(root).read_text() == after
    assert not [path for path in train(root).parent.iterdir() if path.name.endswith(".tmp")]
