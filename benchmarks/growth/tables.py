"""The figures as Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.growth.watching import Watched

__all__ = ["Size", "growth_table", "large_table"]

_STEPS = ("load", "split", "normalise", "train", "refit", "evaluate")


@dataclass(frozen=True, kw_only=True)
class Size:
    """A table of so many rows, and what retraining on it took."""

    rows: int
    watched: Watched

    @property
    def seconds(self) -> float:
        """CPU seconds of all steps."""
        return sum(self.watched.found["seconds"].values())


def growth_table(sizes: list[Size]) -> str:
    """Return a line for each table."""
    lines = [
        "| rows | CPU seconds | microseconds a row | of them load / split / normalise / train / "
        "refit / evaluate | private memory at most | inputs, in a file |",
        "|--:|--:|--:|---|--:|--:|",
    ]
    for size in sizes:
        each = size.watched.found["seconds"]
        steps = " / ".join(f"{1e6 * each[step] / size.rows:.2f}" for step in _STEPS)
        lines.append(
            f"| {size.rows:,} | {size.seconds:.2f} | {1e6 * size.seconds / size.rows:.1f} "
            f"| {steps} | {_megabytes(size.watched.private)} "
            f"| {_megabytes(size.watched.found['inputs_bytes'])} |"
        )
    return "\n".join(lines)


def large_table(rows: int, features: int, by_workers: Mapping[int, Watched]) -> str:
    """Return what was found on a table larger than the memory allowed."""
    first = next(iter(by_workers.values()))
    lines = [
        f"**Larger than memory.** {rows:,} rows of {features} features, inputs of "
        f"{first.found['inputs_bytes'] / 1e9:.2f} GB as float32; training tasks in processes. The "
        "second run finds the table converted. Networks, losses and accuracies are the same to "
        "the bit.",
        "",
        f"| workers | {' | '.join(f'{step}, s' for step in _STEPS)} | private memory at most: "
        "largest process | all together |",
        f"|--:|{'--:|' * (len(_STEPS) + 2)}",
    ]
    for workers, watched in by_workers.items():
        steps = " | ".join(f"{watched.found['seconds'][step]:.0f}" for step in _STEPS)
        lines.append(
            f"| {workers} | {steps} | {_megabytes(watched.largest)} "
            f"| **{_megabytes(watched.private)}** |"
        )
    return "\n".join(lines)


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"
