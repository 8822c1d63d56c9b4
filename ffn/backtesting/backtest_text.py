"""A backtest as tables of text, for the terminal and the report."""

from __future__ import annotations

from ffn.backtesting.backtest_result import Backtest
from ffn.backtesting.frequencies import NEVER
from ffn.backtesting.steps_of_walk import WalkStep
from ffn.evaluation.inference.statistics import Interval
from ffn.quantities import NOTHING, difference, interval

__all__ = ["period_rows", "schedule_rows", "verdict_of"]


def period_rows(found: Backtest, figure: str = "log_loss") -> list[dict[str, str]]:
    """Return a row for each period: what was promised for it, and what became of it.

    Parameters
    ----------
    found
        The backtest.
    figure
        ``log_loss``, by default, or ``accuracy``.
    """
    steps = {text: step for text, step in found.steps if found.every in step.decisions}
    steps |= {text: step for text, step in found.steps if step.problem}
    rows = []
    for period in found.periods:
        promise, own = period.promise, period.realised
        promised = getattr(promise, figure) if promise else None
        later = getattr(promise, f"later_{figure}") if promise else None
        realised = getattr(own[found.every], figure) if own else None
        rows.append(
            {
                "from": period.text,
                "rows": f"{period.rows:,}" if own else NOTHING,
                "new model": verdict_of(steps.get(period.text), found.every),
                "promised": _cell(promised),
                "later period": _bounds(later),
                "realised": _cell(realised),
                "within": _within(realised, promised, later),
                "never retrained": _cell(getattr(own[NEVER], figure) if own else None),
            }
        )
    return rows


def schedule_rows(found: Backtest) -> list[dict[str, str]]:
    """Return a row for each schedule: what it would have done and realised.

    Parameters
    ----------
    found
        The backtest.
    """
    against = {one.first: one for one in found.comparisons if one.second == NEVER}
    return [
        {
            "every": one.name,
            "retrained": f"{one.retrainings:,}",
            "promoted": f"{one.promotions:,}",
            "log-loss": interval(one.log_loss),
            "accuracy": interval(one.accuracy),
            "log-loss less never's": (
                difference(against[one.name].log_loss) if one.name in against else NOTHING
            ),
            "": "recommended" if one.name == found.recommendation.every else "",
        }
        for one in found.schedules
    ]


def verdict_of(step: WalkStep | None, schedule: str) -> str:
    """Return what became of the model of a step, in a word or two.

    Parameters
    ----------
    step
        The step; None if nothing was due.
    schedule
        For which schedule.
    """
    if step is None:
        return NOTHING
    if step.problem:
        return "none"
    return "promoted" if step.decisions[schedule].promoted else "kept back"


def _cell(figure: Interval | None) -> str:
    return NOTHING if figure is None else interval(figure)


def _bounds(figure: Interval | None) -> str:
    return NOTHING if figure is None else f"[{figure.low:.3f}, {figure.high:.3f}]"


def _within(realised: Interval | None, *promised: Interval | None) -> str:
    """Return for each promise whether it was kept."""
    if realised is None:
        return NOTHING
    return ", ".join(
        NOTHING if one is None else "yes" if one.low <= realised.value <= one.high else "no"
        for one in promised
    )
