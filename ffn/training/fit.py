"""Train K networks at each of R learning rates, in groups that fit into bounded memory."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.nn import History, Network, constant, cosine, train
from ffn.nn.schedules import Schedule
from ffn.search.combinations import combinations
from ffn.settings.optimizer_settings import OptimizerSearch
from ffn.settings.pipeline import Pipeline
from ffn.settings.training_settings import TrainingSettings
from ffn.training.network_groups import Observer, Sight, network_groups, run_groups
from ffn.training.partition import TrainingPart
from ffn.training.resampling import generators

__all__ = [
    "LEAST_FIGURE_ROWS",
    "layer_widths",
    "networks_at_once",
    "train_stack",
    "training_threads",
]

Array = npt.NDArray[Any]

LEAST_FIGURE_ROWS = 1_000
"""A network's figures on training rows are recorded for as many of them as it validates on, but for
at least so many: they need be no more exact than those beside them, and all rows of a long table
take a fifth of the time."""

# Of a refit, which has no validation rows, and whose training loss decides which network is kept.
_REFIT_FIGURE_ROWS = 10_000
# Memory for the networks that are trained together, in addition to the rows, for each of the
# parallel training tasks.
_STACK_BYTES = 256 * 1024 * 1024
# Multiplications and additions of one network for one batch, from which on threads pay.
_THREADED_PRODUCTS = 2_000_000
# Memory for the row numbers of networks that are trained together.
_ROW_NUMBER_BYTES = 256 * 1024 * 1024


def networks_at_once(widths: tuple[int, ...], batch_size: int, dtype: npt.DTypeLike) -> int:
    """Return how many networks can be trained together within the memory limit.

    The estimate is ten arrays of the size of the parameters (gradients, an optimizer's moments and
    scratch space, the last and the best epoch, a snapshot), and six activations for each unit and
    row of a batch.

    Parameters
    ----------
    widths
        Units of each layer, from inputs to classes.
    batch_size
        Rows in a batch.
    dtype
        Floating-point type of the parameters.
    """
    floats = 10 * Network.count(widths) + 6 * batch_size * sum(widths)
    return max(1, _STACK_BYTES // (floats * np.dtype(dtype).itemsize))


def train_stack(
    part: TrainingPart,
    pipeline: Pipeline,
    search: OptimizerSearch,
    rates: Sequence[float],
    *,
    branch: int,
    epochs: int,
    rows: Array | None = None,
    validation_rows: Array | None = None,
    members: range | None = None,
    patience: int | None = None,
    deadline: float | None = None,
    on_epoch: Callable[[int], None] | None = None,
    observe: Observer | None = None,
) -> tuple[Network, History]:
    """Train K new networks at each of R rates, each on the training part or its own rows of it.

    Networks are independent of each other, so the result depends neither on the grouping nor on
    the other rates. At each rate the K networks have the same rows, initial weights and batch
    orders. Whatever weights the classes have while they learn, the networks answer with
    probabilities at the true shares, and the recorded losses are those of these.

    Parameters
    ----------
    part
        The training part, n rows.
    pipeline
        Settings of network and training.
    search
        The optimizer, whose own rates are not used.
    rates
        Learning rates [R].
    branch
        Branch of the pipeline's seed for initial weights and batch orders.
    epochs
        Largest number of epochs.
    rows
        Row numbers [K, m] to train on; by default every network uses all rows.
    validation_rows
        Row numbers [K, v] to validate on; by default none.
    members
        Which of the K networks to train, k of them; by default all.
    patience
        As in `ffn.nn.train`; by default there is no early stopping.
    deadline
        When to stop all networks, as ``time.monotonic`` counts; each keeps its best epoch so far,
        and has at least one. Groups that are trained one after another share the time. None, the
        default, for no limit.
    on_epoch
        As in `ffn.nn.train`; called with the number of epochs done, averaged over the groups.
    observe
        Is shown each group of networks between its epochs; by default nothing is.

    Returns
    -------
    network, history
        R times k networks, those of the first rate first, and how they were trained.
    """
    training = pipeline.settings.training
    dtype = np.dtype(training.dtype)
    widths = layer_widths(part, pipeline)
    if members is None:
        members = range(training.networks)
    if rows is not None:
        rows = rows[members.start : members.stop]
    if validation_rows is not None:
        validation_rows = validation_rows[members.start : members.stop]
    n_rows = part.rows if rows is None else rows.shape[1]
    figure_rows = _REFIT_FIGURE_ROWS
    if validation_rows is not None:
        figure_rows = max(LEAST_FIGURE_ROWS, validation_rows.shape[1])
    x, labels = part.x, part.labels
    weights = part.weights
    validation_weights = None if weights is None else weights.astype(dtype)
    # A recipe without a column of weights, such as production's, is trained without them and judged
    # with them.
    own_weights = None if pipeline.settings.data.weight is None else weights
    class_weights = _class_weights(part, training, own_weights)
    row_weights = _row_weights(labels, class_weights, own_weights, dtype)
    at_once = networks_at_once(widths, min(training.batch_size, n_rows), dtype)
    if rows is not None:
        at_once = min(at_once, max(len(members), _ROW_NUMBER_BYTES // rows[:1].nbytes))
    draws = [
        generator
        for _ in rates
        for generator in generators(training, branch)[members.start : members.stop]
    ]
    rate_of_each = np.repeat(np.asarray(rates, dtype=float), len(members))
    threads = training_threads(widths, min(training.batch_size, n_rows), pipeline)
    # All threads together stay within the memory of a stack, and each has two networks at least.
    threads = min(threads, max(1, at_once // 2))
    groups = network_groups(len(draws), at_once // threads, threads)
    waves = -(-len(groups) // threads)

    def train_group(group: slice, report: Callable[[int], None] | None) -> tuple[Array, History]:
        end = _share_of_time(deadline, waves - groups.index(group) // threads)
        own_generators, own_rates = draws[group], rate_of_each[group].tolist()

        def show(epoch: int, seen: Network, places: Sequence[int], so_far: History) -> None:
            if observe is not None:
                observe(
                    Sight(
                        epoch=epoch,
                        epochs=epochs,
                        rates=own_rates,
                        stage=members.start,
                        first=group.start,
                        network=seen,
                        members=places,
                        history=so_far,
                    )
                )

        network = Network.create(widths, own_generators, dtype)
        history = train(
            network,
            search.at(own_rates[0] if len({*own_rates}) == 1 else tuple(own_rates)),
            x,
            labels,
            epochs=epochs,
            batch_size=training.batch_size,
            generators=own_generators,
            rows=_own_rows(rows, group),
            validation_rows=_own_rows(validation_rows, group),
            row_weights=row_weights,
            validation_weights=validation_weights,
            # The weights shift the probabilities towards rare classes; this puts them back.
            score_offsets=None if class_weights is None else -np.log(class_weights),
            schedule=_schedule(training, n_rows),
            patience=patience,
            dropout=training.dropout,
            label_smoothing=training.label_smoothing,
            figure_rows=figure_rows,
            on_epoch=report,
            eliminate=None if end is None else lambda _, losses: _all_after(end, len(losses)),
            observe=None if observe is None else show,
        )
        return network.parameters, history

    trained = run_groups(train_group, groups, threads, on_epoch)
    parameters, histories = zip(*trained, strict=True)
    return Network(widths, np.concatenate(parameters)), History.side_by_side(histories)


def layer_widths(part: TrainingPart, pipeline: Pipeline) -> tuple[int, ...]:
    """Return the units of each layer of a pipeline's networks, from inputs to classes.

    Parameters
    ----------
    part
        The training part, from which inputs and classes follow.
    pipeline
        Settings with the hidden layers.
    """
    hidden = pipeline.settings.network.hidden_layers
    return part.preparation.n_inputs, *hidden, len(part.schema.classes)


def _share_of_time(deadline: float | None, parts: int) -> float | None:
    """Return the end of the first of equal parts of the time until the deadline."""
    if deadline is None:
        return None
    now = time.monotonic()
    return now + max(0.0, deadline - now) / parts


def _all_after(end: float, networks: int) -> range:
    return range(networks) if time.monotonic() >= end else range(0)


def _own_rows(rows: Array | None, members: slice) -> Array | None:
    """Return the rows of some networks: those of network i are ``rows[i mod K]``."""
    if rows is None:
        return None
    if members.stop <= len(rows):
        return rows[members]
    own: Array = rows[np.arange(members.start, members.stop) % len(rows)]
    return own


def training_threads(widths: tuple[int, ...], batch_size: int, pipeline: Pipeline) -> int:
    """Return how many threads share the networks of a stack.

    The candidates may be trained at once, so each has its share of the processors. In steps of
    few products, Python's lock is held for most of the time, and threads would only wait.

    Parameters
    ----------
    widths
        Units of each layer, from inputs to classes.
    batch_size
        Rows in a batch.
    pipeline
        Settings with the candidates.
    """
    products = batch_size * Network.count(widths)
    if products < _THREADED_PRODUCTS:
        return 1
    candidates = len(combinations(pipeline.settings))
    return max(1, (os.cpu_count() or 1) // candidates)


def _class_weights(
    part: TrainingPart, training: TrainingSettings, weights: Array | None = None
) -> Array | None:
    """Return weights [C] that give every class the same total, 1 a row; None if unweighted."""
    if training.class_weight == "none":
        return None
    totals = np.bincount(part.labels, weights, minlength=len(part.schema.classes))
    found: Array = (part.rows / (len(totals) * totals)).astype(training.dtype)
    return found


def _row_weights(
    labels: Array, class_weights: Array | None, weights: Array | None, dtype: npt.DTypeLike
) -> Array | None:
    """Return weights [n] of the rows' losses; None if all are 1."""
    if class_weights is None:
        return None if weights is None else weights.astype(dtype)
    found: Array = class_weights[labels]
    return found if weights is None else found * weights.astype(dtype)


def _schedule(training: TrainingSettings, n_rows: int) -> Schedule:
    """Return the learning rate schedule over the configured epochs, even if fewer will be run."""
    steps = -(-n_rows // training.batch_size)
    warmup = training.warmup_epochs * steps
    if training.schedule == "cosine":
        return cosine(training.epochs * steps, warmup)
    return constant(warmup)
