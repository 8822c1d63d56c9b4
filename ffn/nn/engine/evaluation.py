"""Loss and accuracy after each epoch, computed for many epochs at once.

A snapshot of a stack's parameters is another stack. So S epochs are kept as [S, K, P], and one
product a layer evaluates all of them: fewer, larger steps than after every epoch.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ffn.nn.losses import is_soft, losses_and_hits, targets_of
from ffn.nn.network import Network
from ffn.nn.propagation import Activations, Propagation

__all__ = ["Evaluation", "Watched", "snapshots_at_once"]

Array = npt.NDArray[Any]

# The snapshots may take this many bytes, so that they stay in the cache.
_SNAPSHOT_BYTES = 256 * 1024
_MOST_SNAPSHOTS = 25
# Inputs and labels that take no more than this are prepared once and kept.
_KEPT_BYTES = 32 * 1024 * 1024
# With fewer rows at once, a wide layer's product waits for its weights to be read.
_FEWEST_ROWS = 256


def snapshots_at_once(network: Network) -> int:
    """Return how many epochs of this network to keep until they are evaluated together."""
    return max(1, min(_MOST_SNAPSHOTS, _SNAPSHOT_BYTES // network.parameters.nbytes))


class Watched(NamedTuple):
    """A set of rows whose loss and accuracy are recorded.

    Attributes
    ----------
    n_rows
        n, rows for each network.
    rows
        Row numbers [K, n], or [1, n] where all networks share them, or None for the first n.
    weights
        Weights [N] of the table's rows in the mean loss. None, the default, for equal ones.
    weigh_hits
        Whether they are their weights in the accuracy, too. Default: rows count alike there.
    """

    n_rows: int
    rows: Array | None
    weights: Array | None = None
    weigh_hits: bool = False

    @property
    def shared(self) -> bool:
        """Whether all networks have the same rows."""
        return self.rows is None or len(self.rows) == 1

    def numbers(self, group: slice, stretch: range) -> Array:
        """Return row numbers [k, m], or [1, m] if shared: k networks, m places in the set."""
        if self.rows is None:
            return np.asarray(stretch)[None]
        return self.rows[slice(None) if self.shared else group, stretch.start : stretch.stop]


class _Pass(NamedTuple):
    """Rows that are evaluated at once: a stretch of each of some watched sets.

    Attributes
    ----------
    sets
        Positions of the sets among all that are watched.
    stretches
        For each of these sets, the places of its rows.
    starts
        For each of these sets, where its rows begin among those of the pass.
    """

    sets: list[int]
    stretches: list[range]
    starts: list[int]


class Evaluation:
    """Loss and accuracy of a stack on fixed rows, computed in arrays allocated once.

    Parameters
    ----------
    network
        Parameters [..., K, P]. Each call evaluates what they are then.
    x
        Inputs [N, n_in].
    labels
        Integers [N] below C, or the probability of each class, floats [N, C].
    watched
        The sets of rows to evaluate, one or more.
    working_bytes
        Size of the widest layer's activations, if a few hundred rows of one network fit into it.
        By default 1 MiB, so that they stay in the cache. The results depend on it by rounding
        alone.
    """

    def __init__(
        self,
        network: Network,
        x: Array,
        labels: Array,
        watched: Sequence[Watched],
        *,
        working_bytes: int = 1024 * 1024,
    ) -> None:
        self.network, self.x, self.labels, self.watched = network, x, labels, watched
        self.soft = is_soft(labels)
        self.shared = all(own.shared for own in watched)
        self.weighted = any(own.weights is not None for own in watched)
        *lead, k, _ = network.parameters.shape
        itemsize = network.parameters.itemsize
        n_rows = sum(own.n_rows for own in watched)
        row_bytes = math.prod(lead) * max(network.widths) * itemsize
        rows_at_once = min(n_rows, max(_FEWEST_ROWS, working_bytes // row_bytes))
        fit = max(1, working_bytes // (row_bytes * rows_at_once))
        evenly = np.linspace(0, k, -(-k // fit) + 1).astype(int).tolist()
        self.groups = [slice(*ends) for ends in pairwise(evenly)]
        self.passes = list(_passes(watched, rows_at_once))
        prepared = n_rows * (1 if self.shared else k) * (network.widths[0] + network.widths[-1])
        self.keeps = prepared * itemsize <= _KEPT_BYTES
        self._kept: dict[tuple[int, int], tuple[Array, Array, Array | None]] = {}
        self._activations: dict[tuple[int, int], Activations] = {}
        self._propagations: dict[tuple[int, int], Propagation] = {}

    def __call__(self) -> Array:
        """Return loss and accuracy of each watched set, [sets, 2, ..., K], float64.

        The loss is the mean cross-entropy in nats, weighted by the set's weights. The accuracy is
        the share of rows whose label has the highest score, the first one among equals, or their
        share of the weights where the set's hits are weighed.
        """
        shape = (*self.network.parameters.shape[:-1], len(self.watched))
        total, correct = np.zeros((2, *shape))
        counts = np.array([own.n_rows for own in self.watched])
        weight = np.zeros(shape[-2:]) if self.weighted else counts
        weighed = np.array([own.weigh_hits for own in self.watched])
        for group in self.groups:
            for number, (sets, _, starts) in enumerate(self.passes):
                x, targets, weights = self._prepared(group, number)
                logits = self._logits(group, x)
                losses, hits = losses_and_hits(logits, targets, soft=self.soft)
                if weights is not None:
                    losses *= weights
                    weight[group, sets] += np.add.reduceat(weights, starts, axis=-1)
                total[..., group, sets] += np.add.reduceat(losses, starts, axis=-1, dtype=float)
                found = np.add.reduceat(hits, starts, axis=-1, dtype=int)
                if weights is not None and weighed[sets].any():
                    shares = np.add.reduceat(hits * weights, starts, axis=-1, dtype=float)
                    found = np.where(weighed[sets], shares, found)
                correct[..., group, sets] += found
        of_hits = np.where(weighed, weight, counts)
        return np.moveaxis(np.stack([total / weight, correct / of_hits]), -1, 0)

    def _prepared(self, group: slice, number: int) -> tuple[Array, Array, Array | None]:
        """Return inputs, one-hot labels and row weights of a pass.

        Their shapes are [k, n_in + 1, m], [k, C, m] and [k, m]; k is 1 if all networks share the
        rows. The weights are None where all rows weigh the same.
        """
        key = (0 if self.shared else group.start, number)
        if key in self._kept:
            return self._kept[key]
        sets, stretches, _ = self.passes[number]
        watched, dtype = [self.watched[i] for i in sets], self.network.parameters.dtype
        chosen = [w.numbers(group, own) for w, own in zip(watched, stretches, strict=True)]
        k = max(map(len, chosen))
        chosen = [np.broadcast_to(own, (k, own.shape[1])) for own in chosen]
        rows = np.concatenate(chosen, axis=1)
        x = np.ones((k, self.x.shape[1] + 1, rows.shape[1]), dtype)
        x[:, :-1] = self.x.take(rows, axis=0).mT
        own_labels = self.labels.take(rows, axis=0)
        targets = targets_of(own_labels, self.network.widths[-1], dtype)
        weights = None
        if self.weighted:
            weighed = [
                np.ones(own.shape) if w.weights is None else w.weights.take(own)
                for w, own in zip(watched, chosen, strict=True)
            ]
            weights = np.concatenate(weighed, axis=1)
        if self.keeps:
            self._kept[key] = x, targets, weights
        return x, targets, weights

    def _logits(self, group: slice, inputs: Array) -> Array:
        """Return the class scores [..., k, C, m] of a group of networks."""
        m = inputs.shape[-1]
        if (group.start, m) not in self._propagations:
            weights = [layer[..., group, :, :] for layer in self.network.layers]
            # Groups of one size share their arrays, which stay in the cache.
            size = group.stop - group.start, m
            if size not in self._activations:
                self._activations[size] = Activations(weights, m)
            self._propagations[group.start, m] = Propagation(weights, self._activations[size])
        return self._propagations[group.start, m].forward(inputs)


def _passes(watched: Sequence[Watched], rows_at_once: int) -> Iterator[_Pass]:
    """Yield one pass for all sets if they fit into it, else passes for each set."""
    sizes = [own.n_rows for own in watched]
    if sum(sizes) <= rows_at_once:
        starts = list(accumulate(sizes[:-1], initial=0))
        yield _Pass(list(range(len(sizes))), list(map(range, sizes)), starts)
        return
    for i, n in enumerate(sizes):
        for start in range(0, n, rows_at_once):
            yield _Pass([i], [range(start, min(start + rows_at_once, n))], [0])
