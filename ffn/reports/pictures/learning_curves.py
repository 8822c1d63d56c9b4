"""Draw the learning curves of all candidate optimizers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ffn.quantities import counted
from ffn.reports.pictures.canvas import (
    LEGEND_LINE,
    default_style,
    legend_columns,
    line_style,
    to_png,
)
from ffn.training.selection.candidate import Candidate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["DRAWN_CURVES", "draw_learning_curves", "learning_curves"]

DRAWN_CURVES = 5
"""Candidates of a search that are drawn at most, besides the chosen one: as can be told apart."""

Array = npt.NDArray[Any]

_POINTS = 300
# Nats per row: the axis is clipped here, since a network beyond is plainly useless or perfect.
_LOSS_CEILING, _LOSS_FLOOR = 100.0, 1e-6
_HEIGHT = 6.4
# Lines of the legend that this height has room for.
_LEGEND_LINES = 2


def learning_curves(candidates: Sequence[Candidate], winner: str | None = None) -> bytes:
    """Return a PNG with loss and accuracy per epoch, for training and validation rows.

    A line is the median over an optimizer's networks, a band the 10th to 90th percentile. Both
    end where fewer than half of the networks are still training, so that no part of a curve
    represents only a few survivors.

    Parameters
    ----------
    candidates
        At least one.
    winner
        Name of the optimizer to mark as chosen; by default none is marked.
    """
    with default_style():
        return to_png(draw_learning_curves(candidates, winner))


def draw_learning_curves(candidates: Sequence[Candidate], winner: str | None = None) -> Figure:
    """Return the figure that `learning_curves` encodes.

    Its axes are, in this order, training loss, validation loss, training accuracy and validation
    accuracy. Each has one line per candidate, in the order of ``candidates``.

    Parameters
    ----------
    candidates, winner
        As for `learning_curves`.
    """
    from matplotlib.figure import Figure

    labels = [_label(candidate, winner) for candidate in candidates]
    columns = legend_columns(labels)
    lines = -(-len(labels) // columns)
    height = _HEIGHT + LEGEND_LINE * max(0, lines - _LEGEND_LINES)
    # The panels keep their size in inches, and the further lines are above them.
    share = _HEIGHT / height
    figure = Figure(figsize=(8.8, height), facecolor="white")
    axes = figure.subplots(2, 2, sharex=True, sharey="row")
    figure.subplots_adjust(
        left=0.095,
        right=0.965,
        top=0.86 * share,
        bottom=0.075 * share,
        hspace=0.1,
        wspace=0.1,
    )
    epochs = max(len(candidate.history.train_loss) for candidate in candidates)
    for row, figures in enumerate(("loss", "accuracy")):
        for column, part in enumerate(("train", "validation")):
            panel = axes[row, column]
            for number, candidate in enumerate(candidates):
                values = getattr(candidate.history, f"{part}_{figures}")
                aside = (number - (len(candidates) - 1) / 2) * 0.05 if epochs == 1 else 0.0
                _draw_curve(panel, values, aside, *line_style(candidate.optimizer, number))
            _dress(panel, epochs)
    _scale_loss(axes[0])
    _scale_accuracy(axes[1])
    for column, part in enumerate(("Training rows", "Validation rows")):
        axes[0, column].set_title(part, fontsize=11, loc="left", color="0.15")
        axes[1, column].set_xlabel(_epoch_title(epochs), color="0.15")
    axes[0, 0].set_ylabel("log-loss (nats per row, log scale)", color="0.15")
    axes[1, 0].set_ylabel("accuracy (share of rows)", color="0.15")
    for panel in axes[:, 0]:
        # Aligns both titles, left of the widest possible tick label.
        panel.yaxis.set_label_coords(-0.175, 0.5)
    _explain(figure, candidates, labels, columns, axes[0, 0].get_position().x0)
    return figure


def _stride(epochs: int) -> int:
    return -(-epochs // _POINTS)


def _epoch_title(epochs: int) -> str:
    stride = _stride(epochs)
    return "epoch" if stride == 1 else f"epoch (one in {stride:,} drawn)"


def _quantiles(values: Array) -> tuple[Array, Array]:
    """Return epochs [n] from 1, and the 10th, 50th, 90th percentiles [3, n] over networks.

    At most ``_POINTS`` + 1 epochs of ``values`` [epochs, K] are used, including the first and the
    last.
    """
    last = len(values) - 1
    index = np.unique(np.append(np.arange(0, last + 1, _stride(last + 1)), last))
    drawn = np.where(np.isfinite(values[index]), values[index], np.nan)
    enough = 2 * np.isfinite(drawn).sum(axis=1) >= values.shape[1]
    # NumPy raises an error for quantiles of an empty array.
    of_all = np.nanquantile(drawn[enough], (0.1, 0.5, 0.9), axis=1) if enough.any() else []
    return index[enough] + 1, np.reshape(of_all, (3, -1))


def _draw_curve(panel: Axes, values: Array, aside: float, colour: str, dashes: Any) -> None:
    """Draw one optimizer's values [epochs, K], shifted by ``aside`` along the epoch axis."""
    epochs, (low, median, high) = _quantiles(values)
    epochs = epochs + aside
    # With one epoch, a line has no length and a band no width, so both would be invisible.
    alone = len(epochs) == 1
    panel.plot(
        epochs,
        median,
        color=colour,
        linestyle=dashes,
        linewidth=1.8,
        marker="o" if alone else None,
        solid_capstyle="round",
        zorder=3,
    )
    if alone:
        panel.vlines(epochs, low, high, color=colour, linewidth=4, alpha=0.3, zorder=2)
    else:
        # Edges keep overlapping bands distinguishable.
        face, edge = (colour, 0.1), (colour, 0.55)
        panel.fill_between(
            epochs, low, high, facecolor=face, edgecolor=edge, linewidth=0.6, zorder=2
        )


