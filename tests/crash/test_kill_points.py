"""Commands that change the registry or the record, ended at every call that changes a file.

Outside the normal suite, since it takes minutes: ``make crash-test``. Each command is traced once.
Then, for every call it made that changes something below the root, it starts anew from the same
state and is killed at that call, or told there that the disk is full. After each: every version
is whole, the pointer names one that loads, history and pointer agree, and the state is the one
before, the one after, or one that stands between two steps that are meant to be steps. Then the
same command is given again, once for each state that was left, has to succeed, and leaves the
files that it leaves undisturbed.
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

from tests.crash import world
from tests.crash.tracing import Point, run, strace_is_there

FAULTS = {"killed": "signal=SIGKILL", "disk full": "error=ENOSPC"}
_TRIES = 3


@dataclass(frozen=True)
class Job:
    """Every ``of``-th point of a command, from the ``place``-th on."""

    name: str
    fault: str
    template: Path
    place: int
    of: int


@dataclass(frozen=True)
class Outcome:
    """How many points there are, how many of them were gone through, and what was wrong."""

    points: tuple[Point, ...]
    done: int
    states: int
    wrong: tuple[str, ...]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    assert strace_is_there(), "strace is needed; make crash-test installs it"
    root = tmp_path_factory.mktemp("crash") / "template"
    world.build(root)
    assert world.state(root) == world.BEFORE
    return root


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", world.COMMANDS)
def test_every_point(name: str, fault: str, template: Path, capsys) -> None:
    workers = os.cpu_count() or 1
    jobs = [Job(name, fault, template, place, workers) for place in range(workers)]
    with multiprocessing.get_context("fork").Pool(workers) as pool:
        outcomes = list(pool.imap(work, jobs))
        # Not terminated: its processes inherit how the command takes SIGTERM.
        pool.close()
        pool.join()
    points = outcomes[0].points
    wrong = [what for outcome in outcomes for what in outcome.wrong]
    done = sum(outcome.done for outcome in outcomes)
    states = sum(outcome.states for outcome in outcomes)
    with capsys.disabled():
        calls = ", ".join(f"{n} {c}" for c, n in Counter(p.call for p in points).most_common())
        print(f"\n{name}, {fault}: {done - len(wrong)} of {len(points)} points sound ({calls}),")
        print(f"and the next run from each of {states} states that they left", *wrong, sep="\n")
    assert wrong == []
    assert done == len(points) > 10


def work(job: Job) -> Outcome:
    """Go through some of the points."""
    command = world.COMMANDS[job.name]
    with tempfile.TemporaryDirectory(dir=job.template.parent, prefix=f"{job.place}-") as folder:
        root = Path(folder) / "root"
        points, kinds = twice(command, job.template, root)
        own = points[job.place :: job.of]
        recovered: set[frozenset[tuple[str, int]]] = set()
        found = [at(point, job, root, kinds, recovered) for point in own]
    return Outcome(points, len(own), len(recovered), tuple(text for text in found if text))


def twice(command: world.Command, template: Path, root: Path) -> tuple[tuple[Point, ...], set[str]]:
    """Return what an undisturbed run does, and the files there after another one."""
    world.fresh(template, root)
    first = run(command.work(root), root.with_suffix(".log"), root)
    assert first.code == 0, first.output
    assert world.problems(root, command.states[-1:]) == []
    second = run(command.work(root), root.with_suffix(".log"), root)
    assert second.code == 0, second.output
    return first.points, world.kinds_of_files(root)


def at(
    point: Point,
    job: Job,
    root: Path,
    kinds: set[str],
    recovered: set[frozenset[tuple[str, int]]],
) -> str:
    """Have the fault strike at a point; returns what was wrong after it, or an empty text."""
    command, log = world.COMMANDS[job.name], root.with_suffix(".log")
    inject = f"{point.call}:{FAULTS[job.fault]}:when={point.number}"
    for _ in range(_TRIES):
        world.fresh(job.template, root)
        ended = run(command.work(root), log, root, inject)
        struck = ended.points[-1:] if job.fault == "killed" else ended.points
        if point in struck and (job.fault != "killed" or f"{point.call}(" in ended.last):
            break
    else:
        return f"{point}: never met; the last call was {ended.last}"
    found = []
    if job.fault == "killed" and ended.code != -signal.SIGKILL:
        found.append(f"it ended with {ended.code}")
    if job.fault != "killed" and ended.code not in (0, 1):
        found.append(f"it ended with {ended.code}: {ended.output}")
    # Done is what it says is done.
    found += world.problems(root, command.states[-1:] if ended.code == 0 else command.states)
    left = world.shape(root)
    if left not in recovered:
        again = run(command.work(root), log, root)
        if again.code:
            found.append(f"given again, it ended with {again.code}: {again.output}")
        found += world.problems(root, None)
        found += [f"left: {name}" for name in sorted(world.kinds_of_files(root) - kinds)]
        recovered.add(left)
    return f"{point}: {'; '.join(found)}" if found else ""
