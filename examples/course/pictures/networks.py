"""Networks and what they make of flowers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from examples.course.flowers import SPECIES
from examples.course.pictures.paper import CLASS_COLOURS, panels
from ffn.nn import reference

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["borders", "paths"]

_RISES, _FALLS = "#D55E00", "#0072B2"


def borders(names: dict[str, Any]) -> Figure:
    """Draw petals and the regions of each network.

    Parameters
    ----------
    names
        ``networks`` by name, ``petals``, ``labels`` and ``flowers``.
    """
    from matplotlib.colors import ListedColormap

    figure, axes = panels(2, sharey=True)
    flowers, petals, labels = names["flowers"][:, 2:], names["petals"], names["labels"]
    low, high = petals.min(axis=0) - 0.3, petals.max(axis=0) + 0.3
    grid = np.stack(np.meshgrid(*np.linspace(low, high, 300).T), axis=-1).reshape(-1, 2)
    corners = np.stack([low, high]) * flowers.std(axis=0) + flowers.mean(axis=0)
    for axis, (name, network) in zip(axes, names["networks"].items(), strict=True):
        region = reference.forward(network, grid)[-1].argmax(axis=1).reshape(300, 300)
        axis.imshow(
            region,
            origin="lower",
            extent=(*corners[:, 0], *corners[:, 1]),
            aspect="auto",
            cmap=ListedColormap(CLASS_COLOURS),
            alpha=0.25,
            interpolation="nearest",
        )
        for number, species in enumerate(SPECIES):
            axis.plot(
                *flowers[labels == number].T, "o", ms=3, color=CLASS_COLOURS[number], label=species
            )
        axis.set_title(f"{name} borders", fontsize=9)
        axis.set_xlabel("petal length (cm)", fontsize=8)
    axes[0].set_ylabel("petal width (cm)", fontsize=8)
    axes[0].legend(fontsize=8, loc="upper left", framealpha=1)
    return figure


def paths(names: dict[str, Any]) -> Figure:
    """Draw a network with its outputs, for each flower it is asked about.

    Parameters
    ----------
    names
        ``network``, the flowers ``asked`` and their ``answers``.
    """
    figure, axes = panels(2, height=3.4)
    titles = ("a setosa", "a virginica")
    for axis, flower, title in zip(axes, names["asked"], titles, strict=True):
        _draw_network(axis, names["network"], flower)
        axis.set_title(title, fontsize=9)
    return figure


def _draw_network(axis: Axes, network: list[reference.Array], flower: reference.Array) -> None:
    *layers, scores = (a[0] for a in reference.forward(network, flower[None]))
    answers = np.exp(reference.log_softmax(scores[None]))[0]
    columns = [*layers, answers]
    places = [
        np.column_stack([np.full(len(a), float(i)), np.linspace(-1, 1, len(a) + 2)[1:-1][::-1]])
        for i, a in enumerate(columns)
    ]
    for i, w in enumerate(network[::2]):
        flows = layers[i][:, None] * w
        strongest = np.abs(flows).max()
        for j, k in zip(*np.nonzero(np.abs(flows) > 0.03 * strongest), strict=True):
            share = abs(flows[j, k]) / strongest
            axis.plot(
                *zip(places[i][j], places[i + 1][k], strict=True),
                color=_RISES if flows[j, k] > 0 else _FALLS,
                lw=0.3 + 2 * share,
                alpha=0.2 + 0.6 * share,
                zorder=1,
            )
    for i, (outputs, where) in enumerate(zip(columns, places, strict=True)):
        ink = np.abs(outputs) / max(np.abs(outputs).max(), 1e-12)
        axis.scatter(
            where[:, 0],
            where[:, 1],
            s=90 if len(outputs) < 10 else 45,
            c=1 - ink,
            cmap="gray",
            vmin=0,
            vmax=1,
            edgecolors="black",
            linewidths=0.8,
            zorder=2,
        )
        below = "features" if i == 0 else "answer" if i == 3 else f"{len(outputs)} units"
        axis.text(i, -1.12, below, ha="center", fontsize=8)
    for name, answer, (_, height) in zip(SPECIES, answers, places[-1], strict=True):
        axis.text(3.16, height, f"{name} {answer:.2f}", va="center", fontsize=8)
    axis.set(xlim=(-0.3, 4.4), ylim=(-1.2, 1.05))
    axis.axis("off")
