"""Draw realised beside promised figures over the periods of a backtest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ffn.backtesting.backtest_result import Backtest
from ffn.backtesting.frequencies import NEVER
from ffn.backtesting.period_figures import Period
from ffn.evaluation.inference.statistics import Interval
from ffn.reports.pictures.canvas import default_style, to_png

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["backtest_picture", "draw_backtest"]

# Okabe and Ito 2008, as in the other pictures.
_SCHEDULES = ("#0072B2", "#E69F00", "#CC79A7", "#56B4E9")
_NEVER, _PROMISED = "#D55E00", "#009E73"
_MOST_LABELS = 12


def backtest_picture(found: Backtest) -> bytes:
    """Return a PNG with log-loss and accuracy of every period, realised and promised.

    Parameters
    ----------
    found
        The backtest.
    """
    with default_style():
        return to_png(draw_backtest(found))


def draw_backtest(found: Backtest) -> Figure:
    """Return the figure that `backtest_picture` encodes: a panel for each of the two figures.

    Parameters
    ----------
    found
        The backtest.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.8, 6.4), facecolor="white")
    panels = figure.subplots(2, 1, sharex=True)
    figure.subplots_adjust(left=0.095, right=0.975, top=0.855, bottom=0.1, hspace=0.1)
    for panel, (name, label) in zip(
        panels, (("log_loss", "log-loss"), ("accuracy", "accuracy")), strict=True
    ):
        _draw_panel(panel, found, name)
        panel.set_ylabel(label, color="0.15")
        panel.grid(color="0.9", linewidth=0.7, zorder=0)
        panel.spines[["top", "right"]].set_visible(False)
        panel.spines[["left", "bottom"]].set_color("0.6")
        panel.tick_params(color="0.6", labelcolor="0.25")
    _mark_promotions(panels[0], panels[1], found)
    _label_periods(panels[1], found)
    left = panels[0].get_position().x0
    foretold = any(one.promise and one.promise.later_accuracy for one in found.periods)
    bands = " Dark band: held-out rows; light band: a later period." if foretold else ""
    figure.text(
        left,
        0.985,
        f"Bar: 95 % interval for rows of the period.{bands}",
        va="top",
        fontsize=9,
        color="0.35",
    )
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(
        handles,
        labels,
        loc="upper left",
        bbox_to_anchor=(left, 0.955),
        ncols=3,
        frameon=False,
        borderaxespad=0,
        borderpad=0,
        fontsize=10,
    )
    return figure


def _draw_panel(panel: Axes, found: Backtest, name: str) -> None:
    """Draw one figure: bands of the promises, then a line for each schedule."""
    for width, what, shade in ((0.84, f"later_{name}", 0.13), (0.84, name, 0.32)):
        told = [
            (x, one)
            for x, period in enumerate(found.periods)
            if period.promise is not None and (one := getattr(period.promise, what)) is not None
        ]
        if not told:
            continue
        lows = np.array([one.low for _, one in told])
        panel.bar(
            [x for x, _ in told],
            _finite_heights(lows, [one for _, one in told]),
            width,
            lows,
            color=_PROMISED,
            alpha=shade,
            linewidth=0,
            label="promised" if what == name else None,
            zorder=1,
        )
    others = [one.name for one in found.schedules if one.name not in (found.every, NEVER)]
    lines = [
        (NEVER, "never retrained", _NEVER, "s", (0, (4, 2))),
        *(
            (other, f"every {other}", _SCHEDULES[1 + n % 3], "", "-")
            for n, other in enumerate(others)
        ),
        (found.every, f"retrained every {found.every}", _SCHEDULES[0], "o", "-"),
    ]
    for place, (schedule, label, colour, marker, dashes) in enumerate(lines):
        own = [_figure(period, schedule, name) for period in found.periods]
        xs = np.arange(len(own)) + 0.12 * (place - (len(lines) - 1) / 2)
        panel.plot(
            xs,
            [np.nan if one is None else one.value for one in own],
            color=colour,
            marker=marker,
            markersize=4.5,
            linestyle=dashes,
            linewidth=1.8 if marker else 1.2,
            label=label,
            zorder=3 + place,
        )
        if marker:
            told = [(x, one) for x, one in zip(xs, own, strict=True) if one is not None]
            panel.vlines(
                [x for x, _ in told],
                [one.low for _, one in told],
                [one.high if np.isfinite(one.high) else one.value for _, one in told],
                color=colour,
                linewidth=1.2,
                alpha=0.6,
                zorder=2,
            )


def _finite_heights(lows: np.ndarray, bounds: list[Interval]) -> list[float]:
    """Return the heights of bands, none for one without an upper bound."""
    return [
        one.high - low if np.isfinite(one.high) else 0.0
        for low, one in zip(lows, bounds, strict=True)
    ]


def _figure(period: Period, schedule: str, name: str) -> Interval | None:
    if period.why_not:
        return None
    found: Interval = getattr(period.realised[schedule], name)
    return found


def _mark_promotions(top: Axes, bottom: Axes, found: Backtest) -> None:
    """Mark the periods at whose beginning a new model of the shortest schedule was promoted."""
    at = {period.text: x for x, period in enumerate(found.periods)}
    decided = [
        (at[text], step.decisions[found.every].promoted)
        for text, step in found.steps
        if text in at and found.every in step.decisions
    ]
    # Nothing is lost by a scale that begins at 0, and no chance difference looks large.
    top.set_ylim(bottom=0)
    bottom.set_ylim(bottom=max(0.0, bottom.get_ylim()[0]))
    for panel in (top, bottom):
        panel.margins(x=0.02)
    low, high = top.get_ylim()
    top.set_ylim(low, high + 0.1 * (high - low))
    y = high + 0.04 * (high - low)
    for kept, marker, colour, label in (
        (True, "v", "0.1", "new model promoted"),
        (False, "x", "0.55", "new model kept back"),
    ):
        xs = [x - 0.5 for x, promoted in decided if promoted == kept]
        if xs:
            top.plot(
                xs,
                [y] * len(xs),
                linestyle="none",
                marker=marker,
                markersize=6,
                color=colour,
                label=label,
                zorder=6,
            )


def _label_periods(panel: Axes, found: Backtest) -> None:
    """Write when periods begin, as many as there is room for."""
    step = -(-len(found.periods) // _MOST_LABELS)
    places = range(0, len(found.periods), step)
    panel.set_xticks([x - 0.5 for x in places], [found.periods[x].text for x in places])
    panel.set_xlabel(f"beginning of the period, by {found.time}", color="0.15")
    for label in panel.get_xticklabels():
        label.set_rotation(0 if len(places) <= 7 else 30)
        label.set_horizontalalignment("center" if len(places) <= 7 else "right")
