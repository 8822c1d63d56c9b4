"""Cost and memory by rows, on logarithmic scales: what is linear has slope one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.growth.tables import NewPipeline, Size
from ffn.reports.pictures.canvas import to_png

__all__ = ["draw", "picture"]

_OURS, _OTHER = "#0072B2", "#D55E00"
_BY_COLUMNS = ((_OURS, "o"), (_OTHER, "s"))


def picture(sizes: Sequence[Size], new: Sequence[NewPipeline]) -> bytes:
    """Return a PNG."""
    return to_png(draw(sizes, new))


def draw(sizes: Sequence[Size], new: Sequence[NewPipeline]) -> Figure:
    """Return the figure behind ``picture``, of three panels.

    They are the CPU seconds of new pipelines, then those of long tables with a small network, and
    the megabytes of these.
    """
    figure = Figure(figsize=(12.5, 3.9), facecolor="white", layout="constrained")
    whole, cost, memory = figure.subplots(1, 3)
    for columns, (colour, marker) in zip(
        sorted({one.columns for one in new}), _BY_COLUMNS, strict=False
    ):
        own = sorted((one.rows, one.seconds) for one in new if one.columns == columns)
        own_rows, own_seconds = np.array(own, dtype=float).T
        _line(whole, own_rows, own_seconds, f"{columns} columns", colour, marker)
    goals = [(one.rows, one.goal) for one in new if one.goal]
    if goals:
        whole.plot(*zip(*goals, strict=True), "_", color="0.3", markersize=14, label="goal")
    rows = np.array([size.rows for size in sizes], dtype=float)
    seconds = np.array([size.seconds for size in sizes])
    _line(cost, rows, seconds, "a retraining", _OURS, "o")
    # Through the largest table: what every other would take if rows were all that cost.
    cost.plot(rows, seconds[-1] * rows / rows[-1], "--", color="0.6", label="proportional to rows")
    private = np.array([size.watched.private for size in sizes]) / 1e6
    inputs = np.array([size.watched.found["inputs_bytes"] for size in sizes]) / 1e6
    _line(memory, rows, private, "private memory at most", _OURS, "o")
    _line(memory, rows, inputs, "inputs, in a file", _OTHER, "s")
    for axes, title in (
        (whole, "a new pipeline: CPU seconds"),
        (cost, "a small network: CPU seconds"),
        (memory, "a small network: megabytes"),
    ):
        axes.set(xscale="log", yscale="log", xlabel="rows", title=title)
        axes.grid(color="0.93")
        axes.legend(frameon=False)
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def _line(axes: Axes, x: np.ndarray, y: np.ndarray, label: str, colour: str, marker: str) -> None:
    axes.plot(x, y, marker=marker, color=colour, label=label, markersize=5)
