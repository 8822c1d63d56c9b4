"""Losses on their way down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from examples.course.pictures.paper import OPTIMIZER_COLOURS, panels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["batches", "parting", "races", "valleys"]


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


def races(names: dict[str, Any]) -> Figure:
    """Draw validation losses by epoch: at one rate for all, and at each optimizer's own.

    Parameters
    ----------
    names
        ``rates``: what was measured.
    """
    figure, axes = panels(2, sharey=True)
    titles = {"one_rate": "all at 0.005", "own_rate": "each at its own rate"}
    for axis, (race, title) in zip(axes, titles.items(), strict=True):
        for name, colour in OPTIMIZER_COLOURS.items():
            losses = names["rates"][name][race]
            rate = names["rates"][name]["best"][0] if race == "own_rate" else 0.005
            style = "--" if name == "adamw" else "-"
            axis.plot(
                range(1, len(losses) + 1), losses, style, color=colour, label=f"{name} {rate:g}"
            )
        axis.set_title(title, fontsize=9)
        axis.set_xlabel("epochs", fontsize=8)
        axis.legend(fontsize=8, frameon=False)
    axes[0].set(ylim=(0, 1.2))
    axes[0].set_ylabel("validation log-loss", fontsize=8)
    return figure


def valleys(names: dict[str, Any]) -> Figure:
    """Draw validation losses over the rate.

    Parameters
    ----------
    names
        ``rates``: what was measured.
    """
    figure, (axis,) = panels(1)
    rates = names["rates"]["rates"]
    for name, colour in OPTIMIZER_COLOURS.items():
        losses = names["rates"][name]["loss"]
        best = min(range(len(rates)), key=losses.__getitem__)
        axis.plot(rates, losses, "--" if name == "adamw" else "-", color=colour, label=name)
        axis.plot(rates[best], losses[best], "o", color=colour)
    axis.set(xscale="log", yscale="log", ylim=(0.1, 3))
    axis.set_yticks([0.1, 0.2, 0.5, 1, 2], ["0.1", "0.2", "0.5", "1", "2"])
    axis.minorticks_off()
    axis.set_xlabel("learning rate", fontsize=8)
    axis.set_ylabel("validation log-loss", fontsize=8)
    axis.legend(fontsize=8, frameon=False)
    return figure


def parting(names: dict[str, Any]) -> Figure:
    """Draw losses on training and validation rows by epoch.

    Parameters
    ----------
    names
        ``losses`` and ``watched``, after each epoch, and the ``best`` epoch.
    """
    figure, (axis,) = panels(1)
    epochs = range(1, len(names["losses"]) + 1)
    axis.plot(epochs, names["losses"], color="#0072B2", label="flowers it learns from")
    axis.plot(epochs, names["watched"], color="#D55E00", label="flowers it does not")
    axis.axvline(names["best"], color="0.6", lw=1, ls="--")
    axis.annotate(
        f"lowest after epoch {names['best']}", (names["best"] + 2, 0.68), fontsize=8, color="0.35"
    )
    axis.set(ylim=(0, 0.75), xlim=(0, len(epochs)))
    axis.set_xlabel("epochs", fontsize=8)
    axis.set_ylabel("loss", fontsize=8)
    axis.legend(fontsize=8, frameon=False, loc="upper right")
    return figure
