"""Retraining, promoting, rolling back and pruning, ended at every system call that changes a file.

Outside the normal suite, since it takes minutes: ``make crash-test``. Each command is traced once.
Then, for every call it made that changes something below the root, it starts anew from the same
state and is killed at that call, or told there that the disk is full. After each: every version
is whole, the pointer names one that loads, history and pointer agree, and the state is the one
before, the one after, or one that stands between two steps that are meant to be steps. Then the
same command is given again, has to succeed, and leaves the files that it leaves undisturbed.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
import world
from tracing import Point, run, strace_is_there

FAULTS = {"killed": "signal=SIGKILL", "disk full": "error=ENOSPC"}
_TRIES = 3


@dataclass(frozen=True)
class Job:
    name: str
    fault: str
    template: Path
    kinds: frozenset[str]
    points: tuple[Point, ...]
    place: int


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    assert strace_is_there(), "strace is needed; make crash-test installs it"
    root = tmp_path_factory.mktemp("crash") / "template"
    world.build(root)
    assert world.state(root) == world.BEFORE
    return root


def twice(command: world.Command, template: Path, root: Path) -> tuple[tuple[Point, ...], set[str]]:
    """Return what an undisturbed run does, and the files there after another one."""
    world.fresh(template, root)
    first = run(command.work(root), root.with_suffix(".log"), root)
    assert first.code == 0, first.output
    assert world.problems(root, command.states[-1:]) == []
    second = run(command.work(root), root.with_suffix(".log"), root)
    assert second.code == 0, second.output
    return first.points, world.kinds_of_files(root)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", world.COMMANDS)
def test_every_point(name: str, fault: str, template: Path, capsys) -> None:
    command = world.COMMANDS[name]
    root = template.parent / "undisturbed"
    points, kinds = twice(command, template, root)
    assert len(points) > 10
    workers = os.cpu_count() or 1
    jobs = [
        Job(name, fault, template, frozenset(kinds), points[place::workers], place)
        for place in range(workers)
    ]
    with multiprocessing.get_context("fork").Pool(workers) as pool:
        outcomes = [outcome for found in pool.imap(work, jobs) for outcome in found]
    wrong = [outcome for outcome in outcomes if outcome]
    with capsys.disabled():
        calls = ", ".join(f"{n} {c}" for c, n in Counter(p.call for p in points).most_common())
        print(
            f"\n{name}, {fault}: {len(outcomes) - len(wrong)} of {len(points)} ({calls})", end=" "
        )
        print(*wrong, sep="\n")
    assert wrong == []
    assert len(outcomes) == len(points)


def work(job: Job) -> list[str]:
    """Go through some of the points; returns for each what was wrong, or an empty text."""
    return [at(point, job) for point in job.points]


def at(point: Point, job: Job) -> str:
    command = world.COMMANDS[job.name]
    with tempfile.TemporaryDirectory(dir=job.template.parent, prefix=f"{job.place}-") as folder:
        root, log = Path(folder) / "root", Path(folder) / "log"
        inject = f"{point.call}:{FAULTS[job.fault]}:when={point.number}"
        for _ in range(_TRIES):
            world.fresh(job.template, root)
            ended = run(command.work(root), log, root, inject)
            if met(point, job.fault, ended.points, ended.last, root):
                break
        else:
            return f"{point}: never met; the last call was {ended.last}"
        found = []
        if job.fault == "killed" and ended.code != -signal.SIGKILL:
            found.append(f"it ended with {ended.code}")
        if job.fault != "killed" and (ended.code not in (0, 1) or "Traceback" in ended.output):
            found.append(f"it ended with {ended.code}: {ended.output}")
        # Done is what it says is done.
        done = command.states[-1:] if ended.code == 0 else command.states
        found += world.problems(root, done)
        again = run(command.work(root), log, root)
        if again.code:
            found.append(f"given again, it ended with {again.code}: {again.output}")
        found += world.problems(root, None)
        found += [f"left: {name}" for name in sorted(world.kinds_of_files(root) - job.kinds)]
        return f"{point}: {'; '.join(found)}" if found else ""


def met(point: Point, fault: str, points: tuple[Point, ...], last: str, root: Path) -> bool:
    """Say whether the fault struck the call it was meant for."""
    if fault == "killed":
        return last.startswith(f"{point.call}(") and str(root) in last
    return point in points
