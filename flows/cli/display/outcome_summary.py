"""Terminal output of an evaluation: what became of the rows, realised beside promised."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table

from ffn.errors import one_line
from ffn.monitoring.evaluate_outcome import EvaluateOutcome
from ffn.monitoring.realised_quality import WeekQuality
from ffn.quantities import NOTHING, counted, interval
from flows.cli.display.terminal import plain_console

__all__ = ["print_evaluation"]

_WEEKS_SHOWN = 12
_TROUBLES_SHOWN = 5


def print_evaluation(outcome: EvaluateOutcome) -> None:
    """Print what became of every row, and the realised quality beside what was promised.

    Parameters
    ----------
    outcome
        Result of the evaluation.
    """
    console = plain_console(sys.stdout)
    for line in _lines(outcome):
        console.print(one_line(line), soft_wrap=True)
    quality = outcome.quality
    if quality and quality.weeks:
        console.print(_weeks(quality.weeks[-_WEEKS_SHOWN:]))
    for line in _conclusions(outcome):
        console.print(one_line(line), soft_wrap=True)


def _lines(outcome: EvaluateOutcome) -> Iterator[str]:
    seen = outcome.folder
    if seen is not None and not (outcome.deliveries or outcome.refusals):
        yield (
            f"{outcome.pipeline}: nothing new in the outcomes folder ({len(seen.scored):,} taken "
            f"up before, {len(seen.refused):,} refused before, {len(seen.settling):,} being "
            "written)."
        )
    for delivery in outcome.deliveries:
        yield delivery.sentence
        for remark in [*delivery.remarks(), *delivery.told_of_figures]:
            yield f"  {remark}"
    waiting = [delivery.waiting for delivery in outcome.deliveries if delivery.at_once is None]
    if waiting:
        yield f"{counted(waiting[-1], 'prediction')} without a label so far."
    if outcome.history and outcome.history.sentence:
        yield outcome.history.sentence
    for trouble in outcome.troubles[:_TROUBLES_SHOWN]:
        yield f"Warning: {trouble}"
    if len(outcome.troubles) > _TROUBLES_SHOWN:
        others = len(outcome.troubles) - _TROUBLES_SHOWN
        yield f"Warning: {others:,} more of such tables."
    quality = outcome.quality
    if quality is None:
        yield f"{outcome.pipeline}: no predictions of the version in production are known."
        return
    yield f"{outcome.pipeline}, version {quality.version}: {quality.sentence}."
    for detail in quality.details:
        yield f"  {detail}."
    beside = {one.challenger for one in outcome.conclusion.challengers}
    for one in outcome.conclusion.qualities:
        if one is not quality and one.figures:
            how = ", beside production" if one.version in beside else ""
            yield f"  version {one.version}{how}: {one.sentence}."


def _conclusions(outcome: EvaluateOutcome) -> Iterator[str]:
    quality, end = outcome.quality, outcome.conclusion
    if quality and quality.estimate_sentence:
        yield f"Before labels came: {quality.estimate_sentence}."
    if end.alert:
        yield f"Warning: {end.alert}."
    if end.rolled_back:
        yield f"Warning: {end.rolled_back}."
    elif end.predecessor is not None:
        yield f"Beside its predecessor: {end.predecessor.sentence}."
    for one in end.challengers:
        yield f"In the shadow: {one.sentence}."
    if quality and quality.figures:
        yield "All intervals are 95 % confidence sequences, valid at every look."


def _weeks(weeks: Sequence[WeekQuality]) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in ("week", "scored", "labelled", "realised accuracy", "estimated"):
        right = heading in ("scored", "labelled")
        table.add_column(heading, no_wrap=True, justify="right" if right else "left")
    for one in weeks:
        table.add_row(
            one.week,
            f"{one.scored:,}",
            f"{one.figures.rows:,}" if one.figures else "0",
            interval(one.figures.accuracy) if one.figures else NOTHING,
            NOTHING if math.isnan(one.estimated) else f"{one.estimated:.3f}",
        )
    return table
