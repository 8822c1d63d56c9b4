"""K networks of one shape in one array.

A stack is an array of parameters ``[K, P]``, one network a row. Within a row lie the layers
one after another, each as its matrix ``[n_out, n_in + 1]``: a row for each unit, holding the
unit's incoming weights and, last, its bias::

    row k:  | layer 0: [16, 4+1] | layer 1: [4, 16+1] | layer 2: [3, 4+1] |

``layers[l]`` is a view ``[K, n_out, n_in + 1]`` of the same memory, so ``np.matmul`` runs all
K networks at once, and an optimizer's step is a few lines over the whole array. Activations
have a row of ones below their features: its product with the biases adds them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.nn.initializers import he_normal
from ffn.nn.losses import softmax
from ffn.nn.propagation import Activations, Propagation

__all__ = ["Network"]

Array = npt.NDArray[Any]

# Rows that ``predict_proba`` takes at once: their activations stay in the processor's cache, and
# memory does not grow with the table.
_ROWS_AT_ONCE = 2048


class Network:
    """K fully connected ReLU networks with the layer widths ``(n_in, *hidden, C)``.

    Parameters
    ----------
    widths
        Number of inputs, of units in each hidden layer (there may be none), and of classes.
    parameters
        Array [K, P], float32 or float64, C-contiguous; kept, not copied. Leading axes beyond
        one are allowed, [..., P].

    Raises
    ------
    ValueError
        A width is below 1, or ``parameters`` does not fit ``widths``.
    """

    def __init__(self, widths: Sequence[int], parameters: Array) -> None:
        if len(widths) < 2 or min(widths) < 1:
            raise ValueError(f"widths must be two or more positive integers, not {widths}")
        if parameters.shape[-1] != self.count(widths):
            raise ValueError(
                f"widths {tuple(widths)} need {self.count(widths)} parameters a network, "
                f"found {parameters.shape[-1]}"
            )
        self.widths = tuple(int(width) for width in widths)
        self.parameters = parameters
        self.layers = self.layer_views(parameters)

    def __reduce__(self) -> tuple[type[Network], tuple[tuple[int, ...], Array]]:
        # Pickled one by one, the layers would no longer be views of the parameters.
        return Network, (self.widths, self.parameters)

    @staticmethod
    def count(widths: Sequence[int]) -> int:
        """Return P, the number of weights and biases of one network of these layer widths."""
        return sum(n_out * (n_in + 1) for n_in, n_out in pairwise(widths))

    @classmethod
    def create(
        cls,
        widths: Sequence[int],
        generators: Sequence[np.random.Generator],
        dtype: npt.DTypeLike = np.float32,
    ) -> Network:
        """Return a stack of freshly initialised networks, with zero biases.

        Parameters
        ----------
        widths
            ``(n_in, *hidden, C)``.
        generators
            One for each network, from which ``he_normal`` draws its weights.
        dtype
            Of the parameters. float32, the default, trains at twice the speed of float64.
        """
        network = cls(widths, np.zeros((len(generators), cls.count(widths)), dtype))
        for k, generator in enumerate(generators):
            for layer in network.layers:
                n_out, n_columns = layer.shape[-2:]
                layer[k, :, :-1] = he_normal(n_columns - 1, n_out, generator).T
        return network

    def layer_views(self, flat: Array) -> list[Array]:
        """Return one view [..., n_out, n_in + 1] for each layer of an array ``flat`` [..., P]."""
        views, start = [], 0
        for n_in, n_out in pairwise(self.widths):
            stop = start + n_out * (n_in + 1)
            part = flat[..., start:stop]
            # copy=False: a reshape that has to copy would train the copy, so it raises.
            views.append(part.reshape(*flat.shape[:-1], n_out, n_in + 1, copy=False))
            start = stop
        return views

    def weights(self, layer: int) -> Array:
        """Return the weights of ``layer`` as a view [K, n_in, n_out]."""
        return self.layers[layer][..., :-1].swapaxes(-1, -2)

    def biases(self, layer: int) -> Array:
        """Return the biases of ``layer`` as a view [K, n_out]."""
        return self.layers[layer][..., -1]

    def parameter_mask(self, layers: Sequence[int], *, biases: bool = True) -> Array:
        """Return booleans [P]: True for the parameters of some layers.

        Parameters
        ----------
        layers
            Positions of the layers, from 0.
        biases
            Whether their biases are among them. Default: yes.
        """
        mask = np.zeros(self.parameters.shape[-1], dtype=bool)
        views = self.layer_views(mask)
        for layer in layers:
            views[layer][:, slice(None) if biases else slice(-1)] = True
        return mask

    def select(self, networks: Sequence[int]) -> Network:
        """Return a new stack with copies of the networks at these positions, from 0."""
        return Network(self.widths, self.parameters[list(networks)])

    def copy_layers(self, source: Network, layers: Sequence[int]) -> None:
        """Copy weights and biases of some layers from a trained stack.

        This is how feature extraction begins (then train with ``frozen_layers=layers``), and
        fine-tuning (then train all layers at a low learning rate).

        Parameters
        ----------
        source
            K networks, or one that all of this stack copy from.
        layers
            Positions of the layers, from 0.

        Raises
        ------
        ValueError
            One of the layers has another shape in ``source``.
        """
        for layer in layers:
            own, other = self.layers[layer], source.layers[layer]
            if own.shape[-2:] != other.shape[-2:]:
                raise ValueError(
                    f"layer {layer} has {own.shape[-2]} units of {own.shape[-1] - 1} inputs, in "
                    f"the source {other.shape[-2]} of {other.shape[-1] - 1}"
                )
            own[...] = other

    def condensed(self, x: Array, reference: Array, groups: Sequence[Sequence[int]]) -> Network:
        """Return networks of one input for each group, 1 where it is from ``x`` and else 0.

        They answer as this one does to inputs of which each group is from ``x`` or from
        ``reference``. The first layer is linear, so that what a group adds to it is computed once
        for all mixtures, and not for each of them anew.

        Parameters
        ----------
        x, reference
            Inputs of one row each, [n_in]. They may differ in the groups alone.
        groups
            Positions of the inputs of each group, ascending.
        """
        first, *others = self.layers
        order = np.concatenate(groups).astype(np.intp)
        starts = np.cumsum([0, *(len(group) for group in groups[:-1])])
        moved = first[..., order] * (x - reference)[order]
        biases = first[..., :-1] @ reference + first[..., -1]
        own = np.concatenate(
            (np.add.reduceat(moved, starts, axis=-1), biases[..., np.newaxis]), axis=-1
        )
        flat = [layer.reshape(len(self.parameters), -1) for layer in (own, *others)]
        return Network((len(groups), *self.widths[1:]), np.concatenate(flat, axis=1))

    def predict_proba(self, x: Array) -> Array:
        """Return class probabilities [K, n, C], in the parameters' dtype.

        Parameters
        ----------
        x
            Inputs [n, n_in].
        """
        (k, _), n, dtype = self.parameters.shape, len(x), self.parameters.dtype
        # In memory the rows of one class lie side by side, as the layers have them and as a
        # comparison of classes reads them.
        probabilities = np.empty((k, self.widths[-1], n), dtype)
        # Blocks of one size, except that the last may be shorter.
        rows_at_once = math.ceil(n / math.ceil(n / _ROWS_AT_ONCE)) if n else 0
        inputs = np.ones((self.widths[0] + 1, rows_at_once), dtype)
        propagation = Propagation(self.layers, Activations(self.layers, rows_at_once))
        for start in range(0, n, max(1, rows_at_once)):
            rows = x[start : start + rows_at_once]
            # Behind a shorter last block stand rows of the block before; they are left unread.
            inputs[:-1, : len(rows)] = rows.T
            p = softmax(propagation.forward(inputs))
            probabilities[..., start : start + len(rows)] = p[..., : len(rows)]
        return probabilities.mT
