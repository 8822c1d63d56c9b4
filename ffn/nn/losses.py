"""Softmax and cross-entropy. Classes lie on the last axis but one, rows on the last."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["cross_entropy", "softmax"]

Array = npt.NDArray[Any]


def softmax(logits: Array, out: Array | None = None) -> Array:
    """Class probabilities. logits: [..., C, B]; returns [..., C, B].

    ``p_c = exp(z_c - max z) / sum_j exp(z_j - max z)``. The maximum cancels; without it exp
    overflows above 88 in float32.
    """
    p: Array = np.subtract(logits, logits.max(axis=-2, keepdims=True), out=out)
    np.exp(p, out=p)
    p /= p.sum(axis=-2, keepdims=True)
    return p


def cross_entropy(logits: Array, labels: Array) -> Array:
    """Loss of each row. logits: [..., C, B], labels: integers [..., B]; returns [..., B].

    ``-log p_label = log sum_c exp(z_c) - z_label``, in nats, from the logits themselves:
    a probability that underflows to zero still has a finite loss.
    """
    highest = logits.max(axis=-2)
    log_sum = np.log(np.exp(logits - highest[..., None, :]).sum(axis=-2))
    index = np.broadcast_to(labels, highest.shape)[..., None, :]
    own = np.take_along_axis(logits, index, axis=-2)[..., 0, :]
    loss: Array = log_sum + (highest - own)
    return loss
