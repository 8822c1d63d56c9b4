"""The way of a batch through the network: forward to class scores, backward to gradients.

::

    forward    inputs -> Dense -> ReLU -> Dense -> ReLU -> Dense -> class scores
    backward              <------ the same layers in reverse <------ delta

Training with dropout has a ``Dropout`` behind each ``ReLU``.

``delta`` at the top comes from ``SoftmaxCrossEntropy``. Backpropagation is Goodfellow,
Bengio and Courville 2016, "Deep Learning", algorithms 6.3 and 6.4.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.nn.layers import Dense, Dropout, ReLU
from ffn.nn.losses import SoftmaxCrossEntropy

__all__ = ["Activations", "Propagation"]

Array = npt.NDArray[Any]


class Activations:
    """The output arrays of all layers for batches of one size, allocated once.

    Parameters
    ----------
    weights
        One matrix a layer, [..., n_out, n_in + 1]. Only shapes and dtype are read.
    n_rows
        B, the rows of a batch.

    Attributes
    ----------
    hidden
        One array [..., n + 1, B] for each hidden layer, filled with ones: the last row stays so.
    zeros
        The same shapes filled with zeros, for ``ReLU``.
    logits
        Class scores [..., C, B]. In memory the classes are outermost, so that the maximum over
        classes compares long rows.
    """

    def __init__(self, weights: Sequence[Array], n_rows: int) -> None:
        *hidden, top = weights
        shapes = [(*w.shape[:-2], w.shape[-2] + 1, n_rows) for w in hidden]
        self.hidden = [np.ones(shape, top.dtype) for shape in shapes]
        self.zeros = [np.zeros(shape, top.dtype) for shape in shapes]
        *stack, n_classes, _ = top.shape
        self.logits = np.moveaxis(np.empty((n_classes, *stack, n_rows), top.dtype), 0, -2)


class Propagation:
    """A chain of layers for batches of one size.

    Parameters
    ----------
    weights
        One matrix a layer, [..., n_out, n_in + 1]: ``Network.layers``, or views of them.
    activations
        The arrays that the layers write to, made for these shapes.
    gradients
        One array a layer, like ``weights``, that ``backward`` fills. None, the default, if there
        will be no backward.
    frozen_layers
        Positions, from 0, of layers whose gradient is left as it is. Below the lowest other
        layer ``backward`` does not go.
    dropout
        One layer for each hidden one, for training with dropout. Default: none.
    """

    def __init__(
        self,
        weights: Sequence[Array],
        activations: Activations,
        gradients: Sequence[Array] | None = None,
        frozen_layers: Collection[int] = (),
        dropout: Sequence[Dropout] = (),
    ) -> None:
        filled: list[Array | None] = [None] * len(weights)
        if gradients is not None:
            filled = [None if i in frozen_layers else g for i, g in enumerate(gradients)]
        outputs = [*activations.hidden, activations.logits]
        dense = [Dense(*arrays) for arrays in zip(weights, outputs, filled, strict=True)]
        self.layers: list[Dense | ReLU | Dropout] = [dense[0]]
        for i, (zeros, layer) in enumerate(zip(activations.zeros, dense[1:], strict=True)):
            self.layers += [ReLU(zeros), *dropout[i : i + 1], layer]
        if gradients is not None:
            # From the top down to the lowest layer that learns, which needs no delta below it.
            self._lowest = next(layer for layer in dense if layer.gradient is not None)
            self._above = self.layers[: self.layers.index(self._lowest) : -1]
            self._loss = SoftmaxCrossEntropy(activations.logits)

    def forward(self, inputs: Array) -> Array:
        """Return class scores [..., C, B]. inputs: [..., n_in + 1, B], the last row ones."""
        a = inputs
        for layer in self.layers:
            a = layer.forward(a)
        return a

    def backward(self, logits: Array, targets: Array, row_weights: Array | None = None) -> None:
        """Fill the gradients for the batch that ``forward`` has just seen.

        Parameters
        ----------
        logits
            The class scores that ``forward`` returned, [..., C, B]; overwritten.
        targets
            One-hot labels divided by B, [..., C, B].
        row_weights
            Factors of the rows' losses, [..., 1, B]. None, the default, for 1 each.
        """
        delta = self._loss.backward(logits, targets, row_weights)
        for layer in self._above:
            delta = layer.backward(delta)
        self._lowest.fill_gradient(delta)
