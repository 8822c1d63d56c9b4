"""The figures as Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.growth.watching import Watched

__all__ = ["NewPipeline", "Size", "growth_table", "large_table", "new_pipelines_table"]

_LONGEST = ("train", "refit", "examine")
_STEPS = ("load", "split", "normalise", "train", "refit", "evaluate")


@dataclass(frozen=True, kw_only=True)
class Size:
    """A table of so many rows, and what retraining on it took."""

    rows: int
    watched: Watched

    @property
    def seconds(self) -> float:
        """CPU seconds of all steps."""
        return float(sum(self.watched.found["seconds"].values()))


@dataclass(frozen=True, kw_only=True)
class NewPipeline:
    """A table of so many rows and columns, and what a whole retraining on it took."""

    rows: int
    columns: int
    watched: Watched

    @property
    def seconds(self) -> float:
        """CPU seconds of the whole process, imports included."""
        return float(self.watched.found["cpu"])

    @property
    def idle(self) -> float:
        """Seconds by the clock on two idle cores: training takes both, all else one."""
        return self.seconds - float(self.watched.found["seconds"]["train"]) / 2

    @property
    def goal(self) -> float | None:
        """CPU seconds that it may take; None if no goal was set."""
        return _GOALS.get((self.rows, self.columns))


# CPU seconds by rows and columns. Five minutes of two cores are 600.
_GOALS = {(4_000, 20): 15.0, (100_000, 50): 600.0}


def new_pipelines_table(found: list[NewPipeline]) -> str:
    """Return what is measured, and a line for each table."""
    lines = [
        "**A new pipeline.** What `ffn retrain` takes in all, with the settings that `ffn init` "
        "writes and nothing changed, on tables of three classes: three fifths of the columns are "
        "numbers, the others categories, and every fifth column has empty cells. CPU seconds are "
        "user and system time of all threads, imports included. From two cores on, training takes "
        "two threads: the seconds on two idle cores are all CPU seconds less half of those of "
        "training. Log-loss is that of the held-out rows, beside the lower one of logistic "
        "regression and gradient boosting, which are fitted on at most 50,000 rows.",
        "",
        "| rows | columns | CPU seconds | of them training / refit or student / comparison with "
        "simpler models / all else | on two idle cores, seconds | private memory at most | "
        "log-loss | of the best simpler model |",
        "|--:|--:|--:|---|--:|--:|--:|--:|",
    ]
    for one in found:
        each = one.watched.found["seconds"]
        named = [each[step] for step in _LONGEST]
        parts = " / ".join(f"{part:.1f}" for part in (*named, one.seconds - sum(named)))
        goal = f" (goal: {one.goal:.0f})" if one.goal else ""
        best = min(one.watched.found["baselines"].values())
        lines.append(
            f"| {one.rows:,} | {one.columns} | **{one.seconds:.1f}**{goal} | {parts} "
            f"| {one.idle:.1f} | {_megabytes(one.watched.private)} "
            f"| {one.watched.found['log_loss']:.3f} | {best:.3f} |"
        )
    return "\n".join(lines)


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
