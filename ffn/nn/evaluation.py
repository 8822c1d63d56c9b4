"""Loss and accuracy of many parameter sets at once: a snapshot of a stack is another stack."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.nn.losses import losses_and_hits
from ffn.nn.network import Network

__all__ = ["evaluate", "snapshots_at_once"]

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


def evaluate(
    network: Network, x: Array, labels: Array, rows: Array, row_weights: Array | None = None
) -> tuple[Array, Array]:
    """Return loss and accuracy, each [..., K], float64.

    Parameters
    ----------
    network
        Parameters [..., K, P].
    x, labels, row_weights
        Table [N, n_in], integers [N], and weights [N] or None.
    rows
        Row numbers [K, n], or [1, n] where all networks share them.

    Returns
    -------
    loss
        Mean cross-entropy in nats, weighted by ``row_weights``.
    accuracy
        Share of rows whose highest score (the first of equals) is their label's.
    """
    lead, dtype = network.parameters.shape[:-1], network.parameters.dtype
    n = rows.shape[1]
    row_bytes = int(np.prod(lead)) * max(network.widths) * dtype.itemsize
    chunk = min(n, max(_FEWEST_ROWS, _WORKING_BYTES // row_bytes))
    total_loss, correct, total_weight = np.zeros(lead), np.zeros(lead), np.zeros(len(rows))
    inputs = np.ones((len(rows), chunk, x.shape[1] + 1), dtype)
    for start in range(0, n, chunk):
        part = rows[:, start : start + chunk]
        a = inputs[:, : part.shape[1]]
        a[..., :-1] = x.take(part, axis=0)
        own = labels.take(part)
        logits = network.logits(a.swapaxes(-1, -2))
        loss, hits = losses_and_hits(logits, own)
        weights = np.ones(part.shape) if row_weights is None else row_weights.take(part)
        total_loss += (loss * weights).sum(axis=-1, dtype=np.float64)
        total_weight += weights.sum(axis=-1)
        correct += hits.sum(axis=-1)
    return total_loss / total_weight, correct / n
