"""Draw a reliability diagram: accuracy against confidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ffn.evaluation.calibration import Calibration
from ffn.reports.pictures.canvas import default_style, to_png

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_reliability", "reliability"]

_BLUE = "#0072B2"


def reliability(calibration: Calibration) -> bytes:
    """Return a PNG with accuracy against confidence by bin, and a histogram of confidence below.

    Error bars are Wilson's intervals. A point below the diagonal means that the model is
    overconfident there.

    Parameters
    ----------
    calibration
        Bins of held-out rows.
    """
    with default_style():
        return to_png(draw_reliability(calibration))


def draw_reliability(calibration: Calibration) -> Figure:
    """Return the figure that `reliability` encodes: axes for accuracy and for rows by bin."""
    from matplotlib.figure import Figure

    bins = calibration.bins
    figure = Figure(figsize=(5.2, 5.0), facecolor="white")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3.2, 1))
    figure.subplots_adjust(left=0.135, right=0.965, top=0.94, bottom=0.105, hspace=0.1)
    # The axis starts at the lowest bin that has rows, as the lower half is often empty.
    left = min(one.low for one in bins)
    above.plot((left, 1), (left, 1), color="0.45", linewidth=1, linestyle=(0, (4, 3)), zorder=1)
    confidence = [one.confidence for one in bins]
    accuracy = [one.accuracy.value for one in bins]
    above.errorbar(
        confidence,
        accuracy,
        yerr=(
            [one.accuracy.value - one.accuracy.low for one in bins],
            [one.accuracy.high - one.accuracy.value for one in bins],
        ),
        color=_BLUE,
        ecolor=(0.0, 0.447, 0.698, 0.55),
        elinewidth=1.4,
        capsize=3,
        marker="o",
        markersize=5.5,
        linewidth=0,
        zorder=3,
    )
    above.set_ylim(-0.03, 1.03)
    above.set_ylabel("accuracy", color="0.15")
    above.set_title(
        "Points: bins with 95 % intervals. Dashed: perfect calibration.",
        fontsize=9,
        loc="left",
        color="0.35",
    )
    below.bar(
        [one.low for one in bins],
        [one.rows for one in bins],
        width=[one.high - one.low for one in bins],
        align="edge",
        color=(0.0, 0.447, 0.698, 0.35),
        edgecolor=_BLUE,
        linewidth=0.7,
    )
    below.set_xlim(left - 0.01, 1.01)
    below.set_ylabel("rows", color="0.15")
    below.set_xlabel("confidence (probability of the predicted class)", color="0.15")
    for panel in (above, below):
        _dress(panel)
    figure.align_ylabels((above, below))
    return figure


def _dress(panel: Axes) -> None:
    panel.grid(color="0.9", linewidth=0.7, zorder=0)
    panel.set_axisbelow(True)
    panel.spines[["top", "right"]].set_visible(False)
    panel.spines[["left", "bottom"]].set_color("0.6")
    panel.tick_params(color="0.6", labelcolor="0.25")
