"""Terminal output of scoring: rows by class, rejects, warnings, drift and paths."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TextIO

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from ffn.errors import one_line
from ffn.pipelines.outcomes import ScoreOutcome
from ffn.quantities import NOTHING, counted, more, share_of
from ffn.scoring.output.score_result import ScoreResult
from flows.cli.display.terminal import plain_console, print_paths

__all__ = ["print_scoring"]

_CLASSES_SHOWN = 20
_FILES_SHOWN = 20
_DRIFT_SHOWN = 3
_LEFT_SHOWN = 5
# A rate over a shorter time measures the start of the program rather than scoring.
_LEAST_SECONDS = 1.0
_WARNINGS_SHOWN = 5


def print_scoring(outcome: ScoreOutcome, file: TextIO, *, sent: bool = False) -> None:
    """Print the predicted classes, the rejects by reason, the files and their paths.

    Parameters
    ----------
    outcome
        The scored and refused files.
    file
        The stream to print to.
    sent
        True if the output goes to stdout, so that only rejects and manifest have paths.
    """
    results = outcome.results
    console = plain_console(file)
    for line in _left(outcome):
        console.print(one_line(line), soft_wrap=True)
    if not results:
        return
    rows = sum(result.rows for result in results)
    scored = sum(result.scored for result in results)
    console.print(
        f"{outcome.pipeline}, version {outcome.version}: {scored:,} of {counted(rows, 'row')} "
        f"scored{_confidence(results, scored)}{_speed(results, rows)}."
    )
    if empty := sum(not result.rows for result in results):
        what = "The file has" if len(results) == 1 else f"{empty:,} of {len(results):,} files "
        have = "" if len(results) == 1 else "has" if empty == 1 else "have"
        console.print(f"{what}{have} a header and no rows.")
    if unchanged := sum(result.unchanged for result in results):
        console.print(_already(unchanged, len(results)))
    if rows:
        console.print(_classes(results, rows))
    for result in results:
        if result.parts:
            console.print(one_line(result.parts.sentence()), soft_wrap=True)
    kept = (f"Warning: not kept for outcomes: {why}" for why in outcome.not_taken_up)
    for line in (
        *_warnings(results),
        *_drift(results),
        *islice(kept, _WARNINGS_SHOWN),
        *_shadow(outcome),
    ):
        console.print(one_line(line), soft_wrap=True)
    if len(results) == 1:
        (result,) = results
        paths = {} if sent else {"predictions": result.output}
        paths |= {"manifest": result.manifest}
        if outcome.shadow and outcome.shadow.tables:
            paths |= {"disagreements": outcome.shadow.tables[0].path}
        print_paths(console, paths | ({"rejects": result.rejects} if result.rejected else {}))
        return
    _print_files(console, results)


def _left(outcome: ScoreOutcome) -> Iterator[str]:
    """Yield sentences about files in the inbox that were not scored."""
    inbox = outcome.inbox
    if inbox is None:
        return
    if not (outcome.results or outcome.refusals or inbox.settling):
        counts = [f"{len(inbox.scored):,} scored before", f"{len(inbox.refused):,} refused before"]
        yield (
            f"{outcome.pipeline}, version {outcome.version}: nothing new in the inbox "
            f"({', '.join(counts)})."
        )
    if inbox.settling:
        names = list(inbox.settling)
        shown = ", ".join(names[:_LEFT_SHOWN]) + (", …" if len(names) > _LEFT_SHOWN else "")
        what = "1 file was" if len(names) == 1 else f"{len(names):,} files were"
        seconds = max(1, math.ceil(max(inbox.settling.values())))
        yield (
            f"{what} changed only a moment ago and skipped for now: {shown}. "
            f"Run again in {seconds:,} s."
        )


def _already(unchanged: int, files: int) -> str:
    what = "The output exists" if files == 1 else f"{unchanged:,} of {files:,} outputs exist"
    return (
        f"{what} already, for the same input and version: unchanged, skipped. "
        "Use --force to score anyway."
    )


def _warnings(results: Sequence[ScoreResult]) -> Iterator[str]:
    """Yield warnings about files as a whole, for the first few files."""
    told = [(r.output.name, warning) for r in results for warning in r.warnings]
    for name, warning in told[:_WARNINGS_SHOWN]:
        yield f"Warning: {f'{name}: ' if len(results) > 1 else ''}{warning}"
    if len(told) > _WARNINGS_SHOWN:
        yield f"Warning: {len(told) - _WARNINGS_SHOWN:,} more of such files."


def _drift(results: Sequence[ScoreResult]) -> Iterator[str]:
    """Yield a line for each file with drift, for the first few files."""
    drifted = [(r.output.name, r.drift) for r in results if r.drift and r.drift.detected]
    for name, report in drifted[:_DRIFT_SHOWN]:
        which = f"{name} is" if len(results) > 1 else "these rows are"
        yield f"Drift: {which} {report.sentence}."
    if len(results) == 1 and not drifted:
        only = results[0].drift
        if only and only.judged and only.compared:
            yield f"Drift: none, compared {only.compared}."
    if len(drifted) > _DRIFT_SHOWN:
        others = len(drifted) - _DRIFT_SHOWN
        are = "is" if others == 1 else "are"
        yield f"Drift: {more(others, 'file')} {are} unlike the training rows."


def _shadow(outcome: ScoreOutcome) -> Iterator[str]:
    """Yield what challengers say of the same rows, and why others say nothing."""
    found = outcome.shadow
    if found is None:
        return
    for sentence in found.sentences:
        yield f"Beside production: {sentence}."
    for why in found.left_out[:_WARNINGS_SHOWN]:
        yield f"Warning: left out of the shadow: {why}."
    if len(found.left_out) > _WARNINGS_SHOWN:
        yield f"Warning: {len(found.left_out) - _WARNINGS_SHOWN:,} more were left out."


def _confidence(results: Iterable[ScoreResult], scored: int) -> str:
    if not scored:
        return ""
    total = sum(result.scored * (result.mean_confidence or 0) for result in results)
    return f", mean confidence {total / scored:.3f}"


def _speed(results: Iterable[ScoreResult], rows: int) -> str:
    seconds = sum(result.seconds for result in results)
    if any(result.parts and result.parts.kept for result in results):
        return ""
    return (
        f", {counted(round(rows / seconds), 'row')} a second" if seconds >= _LEAST_SECONDS else ""
    )


def _classes(results: Sequence[ScoreResult], rows: int) -> Table:
    """Return rows by class (only the most frequent of many classes) and rejects by reason."""
    classes: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for result in results:
        classes.update(result.class_counts)
        reasons.update(result.reject_reasons)
    shown = list(classes.items())
    if len(shown) > _CLASSES_SHOWN:
        shown = classes.most_common(_CLASSES_SHOWN)
        others = classes.total() - sum(count for _, count in shown)
        shown.append((more(len(classes) - len(shown), "class", "classes"), others))
    table = _table("class", "rows", "share")
    abstained = sum(result.abstained for result in results)
    for name, count in (
        *shown,
        *([("no label: confidence too low", abstained)] if abstained else []),
        *((f"rejected: {reason}", count) for reason, count in reasons.most_common()),
    ):
        table.add_row(one_line(name), f"{count:,}", share_of(count, rows))
    return table


def _print_files(console: Console, results: Sequence[ScoreResult]) -> None:
    table = _table("file", "rows", "rejected", "mean confidence")
    for result in results[:_FILES_SHOWN]:
        mean = result.mean_confidence
        table.add_row(
            one_line(result.output.name),
            f"{result.rows:,}",
            f"{result.rejected:,}",
            NOTHING if mean is None else f"{mean:.3f}",
        )
    console.print(table)
    if len(results) > _FILES_SHOWN:
        console.print(f"and {more(len(results) - _FILES_SHOWN, 'file')}")
    for folder in sorted({result.output.parent for result in results}):
        print_paths(console, {"predictions": folder})


def _table(first: str, *others: str) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column(first, no_wrap=True)
    for heading in others:
        table.add_column(heading, no_wrap=True, justify="right")
    return table
