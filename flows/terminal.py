"""What a person at the terminal sees: bars while it works, then one table and the paths."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from ffn.errors import one_line
from ffn.models.statistics import Interval
from ffn.reports.numbers import interval
from flows.outcomes import RetrainOutcome, ScoreOutcome
from flows.progress import listening

__all__ = ["print_retraining", "print_scoring", "training_bars"]


@contextlib.contextmanager
def training_bars() -> Iterator[None]:
    """Show a bar on stderr for everything that is trained in the block; nothing off a terminal."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield
        return
    columns = (
        TextColumn("{task.description:>10}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("epochs"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as bars:
        waiting = bars.add_task("starting", total=None)
        known: dict[str, object] = {}

        def show(label: str, done: int, total: int) -> None:
            if label not in known:
                bars.update(waiting, visible=False)
                known[label] = bars.add_task(label, total=total)
            bars.update(known[label], completed=done)  # type: ignore[arg-type]

        with listening(show):
            yield


def print_retraining(outcome: RetrainOutcome) -> None:
    """Print the leaderboard, the final figure and the paths on stdout."""
    console = _console()
    table = Table(
        title=f"{outcome.pipeline}, version {outcome.version.number}", title_justify="left"
    )
    for heading in ("optimizer", "validation log-loss", "validation accuracy", "p (Holm)", ""):
        table.add_column(heading, no_wrap=True)
    for line in outcome.selection.leaderboard:
        won = line.optimizer == outcome.selection.winner
        mark = "winner" if won else "tied" if line.tied else ""
        diverged = line.networks - line.finished
        table.add_row(
            line.optimizer,
            _interval(line.loss),
            _interval(line.accuracy),
            f"{line.p_value:.3g}",
            f"{mark} {diverged} diverged" if diverged else mark,
            style="bold" if won else None,
        )
    console.print(table)
    console.print(escape(one_line(outcome.selection.reason)))
    test = outcome.evaluation
    console.print(
        f"On {test.rows} held-out rows, looked at once: accuracy {_interval(test.accuracy)}, "
        f"log-loss {_interval(test.log_loss)} (95 % intervals)."
    )
    for notice in (*outcome.notices, *map(_lost, outcome.failures.items())):
        console.print(f"Note: {escape(one_line(notice))}.")
    _print_paths(
        console,
        {
            "model": outcome.version.bundle,
            "report": outcome.report.html,
            "for notebooks": outcome.export,
        },
    )


def print_scoring(outcome: ScoreOutcome) -> None:
    """Print one line a file, the classes found, and the paths on stdout."""
    console = _console()
    for result in outcome.results:
        classes = ", ".join(f"{one_line(name)} {n}" for name, n in result.class_counts.items())
        confidence = result.mean_confidence
        console.print(
            f"{result.scored} of {result.rows} rows scored with {outcome.pipeline} version "
            f"{outcome.version}: {escape(classes)}"
            + (f" (mean confidence {confidence:.3f})." if confidence is not None else "."),
        )
        if result.rejected:
            reasons = ", ".join(f"{name} {n}" for name, n in result.reject_reasons.items())
            console.print(f"{result.rejected} rows rejected: {escape(reasons)}.")
        paths = {"predictions": result.output, "manifest": result.manifest}
        _print_paths(console, paths | ({"rejects": result.rejects} if result.rejected else {}))


def _print_paths(console: Console, paths: dict[str, Path]) -> None:
    width = max(len(name) for name in paths)
    for name, path in paths.items():
        console.print(f"  {name:<{width}}  {escape(one_line(path))}", soft_wrap=True)


def _console() -> Console:
    """Return stdout; off a terminal wide enough that no line of a table is folded."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else 120)


def _interval(figure: Interval) -> str:
    return escape(interval(figure))


def _lost(failure: tuple[str, str]) -> str:
    return f"the training task of {failure[0]} failed ({failure[1]})"
