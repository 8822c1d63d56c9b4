"""Draw the validation loss of each optimizer over the learning rates that were tried."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ffn.nn import OPTIMIZERS
from ffn.reports.pictures.canvas import (
    LEGEND_LINE,
    default_style,
    legend_columns,
    line_style,
    to_png,
)
from ffn.training.rate_search import RateLine
from ffn.training.selection.leaderboard import Ranked

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_loss_by_rate", "loss_by_rate"]

# Nats per row below which a loss is drawn as this.
_LOSS_FLOOR = 1e-12
_HEIGHT = 3.9
# A bar is drawn whole up to this multiple of the highest mean.
_TALLEST = 4
# Factor by which the points of two optimizers at one rate are drawn apart.
_APART = 1.06


def loss_by_rate(leaderboard: Sequence[Ranked]) -> bytes:
    """Return a PNG with the mean validation log-loss of each optimizer by learning rate.

    A bar is the corrected 95 % interval of the mean, and a ring marks the chosen rate. A rate at
    which every network diverged has no point.

    Parameters
    ----------
    leaderboard
        The optimizers; at least one.
    """
    with default_style():
        return to_png(draw_loss_by_rate(leaderboard))


def draw_loss_by_rate(leaderboard: Sequence[Ranked]) -> Figure:
    """Return the figure that `loss_by_rate` encodes: a line for each optimizer, simplest first.

    Parameters
    ----------
    leaderboard
        As for `loss_by_rate`.
    """
    from matplotlib.figure import Figure

    drawn = sorted(leaderboard, key=_place)
    columns = legend_columns([line.optimizer for line in drawn])
    height = _HEIGHT + LEGEND_LINE * (-(-len(drawn) // columns) - 1)
    # The panel keeps its size in inches, and further lines of the legend are above it.
    part = _HEIGHT / height
    figure = Figure(figsize=(8.8, height), facecolor="white")
    panel = figure.subplots()
    figure.subplots_adjust(left=0.095, right=0.965, top=0.86 * part, bottom=0.135 * part)
    for number, line in enumerate(drawn):
        # Beside one another, where optimizers share a rate.
        _draw_line(panel, line, number, _APART ** (number - (len(leaderboard) - 1) / 2))
    _scale(panel, [one for line in leaderboard for one in line.rates])
    panel.set_xlabel("learning rate (log scale)", color="0.15")
    panel.set_ylabel("validation log-loss (log scale)", color="0.15")
    panel.grid(color="0.9", linewidth=0.7, zorder=0)
    panel.spines[["top", "right"]].set_visible(False)
    panel.spines[["left", "bottom"]].set_color("0.6")
    panel.tick_params(color="0.6", labelcolor="0.25")
    left = panel.get_position().x0
    figure.text(
        left,
        1 - 0.025 * part,
        "Line: mean over the resamples. Bar: its 95 % interval. Ring: the chosen rate.",
        va="top",
        fontsize=9,
        color="0.35",
    )
    figure.legend(
        loc="upper left",
        bbox_to_anchor=(left, 1 - 0.07 * part),
        ncols=columns,
        frameon=False,
        borderaxespad=0,
        borderpad=0,
        labelspacing=0.3,
        fontsize=10,
    )
    return figure


def _draw_line(panel: Axes, line: Ranked, number: int, aside: float) -> None:
    """Draw one optimizer's means, their intervals, and a ring around the chosen rate."""
    colour, dashes = line_style(line.optimizer, number)
    tried = [one for one in line.rates if one.finished]
    rates = np.array([one.rate for one in tried]) * aside
    losses = np.maximum([one.loss.value for one in tried], _LOSS_FLOOR)
    panel.plot(
        rates,
        losses,
        color=colour,
        linestyle=dashes,
        linewidth=1.8,
        marker="o",
        markersize=3.5,
        label=line.optimizer,
        zorder=3,
    )
    low = [_within(one.loss.low, one.loss.value) for one in tried]
    high = [_within(one.loss.high, one.loss.value) for one in tried]
    panel.vlines(rates, low, high, color=colour, linewidth=1.2, alpha=0.5, zorder=2)
    chosen = np.array([one.rate == line.learning_rate for one in tried], dtype=bool)
    panel.plot(
        rates[chosen],
        losses[chosen],
        linestyle="none",
        marker="o",
        markersize=9,
        markerfacecolor="none",
        markeredgecolor=colour,
        markeredgewidth=1.6,
        zorder=4,
    )


def _scale(panel: Axes, tried: Sequence[RateLine]) -> None:
    """Give both axes a logarithmic scale that holds all means."""
    from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

    rates = [one.rate for one in tried]
    panel.set_xscale("log")
    panel.set_xlim(min(rates) / 2, max(rates) * 2)
    panel.set_yscale("log", nonpositive="clip")
    losses = [max(one.loss.value, _LOSS_FLOOR) for one in tried if one.finished]
    if losses:
        ends = [one.loss.low for one in tried if one.finished and 0 < one.loss.low < np.inf]
        lowest, highest = min([*losses, *ends]), max(losses)
        tops = [one.loss.high for one in tried if one.finished and np.isfinite(one.loss.high)]
        # One interval of few resamples must not press all else together.
        top = min(max([highest, *tops]), _TALLEST * highest)
        panel.set_ylim(max(lowest, highest / 1e4) / 1.15, max(1.25 * highest, 1.05 * top))
        few = highest < 5 * min(losses)
        panel.yaxis.set_major_locator(
            MaxNLocator(5) if few else LogLocator(subs=(1, 2, 5), numticks=8)
        )
    panel.xaxis.set_major_locator(LogLocator(subs=(1, 3), numticks=20))
    for axis in (panel.xaxis, panel.yaxis):
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter("{x:g}")


def _place(line: Ranked) -> int:
    """Return the optimizer's place in the order of simplicity, as in the learning curves."""
    return [*OPTIMIZERS, line.optimizer].index(line.optimizer)


def _within(bound: float, value: float) -> float:
    """Return the bound, or the value itself where the bound is not finite (a single resample)."""
    return bound if np.isfinite(bound) else value
