"""Training of one candidate: an optimizer, at each of its learning rates, on every resample."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ffn.nn import History, Network
from ffn.search.combinations import combinations, with_combination
from ffn.settings.pipeline import Pipeline
from ffn.settings.service_settings import seconds_of
from ffn.settings.training_settings import TrainingSettings
from ffn.training.fit import layer_widths, train_stack
from ffn.training.network_groups import Observer
from ffn.training.partition import TrainingPart
from ffn.training.rate_search import next_rate, search_rates, still_racing
from ffn.training.resampling import candidate_resamples
from ffn.training.selection.candidate import Candidate
from ffn.training.temperature import ask_on_validation

__all__ = ["Elsewhere", "TrainedNetworks", "train_candidate", "train_until"]

Array = npt.NDArray[Any]

# Branch of the pipeline's seed for initial weights and batch orders; ``ffn.training.steps`` has
# the others.
_CANDIDATES = 1
# Networks of fewer parameters are not raced.
_RACED_PARAMETERS = 2_000
# Rates tried beyond the edge of a grid, one after another: together a factor of 100.
_MOST_ADDED_RATES = 4


class TrainedNetworks(NamedTuple):
    """Networks of some rates on the first k resamples, k for each rate.

    Attributes
    ----------
    rates
        Learning rates [R], ascending.
    parameters
        For each rate an array [k, P], where k may differ.
    histories
        For each rate, how these were trained.
    """

    rates: tuple[float, ...]
    parameters: tuple[Array, ...]
    histories: tuple[History, ...]

    @property
    def tried(self) -> list[int]:
        """For each rate the number of resamples on which it was tried."""
        return [len(own) for own in self.parameters]

    @property
    def resamples(self) -> int:
        """The number of resamples so far."""
        return max(self.tried)

    def losses(self, k: int) -> Array:
        """Return the validation losses [R, k]; NaN where a network diverged or was not trained."""
        found = np.full((len(self.rates), k), np.nan)
        for own, history in zip(found, self.histories, strict=True):
            own[: len(history.diverged)] = history.at_best("validation_loss")
        return found

    def extended(self, more: TrainedNetworks) -> TrainedNetworks:
        """Return these with more networks of some of the rates, or with other rates."""
        found = {rate: (own, history) for rate, own, history in zip(*self, strict=True)}
        for rate, parameters, history in zip(*more, strict=True):
            if rate in found:
                before, history_before = found[rate]
                parameters = np.concatenate([before, parameters])
                history = History.side_by_side([history_before, history])
            found[rate] = parameters, history
        rates = tuple(sorted(found))
        columns = zip(*(found[rate] for rate in rates), strict=True)
        return TrainedNetworks(rates, *(tuple(column) for column in columns))


Elsewhere = Callable[
    [TrainingPart, Pipeline, str, int | None, TrainedNetworks | None, Callable[[], None]],
    tuple[Candidate, TrainedNetworks | None],
]
"""Returns the candidate of an optimizer, trained on another machine, and the networks from which a
race goes on, as `train_until` does. Calls the function that it is given again and again while it
waits, and what that raises ends the wait."""


def train_candidate(
    part: TrainingPart,
    pipeline: Pipeline,
    optimizer: str,
    on_epoch: Callable[[int], None] | None = None,
    observe: Observer | None = None,
) -> Candidate:
    """Train one optimizer's K networks at each learning rate, each on its own resample.

    Every optimizer and every rate gets the same resamples, initial weights and batch orders. Where
    the networks are large, the rates are raced: see `ffn.training.rate_search`. Where the best rate
    lies at the edge of a grid that may grow, rates beyond it are tried as well.

    Parameters
    ----------
    part
        The training part.
    pipeline
        Settings of network, training and optimizers.
    optimizer
        Name of the candidate: of an optimizer, or with ``[search]`` of a combination.
    on_epoch
        Called with the number of epochs done, for progress; by default not at all.
    observe
        Is shown the networks between epochs; by default nothing is.
    """
    return train_until(part, pipeline, optimizer, None, None, on_epoch, observe)[0]


def train_until(
    part: TrainingPart,
    pipeline: Pipeline,
    optimizer: str,
    stop: int | None,
    earlier: TrainedNetworks | None,
    on_epoch: Callable[[int], None] | None = None,
    observe: Observer | None = None,
) -> tuple[Candidate, TrainedNetworks]:
    """Train a candidate on the first resamples, or go on from there.

    A candidate that was trained in stages is the same, to the bit, as one that was trained at once:
    each network has its resample, its initial weights and its batch orders, whatever is trained
    beside it.

    Parameters
    ----------
    part, pipeline, optimizer
        As for `train_candidate`.
    stop
        How many resamples; None for all. A candidate of fewer has neither its networks nor, unless
        they are compared by a metric, their predictions; and its grid of rates does not grow.
    earlier
        Networks of an earlier stage of the same candidate; None to begin.
    on_epoch, observe
        As for `train_candidate`.

    Returns
    -------
    candidate, trained
        The candidate, and what a later stage needs.
    """
    pipeline, candidate = with_combination(pipeline, optimizer)
    training = pipeline.settings.training
    started = time.perf_counter()
    networks = training.networks
    k = networks if stop is None else stop
    train_rows, validation_rows = candidate_resamples(part, training)
    validation_to_train = validation_rows.shape[1] / train_rows.shape[1]

    begin, told = 0 if earlier is None else earlier.resamples, 0
    looks = _race_ends(networks, len(candidate.rates), part, pipeline)
    ends = sorted({end for end in looks if begin < end < k} | {k})

    def report(stop: int, done: int) -> None:
        # A stage of a race counts as much as it has resamples. Rates that are added at the end
        # were not expected, and count for nothing.
        nonlocal told
        stages = [0, begin, *ends]
        before = max(end for end in stages if end < stop)
        told = max(told, (before * training.epochs + (stop - before) * done) // networks)
        if on_epoch is not None:
            on_epoch(told)

    seconds = _seconds(pipeline)
    deadline = None if seconds is None else time.monotonic() + seconds

    def at(rates: tuple[float, ...], members: range, share: float = 1.0) -> TrainedNetworks:
        now = time.monotonic()
        network, history = train_stack(
            part,
            pipeline,
            candidate,
            rates,
            branch=_CANDIDATES,
            epochs=training.epochs,
            rows=train_rows,
            validation_rows=validation_rows,
            members=members,
            patience=training.patience or None,
            deadline=None if deadline is None else now + share * max(0.0, deadline - now),
            on_epoch=partial(report, members.stop),
            observe=observe,
        )
        n = len(members)
        places = [range(r * n, r * n + n) for r in range(len(rates))]
        return TrainedNetworks(
            rates,
            tuple(network.parameters[own.start : own.stop] for own in places),
            tuple(history.select(own) for own in places),
        )

    # The stages of a race share the time as if no rate were dropped.
    trained = at(candidate.rates, range(ends[0]), ends[0] / k) if earlier is None else earlier
    for start, end in pairwise([begin, *ends] if begin else ends):
        # Those that were dropped before were tried on fewer resamples.
        rates = tuple(
            r for r, tried in zip(trained.rates, trained.tried, strict=True) if tried == start
        )
        if start in looks:
            losses = trained.losses(start)[[trained.rates.index(rate) for rate in rates]]
            kept = still_racing(losses, validation_to_train, len(looks) - 1)
            rates = tuple(rates[r] for r in kept)
        trained = trained.extended(at(rates, range(start, end), (end - start) / (k - start)))
    for added in range(1 + _MOST_ADDED_RATES):
        search = search_rates(trained.rates, trained.losses(k), validation_to_train, trained.tried)
        beyond = next_rate(search)
        late = deadline is not None and time.monotonic() >= deadline
        grows = candidate.grows and k == networks
        if not grows or beyond is None or added == _MOST_ADDED_RATES or late:
            break
        trained = trained.extended(at((beyond,), range(k)))
    final = trained.histories[search.best]
    network = Network(layer_widths(part, pipeline), trained.parameters[search.best])
    compared = [trained.histories[r].select([i]) for i, r in enumerate(search.chosen)]
    whole = k == networks
    answers = None
    if whole or pipeline.settings.decision.metric != "log_loss":
        answers = ask_on_validation(network, final.finished, part, validation_rows[:k])
    found = Candidate(
        optimizer=optimizer,
        hyperparameters=candidate.at(search.rate),
        search=search,
        history=History.side_by_side(compared),
        final=final,
        ended=_ended(final, training) if deadline is not None else 0,
        members=network if whole and pipeline.settings.ensemble == "resamples" else None,
        validation_to_train=validation_to_train,
        answers=answers,
        seconds=time.perf_counter() - started,
    )
    return found, trained


def _seconds(pipeline: Pipeline) -> float | None:
    """Return the time for one candidate: an equal share, since they may take turns."""
    training = pipeline.settings.training
    if training.time_budget is None:
        return None
    return seconds_of(training.time_budget) / len(combinations(pipeline.settings))


def _ended(history: History, training: TrainingSettings) -> int:
    """Return how many networks neither ran all epochs nor stopped by themselves."""
    ran = history.epochs_run
    early = history.finished & (ran < training.epochs)
    if training.patience:
        early &= ran - 1 - history.best_epoch < training.patience
    return int(early.sum())


def _race_ends(k: int, n_rates: int, part: TrainingPart, pipeline: Pipeline) -> list[int]:
    """Return after how many of the k resamples the race is looked at, and last k itself.

    Small networks are not raced: a stack of all takes less time than two of which each has half.
    At each stage two networks are trained at least, as `ffn.training.fit` does everywhere.
    """
    if n_rates == 1 or Network.count(layer_widths(part, pipeline)) < _RACED_PARAMETERS:
        return [k]
    return sorted({end for end in (max(2, k // 4), k // 2) if 2 <= end <= k - 2} | {k})
