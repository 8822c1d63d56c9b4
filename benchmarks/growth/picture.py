"""Cost and memory by rows, on logarithmic scales: what is linear has slope one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.growth.tables import Size
from ffn.reports.pictures.canvas import to_png

__all__ = ["draw", "picture"]

_OURS, _OTHER = "#0072B2", "#D55E00"


def picture(sizes: Sequence[Size]) -> bytes:
    """Return a PNG."""
    return to_png(draw(sizes))


def draw(sizes: Sequence[Size]) -> Figure:
    """Return the figure behind ``picture``: CPU seconds to the left, megabytes to the right."""
    figure = Figure(figsize=(9.5, 3.8), facecolor="white", layout="constrained")
    cost, memory = figure.subplots(1, 2)
    rows = np.array([size.rows for size in sizes], dtype=float)
    seconds = np.array([size.seconds for size in sizes])
    _line(cost, rows, seconds, "a retraining", _OURS, "o")
    # Through the largest table: what every other would take if rows were all that cost.
    cost.plot(rows, seconds[-1] * rows / rows[-1], "--", color="0.6", label="proportional to rows")
    private = np.array([size.watched.private for size in sizes]) / 1e6
    inputs = np.array([size.watched.found["inputs_bytes"] for size in sizes]) / 1e6
    _line(memory, rows, private, "private memory at most", _OURS, "o")
    _line(memory, rows, inputs, "inputs, in a file", _OTHER, "s")
    for axes, title in ((cost, "CPU seconds"), (memory, "megabytes")):
        axes.set(xscale="log", yscale="log", xlabel="rows", title=title)
        axes.grid(color="0.93")
        axes.legend(frameon=False)
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def _line(axes: Axes, x: np.ndarray, y: np.ndarray, label: str, colour: str, marker: str) -> None:
    axes.plot(x, y, marker=marker, color=colour, label=label, markersize=5)
