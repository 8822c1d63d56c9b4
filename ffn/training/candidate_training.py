"""Training of one candidate: an optimizer, at each of its learning rates, on every resample."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ffn.nn import History, Network
from ffn.settings.pipeline import Pipeline
from ffn.training.fit import train_stack
from ffn.training.partition import TrainingPart
from ffn.training.rate_search import next_rate, search_rates
from ffn.training.resampling import candidate_resamples
from ffn.training.selection import Candidate
from ffn.training.temperature import ask_on_validation

__all__ = ["train_candidate"]

# Branch of the pipeline's seed for initial weights and batch orders; ``ffn.training.steps`` has
# the others.
_CANDIDATES = 1
# Rates tried beyond the edge of a grid, one after another: together a factor of 100.
_MOST_ADDED_RATES = 4


class _Trained(NamedTuple):
    """Networks at some rates, ascending, those of the first rate first: R times K of them."""

    rates: tuple[float, ...]
    network: Network
    history: History


def train_candidate(
    part: TrainingPart,
    pipeline: Pipeline,
    optimizer: str,
    on_epoch: Callable[[int], None] | None = None,
) -> Candidate:
    """Train one optimizer's K networks at each learning rate, each on its own resample.

    Every optimizer and every rate gets the same resamples, initial weights and batch orders. Where
    the best rate lies at the edge of a grid that may grow, rates beyond it are tried as well.

    Parameters
    ----------
    part
        The training part.
    pipeline
        Settings of network, training and optimizers.
    optimizer
        Name of one of the candidates under ``[optimizers]``.
    on_epoch
        Called with the number of epochs done, for progress; by default not at all.
    """
    training = pipeline.settings.training
    candidate = pipeline.settings.optimizers.candidates()[optimizer]
    started = time.perf_counter()
    train_rows, validation_rows = candidate_resamples(part, training)
    validation_to_train = validation_rows.shape[1] / train_rows.shape[1]

    def at(rates: tuple[float, ...]) -> _Trained:
        network, history = train_stack(
            part,
            pipeline,
            candidate,
            rates,
            branch=_CANDIDATES,
            epochs=training.epochs,
            rows=train_rows,
            validation_rows=validation_rows,
            patience=training.patience or None,
            on_epoch=on_epoch,
        )
        return _Trained(rates, network, history)

    trained, added = at(candidate.rates), 0
    while True:
        losses = trained.history.at_best("validation_loss").reshape(len(trained.rates), -1)
        search = search_rates(trained.rates, losses, validation_to_train)
        beyond = next_rate(search)
        if not candidate.grows or beyond is None or added == _MOST_ADDED_RATES:
            break
        more, added = at((beyond,)), added + 1
        trained = _joined(more, trained) if search.edge == "lowest" else _joined(trained, more)
    k = training.networks
    members = [search.best * k + i for i in range(k)]
    final, network = trained.history.select(members), trained.network.select(members)
    return Candidate(
        optimizer=optimizer,
        hyperparameters=candidate.at(search.rate),
        search=search,
        history=trained.history.select([rate * k + i for i, rate in enumerate(search.chosen)]),
        final=final,
        members=network if training.ensemble == "resamples" else None,
        validation_to_train=validation_to_train,
        answers=ask_on_validation(network, final.finished, part, validation_rows),
        seconds=time.perf_counter() - started,
    )


def _joined(lower: _Trained, higher: _Trained) -> _Trained:
    parameters = [lower.network.parameters, higher.network.parameters]
    return _Trained(
        (*lower.rates, *higher.rates),
        Network(lower.network.widths, np.concatenate(parameters)),
        History.side_by_side([lower.history, higher.history]),
    )
