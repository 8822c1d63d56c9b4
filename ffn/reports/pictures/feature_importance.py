"""Draw the permutation importance of the features."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ffn.evaluation.importance import Importance
from ffn.reports.pictures.canvas import default_style, drawable, inches, to_png

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["DRAWN", "draw_importance", "feature_importance"]

DRAWN = 15
"""Maximum number of features in the picture and in the tables."""

_NAME_LETTERS, _NAME_SIZE = 28, 9
_WIDTH, _LEFT = 7.2, 0.3


def feature_importance(importance: Importance) -> bytes:
    """Return a PNG: the log-loss that permuting a feature adds, the most important on top."""
    with default_style():
        return to_png(draw_importance(importance))


def draw_importance(importance: Importance) -> Figure:
    """Return the figure that `feature_importance` encodes; its first bar is the least important."""
    from matplotlib.figure import Figure

    shown = importance.features[:DRAWN][::-1]
    names = drawable([feature.name for feature in shown[::-1]], "feature", _NAME_LETTERS)[::-1]
    height = 0.9 + 0.34 * len(shown)
    # Long names shorten the bars instead of widening the page; the margin allows for glyph
    # widths being rounded to whole dots.
    left = max(_LEFT, (max(inches(name, _NAME_SIZE) for name in names) + 0.35) / _WIDTH)
    figure = Figure(figsize=(_WIDTH, height), facecolor="white")
    panel = figure.add_axes((left, 0.62 / height, 0.97 - left, 1 - 0.78 / height))
    places = range(len(shown))
    values = [feature.log_loss.value for feature in shown]
    # The interval of a single row is unbounded and is not drawn.
    ends = [
        (
            feature.log_loss.value - feature.log_loss.low,
            feature.log_loss.high - feature.log_loss.value,
        )
        for feature in shown
    ]
    finite = [end if max(end) < float("inf") else (0.0, 0.0) for end in ends]
    panel.barh(places, values, height=0.62, color=(0.0, 0.447, 0.698, 0.45), zorder=2)
    panel.errorbar(
        values,
        places,
        xerr=tuple(zip(*finite, strict=True)),
        linestyle="none",
        ecolor="0.2",
        elinewidth=1.2,
        capsize=3,
        zorder=3,
    )
    # parse_math would read a "$" in a feature name as the start of a formula.
    panel.set_yticks(places, names, parse_math=False)
    panel.axvline(0, color="0.4", linewidth=0.9, zorder=4)
    panel.set_ylim(-0.6, len(shown) - 0.4)
    panel.set_xlabel("log-loss added when permuted (nats per row)", color="0.15")
    panel.grid(axis="x", color="0.9", linewidth=0.7, zorder=0)
    panel.spines[["top", "right", "left"]].set_visible(False)
    panel.spines["bottom"].set_color("0.6")
    panel.tick_params(axis="y", length=0, labelsize=_NAME_SIZE, labelcolor="0.15")
    panel.tick_params(axis="x", color="0.6", labelcolor="0.25", labelsize=9)
    return figure
