"""The training loop: epochs of batches, each forward, backward and a step of the optimizer."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.nn.engine.batches import Batches
from ffn.nn.engine.early_stopping import EarlyStopping
from ffn.nn.engine.evaluation import Evaluation, Watched, snapshots_at_once
from ffn.nn.engine.random_bits import RandomBits
from ffn.nn.history import History
from ffn.nn.hyperparameters import Hyperparameter, check_count, check_range
from ffn.nn.layers import Dropout
from ffn.nn.network import Network
from ffn.nn.optimizers import Optimizer, OptimizerState
from ffn.nn.propagation import Activations, Propagation
from ffn.nn.schedules import Schedule, constant

__all__ = ["train"]

Array = npt.NDArray[Any]


def train(
    network: Network,
    optimizer: Optimizer | OptimizerState,
    x: Array,
    labels: Array,
    *,
    epochs: int,
    batch_size: int,
    generators: Sequence[np.random.Generator],
    rows: Array | None = None,
    validation_rows: Array | None = None,
    row_weights: Array | None = None,
    validation_weights: Array | None = None,
    schedule: Schedule | None = None,
    patience: int | None = None,
    min_delta: float = 0.0,
    frozen_layers: Collection[int] = (),
    dropout: Hyperparameter = 0.0,
    label_smoothing: Hyperparameter = 0.0,
    on_epoch: Callable[[int], None] | None = None,
) -> History:
    """Train the K networks of a stack in place, each on its own rows in its own order.

    Parameters
    ----------
    network
        Stack [K, P]. Training starts from its parameters, fresh or trained before (warm start).
    optimizer
        The rule and its hyper-parameters, such as ``Adam(learning_rate=0.01)``; or the state of
        an optimizer already at work on this network, which then goes on from its last step.
    x
        Inputs [N, n_in].
    labels
        Integers [N] below C.
    epochs
        Passes over the training rows, 1 or more.
    batch_size
        Rows a step. Above the number of training rows it means one step an epoch.
    generators
        One for each network, which draws the network's batch order epoch by epoch. With dropout
        it also spawns a generator of its own for the network's masks.
    rows
        Row numbers to train on, [K, n], or [1, n] for the same rows in all networks. None, the
        default, for all N.
    validation_rows
        Row numbers [K, n] or [1, n] whose loss and accuracy are recorded as well. None, the
        default, for none.
    row_weights
        Factors [N] of the rows' losses. Their mean should be 1, or they change the size of the
        steps. The recorded training loss is the weighted mean. None, the default, for 1 each.
    validation_weights
        Weights [N] of the rows in the recorded validation loss. None, the default, for equal ones.
    schedule
        Maps the number of a step, from 0, to a factor of the learning rate. None, the default,
        for the factor 1.
    patience
        Stop a network after this many epochs without an improvement, and give it back the
        parameters of its best epoch. None, the default, trains to the end and keeps the last.
    min_delta
        An epoch is an improvement if its validation loss is lower than the lowest before it by
        more than this, in nats a row. Default 0: any decrease counts.
    frozen_layers
        Positions, from 0, of layers that stay as they are. Default: none.
    dropout
        Probability that a hidden unit is left out of a step, for each row anew, from 0 to below 1:
        a number, or a tuple of K numbers, one for each network. Recorded losses and accuracies are
        those of the whole network. Default 0: no dropout. See ``Dropout``.
    label_smoothing
        Share epsilon of each target that goes to all C classes alike, from 0 to below 1: a number,
        or a tuple of K. The network learns ``(1 - epsilon) t + epsilon / C`` in place of the
        one-hot label t: Szegedy et al. 2016, "Rethinking the Inception Architecture", section 7.
        Recorded losses are the plain cross-entropy. Default 0.
    on_epoch
        Called with the number of epochs done, after each block of epochs that is evaluated at
        once. An exception from it ends the training. None, the default, to call nothing.

    Returns
    -------
    History
        Loss and accuracy after each epoch. A network whose loss or parameters stop being finite
        is stopped and named in ``history.diverged``. Its parameters become NaN, so that nothing
        can use them by accident.

    Raises
    ------
    ValueError
        All layers are frozen; ``patience`` is given without validation rows; the optimizer's
        state was made for another network or other frozen layers; a hyper-parameter is out of its
        range or has a tuple of values, but not K of them.
    """
    k, dtype = len(network.parameters), network.parameters.dtype
    if all(i in frozen_layers for i in range(len(network.layers))):
        raise ValueError("all layers are frozen; there is nothing to train")
    if patience is not None and validation_rows is None:
        raise ValueError("early stopping watches the validation loss and needs validation rows")
    for name, value in (("dropout", dropout), ("label_smoothing", label_smoothing)):
        check_range(name, value)
        check_count(name, value, k)
    state = optimizer
    if not isinstance(state, OptimizerState):
        state = OptimizerState(state, network, frozen_layers)
    if state.network.parameters is not network.parameters:
        raise ValueError("the optimizer's state moves another network; make one for this network")
    if state.frozen_layers != frozenset(frozen_layers):
        raise ValueError(
            f"the optimizer's state is for frozen layers {sorted(state.frozen_layers)}; "
            f"frozen_layers is {sorted(frozen_layers)}"
        )
    schedule = schedule or constant()
    # A table mapped from a file becomes a plain view of it: memmap's own slices are slow.
    x, labels = np.asarray(x), np.asarray(labels)
    n_rows = len(x) if rows is None else rows.shape[1]
    batch_size = min(batch_size, n_rows)
    batches = Batches(
        x,
        labels,
        rows,
        row_weights,
        generators=generators,
        n_classes=network.widths[-1],
        batch_size=batch_size,
        dtype=dtype,
        label_smoothing=label_smoothing,
    )
    gradients = network.layer_views(state.gradients)
    masks = _mask_source(dropout, generators)
    propagations = {}
    for size in {batch_size, n_rows % batch_size} - {0}:
        activations = Activations(network.layers, size)
        dropping = [Dropout(dropout, masks.take, a) for a in activations.hidden] if masks else ()
        propagations[size] = Propagation(
            network.layers, activations, gradients, frozen_layers, dropping
        )
    history = History.empty(epochs, k)
    early_stopping = EarlyStopping(network, history, patience, min_delta)
    blocks = -(-epochs // snapshots_at_once(network))
    snapshots = np.zeros((-(-epochs // blocks), *network.parameters.shape), dtype)
    watched = [Watched(n_rows, rows, row_weights)]
    if validation_rows is not None:
        watched.append(Watched(validation_rows.shape[1], validation_rows, validation_weights))
    evaluation = Evaluation(Network(network.widths, snapshots), x, labels, watched)
    step = taken = 0
    # A diverging network overflows; it is found by its values, not by a warning.
    with np.errstate(over="ignore", invalid="ignore", divide="ignore", under="ignore"):
        for epoch, batches_of_epoch in enumerate(batches.epochs(epochs)):
            for inputs, targets, weights in batches_of_epoch:
                propagation = propagations[inputs.shape[-1]]
                logits = propagation.forward(inputs)
                propagation.backward(logits, targets, weights)
                state.step(schedule(step))
                step += 1
            snapshots[taken] = network.parameters
            taken += 1
            if taken == len(snapshots) or epoch == epochs - 1:
                figures = evaluation()[:, :, :taken]
                early_stopping.record(epoch + 1 - taken, snapshots[:taken], figures)
                taken = 0
                if on_epoch is not None:
                    on_epoch(epoch + 1)
                if not early_stopping.running.any():
                    break
    early_stopping.restore_best()
    return history


def _mask_source(
    dropout: Hyperparameter, generators: Sequence[np.random.Generator]
) -> RandomBits | None:
    """Return what the masks of dropout are drawn from, or None without dropout.

    A network's masks have a generator of their own, so that its batch order stays as it is without
    dropout. None is spawned for a network without dropout: what it does later depends on how often
    its generator has spawned, which must not depend on its neighbours.
    """
    each = dropout if isinstance(dropout, tuple) else (dropout,) * len(generators)
    if not any(each):
        return None
    return RandomBits(
        [own.spawn(1)[0] if p else None for own, p in zip(generators, each, strict=True)]
    )
