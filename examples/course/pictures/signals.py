"""Signals on their way through layers, and the loss around a point."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from examples.course.flowers import SPECIES
from examples.course.pictures.paper import CLASS_COLOURS, panels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["sizes", "tangents"]


def sizes(names: dict[str, Any]) -> Figure:
    """Draw the size of a signal by layer, for each variance of the weights.

    Parameters
    ----------
    names
        ``sizes``: for each c, the root mean square before and after each layer.
    """
    figure, (axis,) = panels(1)
    for (c, found), colour in zip(names["sizes"].items(), CLASS_COLOURS, strict=True):
        layers = np.arange(len(found))
        axis.plot(layers, (c / 2) ** (layers / 2), color="0.7", lw=1, zorder=1)
        axis.plot(layers, found, "o", ms=4, color=colour)
        axis.annotate(
            f"c = {c}", (20, found[-1]), (20.5, found[-1]), color=colour, va="center", fontsize=9
        )
    axis.set(xlim=(-0.5, 22.5), yscale="log")
    axis.set_xlabel("layers passed", fontsize=8)
    axis.set_ylabel("size of the signal", fontsize=8)
    axis.set_xticks(range(0, 21, 5))
    return figure


def tangents(names: dict[str, Any]) -> Figure:
    """Draw the loss over each of three scores, and its tangents.

    Parameters
    ----------
    names
        The scores ``s``, their ``slope``, and ``loss``, a function of scores.
    """
    figure, axes = panels(3, height=2.6, sharey=True)
    s, slope = names["s"], names["slope"]
    away = np.linspace(-3, 3, 121)
    for c, axis in enumerate(axes):
        unit = np.eye(3)[c]
        axis.plot(s[c] + away, [names["loss"](s + d * unit) for d in away], color="0.45", lw=1.5)
        near = np.array([-1.2, 1.2])
        axis.plot(s[c] + near, names["loss"](s) + near * slope[c], color=CLASS_COLOURS[c], lw=2.5)
        axis.plot(s[c], names["loss"](s), "o", color="black", ms=5)
        axis.set_title(f"{SPECIES[c]}: slope {slope[c]:+.3f}", fontsize=9)
        axis.set_xlabel("its score", fontsize=8)
    axes[0].set_ylabel("loss of a setosa", fontsize=8)
    return figure
