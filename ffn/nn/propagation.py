"""Forward and backward, written out.

With ``a`` the activations below a layer (features as rows, a row of ones last), ``W`` the
layer's matrix and ``delta`` the derivative of the loss by the layer's ``z``::

    forward     z = W a              a_next = max(z, 0), and a row of ones
    at the top  delta = (p / B - target / B) * row_weight        p = softmax(z)
    backward    dW = delta a^T       delta_below = (W^T delta) * (z_below > 0)

The same as in Goodfellow et al. 2016, "Deep Learning", algorithms 6.3 and 6.4. The last row of
``delta_below`` is the derivative by the row of ones, which depends on nothing below: it is
computed, since leaving W's bias column out of the product would copy W, and left unread.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.nn.forward import Activations, forward
from ffn.nn.losses import cross_entropy, one_hot
from ffn.nn.network import Network, unstacked

__all__ = ["Propagation", "loss_and_gradients"]

Array = npt.NDArray[Any]

_FEW_CLASSES = 16


class Propagation:
    """The way of batches of one size through a stack and back, in arrays allocated once.

    A single network goes without the stack's axis (``unstacked``), here and in the arrays it
    is given: for K = 1 read [K, B, ...] below as [B, ...].

    Parameters
    ----------
    network
        Stack of K networks.
    gradients
        Array [K, P] that ``backward`` fills.
    n_rows
        B, rows in a batch.
    frozen_layers
        Layers whose gradient is left as it is; below the lowest other one ``backward`` does
        not go.
    """

    def __init__(
        self,
        network: Network,
        gradients: Array,
        n_rows: int,
        frozen_layers: Collection[int] = (),
    ) -> None:
        (k, _), dtype = network.parameters.shape, network.parameters.dtype
        n_classes = network.widths[-1]
        self.layers = [unstacked(layer) for layer in network.layers]
        self.gradients = [unstacked(layer) for layer in network.layer_views(gradients)]
        self.activations = Activations(network.widths, () if k == 1 else (k,), n_rows, dtype)
        self.delta = np.empty_like(self.activations.logits)
        # A product with this gives each row's sum, times B, to each class: of few classes in a
        # fifth of the time of a sum along one axis and a division along another.
        n_sums = n_classes if n_classes <= _FEW_CLASSES else 1
        self.summing = np.full((n_sums, n_classes), n_rows, dtype)
        self.sums = np.empty_like(self.delta[..., :n_sums, :])
        self.positive = np.empty_like(self.activations.whole, dtype=bool)
        self.slope = np.empty_like(self.activations.whole)
        self.trainable = [i not in frozen_layers for i in range(len(self.layers))]
        self.lowest = self.trainable.index(True)
        slopes = self.activations.layers_of(self.slope)
        # From the top down to the lowest trainable layer, which needs no delta below it.
        self.way_down = [
            (
                self.activations.hidden[i - 1].mT,
                self.gradients[i] if self.trainable[i] else None,
                self.layers[i].mT,
                delta_below := np.empty_like(slopes[i - 1]),
                slopes[i - 1],
                delta_below[..., :-1, :],
            )
            for i in range(len(self.layers) - 1, self.lowest, -1)
        ]

    def forward(self, x: Array) -> Array:
        """Class scores. x: [K, B, n_in + 1], its last column ones; returns logits [K, C, B]."""
        return forward(self.layers, x.mT, self.activations)

    def backward(self, x: Array, targets: Array, row_weights: Array | None) -> None:
        """Fill the gradients of the batch that ``forward`` has just seen.

        Parameters
        ----------
        x
            The same inputs [K, B, n_in + 1].
        targets
            One-hot labels divided by B: [K, C, B].
        row_weights
            [K, 1, B], or None for 1 each.
        """
        activations = self.activations
        product = activations.product
        delta = self._probabilities_by_rows(activations.logits)
        delta -= targets
        if row_weights is not None:
            delta *= row_weights
        # ReLU's slope in all layers at once. Compared into booleans and then copied: each step
        # has a vector loop, while np.sign has none.
        np.greater(activations.whole, activations.zeros, out=self.positive)
        np.copyto(self.slope, self.positive)
        for a_below, gradient, layer_transposed, delta_below, slope, of_units in self.way_down:
            if gradient is not None:
                product(delta, a_below, gradient)
            product(layer_transposed, delta, delta_below)
            delta_below *= slope
            delta = of_units
        a_below = self.activations.hidden[self.lowest - 1].mT if self.lowest else x
        product(delta, a_below, self.gradients[self.lowest])

    def _probabilities_by_rows(self, logits: Array) -> Array:
        """Return ``softmax`` / B, [K, C, B], with sums by ``summing``."""
        highest = np.maximum.reduce(logits, axis=-2, keepdims=True)
        p = np.subtract(logits, highest, out=self.delta)
        np.exp(p, out=p)
        p /= self.activations.product(self.summing, p, self.sums)
        return p


def loss_and_gradients(
    network: Network, x: Array, labels: Array, row_weights: Array | None = None
) -> tuple[Array, Array]:
    """Return the loss [K] and its gradients [K, P] for one batch.

    Parameters
    ----------
    network
        Stack of K networks.
    x
        Inputs [B, n_in].
    labels
        Integers [B] below C.
    row_weights
        Factors [B] of the rows' losses; None for 1 each. The loss is
        ``sum_b row_weights_b * loss_b / B``.
    """
    dtype = network.parameters.dtype
    n, c = len(x), network.widths[-1]
    k = len(network.parameters)
    augmented = np.ones((k, n, network.widths[0] + 1), dtype)
    augmented[..., :-1] = x
    weights = np.ones(n, dtype) if row_weights is None else np.asarray(row_weights, dtype)
    targets = np.broadcast_to(one_hot(labels, c, dtype) / n, (k, c, n))
    gradients = np.empty_like(network.parameters)
    propagation = Propagation(network, gradients, n)
    logits = propagation.forward(unstacked(augmented))
    loss = (cross_entropy(logits, labels) * weights).sum(axis=-1) / n
    propagation.backward(unstacked(augmented), unstacked(targets), weights)
    return loss.reshape(k), gradients
