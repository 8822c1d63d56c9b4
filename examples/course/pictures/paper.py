"""What the pictures of the course share: size, colours, axes without a box."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["CLASS_COLOURS", "OPTIMIZER_COLOURS", "panels"]

# Okabe and Ito 2008, as in the pictures of the pipeline.
CLASS_COLOURS = ("#0072B2", "#E69F00", "#009E73")
OPTIMIZER_COLOURS = {
    "sgd": "#E69F00",
    "momentum": "#0072B2",
    "adam": "#009E73",
    "adamw": "#D55E00",
}


def panels(count: int, height: float = 3.0, **options: Any) -> tuple[Figure, list[Axes]]:
    """Return a figure with axes side by side, without the upper and the right edge.

    Parameters
    ----------
    count
        How many.
    height
        Inches; the width is that of the page.
    **options
        For ``Figure.subplots``.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, height), layout="constrained")
    axes = figure.subplots(1, count, squeeze=False, **options)[0]
    for one in axes:
        one.spines[["top", "right"]].set_visible(False)
        one.tick_params(labelsize=8)
    return figure, list(axes)
