"""Draw the validation loss of each optimizer over the learning rates that were tried."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ffn.nn import OPTIMIZERS
from ffn.reports.pictures.canvas import default_style, line_style, to_png
from ffn.training.selection import Ranked

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_loss_by_rate", "loss_by_rate"]

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
    from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

    figure = Figure(figsize=(8.8, 3.9), facecolor="white")
    panel = figure.subplots()
    figure.subplots_adjust(left=0.095, right=0.965, top=0.86, bottom=0.135)
    panel.set_xscale("log")
    lowest, highest = [], []
    for number, line in enumerate(sorted(leaderboard, key=_place)):
        colour, dashes = line_style(line.optimizer, number)
        tried = [one for one in line.rates if one.finished]
        rates = [one.rate for one in tried]
        # Beside one another, where optimizers share a rate.
        aside = np.array(rates) * _APART ** (number - (len(leaderboard) - 1) / 2)
        losses = np.array([one.loss.value for one in tried])
        low, high = (
            np.array([_within(getattr(one.loss, end), one.loss.value) for one in tried])
            for end in ("low", "high")
        )
        panel.plot(
            aside,
            losses,
            color=colour,
            linestyle=dashes,
            linewidth=1.8,
            marker="o",
            markersize=3.5,
            label=line.optimizer,
            zorder=3,
        )
        panel.vlines(aside, low, high, color=colour, linewidth=1.2, alpha=0.5, zorder=2)
        lowest += [value for value in (*losses, *low) if value > 0]
        highest += [*losses]
        chosen = [
            (place, one.loss.value)
            for place, one in zip(aside, tried, strict=True)
            if one.rate == line.learning_rate
        ]
        panel.plot(
            *np.reshape(chosen, (-1, 2)).T,
            linestyle="none",
            marker="o",
            markersize=9,
            markerfacecolor="none",
            markeredgecolor=colour,
            markeredgewidth=1.6,
            zorder=4,
        )
    panel.set_yscale("log", nonpositive="clip")
    if highest:
        panel.set_ylim(max(min(lowest), max(highest) / 1e4) / 1.15, max(highest) * 1.25)
        few = max(highest) < 5 * min(highest)
        panel.yaxis.set_major_locator(
            MaxNLocator(5) if few else LogLocator(subs=(1, 2, 5), numticks=8)
        )
    panel.yaxis.set_minor_locator(NullLocator())
    panel.yaxis.set_major_formatter("{x:g}")
    panel.xaxis.set_major_locator(LogLocator(subs=(1, 3), numticks=20))
    panel.xaxis.set_minor_locator(NullLocator())
    panel.xaxis.set_major_formatter("{x:g}")
    panel.set_xlabel("learning rate (log scale)", color="0.15")
    panel.set_ylabel("validation log-loss (log scale)", color="0.15")
    panel.grid(color="0.9", linewidth=0.7, zorder=0)
    panel.spines[["top", "right"]].set_visible(False)
    panel.spines[["left", "bottom"]].set_color("0.6")
    panel.tick_params(color="0.6", labelcolor="0.25")
    left = panel.get_position().x0
    figure.text(
        left,
        0.975,
        "Line: mean over the resamples. Bar: its 95 % interval. Ring: the chosen rate.",
        va="top",
        fontsize=9,
        color="0.35",
    )
    figure.legend(
        loc="upper left",
        bbox_to_anchor=(left, 0.93),
        ncols=len(leaderboard),
        frameon=False,
        borderaxespad=0,
        borderpad=0,
        fontsize=10,
    )
    return figure


def _place(line: Ranked) -> int:
    """Return the optimizer's place in the order of simplicity, as in the learning curves."""
    return [*OPTIMIZERS, line.optimizer].index(line.optimizer)


def _within(bound: float, value: float) -> float:
    """Return the bound, or the value itself where the bound is not finite (a single resample)."""
    return bound if np.isfinite(bound) else value
