"""The same table divided many times, and a stack of networks that learns one division each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ffn.nn import OPTIMIZERS, History, Network, spawn_generators, train

__all__ = ["WIDTHS", "Resamples", "learn"]

WIDTHS = (4, 16, 4, 3)

Array = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int_]


@dataclass(frozen=True, kw_only=True)
class Resamples:
    """K tables one below the other, each scaled by its own training rows.

    Attributes
    ----------
    x, labels
        Inputs [K * N, n_in] and labels [K * N].
    parts
        Row numbers of each part, [K, n]: to train on first.
    """

    x: Array
    labels: Rows
    parts: tuple[Rows, ...]

    @classmethod
    def draw(
        cls,
        table: npt.NDArray[np.float64],
        labels: Rows,
        *,
        sizes: tuple[int, ...],
        count: int,
        seed: int,
        scale_by_all: bool = False,
    ) -> Resamples:
        """Divide a table ``count`` times at random.

        Parameters
        ----------
        table, labels
            [N, n_in] and [N].
        sizes
            Rows of each part; what is left over is in none.
        count
            K. The first divisions are the same for every count.
        seed
            Of the divisions.
        scale_by_all
            Scale by all rows rather than by those to train on. It is a mistake; default False.
        """
        n = len(labels)
        orders = np.stack([g.permutation(n) for g in spawn_generators(seed, count)])
        cuts = np.split(orders, np.cumsum(sizes), axis=1)[: len(sizes)]
        known = orders if scale_by_all else cuts[0]
        mean, std = table[known].mean(axis=1), table[known].std(axis=1)
        x = (table[None] - mean[:, None]) / std[:, None]
        offset = n * np.arange(count)[:, None]
        return cls(
            x=x.reshape(-1, table.shape[1]).astype(np.float32),
            labels=np.tile(labels, count),
            parts=tuple(part + offset for part in cuts),
        )


def learn(
    name: str,
    rates: tuple[float, ...],
    resamples: Resamples,
    *,
    watch: int,
    epochs: int = 150,
    seed: int = 1,
) -> tuple[Network, History]:
    """Train a network for each rate and division; return the stack and its history.

    Networks of one division have the same initial weights and batch orders at every rate. The
    stack holds all divisions at the first rate, then all at the second.

    Parameters
    ----------
    name
        Of the optimizer.
    rates
        Learning rates.
    resamples
        The tables.
    watch
        Which part's loss and accuracy are recorded as validation.
    epochs
        Passes over the training rows; default 150, as in ``data/iris``.
    seed
        Of initial weights and batch orders.
    """
    count = len(resamples.parts[0])
    generators = [g for _ in rates for g in spawn_generators(seed, count)]
    network = Network.create((resamples.x.shape[1], *WIDTHS[1:]), generators, np.float32)
    history = train(
        network,
        OPTIMIZERS[name](learning_rate=tuple(rate for rate in rates for _ in range(count))),
        resamples.x,
        resamples.labels,
        epochs=epochs,
        batch_size=32,
        generators=generators,
        rows=np.tile(resamples.parts[0], (len(rates), 1)),
        validation_rows=np.tile(resamples.parts[watch], (len(rates), 1)),
    )
    return network, history
