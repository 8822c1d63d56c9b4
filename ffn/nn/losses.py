"""Softmax and cross-entropy: classes lie on the last axis but one, rows on the last.

With the class scores z of a row and its target t, which is a one-hot label or the probability of
each class::

    forward     p = softmax(z)      loss = -sum_c t_c log p_c, of a label -log p_label
    backward    dloss/dz = p - t
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = [
    "SoftmaxCrossEntropy",
    "check_soft_targets",
    "cross_entropy",
    "is_soft",
    "losses_and_hits",
    "one_hot",
    "softmax",
    "targets_of",
]

Array = npt.NDArray[Any]

_FEW_CLASSES = 16


def softmax(logits: Array, out: Array | None = None) -> Array:
    """Return class probabilities ``p = exp(z) / sum exp(z)``, [..., C, B].

    Parameters
    ----------
    logits
        Class scores z [..., C, B].
    out
        Array for the result, which may be ``logits`` itself. None, the default, for a new one.
    """
    p = _exp_below_highest(logits, out)
    p /= np.add.reduce(p, axis=-2, keepdims=True)
    return p


def _exp_below_highest(logits: Array, out: Array | None) -> Array:
    """Return ``exp(z - max z)``. The maximum cancels; without it exp overflows above 88."""
    e: Array = np.subtract(logits, np.maximum.reduce(logits, axis=-2, keepdims=True), out=out)
    return np.exp(e, out=e)


def cross_entropy(logits: Array, labels: Array) -> Array:
    """Return the loss of each row, [..., B], in nats.

    ``-log p_label = log sum_c exp(z_c) - z_label``, from the scores themselves: a probability
    that underflows to zero still has a finite loss.

    Parameters
    ----------
    logits
        Class scores z [..., C, B].
    labels
        Integers [..., B] below C, or the probability of each class, floats [..., B, C].
    """
    targets = targets_of(labels, logits.shape[-2], logits.dtype)
    return losses_and_hits(logits, targets, soft=is_soft(labels))[0]


class SoftmaxCrossEntropy:
    """The derivative of a batch's loss, ``sum_b weight_b loss_b / B``, by its class scores.

    ::

        delta = (p - t) / B * weight = (e / (B sum e) - t / B) * weight,    e = exp(z - max z)

    It is computed as on the right: ``B sum e`` is one matrix product, and t / B is prepared for
    many batches at once.

    Parameters
    ----------
    logits
        Class scores [..., C, B] of a batch. Only shape and dtype are read.
    """

    def __init__(self, logits: Array) -> None:
        n_classes, n_rows = logits.shape[-2:]
        # A product with a matrix full of B gives each class the sum over all classes, times B. For
        # few classes that takes about half the time of a sum along one axis and a division along
        # another; for many, one row of sums is enough.
        n_sums = n_classes if n_classes <= _FEW_CLASSES else 1
        self._full_of_b = np.full((n_sums, n_classes), n_rows, logits.dtype)
        self._sums = np.empty_like(logits[..., :n_sums, :])

    def backward(self, logits: Array, targets: Array, row_weights: Array | None) -> Array:
        """Overwrite the class scores with delta, [..., C, B], and return them.

        Parameters
        ----------
        logits
            Class scores z [..., C, B].
        targets
            One-hot labels, or probabilities, divided by B: t / B, [..., C, B].
        row_weights
            Factors of the rows' losses, [..., 1, B]. None for 1 each.
        """
        delta = _exp_below_highest(logits, logits)
        delta /= np.matmul(self._full_of_b, delta, self._sums)
        delta -= targets
        if row_weights is not None:
            delta *= row_weights
        return delta


def losses_and_hits(logits: Array, targets: Array, *, soft: bool = False) -> tuple[Array, Array]:
    """Return each row's cross-entropy [..., B] in nats, and whether it is classified right.

    A row is if its label's score is the highest, and the first of several that are equally high.
    Where targets are probabilities, the most probable class counts as the label.

    Parameters
    ----------
    logits
        Class scores z [..., C, B].
    targets
        One-hot labels [..., C, B], or probabilities, which sum to 1.
    soft
        Whether they are probabilities. Default: labels.
    """
    below_highest = logits - np.maximum.reduce(logits, axis=-2, keepdims=True)
    # Multiplied out and summed: picking single elements by index is several times slower.
    own = np.add.reduce(below_highest * targets, axis=-2)
    highest = np.count_nonzero(below_highest == 0)
    losses = np.log(np.add.reduce(np.exp(below_highest, out=below_highest), axis=-2)) - own
    hits = own == 0
    # np.argmax has no vector loop along this axis. It is needed only where scores are equal or
    # not a number, which a trained network's hardly ever are.
    if soft or highest != hits.size or not np.isfinite(losses.sum()):
        hits = logits.argmax(axis=-2) == targets.argmax(axis=-2)
    return losses, hits


def is_soft(labels: Array) -> bool:
    """Return whether ``labels`` are probabilities, floats [..., B, C], and not integers."""
    return np.issubdtype(labels.dtype, np.floating)


def check_soft_targets(targets: Array, shape: tuple[int, int]) -> None:
    """Refuse soft targets that are not a probability of each class in each row.

    Parameters
    ----------
    targets
        Floats, of any shape.
    shape
        The shape they must have, (N, C).

    Raises
    ------
    ValueError
        They have another shape, one is negative or not finite, or those of a row do not sum to 1
        (within 1e-3, as rounded numbers may not).
    """
    if targets.shape != shape:
        raise ValueError(
            f"soft targets are the probabilities of {shape[1]} classes in {shape[0]} rows, "
            f"{shape}, not floats {targets.shape}; labels must be integers"
        )
    sums = targets.sum(axis=1, dtype=np.float64)
    if not (targets.min(initial=0) >= 0 and (np.abs(sums - 1) <= 1e-3).all()):
        raise ValueError("soft targets must be probabilities: not negative, with the sum 1 a row")


def targets_of(labels: Array, n_classes: int, dtype: npt.DTypeLike) -> Array:
    """Return targets [..., C, B]: one-hot labels, or the probabilities that were given for them.

    Parameters
    ----------
    labels
        Integers [..., B] below ``n_classes``, or the probability of each class, floats
        [..., B, C].
    n_classes
        C.
    dtype
        Of the result, float32 or float64.
    """
    if not is_soft(labels):
        return one_hot(labels, n_classes, dtype)
    # In memory the classes are outermost, as in ``Activations``.
    targets: Array = np.moveaxis(np.moveaxis(labels, -1, 0).astype(dtype, order="C"), 0, -2)
    return targets


def one_hot(labels: Array, n_classes: int, dtype: npt.DTypeLike) -> Array:
    """Return [..., C, B]: 1 where the class is the row's label, else 0.

    Parameters
    ----------
    labels
        Integers [..., B] below ``n_classes``.
    n_classes
        C.
    dtype
        Of the result, float32 or float64.
    """
    # Small integers compare faster. In memory the classes are outermost, as in ``Activations``.
    small = np.min_scalar_type(n_classes)
    classes = np.arange(n_classes, dtype=small).reshape(-1, *[1] * labels.ndim)
    return np.moveaxis((labels.astype(small) == classes).astype(dtype), 0, -2)
