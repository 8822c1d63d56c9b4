"""Forward: from inputs to class scores, in arrays allocated once.

With ``a`` the activations below a layer (features as rows, a row of ones last) and ``W`` the
layer's matrix::

    z = W a          a_next = max(z, 0), and a row of ones

up to the last layer, whose ``z`` are the class scores.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Activations", "forward"]

Array = npt.NDArray[Any]


class Activations:
    """What the layers put out for a batch of one size.

    Parameters
    ----------
    widths
        Widths of the network's layers, ``(n_in, *hidden, C)``.
    stack
        The leading axes: ``(K,)``, or ``()`` for a single network.
    n_rows
        B, rows in a batch.
    dtype
        float32 or float64.

    Attributes
    ----------
    hidden
        For each hidden layer a view [..., n + 1, B], the last row ones.
    whole
        All hidden layers as one array, one after another, so that something can be done with
        all at once.
    logits
        Class scores [..., C, B].
    """

    def __init__(
        self, widths: Sequence[int], stack: tuple[int, ...], n_rows: int, dtype: npt.DTypeLike
    ) -> None:
        self.shapes = [(*stack, n + 1, n_rows) for n in widths[1:-1]]
        self.whole = np.ones(sum(map(math.prod, self.shapes)), dtype)
        # Against an array of zeros np.maximum has a vector loop; against a scalar it has none.
        self.zeros = np.zeros_like(self.whole)
        self.hidden = self.layers_of(self.whole)
        # Classes outermost in memory: a maximum over them is then one of long rows.
        self.logits = np.moveaxis(np.empty((widths[-1], *stack, n_rows), dtype), 0, -2)
        # np.matmul takes three times as long as ``dot`` to reach BLAS, which is most of a small
        # product.
        self.product = np.matmul if stack else np.ndarray.dot
        units = [a[..., :-1, :] for a in self.hidden]
        self.steps = list(zip(units, self.hidden, self.layers_of(self.zeros), strict=True))

    def layers_of(self, whole: Array) -> list[Array]:
        """Return the views [..., n + 1, B], one a hidden layer, of an array like ``whole``."""
        ends = accumulate(map(math.prod, self.shapes), initial=0)
        parts = (whole[start:stop] for start, stop in pairwise(ends))
        return [part.reshape(shape) for part, shape in zip(parts, self.shapes, strict=True)]


def forward(layers: Sequence[Array], a: Array, activations: Activations) -> Array:
    """Return class scores [..., C, B], the ones in ``activations``.

    Parameters
    ----------
    layers
        Matrices [..., n_out, n_in + 1].
    a
        Inputs [..., n_in + 1, B], the last row ones.
    activations
        Overwritten.
    """
    product = activations.product
    for layer, (z, a_next, zeros) in zip(layers, activations.steps, strict=False):
        product(layer, a, z)
        # The row of ones stays as it is, and without gaps in memory it takes a fifth of the time.
        a = np.maximum(a_next, zeros, out=a_next)
    product(layers[-1], a, activations.logits)
    return activations.logits
