"""The figures as a picture: a dot for each side's median, a line for the whole range."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatterSciNotation, LogLocator

from benchmarks.pairs import Measured
from ffn.reports.canvas import to_png

__all__ = ["draw_contests", "picture"]

# Okabe and Ito 2008: told apart with every kind of colour blindness, and in grey.
_OURS, _THEIRS = "#0072B2", "#D55E00"


def picture(measured: Sequence[Measured]) -> bytes:
    """Return a PNG of CPU time a network, on a logarithmic scale."""
    return to_png(draw_contests(measured))


def draw_contests(measured: Sequence[Measured]) -> Figure:
    """Return the figure behind ``picture``; a row for each contest, the first on top."""
    figure = Figure(figsize=(8.8, 1.6 + 0.45 * len(measured)), facecolor="white")
    axes = figure.subplots()
    for row, own in enumerate(measured):
        _draw_side(axes, row - 0.13, 1000 * own.ours, _OURS, "o", "ours" if not row else None)
        label = "scikit-learn MLPClassifier" if not row else None
        _draw_side(axes, row + 0.13, 1000 * own.theirs, _THEIRS, "s", label)
        axes.annotate(
            f"{np.median(own.ratios):.1f} times",
            (1.01, row),
            xycoords=("axes fraction", "data"),
            va="center",
            color="0.15",
        )
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(base=10, subs=(1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter(_PlainNumbers())
    axes.set_yticks(
        range(len(measured)), [f"{m.contest.name}\n{m.contest.optimizer}" for m in measured]
    )
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0, labelsize=8.5)
    axes.grid(axis="x", color="0.9")
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.set_xlabel("CPU milliseconds a network, 150 epochs of Iris (logarithmic; less is better)")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False)
    figure.tight_layout()
    return figure


class _PlainNumbers(LogFormatterSciNotation):
    """1, 2, 5, 10 and so on, without powers."""

    def __call__(self, x: float, pos: object = None) -> str:  # noqa: ARG002
        return f"{x:g}"


def _draw_side(
    axes: Axes,
    height: float,
    times: npt.NDArray[Any],
    colour: str,
    marker: str,
    label: str | None,
) -> None:
    axes.plot([times.min(), times.max()], [height, height], color=colour, linewidth=2, alpha=0.5)
    axes.plot(np.median(times), height, marker, color=colour, markersize=7, label=label)
