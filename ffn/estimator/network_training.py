"""What `FFNClassifier` trains, from its parameters: networks, optimizer, schedule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.estimator.parameters import layer_sizes
from ffn.nn import OPTIMIZERS, History, Memory, Network, OptimizerState, constant, cosine
from ffn.nn.schedules import Schedule
from ffn.quantities import counted

__all__ = [
    "loss_curve",
    "networks_to_train",
    "optimizer_state",
    "schedule_of",
    "weights_unless_equal",
]

Array = npt.NDArray[Any]


def networks_to_train(
    parameters: Mapping[str, Any],
    n_inputs: int,
    n_classes: int,
    generators: Sequence[np.random.Generator],
    trained: Network | None,
) -> Network:
    """Return new networks, or a copy of those that were trained before.

    Parameters
    ----------
    parameters
        All parameters of the estimator by name.
    n_inputs, n_classes
        Widths of the first and the last layer.
    generators
        Source of randomness of each network.
    trained
        Networks to continue; None for new ones.

    Raises
    ------
    ValueError
        Networks to continue have other layers, or are not as many.
    """
    widths = (n_inputs, *layer_sizes(parameters["hidden_layer_sizes"]), n_classes)
    if trained is None:
        return Network.create(widths, generators, parameters["dtype"])
    found = trained.widths, len(trained.parameters)
    if found != (widths, parameters["n_networks"]):
        raise ValueError(
            f"cannot continue {counted(found[1], 'network')} of widths {found[0]} with "
            f"{parameters['n_networks']} of widths {widths}; fit again with warm_start=False"
        )
    return Network(widths, trained.parameters.astype(parameters["dtype"]))


def optimizer_state(
    parameters: Mapping[str, Any], network: Network, memory: Memory | None = None
) -> OptimizerState:
    """Return the optimizer with the hyper-parameters it knows, ready to train the network.

    Parameters
    ----------
    parameters
        All parameters of the estimator by name.
    network
        Networks to train.
    memory
        What it remembers of earlier steps; None, the default, for nothing.
    """
    kind = OPTIMIZERS[parameters["optimizer"]]
    known = {f.name: parameters[f.name] for f in fields(kind) if f.name in parameters}
    return OptimizerState(kind(**known), network, parameters["frozen_layers"], memory)


def schedule_of(parameters: Mapping[str, Any], steps_an_epoch: int) -> Schedule:
    """Return the schedule of the learning rate.

    Parameters
    ----------
    parameters
        All parameters of the estimator by name.
    steps_an_epoch
        Number of batches of an epoch.
    """
    warmup_steps = parameters["warmup_epochs"] * steps_an_epoch
    if parameters["schedule"] == "constant":
        return constant(warmup_steps)
    return cosine(parameters["epochs"] * steps_an_epoch, warmup_steps)


def weights_unless_equal(weights: Array, rows: Array, dtype: npt.DTypeLike) -> Array | None:
    """Return the weights for training [N], or None if those of ``rows`` [n] are all 1."""
    rounded = weights.astype(dtype)
    return None if (rounded[rows] == 1).all() else rounded


def loss_curve(history: History) -> list[float]:
    """Return the mean training loss of the networks still running after each epoch."""
    losses = np.ascontiguousarray(history.train_loss[:, history.finished])
    means = losses.mean(axis=1)
    # NaN stands behind the last epoch of each network.
    for epoch in np.flatnonzero(np.isnan(means)):
        running = losses[epoch][~np.isnan(losses[epoch])]
        if running.size:
            means[epoch] = running.mean()
    curve: list[float] = means[~np.isnan(means)].tolist()
    return curve
