"""The training loop: epochs of batches, each forward, backward and a step of the optimizer."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.nn.engine.early_stopping import EarlyStopping
from ffn.nn.engine.stack_in_training import Lesson, StackInTraining
from ffn.nn.history import History
from ffn.nn.hyperparameters import Hyperparameter, check_count, check_range
from ffn.nn.losses import check_soft_targets, is_soft
from ffn.nn.network import Network
from ffn.nn.optimizers import Optimizer, OptimizerState
from ffn.nn.schedules import Schedule, constant

__all__ = ["train"]

Array = npt.NDArray[Any]

# Above this share of networks still in training, those that stopped are carried along: to set up a
# smaller stack takes time, too.
SHARE_TO_KEEP = 0.75


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
    score_offsets: Array | None = None,
    schedule: Schedule | None = None,
    patience: int | None = None,
    min_delta: float = 0.0,
    frozen_layers: Collection[int] = (),
    dropout: Hyperparameter = 0.0,
    label_smoothing: Hyperparameter = 0.0,
    figure_rows: int | None = None,
    on_epoch: Callable[[int], None] | None = None,
    eliminate: Callable[[int, Array], Sequence[int]] | None = None,
    observe: Callable[[int, Network, Sequence[int], History], None] | None = None,
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
        Integers [N] below C; or soft targets, floats [N, C], the probability of each class in each
        row, from which a network learns what another one, or an average of several, would answer:
        Hinton, Vinyals and Dean 2015, "Distilling the Knowledge in a Neural Network". With soft
        targets t the loss of a row is ``-sum_c t_c log p_c``, as in PyTorch's ``cross_entropy``,
        and a row counts as classified right if the same class is the most probable.
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
        steps. The recorded training loss is the weighted mean, unless there are ``score_offsets``.
        None, the default, for 1 each.
    validation_weights
        Weights [N] of the rows in the recorded validation loss and accuracy. None, the default,
        for equal ones.
    score_offsets
        Numbers [C] that are added to the output biases of what is kept and recorded, but not while
        it learns. Where ``row_weights`` weight the rows of class c by w_c, the network learns the
        probability of c times w_c, up to a common factor; with ``-log w_c`` here it answers with
        the probability itself (Elkan 2001, "The foundations of cost-sensitive learning", theorem 2;
        Saerens, Latinne and Decaestecker 2002, "Adjusting the outputs of a classifier to new a
        priori probabilities", equation 4). Recorded losses are then those of these probabilities,
        of training rows of equal weight; early stopping watches those of validation rows. Training
        on starts from what was left, with the offsets in it. None, the default, for none.
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
    figure_rows
        Of more training rows than this a network's recorded training loss and accuracy are those of
        so many, at even distances among its rows and the same after every epoch: on a long table
        a second pass over all rows would take a fifth of the time. None, the default, for all.
    on_epoch
        Called with the number of epochs done, after each block of epochs that is evaluated at
        once. An exception from it ends the training. None, the default, to call nothing.
    eliminate
        Called after ``on_epoch`` with the number of epochs done and the lowest validation loss of
        each network so far, [K]. Returns positions, from 0, of networks to stop. None, the
        default, to stop none.
    observe
        Called after ``on_epoch`` with the number of epochs done, the networks that are computed
        on, as they are after these epochs, their positions, from 0, and the history so far. They
        are the training's own arrays: they may be read and copied, not changed or kept. None, the
        default, to call nothing.

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
        range or has a tuple of values, but not K of them; soft targets are not [N, C], or not
        probabilities that sum to 1; the offsets are not C finite numbers.
    """
    k = len(network.parameters)
    if all(i in frozen_layers for i in range(len(network.layers))):
        raise ValueError("all layers are frozen; there is nothing to train")
    if patience is not None and validation_rows is None:
        raise ValueError("early stopping watches the validation loss and needs validation rows")
    labels = np.asarray(labels)
    if is_soft(labels):
        check_soft_targets(labels, (len(x), network.widths[-1]))
    if score_offsets is not None:
        score_offsets = _check_offsets(score_offsets, network)
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
    lesson = Lesson(
        # A table mapped from a file becomes a plain view of it: memmap's own slices are slow.
        x=np.asarray(x),
        labels=labels,
        rows=rows,
        validation_rows=validation_rows,
        row_weights=row_weights,
        validation_weights=validation_weights,
        weigh_recorded=score_offsets is None,
        batch_size=batch_size,
        epochs=epochs,
        figure_rows=figure_rows,
    )
    stack = StackInTraining(lesson, state, generators, dropout, label_smoothing)
    history = History.empty(epochs, k)
    early_stopping = EarlyStopping(network, history, patience, min_delta)
    members, epoch, step = np.arange(k), 0, 0
    # A diverging network overflows; it is found by its values, not by a warning.
    with np.errstate(over="ignore", invalid="ignore", divide="ignore", under="ignore"):
        while epoch < epochs and early_stopping.running.any():
            first, count = epoch, min(stack.epochs_at_once, epochs - epoch)
            for batches in stack.batches.epochs(count):
                for batch in batches:
                    stack.learn(batch, schedule(step))
                    step += 1
                stack.snapshots[epoch - first] = stack.network.parameters
                epoch += 1
            if score_offsets is not None:
                stack.network.layer_views(stack.snapshots[:count])[-1][..., -1] += score_offsets
            figures, snapshots = stack.evaluation()[:, :, :count], stack.snapshots[:count]
            early_stopping.record(first, snapshots, figures, members)
            if on_epoch is not None:
                on_epoch(epoch)
            if observe is not None:
                observe(epoch, stack.network, members.tolist(), history)
            if eliminate is not None:
                early_stopping.running[list(eliminate(epoch, early_stopping.best_loss))] = False
            kept = _worth_keeping(early_stopping.running[members])
            # The state of an optimizer that was handed in is to hold all networks at the end.
            if len(kept) < len(members) and state is not optimizer:
                stack, members = stack.select(kept), members[kept]
    early_stopping.restore_best()
    return history


def _check_offsets(offsets: Array, network: Network) -> Array:
    offsets = np.asarray(offsets)
    if offsets.shape != network.widths[-1:] or not np.isfinite(offsets).all():
        raise ValueError(
            f"score_offsets must be {network.widths[-1]} finite numbers, not {offsets}"
        )
    return offsets.astype(network.parameters.dtype)


def _worth_keeping(running: Array) -> Sequence[int]:
    """Return the positions of the networks to go on with, once a quarter of them has stopped.

    Those that stopped would only be computed for nothing. Two are kept at least: NumPy may add in
    another order for one, and the last bits of a network must not depend on its neighbours.
    """
    go_on = np.flatnonzero(running)
    if len(go_on) > SHARE_TO_KEEP * len(running):
        return range(len(running))
    others = np.flatnonzero(~running)[: max(0, 2 - len(go_on))]
    kept: list[int] = np.sort(np.concatenate([go_on, others])).tolist()
    return kept
