"""Draw the confusion matrix of the held-out rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ffn.evaluation.metrics import HeldOutEvaluation
from ffn.reports.pictures.canvas import default_style, drawable, inches, to_png

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["confusion_matrix", "draw_confusion_matrix"]

Array = npt.NDArray[Any]

_RIGHT, _WRONG = (0.0, 0.447, 0.698), (0.835, 0.369, 0.0)
_LABEL_LETTERS = 22
_NAME_SIZE = 9
# With more classes, counts and names are too small to read.
_MOST_READABLE = 40


def confusion_matrix(evaluation: HeldOutEvaluation) -> bytes:
    """Return a PNG with counts of held-out rows by label (down) and prediction (across).

    Correct predictions are blue, mistakes orange; the darker the cell, the larger its share of the
    label's rows. Cells with a count of zero are left blank. A class whose name cannot be drawn, or
    is the same as another once shortened, is shown by its number.

    Parameters
    ----------
    evaluation
        Figures on the held-out rows.
    """
    with default_style():
        return to_png(draw_confusion_matrix(evaluation))


def draw_confusion_matrix(evaluation: HeldOutEvaluation) -> Figure:
    """Return the figure that `confusion_matrix` encodes; see there."""
    from matplotlib.figure import Figure

    counts = evaluation.confusion
    classes = len(counts)
    readable = classes <= _MOST_READABLE
    names = drawable([figures.name for figures in evaluation.classes], "class", _LABEL_LETTERS)
    widest = max(inches(name, _NAME_SIZE) for name in names) if readable else 0.3
    # With few classes, cells are as wide as the names, so that these need not be rotated.
    cell = max(6.5 / classes, 0.32 if readable else 0.0)
    cell = min(cell, max(0.8, min(widest + 0.15, 1.3)))
    upright = readable and widest > cell - 0.1
    left, bottom = widest + 0.45, (widest if upright else 0.15) + 0.4
    top, right, side = 0.42, 0.15, cell * classes
    width, height = left + max(side, 2.6) + right, top + side + bottom
    figure = Figure(figsize=(width, height), facecolor="white")
    panel = figure.add_axes((left / width, bottom / height, side / width, side / height))
    shades = _shades(counts)
    panel.imshow(shades, interpolation="nearest", aspect="equal")
    if readable:
        _write_counts(panel, counts, shades, cell)
        _write_names(panel, names, upright=upright)
    else:
        panel.xaxis.set_major_formatter(lambda index, _: f"{index + 1:.0f}")
        panel.yaxis.set_major_formatter(lambda index, _: f"{index + 1:.0f}")
    panel.spines[:].set(color="0.9", linewidth=0.7)
    panel.set_xlabel("predicted class", color="0.15")
    panel.set_ylabel("true class", color="0.15")
    figure.text(
        left / width,
        1 - 0.12 / height,
        f"{evaluation.correct:,} of {evaluation.rows:,} held-out rows right",
        va="top",
        fontsize=10,
        color="0.15",
    )
    return figure


def _shades(counts: Array) -> Array:
    """Return colours [C, C, 3] by share of the label's rows; every nonzero count is visible."""
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    strength = np.where(counts > 0, 0.12 + 0.88 * shares, 0.0)[..., None]
    hue = np.where(np.eye(len(counts), dtype=bool)[..., None], _RIGHT, _WRONG)
    shades: Array = 1 - strength * (1 - hue)
    return shades


def _is_dark(shades: Array) -> Array:
    """Return booleans [C, C]: where white is easier to read than black (WCAG 2.2 luminance)."""
    linear = np.where(shades <= 0.04045, shades / 12.92, ((shades + 0.055) / 1.055) ** 2.4)
    dark: Array = linear @ (0.2126, 0.7152, 0.0722) < 0.25
    return dark


def _write_counts(panel: Axes, counts: Array, shades: Array, cell: float) -> None:
    longest = max(len(_short(int(count))) for count in counts.ravel())
    # The width of a digit is about 0.6 of the font size; an inch has 72 points.
    size = min(12.0, 0.85 * cell * 72 / max(1.6, 0.62 * longest))
    dark = _is_dark(shades)
    for label, prediction in np.argwhere(counts):
        panel.text(
            prediction,
            label,
            _short(int(counts[label, prediction])),
            ha="center",
            va="center",
            fontsize=size,
            color="white" if dark[label, prediction] else "0.1",
        )


def _short(count: int) -> str:
    """Return at most five characters: 9999, 12k, 3.4M."""
    for unit, suffix in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if count >= max(unit, 10_000):
            scaled = count / unit
            return f"{scaled:.0f}{suffix}" if scaled >= 10 else f"{scaled:.1f}{suffix}"
    return str(count)


def _write_names(panel: Axes, names: list[str], *, upright: bool) -> None:
    ticks = range(len(names))
    # parse_math would read a "$" in a class name as the start of a formula.
    panel.set_xticks(ticks, names, rotation=90 if upright else 0, parse_math=False)
    panel.set_yticks(ticks, names, parse_math=False)
    panel.tick_params(length=0, labelsize=_NAME_SIZE, labelcolor="0.25")
    panel.set_xticks([tick - 0.5 for tick in range(1, len(names))], minor=True)
    panel.set_yticks([tick - 0.5 for tick in range(1, len(names))], minor=True)
    panel.grid(which="minor", color="0.9", linewidth=0.7)
    panel.tick_params(which="minor", length=0)
