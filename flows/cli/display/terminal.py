"""Terminal output of a retraining: one table, sentences and paths."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TextIO

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from ffn.errors import one_line
from ffn.pipelines.outcomes import RetrainOutcome, SkippedOutcome
from ffn.quantities import NOTHING, interval, p_value

__all__ = [
    "from_here",
    "plain_console",
    "print_paths",
    "print_retraining",
]

# As many as are read at a glance; the report has all of them.
_CLASSES_SHOWN = 10


def print_retraining(outcome: RetrainOutcome | SkippedOutcome) -> None:
    """Print the leaderboard, the held-out figures, the verdict and the paths on stdout.

    Parameters
    ----------
    outcome
        The result of the retraining; of a skipped one only a sentence is printed.
    """
    console = plain_console(sys.stdout)
    if isinstance(outcome, SkippedOutcome):
        console.print(outcome.sentence)
        return
    from ffn.auditing.audit_text import unseen_rows_sentence
    from ffn.evaluation.missed_classes import class_warning, missed_classes
    from ffn.reports.baselines_section import accuracy_doubt, baselines_sentence
    from ffn.reports.decision_section import cost_sentence, held_sentence
    from ffn.reports.figure_lines import class_lines, ranking_sentence
    from ffn.reports.held_out import later_sentence, loss_doubt
    from ffn.training.selection.model_selection import ALPHA

    test = outcome.evaluation
    if missed := class_warning(outcome.version.number, missed_classes(test.classes)):
        console.print(one_line(missed))
    noun = outcome.selection.noun
    table = Table(
        title=f"{outcome.pipeline}, version {outcome.version.number}: validation of the {noun}s",
        title_justify="left",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    judged = [metric] if (metric := outcome.selection.metric) else []
    # Names and remarks go on in a second line before a figure loses a digit.
    table.add_column(noun)
    for heading in ("rate", "log-loss", "accuracy", *judged, "p (Holm)"):
        table.add_column(heading, no_wrap=True)
    table.add_column("")
    for place, line in enumerate(outcome.selection.leaderboard):
        won = line.optimizer == outcome.selection.winner
        marks = ["winner" if won else "tied"] if won or line.tied else []
        if line.dropped:
            marks.append(f"dropped after {line.dropped.resamples:,} of {line.dropped.of:,}")
        if not marks and line.p_value >= ALPHA:
            marks.append("no tie")
        if line.finished < line.networks:
            marks.append(f"{line.networks - line.finished:,} of {line.networks:,} diverged")
        table.add_row(
            line.optimizer,
            f"{line.learning_rate:g}",
            interval(line.loss),
            interval(line.accuracy),
            *([interval(line.figure)] if line.figure else []),
            NOTHING if place == 0 else p_value(line.p_value),
            ", ".join(marks),
            style="bold" if won else None,
        )
    console.print(table)
    console.print(one_line(outcome.selection.reason))
    console.print(
        f"On {test.judges}, used only once: accuracy "
        f"{interval(test.accuracy)}, log-loss {interval(test.log_loss)} (95 % intervals, the "
        f"second approximate).{_after(loss_doubt(test))}{_after(later_sentence(test))}"
        f"{_after(one_line(unseen_rows_sentence(outcome.version.verdict.audit)))}"
    )
    if test.decision is not None:
        console.print(cost_sentence(test.decision))
        if test.decision.label_sets is not None:
            console.print(held_sentence(test.decision.label_sets, test.judges))
    ranking = ranking_sentence(
        test.auc, test.average_precision, test.balanced_accuracy, test.positive, test.classes
    )
    console.print(f"{one_line(ranking)}.")
    console.print("\n".join(class_lines(test.classes, most=_CLASSES_SHOWN)))
    examination = outcome.examination
    console.print(
        "Always predicting the most frequent class of the training rows gives "
        f"{interval(test.baseline)}.{_after(accuracy_doubt(examination.baselines))}"
    )
    console.print(baselines_sentence(examination.baselines, examination.rows, test.rows))
    console.print(one_line(outcome.version.verdict.sentence(outcome.version.number)))
    for notice in (*outcome.notices, *map(_lost, outcome.failures.items())):
        console.print(f"Note: {one_line(notice)}.")
    paths = {"model": outcome.version.bundle, "report": outcome.report.html}
    print_paths(console, paths | ({"for notebooks": outcome.export} if outcome.export else {}))


def print_paths(console: Console, paths: dict[str, Path]) -> None:
    """Print paths with their labels, aligned.

    Parameters
    ----------
    console
        Where to print.
    paths
        Paths by label.
    """
    width = max(len(name) for name in paths)
    for name, path in paths.items():
        console.print(f"  {name:<{width}}  {one_line(from_here(path))}", soft_wrap=True)


def from_here(path: Path) -> Path:
    """Return ``path`` relative to the current folder if it is inside, otherwise unchanged."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def plain_console(file: TextIO) -> Console:
    """Return a console on ``file`` without markup; off a terminal, lines are not wrapped."""
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
