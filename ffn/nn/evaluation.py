"""Loss and accuracy of many parameter sets at once: a snapshot of a stack is another stack."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.nn.forward import Activations, forward
from ffn.nn.losses import losses_and_hits
from ffn.nn.network import Network

__all__ = ["Evaluation", "snapshots_at_once"]

Array = npt.NDArray[Any]

# Bytes that the widest layer's activations, or the snapshots, may take: they stay in cache.
_WORKING_BYTES = 512 * 1024
_MOST_SNAPSHOTS = 25
# With fewer rows at once a wide layer's product is bound by reading its weights.
_FEWEST_ROWS = 256


def snapshots_at_once(network: Network, n_rows: int) -> int:
    """Return how many epochs' parameters to gather before evaluating them together."""
    k, n_parameters = network.parameters.shape
    floats = k * max(n_parameters, n_rows * max(network.widths))
    fit: int = _WORKING_BYTES // (floats * network.parameters.itemsize)
    return max(1, min(_MOST_SNAPSHOTS, fit))


class Evaluation:
    """Loss and accuracy of a stack on fixed rows, computed in arrays allocated once.

    Parameters
    ----------
    network
        Parameters [..., K, P]; looked at anew at each call.
    x, labels, row_weights
        Table [N, n_in], integers [N], and weights [N] or None.
    rows
        Row numbers [K, n], or [1, n] where all networks share them, or None for all rows.
    """

    def __init__(
        self,
        network: Network,
        x: Array,
        labels: Array,
        rows: Array | None,
        row_weights: Array | None,
    ) -> None:
        self.network = network
        self.x, self.labels, self.rows, self.row_weights = x, labels, rows, row_weights
        self.n_rows = len(x) if rows is None else rows.shape[1]
        *lead, k, _ = network.parameters.shape
        row_bytes = math.prod(lead) * max(network.widths) * network.parameters.itemsize
        self.rows_at_once = min(self.n_rows, max(_FEWEST_ROWS, _WORKING_BYTES // row_bytes))
        fit = max(1, _WORKING_BYTES // (row_bytes * self.rows_at_once))
        self.groups = [slice(start, min(start + fit, k)) for start in range(0, k, fit)]
        self._activations: dict[tuple[int, ...], Activations] = {}

    def __call__(self) -> tuple[Array, Array]:
        """Return loss and accuracy, each [..., K], float64.

        The loss is the mean cross-entropy in nats, weighted by ``row_weights``; the accuracy is
        the share of rows whose highest score (the first of equals) is their label's.
        """
        loss, accuracy = np.zeros((2, *self.network.parameters.shape[:-1]))
        for group in self.groups:
            loss[..., group], accuracy[..., group] = self._figures(group)
        return loss, accuracy

    def _figures(self, group: slice) -> tuple[Array, Array]:
        layers = [layer[..., group, :, :] for layer in self.network.layers]
        own = self.rows if self.rows is None or len(self.rows) == 1 else self.rows[group]
        total_loss, correct, total_weight = np.zeros((3, *layers[0].shape[:-2]))
        for start in range(0, self.n_rows, self.rows_at_once):
            stop = min(start + self.rows_at_once, self.n_rows)
            part: Any = slice(start, stop) if own is None else own[:, start:stop]
            inputs = self.x[part]
            a = np.ones((*inputs.shape[:-1], inputs.shape[-1] + 1), self.network.parameters.dtype)
            a[..., :-1] = inputs
            losses, hits = losses_and_hits(self._logits(layers, a.mT), self.labels[part])
            if self.row_weights is not None:
                weights = self.row_weights[part]
                losses = losses * weights
                total_weight += weights.sum(axis=-1)
            total_loss += losses.sum(axis=-1, dtype=np.float64)
            correct += np.count_nonzero(hits, axis=-1)
        mean = self.n_rows if self.row_weights is None else total_weight
        return total_loss / mean, correct / self.n_rows

    def _logits(self, layers: list[Array], a: Array) -> Array:
        shape = (*layers[0].shape[:-2], a.shape[-1])
        if shape not in self._activations:
            self._activations[shape] = Activations(
                self.network.widths, shape[:-1], shape[-1], a.dtype
            )
        return forward(layers, a, self._activations[shape])
