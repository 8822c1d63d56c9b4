"""Loss and gradients of one batch: a training step without the step."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.nn.losses import cross_entropy, targets_of
from ffn.nn.network import Network
from ffn.nn.propagation import Activations, Propagation

__all__ = ["loss_and_gradients"]

Array = npt.NDArray[Any]


def loss_and_gradients(
    network: Network, x: Array, labels: Array, row_weights: Array | None = None
) -> tuple[Array, Array]:
    """Return the loss [K] in nats and its gradients [K, P], for rows that all networks share.

    The loss is ``sum_b row_weights_b * loss_b / B``.

    Parameters
    ----------
    network
        Stack of K networks.
    x
        Inputs [B, n_in].
    labels
        Integers [B] below C, or the probability of each class, floats [B, C].
    row_weights
        Factors [B] of the rows' losses. None, the default, for 1 each.
    """
    k, dtype = len(network.parameters), network.parameters.dtype
    inputs = np.ones((k, x.shape[1] + 1, len(x)), dtype)
    inputs[:, :-1] = x.T
    weights = np.ones(len(x), dtype) if row_weights is None else np.asarray(row_weights, dtype)
    gradients = np.zeros_like(network.parameters)
    activations = Activations(network.layers, len(x))
    propagation = Propagation(network.layers, activations, network.layer_views(gradients))
    logits = propagation.forward(inputs)
    loss = (cross_entropy(logits, labels) * weights).sum(axis=-1) / len(x)
    targets = targets_of(labels, network.widths[-1], dtype) / len(x)
    propagation.backward(logits, targets, weights)
    return loss, gradients