def _dress(panel: Axes, epochs: int) -> None:
    from matplotlib.ticker import FixedLocator, MaxNLocator, StrMethodFormatter

    panel.set_xlim(min(1, epochs - 0.5), max(epochs, 1.5))
    ticks = MaxNLocator(5, integer=True).tick_values(1, epochs)
    panel.xaxis.set_major_locator(
        FixedLocator([1, *(tick for tick in ticks if 1 < tick <= epochs)])
    )
    panel.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    panel.grid(color="0.9", linewidth=0.7, zorder=0)
    panel.spines[["top", "right"]].set_visible(False)
    panel.spines[["left", "bottom"]].set_color("0.6")
    panel.tick_params(color="0.6", labelcolor="0.25")
    if not any(len(line.get_xdata()) for line in panel.lines):  # type: ignore[arg-type]
        panel.text(
            0.5,
            0.5,
            "no finite values",
            transform=panel.transAxes,
            ha="center",
            color="0.4",
        )


def _drawn(panels: Array) -> Array:
    """Return all values drawn in ``panels``, which share an axis; a single 1 if there are none."""
    values = [line.get_ydata() for panel in panels for line in panel.lines]
    bands = [
        path.vertices[:, 1]
        for panel in panels
        for band in panel.collections
        for path in band.get_paths()
    ]
    drawn = np.concatenate([*values, *bands]).astype(float)
    return drawn if len(drawn) else np.ones(1)


def _scale_loss(panels: Array) -> None:
    from matplotlib.ticker import Locator, LogLocator, MaxNLocator, NullLocator

    values = _drawn(panels)
    panels[0].set_yscale("log", nonpositive="clip")
    low = max(float(values.min()), _LOSS_FLOOR)
    high = max(low, min(float(values.max()), max(_LOSS_CEILING, 10 * low)))
    panels[0].set_ylim(low / 1.25, high * 1.25)
    decades = np.log10(high / low)
    ticks: Locator = LogLocator(subs=(1, 2, 5) if decades < 2.5 else (1,), numticks=8)
    for panel in panels:
        panel.yaxis.set_major_locator(MaxNLocator(5) if decades < 0.7 else ticks)
        panel.yaxis.set_minor_locator(NullLocator())
        panel.yaxis.set_major_formatter("{x:g}")


def _scale_accuracy(panels: Array) -> None:
    lowest = np.floor(_drawn(panels).min() * 10) / 10
    panels[0].set_ylim(min(lowest, 0.9), 1.015)


def _label(candidate: Candidate, winner: str | None) -> str:
    """Return the candidate's name, with notes on the choice and on diverged networks."""
    finished = candidate.history.finished
    notes = ["chosen"] if candidate.optimizer == winner else []
    if not finished.all():
        notes.append(f"{(~finished).sum():,} of {len(finished):,} diverged")
    return candidate.optimizer + (f" ({', '.join(notes)})" if notes else "")


def _explain(
    figure: Figure,
    candidates: Sequence[Candidate],
    labels: Sequence[str],
    columns: int,
    left: float,
) -> None:
    """Add a line on what is drawn, and below it the legend, above the panels."""
    from matplotlib.lines import Line2D

    handles = []
    for number, (candidate, label) in enumerate(zip(candidates, labels, strict=True)):
        colour, dashes = line_style(candidate.optimizer, number)
        handles.append(Line2D([], [], color=colour, linestyle=dashes, linewidth=2.4, label=label))
    networks = max(len(candidate.history.finished) for candidate in candidates)
    stopped = any(
        (candidate.history.epochs_run < len(candidate.history.train_loss)).any()
        for candidate in candidates
    )
    ends = " A curve ends where fewer than half of them are still training." if stopped else ""
    part = _HEIGHT / figure.get_figheight()
    figure.text(
        left,
        1 - 0.015 * part,
        f"Line: median of {counted(networks, 'network')}. Band: 10th to 90th percentile.{ends}",
        va="top",
        fontsize=9,
        color="0.35",
    )
    figure.legend(
        handles=handles,
        loc="upper left",
        bbox_to_anchor=(left, 1 - 0.048 * part),
        ncols=columns,
        frameon=False,
        borderaxespad=0,
        borderpad=0,
        handlelength=2.6,
        columnspacing=1.6,
        labelspacing=0.3,
        fontsize=10,
    )
