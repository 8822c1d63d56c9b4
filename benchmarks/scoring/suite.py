"""Runs the scoring benchmark: shapes of rows, lengths of files, processes, many files."""

from __future__ import annotations

import filecmp
import shutil
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.machine import describe_machine
from benchmarks.rounds import Measured
from benchmarks.scoring.agreement import check_agreement
from benchmarks.scoring.data import write_rows
from benchmarks.scoring.processes import Finished, run_program, run_side
from benchmarks.scoring.tables import Found, full_table, targets_table
from benchmarks.section import Section
from ffn.tabular.csv.parsing.position import Counts

__all__ = ["FULL", "QUICK", "Extent", "missing", "run"]

_PACKAGES = ("numpy", "pandas", "scikit-learn", "polars")
_SHAPES = {
    "fixed-width": ("iris", ("pandas", "polars")),
    "variable-width": ("iris", ("pandas", "polars")),
    "categories": ("penguins", ("pandas",)),
}


@dataclass(frozen=True, kw_only=True)
class Extent:
    """How much is measured.

    Attributes
    ----------
    rows, rounds
        Of each shape, all sides in turns.
    lengths
        Rows of the files whose memory is watched; multiples of ``rows``.
    divided, own_rounds
        Rows of the files, multiples of ``rows``, that two processes score; rounds of that.
    files, singles
        Files scored by one command, and how many of them also by a command each.
    """

    rows: int
    rounds: int
    lengths: tuple[int, ...]
    divided: tuple[int, ...]
    own_rounds: int
    files: int
    singles: int


FULL = Extent(
    rows=10_000_000,
    rounds=3,
    lengths=(1_000_000, 10_000_000, 100_000_000),
    divided=(10_000_000, 40_000_000),
    own_rounds=7,
    files=1000,
    singles=20,
)
QUICK = Extent(
    rows=50_000, rounds=1, lengths=(50_000,), divided=(50_000,), own_rounds=1, files=5, singles=1
)


def missing() -> list[str]:
    """Return the packages that a whole run needs and that are not installed."""
    return [] if find_spec("polars") else ["polars"]


def run(root: Path, extent: Extent) -> Section:
    """Measure, check, and return tables and picture.

    Raises
    ------
    DisagreementError
        Somebody labelled other rows, or otherwise.
    """
    build = root / "build"
    build.mkdir(exist_ok=True)
    with TemporaryDirectory(dir=build, prefix="scoring-") as scratch:
        bench = _Bench(root, Path(scratch), extent)
        bench.train()
        for shape in _SHAPES:
            bench.measure(shape)
        bench.compare_ours()
        bench.watch_memory()
        bench.score_many_files()
    found = bench.found
    pictures = {}
    parts = [
        f"{describe_machine(_PACKAGES)}. Each side in a process of its own, with one thread, in "
        "turns; CPU time is user and system, imports included. Labels and confidences are compared "
        "row by row first.",
        targets_table(found),
        full_table(found),
    ]
    if extent.rounds > 1:
        from benchmarks.scoring.picture import picture

        parts.insert(2, "![CPU seconds a million rows, each side of each shape](scoring.png)")
        pictures["scoring.png"] = picture(found.shapes, extent.rows)
    return Section(text="\n\n".join(parts), pictures=pictures)


