"""Losses on their way down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from examples.course.pictures.paper import OPTIMIZER_COLOURS, panels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["batches"]


def batches(names: dict[str, Any]) -> Figure:
    """Draw the loss by epoch, for each size of batch.

    Parameters
    ----------
    names
        ``curves``: the losses by size and rate, the first before training.
    """
    figure, (axis,) = panels(1)
    colours = dict(zip((1, 8, 32, 150), OPTIMIZER_COLOURS.values(), strict=True))
    usual = min(rate for _, rate in names["curves"])
    for (size, rate), losses in names["curves"].items():
        style, label = (".-", "") if rate == usual else (".:", f", rate {rate:g}")
        axis.plot(
            range(len(losses)),
            losses,
            style,
            color=colours[size],
            label=f"batches of {size}{label}",
        )
    axis.set_xlabel("epochs: times that each flower was looked at", fontsize=8)
    axis.set_ylabel("loss", fontsize=8)
    axis.set(ylim=(0, None), xlim=(0, 20))
    axis.set_xticks(range(0, 21, 5))
    axis.legend(fontsize=8, frameon=False)
    return figure
