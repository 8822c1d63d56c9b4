"""Mean rank against cost: below is more accurate, to the left is cheaper."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from benchmarks.accuracy.page.board import Board
from benchmarks.accuracy.page.comparing import mean_ranks
from benchmarks.accuracy.page.sentences import title
from benchmarks.accuracy.peers import OURS
from ffn.reports.pictures.canvas import to_png

__all__ = ["draw", "picture"]

_OURS, _OTHER = "#0072B2", "0.35"


def picture(board: Board, sides: Sequence[str]) -> bytes:
    """Return a PNG."""
    return to_png(draw(board, sides))


def draw(board: Board, sides: Sequence[str]) -> Figure:
    """Return the figure behind ``picture``, of the tables that all these sides finished."""
    tables = board.finished(sides)
    ranks = mean_ranks(board.means(tables, sides, "log_loss"))
    seconds = board.seconds(tables, sides)
    figure = Figure(figsize=(7.5, 4.2), facecolor="white", layout="constrained")
    axes = figure.subplots()
    for s, side in enumerate(sides):
        colour = _OURS if side == OURS else _OTHER
        spread = [[ranks.mean[s] - ranks.low[s]], [ranks.high[s] - ranks.mean[s]]]
        axes.errorbar(seconds[s], ranks.mean[s], spread, fmt="o", color=colour, capsize=3)
        axes.annotate(
            title(side),
            (seconds[s], ranks.mean[s]),
            xytext=(6, 4),
            textcoords="offset points",
            color=colour,
        )
    axes.set(
        xscale="log",
        xlabel=f"CPU seconds for {len(tables)} tables",
        ylabel="mean rank by log-loss (1 is best)",
    )
    axes.margins(x=0.18)
    axes.grid(color="0.93")
    axes.spines[["top", "right"]].set_visible(False)
    return figure
