"""Forward and backward, written out.

With ``a`` the activations below a layer (features as rows, a row of ones last), ``W`` the
layer's matrix and ``delta`` the derivative of the loss by the layer's ``z``::

    forward     z = W a              a_next = max(z, 0), and a row of ones
    at the top  delta = (p - target) * row_weight / B
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
from ffn.nn.losses import cross_entropy, softmax
from ffn.nn.network import Network, unstacked

__all__ = ["Propagation", "loss_and_gradients"]

Array = npt.NDArray[Any]


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
        stack = network.parameters.shape[:-1]
        self.layers = [unstacked(layer) for layer in network.layers]
        self.gradients = [unstacked(layer) for layer in network.layer_views(gradients)]
        self.layers_transposed = [layer.mT for layer in self.layers]
        self.trainable = [i not in frozen_layers for i in range(len(self.layers))]
        self.lowest = self.trainable.index(True)
        self.activations = Activations(
            network.widths, () if stack == (1,) else stack, n_rows, network.parameters.dtype
        )
        self.below = [a.mT for a in self.activations.hidden]
        self.delta = np.empty_like(self.activations.logits)
        self.positive = np.empty_like(self.activations.whole, dtype=bool)
        self.slope = np.empty_like(self.activations.whole)
        self.slopes = self.activations.layers_of(self.slope)
        deltas = [np.empty_like(slope) for slope in self.slopes]
        self.hidden_deltas = [(delta, delta[..., :-1, :]) for delta in deltas]

    def forward(self, x: Array) -> Array:
        """Class scores. x: [K, B, n_in + 1], its last column ones; returns logits [K, C, B]."""
        return forward(self.layers, x.mT, self.activations)

    def backward(self, x: Array, targets: Array, row_weights: Array | float) -> None:
        """Fill the gradients of the batch that ``forward`` has just seen.

        Parameters
        ----------
        x
            The same inputs [K, B, n_in + 1].
        targets
            One-hot labels [K, C, B].
        row_weights
            Each row's weight divided by B: a number, or [K, 1, B].
        """
        product = self.activations.product
        delta = softmax(self.activations.logits, out=self.delta)
        delta -= targets
        delta *= row_weights
        # ReLU's slope in all layers at once. Compared into booleans and then copied: each step
        # has a vector loop, while np.sign has none.
        np.greater(self.activations.whole, self.activations.zeros, out=self.positive)
        np.copyto(self.slope, self.positive)
        for i in range(len(self.layers) - 1, self.lowest - 1, -1):
            if self.trainable[i]:
                product(delta, self.below[i - 1] if i else x, self.gradients[i])
            if i > self.lowest:
                delta_below, of_units = self.hidden_deltas[i - 1]
                product(self.layers_transposed[i], delta, delta_below)
                delta_below *= self.slopes[i - 1]
                delta = of_units


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
    targets = np.broadcast_to((labels == np.arange(c)[:, None]).astype(dtype), (k, c, n))
    weights = np.ones(n, dtype) if row_weights is None else np.asarray(row_weights, dtype)
    gradients = np.empty_like(network.parameters)
    propagation = Propagation(network, gradients, n)
    logits = propagation.forward(unstacked(augmented))
    loss = (cross_entropy(logits, labels) * weights).sum(axis=-1) / n
    propagation.backward(unstacked(augmented), unstacked(targets), weights / n)
    return loss.reshape(k), gradients
