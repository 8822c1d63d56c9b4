"""Softmax and cross-entropy. Classes lie on the last axis but one, rows on the last."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["cross_entropy", "losses_and_hits", "softmax"]

Array = npt.NDArray[Any]


def softmax(logits: Array, out: Array | None = None) -> Array:
    """Class probabilities. logits: [..., C, B]; returns [..., C, B].

    ``p_c = exp(z_c - max z) / sum_j exp(z_j - max z)``. The maximum cancels; without it exp
    overflows above 88 in float32.
    """
    p: Array = np.subtract(logits, np.maximum.reduce(logits, axis=-2, keepdims=True), out=out)
    np.exp(p, out=p)
    p /= np.add.reduce(p, axis=-2, keepdims=True)
    return p


def cross_entropy(logits: Array, labels: Array) -> Array:
    """Loss of each row. logits: [..., C, B], labels: integers [..., B]; returns [..., B].

    ``-log p_label = log sum_c exp(z_c) - z_label``, in nats, from the logits themselves:
    a probability that underflows to zero still has a finite loss.
    """
    return losses_and_hits(logits, one_hot(labels, logits.shape[-2], logits.dtype))[0]


def one_hot(labels: Array, n_classes: int, dtype: npt.DTypeLike) -> Array:
    """Return [..., C, B]: 1 where the class is the row's label, else 0. labels: [..., B]."""
    # Classes outermost in memory, as in ``Activations.logits``; small integers compare faster.
    small = np.min_scalar_type(n_classes)
    classes = np.arange(n_classes, dtype=small).reshape(-1, *[1] * labels.ndim)
    return np.moveaxis((labels.astype(small) == classes).astype(dtype), 0, -2)


def losses_and_hits(logits: Array, targets: Array) -> tuple[Array, Array]:
    """Cross-entropy [..., B], and whether the highest score (the first of equals) is the label's.

    logits: [..., C, B], targets: one-hot labels [..., C, B].
    """
    below_highest = logits - np.maximum.reduce(logits, axis=-2, keepdims=True)
    # Multiplied out and summed: picking single elements by index is several times slower.
    own = np.add.reduce(below_highest * targets, axis=-2)
    highest = np.count_nonzero(below_highest == 0)
    losses = np.log(np.add.reduce(np.exp(below_highest, out=below_highest), axis=-2)) - own
    hits = own == 0
    # np.argmax has no vector loop along this axis. It is needed only where scores are equal or
    # not a number, which a trained network's hardly ever are.
    if highest != hits.size or not np.isfinite(losses.sum()):
        hits = logits.argmax(axis=-2) == targets.argmax(axis=-2)
    return losses, hits
