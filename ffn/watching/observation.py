"""What is wrong with a network while it learns: gradients that fade or explode, dead units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.nn import Activations, Network, Propagation, loss_and_gradients

__all__ = ["SAMPLE_ROWS", "LayerFigures", "Sample", "layer_figures", "sample_of"]

Array = npt.NDArray[Any]

# Enough that a unit which answers for one row in a hundred is hardly ever called dead.
SAMPLE_ROWS = 1_000


@dataclass(frozen=True)
class Sample:
    """Some of the rows that a network learns from.

    Attributes
    ----------
    x, labels
        Inputs [n, n_in], float64, and classes [n].
    """

    x: Array
    labels: Array


@dataclass(frozen=True, kw_only=True)
class LayerFigures:
    """What a layer does on a sample of rows, averaged or summed over a stack of networks.

    Attributes
    ----------
    gradient
        Euclidean norm of the loss's gradient by the layer's weights and biases, in nats; the
        median over the networks.
    units, dead
        Number of hidden units of all networks, and of those whose output is 0 for every row of the
        sample. The last layer has none.
    """

    gradient: float
    units: int = 0
    dead: int = 0


def sample_of(x: Array, labels: Array, most: int = SAMPLE_ROWS) -> Sample:
    """Return so many of the rows, the same ones each time.

    Parameters
    ----------
    x
        Inputs [N, n_in].
    labels
        Classes [N].
    most
        Number of rows; all of them if there are fewer. By default enough for dead units.
    """
    rows = np.arange(len(x))
    if len(rows) > most:
        rows = np.sort(np.random.default_rng(0).choice(len(rows), most, replace=False))
    return Sample(np.asarray(x[rows], np.float64), np.asarray(labels[rows], np.int64))


def layer_figures(network: Network, sample: Sample) -> list[LayerFigures]:
    """Return the figures of each layer, from the inputs to the classes.

    The loss is the plain cross-entropy, averaged over the sample: without dropout, smoothed labels
    and class weights. The arithmetic is float64. Figures of networks that diverged are NaN.

    Parameters
    ----------
    network
        Stack of K networks.
    sample
        Rows to look at.
    """
    exact = Network(network.widths, network.parameters.astype(np.float64))
    with np.errstate(over="ignore", invalid="ignore"):
        _, gradients = loss_and_gradients(exact, sample.x, sample.labels)
        inputs = np.ones((len(exact.parameters), sample.x.shape[1] + 1, len(sample.x)))
        inputs[:, :-1] = sample.x.T
        activations = Activations(exact.layers, len(sample.x))
        Propagation(exact.layers, activations).forward(inputs)
        norms = [np.sqrt((layer**2).sum(axis=(-2, -1))) for layer in exact.layer_views(gradients)]
    found = [LayerFigures(gradient=float(np.median(norm))) for norm in norms]
    for number, hidden in enumerate(activations.hidden):
        # The last row is the one of ones that carries the biases.
        silent = (hidden[:, :-1] == 0).all(axis=-1)
        found[number] = LayerFigures(
            gradient=found[number].gradient, units=silent.size, dead=int(silent.sum())
        )
    return found
