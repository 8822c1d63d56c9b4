"""CPU time a million rows, side by side."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from benchmarks.rounds import Measured
from ffn.reports.pictures.canvas import to_png

__all__ = ["draw", "picture"]

# Colours of Okabe and Ito 2008, told apart with every kind of colour blindness.
_COLOURS = {"ours": "#0072B2", "two processes": "#56B4E9", "polars": "#009E73", "pandas": "#D55E00"}


def picture(shapes: Mapping[str, Measured], rows: int) -> bytes:
    """Return a PNG."""
    return to_png(draw(shapes, rows))


def draw(shapes: Mapping[str, Measured], rows: int) -> Figure:
    """Return the figure behind ``picture``: a group of bars for each shape."""
    figure = Figure(figsize=(9.5, 3.8), facecolor="white", layout="constrained")
    axes = figure.subplots()
    place, ticks = 0.0, []
    for own in shapes.values():
        ticks.append(place + (len(own.seconds) - 1) / 2)
        for side, seconds in own.seconds.items():
            times = seconds / rows * 1e6
            middle = float(np.median(times))
            label = side if side not in axes.get_legend_handles_labels()[1] else None
            axes.barh(place, middle, color=_COLOURS[side], label=label)
            axes.plot([times.min(), times.max()], [place, place], color="black", linewidth=1)
            axes.text(times.max(), place, f" {middle:.2f}", va="center", fontsize=8)
            place += 1
        place += 1
    axes.set_yticks(ticks, list(shapes))
    axes.invert_yaxis()
    axes.set_xlabel("CPU seconds a million rows (less is better)")
    axes.grid(axis="x", color="0.88")
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.legend(frameon=False)
    return figure
