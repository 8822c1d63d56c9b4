"""Forward and backward, written out.

With ``a`` the activations below a layer (features as rows, a row of ones last), ``W`` the
layer's matrix and ``delta`` the derivative of the loss by the layer's ``z``::

    forward     z = W a              a_next = max(z, 0), and a row of ones
    at the top  delta = (p - target) * row_weight / B
    backward    dW = delta a^T       delta_below = (W^T delta) * (z_below > 0)

The same as in Goodfellow et al. 2016, "Deep Learning", algorithms 6.3 and 6.4. The last line
leaves out W's bias column: the row of ones does not depend on anything below.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.nn.losses import cross_entropy, softmax
from ffn.nn.network import Network

__all__ = ["Propagation", "loss_and_gradients"]

Array = npt.NDArray[Any]


class Propagation:
    """The way of batches of one size through a stack and back, in arrays allocated once.

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
        k, dtype = len(network.parameters), network.parameters.dtype
        # A single network goes without the stack's axis: np.matmul takes three times as long as
        # ``dot`` to reach BLAS, which is most of a small product.
        self.single = k == 1
        self.product = np.ndarray.dot if self.single else np.matmul
        pick, lead = (0, ()) if self.single else (..., (k,))
        self.layers = network.layer_views(network.parameters[pick])
        self.gradients = network.layer_views(gradients[pick])
        self.weights_transposed = [layer[..., :-1].swapaxes(-1, -2) for layer in self.layers]
        self.trainable = [i not in frozen_layers for i in range(len(self.layers))]
        self.lowest = self.trainable.index(True)
        self.activations = [np.ones((*lead, n + 1, n_rows), dtype) for n in network.widths[1:-1]]
        self.hidden = [a[..., :-1, :] for a in self.activations]
        self.hidden_deltas = [np.empty_like(hidden) for hidden in self.hidden]
        self.positive = [np.empty(hidden.shape, dtype=bool) for hidden in self.hidden]
        self.slope = [np.empty_like(hidden) for hidden in self.hidden]
        # Against an array of zeros np.maximum has a vector loop; against a scalar it has none.
        self.zeros = [np.zeros_like(hidden) for hidden in self.hidden]
        self.logits = np.empty((*lead, network.widths[-1], n_rows), dtype)
        self.delta = np.empty_like(self.logits)

    def forward(self, x: Array) -> Array:
        """Class scores. x: [K, B, n_in + 1], its last column ones; returns logits [K, C, B]."""
        a = (x[0] if self.single else x).swapaxes(-1, -2)
        for layer, hidden, zeros, a_next in zip(
            self.layers, self.hidden, self.zeros, self.activations, strict=False
        ):
            self.product(layer, a, hidden)
            np.maximum(hidden, zeros, out=hidden)
            a = a_next
        self.product(self.layers[-1], a, self.logits)
        return self.logits[None] if self.single else self.logits

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
        if self.single:
            x, targets = x[0], targets[0]
            row_weights = row_weights if isinstance(row_weights, float) else row_weights[0]
        delta = softmax(self.logits, out=self.delta)
        delta -= targets
        delta *= row_weights
        for i in range(len(self.layers) - 1, self.lowest - 1, -1):
            if self.trainable[i]:
                below = self.activations[i - 1].swapaxes(-1, -2) if i else x
                self.product(delta, below, self.gradients[i])
            if i > self.lowest:
                delta_below, slope = self.hidden_deltas[i - 1], self.slope[i - 1]
                self.product(self.weights_transposed[i], delta, delta_below)
                # Compared into booleans and then copied: each step has a vector loop, while
                # np.sign and a product with booleans have none.
                np.greater(self.hidden[i - 1], self.zeros[i - 1], out=self.positive[i - 1])
                np.copyto(slope, self.positive[i - 1])
                delta_below *= slope
                delta = delta_below


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
    logits = propagation.forward(augmented)
    loss = (cross_entropy(logits, labels) * weights).sum(axis=-1) / n
    propagation.backward(augmented, targets, np.broadcast_to(weights / n, (k, 1, n)))
    return loss, gradients
