"""What a person at the terminal sees: bars while it works, then one table and the paths."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from ffn.errors import one_line
from ffn.pipelines.outcomes import RetrainOutcome, SkippedOutcome
from ffn.pipelines.progress import listening
from ffn.quantities import NOTHING, counted, interval, p_value

__all__ = [
    "from_here",
    "plain_console",
    "print_paths",
    "print_retraining",
    "scoring_bars",
    "training_bars",
]


def training_bars(starting: str) -> contextlib.AbstractContextManager[None]:
    """Show what the block is at and a bar for each of its trainings; nothing off a terminal."""
    return _bars(starting, lambda done, total: f"{done:,}/{total:,} epochs", stay=True)


def scoring_bars(starting: str) -> contextlib.AbstractContextManager[None]:
    """Show what the block is at and a bar for each file in work; nothing off a terminal."""
    return _bars(starting, lambda done, total: f"{done / total:.0%}", stay=False)


@contextlib.contextmanager
def _bars(starting: str, count: Callable[[int, int], str], *, stay: bool) -> Iterator[None]:
    console = Console(stderr=True)
    if not console.is_terminal:
        yield
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[count]}", markup=False),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=not stay) as progress:
        bars = _Bars(progress, starting, count, stay=stay)
        with listening(bars):
            yield
        bars.finish()


class _Bars:
    """A ``Listener`` with a line for the run and one for each thing worked on."""

    def __init__(
        self, progress: Progress, starting: str, count: Callable[[int, int], str], *, stay: bool
    ) -> None:
        self._progress = progress
        self._run = progress.add_task(starting, total=None, count="")
        self._count = count
        self._stay = stay
        self._known: dict[str, TaskID] = {}

    def stage(self, text: str) -> None:
        self._progress.update(self._run, description=one_line(text))

    def step(self, label: str, done: int, total: int, note: str) -> None:
        if label not in self._known:
            shown = one_line(label)
            self._known[label] = self._progress.add_task(shown, total=total or None, count="")
        counts = (self._count(done, total) if total else "", note)
        self._progress.update(
            self._known[label],
            completed=done,
            count=", ".join(filter(None, counts)),
            visible=self._stay or done < total or not total,
        )

    def finish(self) -> None:
        """Leave the bars of what was done, and no stage."""
        self._progress.update(self._run, visible=False)


def print_retraining(outcome: RetrainOutcome | SkippedOutcome) -> None:
    """Print the leaderboard, the final figure, the verdict and the paths on stdout."""
    console = plain_console(sys.stdout)
    if isinstance(outcome, SkippedOutcome):
        console.print(outcome.sentence)
        return
    from ffn.reports.baselines_section import accuracy_doubt, baselines_sentence
    from ffn.reports.held_out import loss_doubt
    from ffn.training.selection import ALPHA

    table = Table(
        title=f"{outcome.pipeline}, version {outcome.version.number}: validation of the optimizers",
        title_justify="left",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    for heading in ("optimizer", "log-loss", "accuracy", "p (Holm)", ""):
        table.add_column(heading, no_wrap=True)
    for place, line in enumerate(outcome.selection.leaderboard):
        won = line.optimizer == outcome.selection.winner
        marks = ["winner" if won else "tied"] if won or line.tied else []
        if not marks and line.p_value >= ALPHA:
            marks.append("no tie")
        if line.finished < line.networks:
            marks.append(f"{line.networks - line.finished:,} of {line.networks:,} diverged")
        table.add_row(
            line.optimizer,
            interval(line.loss),
            interval(line.accuracy),
            NOTHING if place == 0 else p_value(line.p_value),
            ", ".join(marks),
            style="bold" if won else None,
        )
    console.print(table)
    console.print(one_line(outcome.selection.reason))
    test = outcome.evaluation
    console.print(
        f"Held-out accuracy ({counted(test.rows, 'row')}, used once): {interval(test.accuracy)}, "
        f"log-loss {interval(test.log_loss)} (95 % intervals; that of the log-loss is "
        f"approximate).{_after(loss_doubt(test))}"
    )
    examination = outcome.examination
    console.print(
        "Accuracy of always predicting the most frequent training class: "
        f"{interval(test.baseline)}.{_after(accuracy_doubt(examination.baselines))}"
    )
    console.print(baselines_sentence(examination.baselines, examination.rows, test.rows))
    console.print(one_line(outcome.version.verdict.sentence(outcome.version.number)))
    for notice in (*outcome.notices, *map(_lost, outcome.failures.items())):
        console.print(f"Note: {one_line(notice)}.")
    paths = {"model": outcome.version.bundle, "report": outcome.report.html}
    print_paths(console, paths | ({"for notebooks": outcome.export} if outcome.export else {}))


def print_paths(console: Console, paths: dict[str, Path]) -> None:
    """Print each path behind what it is."""
    width = max(len(name) for name in paths)
    for name, path in paths.items():
        console.print(f"  {name:<{width}}  {one_line(from_here(path))}", soft_wrap=True)


def from_here(path: Path) -> Path:
    """Return the shorter path that means the same in the current folder."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def plain_console(file: TextIO) -> Console:
    """Return ``file`` as one where every text means itself; off a terminal no line is folded."""
    terminal = file.isatty()
    return Console(
        file=file,
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=not terminal,
        width=None if terminal else 120,
    )


def _after(sentence: str) -> str:
    return f" {sentence}" if sentence else ""


def _lost(failure: tuple[str, str]) -> str:
    return f"{failure[0]} is not in the comparison: {failure[1].rstrip('.')}"
