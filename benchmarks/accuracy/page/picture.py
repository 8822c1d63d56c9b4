"""Draws mean ranks beside their cost: a row for each side, so that no name covers a line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from benchmarks.accuracy.page.board import Board
from benchmarks.accuracy.page.comparing import mean_ranks
from benchmarks.accuracy.page.sentences import title
from benchmarks.accuracy.peers import OURS
from ffn.reports.pictures.canvas import to_png

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw", "picture"]

_OURS, _OTHER = "#0072B2", "0.35"


def picture(board: Board, groups: Sequence[Sequence[str]]) -> bytes:
    """Return a PNG of these groups of sides."""
    return to_png(draw(board, groups))


def draw(board: Board, groups: Sequence[Sequence[str]]) -> Figure:
    """Return the figure behind ``picture``.

    Parameters
    ----------
    board
        What there is.
    groups
        Sides that are compared with each other, on the tables that all sides of the group finished.
        Of each group there are two axes: mean ranks, and CPU seconds.
    """
    heights = [len(sides) + 1.5 for sides in groups]
    figure = Figure(figsize=(8.5, 0.32 * sum(heights)), facecolor="white", layout="constrained")
    panels = figure.subplots(
        len(groups), 2, sharex="col", sharey="row", squeeze=False, height_ratios=heights
    )
    for (ranked, costing), sides in zip(panels, groups, strict=True):
        _draw_group(ranked, costing, board, sides)
    bottom = panels[-1]
    bottom[0].set_xlabel("mean rank by log-loss (1 is best), with its 95 % interval")
    bottom[1].set(xscale="log", xlabel="CPU seconds for these tables")
    bottom[1].xaxis.set_major_formatter("{x:,.0f}")
    return figure


def _draw_group(ranked: Axes, costing: Axes, board: Board, sides: Sequence[str]) -> None:
    """Draw the sides from the best rank to the worst, the best on top."""
    tables = board.finished(sides)
    ranks = mean_ranks(board.means(tables, sides, "log_loss"))
    seconds = board.seconds(tables, sides)
    order = np.argsort(ranks.mean, kind="stable")
    for place, s in enumerate(order):
        colour = _OURS if sides[s] == OURS else _OTHER
        spread = [[ranks.mean[s] - ranks.low[s]], [ranks.high[s] - ranks.mean[s]]]
        ranked.errorbar(ranks.mean[s], place, xerr=spread, fmt="o", color=colour, capsize=3)
        costing.plot(seconds[s], place, "o", color=colour)
    ranked.set_yticks(range(len(sides)), [title(sides[s]) for s in order])
    ranked.set_ylim(len(sides) - 0.5, -0.5)
    ranked.set_title(f"{len(tables)} tables", loc="left", fontsize=10)
    for axes in (ranked, costing):
        axes.grid(axis="x", color="0.9")
        axes.set_axisbelow(True)
        axes.tick_params(axis="y", length=0)
        axes.spines[["top", "right"]].set_visible(False)
