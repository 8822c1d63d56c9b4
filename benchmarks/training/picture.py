"""The figures as a picture: a dot for each side's median, a line for the whole range."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator

from benchmarks.rounds import Measured
from benchmarks.training.tables import seconds_text
from benchmarks.training.work import Work
from ffn.reports.pictures.canvas import to_png

__all__ = ["draw", "picture"]

# Colours of Okabe and Ito 2008, told apart with every kind of colour blindness; shapes besides.
_STYLES = [
    ("ours", "ours", "#0072B2", "o"),
    ("matrix products", "the matrix products alone", "#000000", "|"),
    ("PyTorch", "PyTorch (eager; vmap where stacked)", "#D55E00", "s"),
    ("warm", "JAX, warm", "#009E73", "^"),
    ("cold", "JAX, compilation counted", "#56B4E9", "v"),
    ("JAX", "JAX, compilation counted", "#56B4E9", "v"),
    ("fit", "scikit-learn, not evaluated", "#E69F00", "x"),
    ("scikit-learn", "scikit-learn, evaluated", "#CC79A7", "D"),
]


def picture(measured: Mapping[str, Measured], works: Mapping[str, Work]) -> bytes:
    """Return a PNG of CPU time a step, on a logarithmic scale."""
    return to_png(draw(measured, works))


def draw(measured: Mapping[str, Measured], works: Mapping[str, Work]) -> Figure:
    """Return the figure behind ``picture``; a row for each work, the first on top.

    Works without steps, whole processes, are left out.
    """
    shown = {key: own for key, own in measured.items() if key in works}
    figure = Figure(figsize=(9.5, 2.0 + 0.62 * len(shown)), facecolor="white")
    axes = figure.subplots()
    handles: dict[str, Line2D] = {}
    for row, (key, own) in enumerate(shown.items()):
        heights = np.linspace(-0.3, 0.3, len(own.seconds))
        for height, (side, seconds) in zip(heights, own.seconds.items(), strict=True):
            label, colour, marker = _style(side)
            times, y = seconds / works[key].network_steps, row + height
            axes.plot([times.min(), times.max()], [y, y], color=colour, linewidth=1.5, alpha=0.5)
            (handles[label],) = axes.plot(
                np.median(times), y, marker, color=colour, markersize=6, linestyle="none"
            )
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(base=10))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: seconds_text(value)))
    axes.set_yticks(range(len(shown)), [own.work for own in shown.values()])
    for row in range(len(shown) - 1):
        axes.axhline(row + 0.5, color="0.93", linewidth=1)
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0, labelsize=9)
    axes.grid(axis="x", color="0.88")
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.set_xlabel("CPU time a step of one network, evaluation shared out (less is better)")
    axes.legend(
        handles.values(),
        handles.keys(),
        loc="lower left",
        bbox_to_anchor=(-0.2, 1),
        ncols=3,
        frameon=False,
    )
    figure.tight_layout()
    return figure


def _style(side: str) -> tuple[str, str, str]:
    """Return label, colour and marker of a side: the first whose word its name holds."""
    return next(style for word, *style in _STYLES if word in side)  # type: ignore[return-value]
