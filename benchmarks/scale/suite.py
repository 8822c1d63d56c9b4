"""Scores the same file in one process, in several, and on clusters of the loopback, in turns."""

from __future__ import annotations

import contextlib
import filecmp
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
from benchmarks.scale.measured import SIDES, WATCHED, Found, rates_document
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
FULL = Extent(short=4_000_000, long=12_000_000, rounds=3, copies=(1, 3, 9), tasks=500, bursts=True)
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
        with bench.clusters():
            bench.measure_sides()
            bench.measure_tasks()
            bench.watch_memory()
        if extent.bursts:
            _tell("scale, runs of Prefect's")
        bench.found.prefect = (
            runs_an_hour(root) if extent.bursts else dict(known_rates().runs_an_hour)
        )
    found = bench.found
    machine = describe_machine(_PACKAGES)
    parts = [
        f"{machine}. CPU seconds are user and system time of all processes; each side in turns. "
        "A cluster runs before the command is started: a Dask scheduler or Ray's processes, and "
        "two workers with one thread each, on the loopback.",
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
        self.found = Found()
        self._clusters: dict[str, Cluster] = {}
        self._scored = 0

    def train(self) -> None:
        """Make the model anew."""
        shutil.copytree(self.root / "data/iris", self.scratch / "data/iris")
        settings = self.scratch / "data/iris/pipeline.toml"
        # On a busy machine, Ray takes long to start a worker.
        settings.write_text(f'{settings.read_text("utf-8")}\n[runner]\nwait = "10m"\n')
        where = ("--root", str(self.scratch))
        run_counted(self.root, "-m", "flows", "retrain", "iris", "--direct", *where)

    def write_files(self) -> None:
        """Write the short and the long file."""
        for name, rows in (("short", self.extent.short), ("long", self.extent.long)):
            path = self.scratch / f"{name}.csv"
            write_rows("variable-width", rows, path)
            self.found.rows[name], self.found.bytes[name] = rows, path.stat().st_size

    @contextlib.contextmanager
    def clusters(self) -> Iterator[None]:
        """Run the clusters while the block runs."""
        hidden = self.scratch / "hidden"
        hidden.mkdir()
        for name in ("short", "long"):
            os.link(self.scratch / f"{name}.csv", hidden / f"{name}.csv")
        with contextlib.ExitStack() as stack:

            def dask(name: str, unseen: Path | None) -> None:
                folder = self.scratch / name.replace(" ", "-")
                folder.mkdir()
                made = dask_cluster(folder, self.root, hidden=unseen)
                self._clusters[name] = stack.enter_context(made)

            dask("Dask", None)
            dask("Dask, no shared disk", hidden)
            others = tuple(self._clusters.values())

            def is_dask(pid: int) -> bool:
                return any(cluster.has(pid) for cluster in others)

            self._clusters["Ray"] = stack.enter_context(ray_cluster(self.root, is_dask))
            yield

    def measure_sides(self) -> None:
        """Have all sides score both files in turns; the first round does not count."""
        sides = list(SIDES)
        for number in range(self.extent.rounds + 1):
            for side in (*sides[number % len(sides) :], *sides[: number % len(sides)]):
                for length in ("short", "long") if number else ("short",):
                    _tell(f"scale, round {number}: {side}, the {length} file")
                    done = self._score(side, f"{length}.csv")
                    if number:
                        self.found.runs.setdefault((side, length), []).append(done)

    def measure_tasks(self) -> None:
        """Have clusters compute nothing."""
        for name in ("Dask", "Ray"):
            _tell(f"scale, empty tasks: {name}")
            cluster = self._clusters[name]
            few, many = (
                run_counted(
                    self.root,
                    "-m",
                    "benchmarks.scale.empty_tasks",
                    name.lower(),
                    cluster.options[-1],
                    str(tasks),
                    of_cluster=cluster.has,
                )
                for tasks in (self.extent.tasks // 10, self.extent.tasks)
            )
            self.found.tasks[name] = (few, many, self.extent.tasks - self.extent.tasks // 10)

    def watch_memory(self) -> None:
        """Score longer and longer files on a cluster."""
        for copies in self.extent.copies:
            # Seen by all but the workers without the disk.
            source = self.scratch / "hidden" / f"copies-{copies}.csv"
            with (self.scratch / "long.csv").open("rb") as long, source.open("wb") as file:
                header = long.readline()
                file.write(header)
                for _ in range(copies):
                    long.seek(len(header))
                    shutil.copyfileobj(long, file)
            for side in WATCHED:
                _tell(f"scale, {source.stat().st_size / 1e9:.1f} GB: {side}")
                done = self._score(side, source.name)
                self.found.memory[side, source.stat().st_size] = done
            source.unlink()

    def _score(self, side: str, name: str) -> Counted:
        options, cluster = (SIDES | WATCHED)[side]
        own = self._clusters.get(cluster)
        hidden = self.scratch / "hidden" / name
        source = hidden if hidden.exists() else self.scratch / name
        # A worker without the disk sees no output either.
        out = source.parent / "out"
        output = out / ("parts" if "--partitioned" in options else "out.csv")
        shutil.rmtree(out, ignore_errors=True)
        where = (
            "--output",
            str(output),
            "--root",
            str(self.scratch),
            *(own.options if own else ()),
        )
        done = run_counted(
            self.root,
            *("-m", "flows", "score", "iris", str(source), *options, *where),
            *("--direct", "--json"),
            of_cluster=own.has if own else lambda _: False,
        )
        self._check(side, name, output)
        return done

    def _check(self, side: str, name: str, output: Path) -> None:
        """Keep what the first side wrote of a file, and compare with it what others write."""
        kept = self.scratch / "kept" / name / output.name
        if not kept.exists():
            kept.parent.mkdir(parents=True, exist_ok=True)
            output.rename(kept)
            if kept.is_file() and name == "long.csv":
                self.found.written = kept.stat().st_size
            return
        if output.is_dir():
            names = sorted(path.name for path in kept.iterdir())
            _, other, failed = filecmp.cmpfiles(kept, output, names, shallow=False)
            same = not other and not failed and len(list(output.iterdir())) == len(names)
        else:
            same = filecmp.cmp(kept, output, shallow=False)
        if not same:
            raise RuntimeError(f"{side}: other bytes than those of the first side")


def _tell(text: str) -> None:
    sys.stderr.write(f"{text}\n")
