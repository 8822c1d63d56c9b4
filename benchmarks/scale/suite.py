"""Scores the same file in one process, in several, and on clusters of the loopback, in turns.

One cluster runs at a time, since an idle one takes time, too; and another one in each round, since
one start is unlike another. One process is measured beside each, and a side is compared with it in
the same round: the machine may be slower an hour later.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.machine import describe_machine
from benchmarks.scale.families import Counted, adopt_orphans, run_counted
from benchmarks.scale.loopback_clusters import Cluster, dask_cluster, is_apart, ray_cluster
from benchmarks.scale.measured import ONE_PROCESS, SIDES, WATCHED, Found, Pair, rates_document
from benchmarks.scale.page import with_capacity
from benchmarks.scale.prefect_runs import runs_an_hour
from benchmarks.scale.tables import memory_table, parts_verdict, sides_table, tasks_table
from benchmarks.scoring.data import write_rows
from benchmarks.section import Section
from ffn.capacity.rates import RATES_FILE, known_rates, read_rates

__all__ = ["FULL", "QUICK", "Extent", "missing", "run"]

_PACKAGES = ("numpy", "distributed", "ray", "prefect")


@dataclass(frozen=True, kw_only=True)
class Extent:
    """How much is measured.

    Attributes
    ----------
    short, long
        Rows of the two files that each side scores, multiples of 50,000; both are long enough to
        be divided.
    rounds
        Of all sides.
    copies
        How many times the long file is in the files whose scoring is watched for its memory.
    tasks
        Empty tasks that a cluster is given; and once a tenth of them.
    bursts
        Whether runs of Prefect's are submitted together; otherwise the known figures stay.
    """

    short: int
    long: int
    rounds: int
    copies: tuple[int, ...]
    tasks: int
    bursts: bool


# The short file is two parts, so that it takes two processes as well.
FULL = Extent(short=4_000_000, long=36_000_000, rounds=3, copies=(1, 3), tasks=500, bursts=True)
QUICK = Extent(short=1_000_000, long=2_000_000, rounds=1, copies=(1,), tasks=100, bursts=False)


def missing() -> list[str]:
    """Return what a whole run needs and is not there."""
    gone = [name for name in ("distributed", "ray") if not find_spec(name)]
    return gone if is_apart() else [*gone, "a network of the loopback alone is"]


def run(root: Path, extent: Extent) -> Section:
    """Measure, check, and return the section of the page, and the rates of `ffn capacity`.

    Raises
    ------
    RuntimeError
        A side wrote other bytes than the first one.
    """
    adopt_orphans()
    build = root / "build"
    build.mkdir(exist_ok=True)
    with TemporaryDirectory(dir=build, prefix="scale-") as scratch:
        bench = _Bench(root, Path(scratch), extent)
        bench.train()
        bench.write_files()
        for cluster in dict.fromkeys(cluster for _, cluster in SIDES.values()):
            for number in range(extent.rounds):
                with bench.running(cluster):
                    bench.measure_sides(cluster, number)
                    if number == extent.rounds - 1:
                        bench.measure_tasks(cluster)
                        bench.watch_memory(cluster)
        if extent.bursts:
            _tell("scale, runs of Prefect's")
        bench.found.prefect = (
            runs_an_hour(root) if extent.bursts else dict(known_rates().runs_an_hour)
        )
    found = bench.found
    machine = describe_machine(_PACKAGES)
    parts = [
        f"{machine}. CPU seconds are user and system time of all processes. A cluster runs before "
        "the command is started: a Dask scheduler or Ray's processes, and two workers with one "
        "thread each, on the loopback, started anew for each round; the others do not run "
        "meanwhile. In each round one process and the sides of a cluster score in turns, and each "
        "side is compared with this process.",
        sides_table(found),
        parts_verdict(found),
        tasks_table(found),
        memory_table(found),
    ]
    rates = rates_document(found, machine)
    page = root / "docs/scale.md"
    text = with_capacity(page.read_text("utf-8"), read_rates(rates))
    files = {RATES_FILE.relative_to(root): rates, page.relative_to(root): text.encode()}
    return Section(text="\n\n".join(parts), files=files)


class _Bench:
    def __init__(self, root: Path, scratch: Path, extent: Extent) -> None:
        self.root, self.scratch, self.extent = root, scratch, extent
        self.hidden = scratch / "hidden"
        self.found = Found()
        self._cluster: Cluster | None = None
        self._written: dict[tuple[str, str], dict[str, str]] = {}

    def train(self) -> None:
        """Make the model anew."""
        shutil.copytree(self.root / "data/iris", self.scratch / "data/iris")
        settings = self.scratch / "data/iris/pipeline.toml"
        # On a busy machine, Ray takes long to start a worker.
        settings.write_text(f'{settings.read_text("utf-8")}\n[runner]\nwait = "10m"\n')
        where = ("--root", str(self.scratch))
        run_counted(self.root, "-m", "flows", "retrain", "iris", "--direct", *where)

    def write_files(self) -> None:
        """Write the short and the long file where a worker without the disk does not see them."""
        self.hidden.mkdir()
        for name, rows in (("short", self.extent.short), ("long", self.extent.long)):
            path = self.hidden / f"{name}.csv"
            write_rows("variable-width", rows, path)
            self.found.rows[name], self.found.bytes[name] = rows, path.stat().st_size

    @contextlib.contextmanager
    def running(self, cluster: str) -> Iterator[None]:
        """Run a cluster of `SIDES` while the block runs; none if its name is empty."""
        with contextlib.ExitStack() as stack:
            if cluster == "Ray":
                self._cluster = stack.enter_context(ray_cluster(self.root))
            elif cluster:
                hidden = self.hidden if "no shared disk" in cluster else None
                folder = Path(stack.enter_context(TemporaryDirectory(dir=self.scratch)))
                self._cluster = stack.enter_context(dask_cluster(folder, self.root, hidden=hidden))
            yield
            self._cluster = None

    def measure_sides(self, cluster: str, number: int) -> None:
        """Have one process and the sides of a cluster score both files in turns, in one round.

        What each does first does not count: workers import what they need.
        """
        sides = [ONE_PROCESS]
        sides += [name for name in SIDES if SIDES[name][1] == cluster and name != ONE_PROCESS]
        turns = (*sides[number % len(sides) :], *sides[: number % len(sides)])
        for length, counts in (("short", False), ("short", True), ("long", True)):
            done = {}
            for side in turns:
                _tell(f"scale, round {number + 1}: {side}, the {length} file")
                done[side] = self._score(side, f"{length}.csv", cluster)
            for side in sides if counts else ():
                if side != ONE_PROCESS or not cluster:
                    pair = Pair(done[ONE_PROCESS], done[side])
                    self.found.runs.setdefault((side, length), []).append(pair)

    def measure_tasks(self, cluster: str) -> None:
        """Have a cluster compute nothing."""
        if self._cluster is None or cluster not in ("Dask", "Ray"):
            return
        _tell(f"scale, empty tasks: {cluster}")
        few, many = (
            run_counted(
                self.root,
                "-m",
                "benchmarks.scale.empty_tasks",
                cluster.lower(),
                self._cluster.options[-1],
                str(tasks),
                of_cluster=self._cluster.has,
            )
            for tasks in (self.extent.tasks // 10, self.extent.tasks)
        )
        self.found.tasks[cluster] = (few, many, self.extent.tasks - self.extent.tasks // 10)

    def watch_memory(self, cluster: str) -> None:
        """Score longer and longer files on a cluster."""
        watched = [side for side in WATCHED if WATCHED[side][1] == cluster]
        for copies in self.extent.copies if watched else ():
            source = self.hidden / f"copies-{copies}.csv"
            with (self.hidden / "long.csv").open("rb") as long, source.open("wb") as file:
                header = long.readline()
                file.write(header)
                for _ in range(copies):
                    long.seek(len(header))
                    shutil.copyfileobj(long, file)
            for side in watched:
                _tell(f"scale, {source.stat().st_size / 1e9:.1f} GB: {side}")
                done = self._score(side, source.name, cluster)
                self.found.memory[side, source.stat().st_size] = done
            source.unlink()

    def _score(self, side: str, name: str, cluster: str) -> Counted:
        """Have a side score a file beside a cluster that runs, whether it is the side's or not."""
        options, its = (SIDES | WATCHED)[side]
        own = self._cluster if its and its == cluster else None
        # A worker without the disk sees no output either.
        out = self.hidden / "out"
        output = out / ("parts" if "--partitioned" in options else "out.csv")
        shutil.rmtree(out, ignore_errors=True)
        # What the last side has written would be put on the disk beside this one.
        os.sync()
        done = run_counted(
            self.root,
            *("-m", "flows", "score", "iris", str(self.hidden / name), *options),
            *("--output", str(output), "--root", str(self.scratch)),
            *(own.options if own else ()),
            *("--direct", "--json"),
            of_cluster=own.has if own else lambda _: False,
        )
        self._check(side, name, output)
        return done

    def _check(self, side: str, name: str, output: Path) -> None:
        """Compare what a side wrote of a file with what the first one wrote."""
        paths = sorted(output.iterdir()) if output.is_dir() else [output]
        found = {path.name: _digest(path) for path in paths}
        if self._written.setdefault((name, output.name), found) != found:
            raise RuntimeError(f"{side}: other bytes than those of the first side")
        if name == "long.csv" and output.is_file():
            self.found.written = output.stat().st_size


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _tell(text: str) -> None:
    sys.stderr.write(f"{text}\n")