class _Bench:
    def __init__(self, root: Path, scratch: Path, extent: Extent) -> None:
        self.root, self.scratch, self.extent = root, scratch, extent
        self.found = Found(rows=extent.rows, files=extent.files)

    def train(self) -> None:
        """Make both models anew."""
        for pipeline in ("iris", "penguins"):
            shutil.copytree(self.root / "data" / pipeline, self.scratch / "data" / pipeline)
            arguments = ("retrain", pipeline, "--direct", "--root", str(self.scratch))
            run_program(self.root, "-m", "flows", *arguments)

    def measure(self, shape: str) -> None:
        """Have all sides label the same file in turns."""
        pipeline, peers = _SHAPES[shape]
        peers = tuple(peer for peer in peers if peer != "polars" or not missing())
        source = self.scratch / f"{shape}.csv"
        write_rows(shape, self.extent.rows, source)
        runs = self._in_turns(shape, ("ours", *peers), pipeline, source, self.extent.rounds)
        seconds = {side: np.array([one.cpu for one in own]) for side, own in runs.items()}
        self.found.shapes[shape] = Measured(work=shape, seconds=seconds)
        self.found.peaks[shape] = {
            side: max(one.found["peak"] for one in own) for side, own in runs.items()
        }
        self.found.blocks[shape] = Counts(**runs["ours"][0].found["blocks"])
        self._clear()

    def compare_ours(self) -> None:
        """Label with two processes, and without comparing rows with training's."""
        source = self.scratch / "ours.csv"
        for rows in self.extent.divided:
            write_rows("fixed-width", rows, source)
            work, sides = f"{rows:,} rows", ("ours", "two processes")
            runs = self._in_turns(work, sides, "iris", source, self.extent.own_rounds)
            walls = {side: np.array([one.wall for one in own]) for side, own in runs.items()}
            self.found.two_processes[rows] = walls["ours"] / walls["two processes"]
            if rows == self.extent.rows:
                _tell(f"scoring {source.name}, {work}: comparison")
                found = self._label("comparison", "iris", source).found
                self.found.comparison = 1 - np.array(found["off"]) / np.array(found["warn"])
            self._clear()

    def _in_turns(
        self, work: str, sides: tuple[str, ...], pipeline: str, source: Path, rounds: int
    ) -> dict[str, list[Finished]]:
        """Have all sides label a file so many times; check what they wrote once."""
        runs: dict[str, list[Finished]] = {side: [] for side in sides}
        for number in range(rounds):
            for side in (*sides[number % len(sides) :], *sides[: number % len(sides)]):
                _tell(f"scoring {source.name}, {work}: {side}")
                runs[side].append(self._label(side, pipeline, source))
            if not number:
                self._check(work, sides, runs)
        return runs

    def _clear(self) -> None:
        for path in self.scratch.glob("*.csv*"):
            path.unlink()

    def _label(self, side: str, pipeline: str, source: Path) -> Finished:
        bundle = self.scratch / "artifacts" / pipeline / "models" / "0001" / "bundle"
        return run_side(self.root, side, bundle, source, self._output(side))

    def _output(self, side: str) -> Path:
        return self.scratch / f"{side.replace(' ', '-')}.out.csv"

    def _check(self, work: str, sides: tuple[str, ...], runs: dict[str, list[Finished]]) -> None:
        ours = runs["ours"][0].found
        for side in sides[1:]:
            theirs = runs[side][0].found
            if any(theirs[key] != ours[key] for key in ("rows", "rejected")):
                raise RuntimeError(f"{work}: {side} found {theirs}, we {ours}")
            if side == "two processes":
                if not filecmp.cmp(self._output("ours"), self._output(side), shallow=False):
                    raise RuntimeError(f"{work}: two processes wrote other bytes than one")
            else:
                check_agreement(f"{work}: {side}", self._output("ours"), self._output(side))

    def watch_memory(self) -> None:
        """Label longer and longer files, by ourselves."""
        source = self.scratch / "long.csv"
        for rows in self.extent.lengths:
            _tell(f"scoring {rows:,} rows: memory")
            write_rows("fixed-width", rows, source)
            self.found.lengths[rows] = self._label("ours", "iris", source)
            self._clear()

    def score_many_files(self) -> None:
        """Label many small files with one command, and some with one each."""
        folder = self.scratch / "many"
        folder.mkdir()
        flowers = self.scratch / "flowers.csv"
        write_rows("fixed-width", 50_000, flowers)
        header, *lines = flowers.read_text().splitlines(keepends=True)
        for number in range(self.extent.files):
            rows = lines[100 * number % 50_000 :][:100]
            (folder / f"{number:04d}.csv").write_text(header + "".join(rows))
        _tell(f"scoring {self.extent.files:,} files: one command")
        self.found.many = self._score(folder, "all")
        _tell(f"scoring {self.extent.singles:,} files: one command each")
        singles = [
            self._score(folder / f"{number:04d}.csv", "single").cpu
            for number in range(self.extent.singles)
        ]
        self.found.single = np.array(singles)

    def _score(self, source: Path, output: str) -> Finished:
        into = f"{self.scratch / output}/"
        arguments = ("score", "iris", str(source), "--output", into, "--direct", "--json")
        return run_program(self.root, "-m", "flows", *arguments, "--root", str(self.scratch))


def _tell(text: str) -> None:
    sys.stderr.write(f"{text}\n")
