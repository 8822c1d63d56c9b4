"""Runs the growth benchmark: tables of more and more rows, and one larger than memory."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.growth.mixed_table import TARGET, write_mixed_table
from benchmarks.growth.picture import picture
from benchmarks.growth.table_file import write_pipeline
from benchmarks.growth.tables import (
    NewPipeline,
    Size,
    growth_table,
    large_table,
    new_pipelines_table,
)
from benchmarks.growth.watching import Watched, watch
from benchmarks.machine import describe_machine
from benchmarks.section import Section

__all__ = ["FULL", "QUICK", "Extent", "missing", "run"]

_PACKAGES = ("numpy", "scikit-learn")
# The CSV, its numbers as float64, the inputs as float32, what is beside them.
_LARGE_BYTES = 24_000_000_000


@dataclass(frozen=True, kw_only=True)
class Extent:
    """Which tables are measured.

    Attributes
    ----------
    rows, features
        Of the tables whose growth is shown.
    large
        Rows and features of the table that is larger than the memory allowed, or None.
    new
        Rows and columns of the tables on which new pipelines are retrained as they are.
    """

    rows: tuple[int, ...]
    features: int
    large: tuple[int, int] | None
    new: tuple[tuple[int, int], ...] = ()


FULL = Extent(
    rows=(10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000, 10_000_000),
    features=8,
    large=(20_000_000, 54),
    new=(
        *((rows, 20) for rows in (1_000, 4_000, 10_000, 30_000, 100_000, 300_000, 1_000_000)),
        (100_000, 50),
    ),
)
QUICK = Extent(rows=(1_000, 4_000), features=3, large=None, new=((200, 3),))


def missing() -> list[str]:
    """Return nothing: there is no peer."""
    return []


def run(root: Path, extent: Extent) -> Section:
    """Measure and return the section of the page."""
    sizes = []
    for rows in extent.rows:
        _tell(f"growth: {rows:,} rows")
        (watched,) = _retrain(root, rows, extent.features, workers=(0,))
        sizes.append(Size(rows=rows, watched=watched))
    new = [_new_pipeline(root, rows, columns) for rows, columns in extent.new]
    parts = [
        f"{describe_machine(_PACKAGES)}.",
        new_pipelines_table(new),
        "![CPU seconds and private memory by rows, both axes logarithmic](growth.png)",
        "**Long tables, a small network.** One process and one BLAS thread for each table, which "
        f"is sorted by class: {extent.features} features, 7 classes, layers 32 and 16, one epoch "
        "in batches of 1,024, two optimizers with two networks each, a refit of two more. CPU "
        "seconds are user and system time without imports. Private memory, with imports, is memory "
        "not backed by a file (`RssAnon`). With at most 2,000 held-out rows, the interval of their "
        "log-loss is bootstrapped, which takes more memory than the table.",
        growth_table(sizes),
        _large(root, extent),
    ]
    return Section(
        text="\n\n".join(filter(None, parts)), pictures={"growth.png": picture(sizes, new)}
    )


def _new_pipeline(root: Path, rows: int, columns: int) -> NewPipeline:
    """Retrain a pipeline as ``ffn init`` writes it, on a new table."""
    from ffn.profiling.scaffold import create_pipeline

    _tell(f"growth: a new pipeline on {rows:,} rows of {columns} columns")
    build = root / "build"
    build.mkdir(exist_ok=True)
    with TemporaryDirectory(dir=build, prefix="growth-") as scratch:
        table = Path(scratch) / "table.csv"
        write_mixed_table(table, rows, columns)
        create_pipeline("table", source=table, target=TARGET, root=Path(scratch))
        watched = watch("benchmarks.growth.defaults", scratch, root=root)
    return NewPipeline(rows=rows, columns=columns, watched=watched)


def _large(root: Path, extent: Extent) -> str:
    if extent.large is None:
        return ""
    rows, features = extent.large
    if shutil.disk_usage(root).free < _LARGE_BYTES:
        return f"Larger than memory: not measured, {_LARGE_BYTES / 1e9:.0f} GB of disk are needed."
    _tell(f"growth: {rows:,} rows of {features} features")
    first, second = _retrain(root, rows, features, workers=(1, 2))
    if first.found["digest"] != second.found["digest"]:
        raise RuntimeError("two workers gave other figures than one")
    return large_table(rows, features, {1: first, 2: second})


def _retrain(root: Path, rows: int, features: int, workers: tuple[int, ...]) -> list[Watched]:
    """Retrain on a new table, once for each count of workers; all but the first find the cache."""
    build = root / "build"
    build.mkdir(exist_ok=True)
    with TemporaryDirectory(dir=build, prefix="growth-") as scratch:
        write_pipeline(Path(scratch) / "data" / "table", rows, features)
        return [
            watch("benchmarks.growth.steps", scratch, str(count), root=root) for count in workers
        ]


def _tell(text: str) -> None:
    sys.stderr.write(f"{text}\n")
