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
    return losses_and_hits(logits, labels)[0]


def losses_and_hits(logits: Array, labels: Array) -> tuple[Array, Array]:
    """Cross-entropy [..., B], and whether the highest score (the first of equals) is the label's.

    logits: [..., C, B], labels: integers [..., B].
    """
    highest = np.maximum.reduce(logits, axis=-2, keepdims=True)
    exponentials = np.exp(logits - highest)
    # Multiplied out and summed: picking single elements by index is several times slower.
    one_hot = labels[..., None, :] == np.arange(logits.shape[-2])[:, None]
    own = np.add.reduce(logits * one_hot.astype(logits.dtype), axis=-2)
    highest = highest[..., 0, :]
    losses = np.log(np.add.reduce(exponentials, axis=-2)) + (highest - own)
    hits = own == highest
    # np.argmax has no vector loop along this axis. It is needed only where scores are equal or
    # not a number, which a trained network's hardly ever are.
    if np.count_nonzero(exponentials == 1) != hits.size or not np.isfinite(losses.sum()):
        hits = logits.argmax(axis=-2) == labels
    return losses, hits
