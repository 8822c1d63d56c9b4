"""Draw how accurate labels are over the share of rows that get one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ffn.evaluation.decision_evaluation import CoveragePoint
from ffn.reports.pictures.canvas import default_style, to_png

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["coverage_accuracy", "draw_coverage_accuracy"]

_BLUE = "#0072B2"
# Points that are nearer than this in coverage share a place, of which one is named.
_NEAR = 0.02


def coverage_accuracy(curve: Sequence[CoveragePoint], abstain_below: float) -> bytes:
    """Return a PNG with the accuracy of labels over the share of rows that get one.

    Parameters
    ----------
    curve
        Points on held-out rows, by the confidence below which there is no label.
    abstain_below
        The confidence in use, whose point has a ring; 0 if every row gets a label.
    """
    with default_style():
        return to_png(draw_coverage_accuracy(curve, abstain_below))


def draw_coverage_accuracy(curve: Sequence[CoveragePoint], abstain_below: float) -> Figure:
    """Return the figure that `coverage_accuracy` encodes, of ``curve`` and ``abstain_below``."""
    from matplotlib.figure import Figure

    points = [point for point in curve if point.rows]
    figure = Figure(figsize=(6.4, 3.9), facecolor="white")
    panel = figure.subplots()
    figure.subplots_adjust(left=0.115, right=0.965, top=0.89, bottom=0.13)
    coverage = [point.coverage.value for point in points]
    accuracy = [point.accuracy.value for point in points]
    panel.plot(coverage, accuracy, color=_BLUE, linewidth=1.5, marker="o", markersize=5, zorder=3)
    panel.vlines(
        coverage,
        [point.accuracy.low for point in points],
        [point.accuracy.high for point in points],
        color=_BLUE,
        linewidth=1.3,
        alpha=0.5,
        zorder=2,
    )
    used = [point for point in points if point.below == abstain_below]
    panel.plot(
        [point.coverage.value for point in used],
        [point.accuracy.value for point in used],
        linestyle="none",
        marker="o",
        markersize=11,
        markerfacecolor="none",
        markeredgecolor=_BLUE,
        markeredgewidth=1.6,
        zorder=4,
    )
    named: list[float] = []
    for point in points:
        place = point.coverage.value
        if all(abs(place - other) >= _NEAR for other in named):
            named.append(place)
            panel.annotate(
                f"{point.below:g}",
                (place, point.accuracy.value),
                textcoords="offset points",
                xytext=(6, 7),
                fontsize=8.5,
                color="0.25",
            )
    panel.set_xlim(-0.02, 1.06)
    lowest = min((point.accuracy.low for point in points), default=0.0)
    panel.set_ylim(max(-0.02, lowest - 0.04), 1.03)
    panel.set_xlabel("coverage: share of rows that get a label", color="0.15")
    panel.set_ylabel("accuracy of these labels", color="0.15")
    panel.set_title(
        "No label below the confidence at each point. Bar: 95 % interval. Ring: in use.",
        fontsize=9,
        loc="left",
        color="0.35",
    )
    panel.grid(color="0.9", linewidth=0.7, zorder=0)
    panel.set_axisbelow(True)
    panel.spines[["top", "right"]].set_visible(False)
    panel.spines[["left", "bottom"]].set_color("0.6")
    panel.tick_params(color="0.6", labelcolor="0.25")
    return figure
