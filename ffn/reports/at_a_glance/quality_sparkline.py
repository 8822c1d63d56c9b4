"""A small picture of realised beside promised accuracy, week by week, as SVG."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence

from ffn.evaluation.inference.statistics import Interval
from ffn.monitoring.promised_quality import Promise
from ffn.monitoring.realised_quality import RealisedQuality, WeekQuality
from ffn.quantities import counted, interval

__all__ = ["quality_sparkline"]

_WEEKS = 26
_WIDTH, _HEIGHT, _MARGIN = 260, 56, 6
# At least this much of the accuracy axis is shown, so that noise does not look like a cliff.
_LEAST_SPAN = 0.1


def quality_sparkline(quality: RealisedQuality | None) -> str:
    """Return an SVG element; empty as long as no labels have come.

    Each labelled week is a dot with its interval; a band is a promised interval, the line in it the
    promised accuracy. There is one for each promise that may apply.

    Parameters
    ----------
    quality
        Of the version in production; None if nothing is known.
    """
    if quality is None:
        return ""
    weeks = [week for week in quality.weeks if week.figures is not None][-_WEEKS:]
    if not weeks:
        return ""
    promises = quality.promised.applying
    promised = [one.accuracy for one in promises if one.accuracy]
    low, high = _range(weeks, promised)

    def up(accuracy: float) -> str:
        inner = _HEIGHT - 2 * _MARGIN
        return f"{_MARGIN + inner * (high - accuracy) / (high - low):.1f}"

    parts = []
    for one in promised:
        tall = float(up(one.low)) - float(up(one.high))
        parts.append(
            f'<rect class="promised" x="0" y="{up(one.high)}" width="{_WIDTH}" '
            f'height="{max(tall, 1):.1f}"/>'
        )
    for one in promised:
        if not math.isnan(one.value):
            y = up(one.value)
            parts.append(f'<line class="promise" x1="0" x2="{_WIDTH}" y1="{y}" y2="{y}"/>')
    step = (_WIDTH - 2 * _MARGIN) / max(len(weeks) - 1, 1)
    for place, week in enumerate(weeks):
        if week.figures is None:
            continue
        found, x = week.figures.accuracy, f"{_MARGIN + place * step:.1f}"
        parts.append(
            f'<line class="range" x1="{x}" x2="{x}" y1="{up(found.high)}" y2="{up(found.low)}"/>'
            f'<circle class="week" cx="{x}" cy="{up(found.value)}" r="3"/>'
        )
    told = html.escape(_in_words(weeks, promises))
    return (
        f'<svg class="sparkline" role="img" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'preserveAspectRatio="xMinYMid" aria-label="{told}"><title>{told}</title>'
        f"{''.join(parts)}</svg>"
    )


def _range(weeks: Sequence[WeekQuality], promised: Sequence[Interval]) -> tuple[float, float]:
    """Return the ends of the axis: all intervals fit, and it is not too short."""
    shown = [week.figures.accuracy for week in weeks if week.figures is not None]
    shown += promised
    low, high = min(one.low for one in shown), max(one.high for one in shown)
    missing = max(_LEAST_SPAN - (high - low), 0)
    return low - missing / 2, high + missing / 2


def _in_words(weeks: Sequence[WeekQuality], promises: Sequence[Promise]) -> str:
    """Return what the picture shows, for those who do not see it."""
    last = weeks[-1]
    newest = interval(last.figures.accuracy) if last.figures is not None else ""
    told = f"realised accuracy of {counted(len(weeks), 'week')}, in {last.week} {newest}"
    each = [
        interval(one.accuracy) + (f" for {one.whose}" if one.whose else "")
        for one in promises
        if one.accuracy
    ]
    return f"{told}; promised {' and '.join(each)}" if each else told
