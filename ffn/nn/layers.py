"""The layers of the network, each with its forward and its backward side by side.

Activations ``a`` are arrays [..., n + 1, B]: one row for each of n features, one column for each
of the B rows of a batch, and a last row of ones. ``delta`` is the derivative of the loss by the
output of a layer, and ``backward`` turns it into the derivative by the layer's input. Leading axes
are those of the stack, [K] in training.

What a layer returns is overwritten by the next batch, so that nothing large is allocated twice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.nn.hyperparameters import Hyperparameter

__all__ = ["Dense", "Dropout", "ReLU"]

Array = npt.NDArray[Any]

# Dropout draws numbers of 16 bits: far cheaper than floats, and fine enough.
_DRAWS = 2**16


class Dense:
    """A fully connected layer: ``z = W a``, biases included.

    The last column of W holds the biases. It meets the row of ones in ``a``, so one product
    computes the weighted sums and adds the biases, and one product gives the gradients of both.

    Parameters
    ----------
    weights
        W [..., n_out, n_in + 1], a view of the network's parameters.
    out
        Array that ``forward`` fills, [..., n_out, B], or [..., n_out + 1, B] with a last row of
        ones, which it leaves alone.
    gradient
        Array like W, to be filled with the derivative of the loss by W. None, the default, for a
        layer that is frozen or only evaluated.
    """

    def __init__(self, weights: Array, out: Array, gradient: Array | None = None) -> None:
        self.weights, self.gradient, self.out = weights, gradient, out
        self._z, self._transposed = out[..., : weights.shape[-2], :], weights.mT
        self._below: Array | None = None

    def forward(self, a: Array) -> Array:
        """Compute ``z = W a``. a: [..., n_in + 1, B]; returns ``out``."""
        self._a = a
        np.matmul(self.weights, a, out=self._z)
        return self.out

    def backward(self, delta: Array) -> Array:
        """Fill the gradient and return ``dL/da = W^T delta``.

        delta: [..., n_out, B]; returns [..., n_in + 1, B].
        """
        if self.gradient is not None:
            np.matmul(delta, self._a.mT, out=self.gradient)
        # Without an array to write to, the first call allocates one.
        self._below = np.matmul(self._transposed, delta, out=self._below)
        return self._below

    def fill_gradient(self, delta: Array) -> None:
        """Fill the gradient with ``dL/dW = delta a^T``, unless frozen. delta: [..., n_out, B]."""
        if self.gradient is not None:
            np.matmul(delta, self._a.mT, out=self.gradient)


class ReLU:
    """Rectified linear units, ``a = max(z, 0)``, computed in place.

    Parameters
    ----------
    zeros
        Array of zeros in the shape of z, [..., n + 1, B]. Against an array ``np.maximum`` is
        three times as fast as against the number 0, for which it has no vector loop.
    """

    def __init__(self, zeros: Array) -> None:
        self.zeros = zeros
        self._positive: Array | None = None
        self._slope: Array | None = None

    def forward(self, z: Array) -> Array:
        """Compute ``max(z, 0)``. z: [..., n + 1, B], overwritten and returned.

        The last row, of ones, stays as it is. Leaving it out would take longer, since the rest is
        not one piece of memory.
        """
        self._a = np.maximum(z, self.zeros, out=z)
        return self._a

    def backward(self, delta: Array) -> Array:
        """Compute ``delta * (z > 0)``. delta: [..., n + 1, B], overwritten; returns [..., n, B].

        A ``Dropout`` behind this layer has put zeros in a, too. There its delta is zero already.

        The row of ones depends on nothing below, so its derivative is left out of the result.
        """
        # As floats, since multiplying by booleans takes longer on small networks. The first call
        # allocates both arrays.
        self._positive = np.greater(self._a, self.zeros, out=self._positive)
        if self._slope is None:
            self._slope = np.empty_like(self._a)
        np.copyto(self._slope, self._positive)
        delta *= self._slope
        return delta[..., :-1, :]


class Dropout:
    """Inverted dropout, ``a <- a M`` with ``M = 0`` at probability p, else ``1 / (1 - p)``.

    In training each unit drops out at random, row by row, so that none can rely on a particular
    other one. The factor keeps the expected activation, ``E[a M] = a``, so a trained network is
    used as it is, without this layer. Srivastava et al. 2014, "Dropout", section 10 (the factor in
    training), and Goodfellow, Bengio and Courville 2016, section 7.12.

    Parameters
    ----------
    p
        Probability that a unit drops out, from 0 to below 1: a number, or K of them. It is rounded
        to a multiple of 2^-16, and the factor fits the rounded one.
    draw
        Returns the next n random numbers of each network, [K, n], uint16.
    like
        Array [K, n + 1, B] of activations, their last row ones. Only shape and dtype are read.

    Attributes
    ----------
    mask
        M of the last batch, [K, n + 1, B]. The last row is always 1, so that biases stay.
    """

    def __init__(self, p: Hyperparameter, draw: Callable[[int], Array], like: Array) -> None:
        k, n_rows, n_columns = like.shape
        dropped = np.minimum(np.rint(np.reshape(p, (-1, 1)) * _DRAWS), _DRAWS - 1)
        self._dropped = dropped.astype(np.uint16)
        self._factor = (_DRAWS / (_DRAWS - dropped))[..., None].astype(like.dtype)
        self._draw = draw
        self._kept = np.empty((k, (n_rows - 1) * n_columns), dtype=bool)
        self._kept_units = self._kept.reshape(k, n_rows - 1, n_columns)
        self.mask = np.ones_like(like)
        self._mask_of_units = self.mask[:, :-1]

    def forward(self, a: Array) -> Array:
        """Draw a mask and compute ``a M``. a: [K, n + 1, B], overwritten and returned."""
        np.greater_equal(self._draw(self._kept.shape[1]), self._dropped, out=self._kept)
        np.multiply(self._kept_units, self._factor, out=self._mask_of_units)
        a *= self.mask
        return a

    def backward(self, delta: Array) -> Array:
        """Compute ``delta M``. delta: [K, n + 1, B], overwritten and returned."""
        delta *= self.mask
        return delta
