"""Draw the candidates of a search, the best first: mean validation loss and interval of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ffn.reports.pictures.canvas import default_style, drawable, to_png
from ffn.training.selection.leaderboard import Ranked

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["DRAWN_CANDIDATES", "draw_search_losses", "search_losses"]

DRAWN_CANDIDATES = 40
"""Candidates that are drawn at most: those of the lowest mean loss."""

_LABEL_LETTERS = 52
_CHOSEN, _TIED, _WORSE = "#0072B2", "0.25", "#D55E00"


def search_losses(leaderboard: Sequence[Ranked], winner: str) -> bytes:
    """Return a PNG with the mean validation log-loss of each candidate, and its interval.

    Parameters
    ----------
    leaderboard
        The candidates, the best first.
    winner
        Name of the one that was chosen.
    """
    with default_style():
        return to_png(draw_search_losses(leaderboard, winner))


def draw_search_losses(leaderboard: Sequence[Ranked], winner: str) -> Figure:
    """Return the figure that `search_losses` encodes: a row for each candidate, the best on top.

    Parameters
    ----------
    leaderboard, winner
        As for `search_losses`.
    """
    from matplotlib.figure import Figure

    lines = list(leaderboard[:DRAWN_CANDIDATES])
    height = 1.35 + 0.22 * len(lines)
    figure = Figure(figsize=(8.8, height), facecolor="white")
    panel = figure.subplots()
    figure.subplots_adjust(left=0.43, right=0.965, top=1 - 0.5 / height, bottom=0.6 / height)
    labels = drawable([line.optimizer for line in lines], "candidate", _LABEL_LETTERS)
    values = np.array([line.loss.value for line in lines])
    for place, line in enumerate(lines):
        colour = _TIED if line.tied else _WORSE
        colour = _CHOSEN if line.optimizer == winner else colour
        if np.isfinite([line.loss.low, line.loss.high]).all():
            panel.hlines(place, line.loss.low, line.loss.high, color=colour, linewidth=1.6)
        panel.plot(values[place], place, marker="o", markersize=5, color=colour)
    panel.set_yticks(range(len(lines)), labels, fontsize=9)
    panel.invert_yaxis()
    panel.set_xlabel("validation log-loss (nats per row)", color="0.15")
    panel.grid(axis="x", color="0.9", linewidth=0.7, zorder=0)
    panel.spines[["top", "right"]].set_visible(False)
    panel.spines[["left", "bottom"]].set_color("0.6")
    panel.tick_params(color="0.6", labelcolor="0.25")
    figure.text(
        0.02,
        1 - 0.12 / height,
        "Point: mean over the resamples. Bar: its 95 % interval. Blue: chosen. Black: tied with "
        "the best. Orange: not.",
        va="top",
        fontsize=9,
        color="0.35",
    )
    return figure
