"""How often equal optimizers are told apart: real trainings, for docs/decisions/0003-tie-rule.md.

In each trial a table is drawn, split into resamples, and learnt by several candidates that are one
and the same optimizer with its own initial weights and batch orders. Whatever difference between
them is called significant, or leaves one out of the tie, is a false one. Beside the cross-fitted
choice of the rate stands the naive one, which compares each candidate by its lowest mean loss.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.evaluation.inference.statistics import wilson
from ffn.nn import Adam, History, Network, spawn_generators, train
from ffn.tabular.splitting.by_content import resamples
from ffn.training.rate_search import search_rates
from ffn.training.selection.candidate import Candidate
from ffn.training.selection.model_selection import ALPHA, select_best

__all__ = ["FULL", "QUICK", "Found", "Size", "selection_section", "simulate_selection"]

Array = npt.NDArray[Any]

_WIDTHS = (4, 8, 3)
_RATES = (0.003, 0.01, 0.03, 0.1)
_SHARE = 0.2


@dataclass(frozen=True)
class Size:
    """How much is simulated.

    Attributes
    ----------
    trials
        Number of tables.
    rows
        Rows of a table.
    networks
        K, the number of resamples.
    epochs
        Epochs of each training.
    candidates
        Number of equal candidates of a trial.
    """

    trials: int = 1_000
    rows: int = 150
    networks: int = 16
    epochs: int = 20
    candidates: int = 3


FULL = Size()
QUICK = Size(trials=10, networks=4, epochs=5)


@dataclass(frozen=True)
class Found:
    """Counts over the trials.

    Attributes
    ----------
    size
        How much was simulated.
    told_apart
        Trials with a significant difference between any two candidates.
    untied
        Trials in which a candidate was not tied with the lowest mean loss.
    naive_gap, fitted_gap
        Mean difference in log-loss, nats per row, between one candidate at a single rate and an
        equal one that also had other rates to choose from: by its lowest mean loss, and
        cross-fitted. The truth is that other rates do not help when they are copies of the first.
    """

    size: Size
    told_apart: int
    untied: int
    naive_gap: float
    fitted_gap: float


def simulate_selection(size: Size) -> Found:
    """Run the trials.

    Parameters
    ----------
    size
        How much to simulate.
    """
    told_apart = untied = 0
    naive, fitted = [], []
    for trial in range(size.trials):
        seed = np.random.SeedSequence([20, trial])
        x, labels = _table(np.random.default_rng(seed.spawn(1)[0]), size.rows)
        rows, validation_rows = resamples(
            labels,
            np.arange(size.rows, dtype=np.uint64),
            _SHARE,
            spawn_generators(np.random.SeedSequence([21, trial]), size.networks),
        )
        candidates, copies = [], []
        for number in range(size.candidates):
            draws = np.random.SeedSequence([22, trial, number])
            histories = _train(x, labels, rows, validation_rows, draws, size)
            candidates.append(_candidate(f"copy {number}", histories, rows, validation_rows))
            copies.append(histories.at_best("validation_loss")[-size.networks :])
        found = select_best(candidates)
        told_apart += any(pair.p_value < ALPHA for pair in found.comparisons)
        untied += not all(line.tied for line in found.leaderboard)
        # The copies as if they were rates of one optimizer: none is better than another.
        losses = np.array(copies)
        chosen = search_rates(tuple(range(1, 1 + len(losses))), losses, 0.25).chosen
        naive.append(losses.mean(axis=1).min() - losses[0].mean())
        fitted.append(losses[list(chosen), np.arange(size.networks)].mean() - losses[0].mean())
    return Found(size, told_apart, untied, float(np.mean(naive)), float(np.mean(fitted)))


def selection_section(found: Found) -> str:
    """Return the paragraph for the page.

    Parameters
    ----------
    found
        Result of the simulation.
    """
    size = found.size
    apart, untied = (wilson(count, size.trials) for count in (found.told_apart, found.untied))
    return (
        f"In each of {size.trials:,} trials, {size.candidates} equal candidates (Adam, each with "
        f"its own initial weights and batch orders) learnt a table of {size.rows:,} rows at "
        f"{len(_RATES)} rates on {size.networks} resamples. A significant difference was found in "
        f"{found.told_apart:,} trials ({apart.value:.3f}, 95 % interval {apart.low:.3f} to "
        f"{apart.high:.3f}), and a candidate was left out of the tie in {found.untied:,} "
        f"({untied.value:.3f}, {untied.low:.3f} to {untied.high:.3f}). Had one candidate chosen "
        f"the best of {size.candidates} such equals by its own mean loss, it would have seemed "
        f"better by {-found.naive_gap:.4f} nats per row; cross-fitted, the difference is "
        f"{found.fitted_gap:+.4f}."
    )


def _table(generator: np.random.Generator, rows: int) -> tuple[Array, Array]:
    """Return inputs [n, 4] and labels [n] of three overlapping normal classes."""
    labels = np.arange(rows) % 3
    centres = np.array([[0, 0, 0, 0], [1.5, 0, 1, 0], [0, 1.5, 0, 1]])
    x = centres[labels] + generator.standard_normal((rows, 4))
    return x.astype(np.float32), labels


def _train(
    x: Array,
    labels: Array,
    rows: Array,
    validation_rows: Array,
    draws: np.random.SeedSequence,
    size: Size,
) -> History:
    """Train a stack of networks at each rate; return the history of all, rate by rate."""
    generators = [g for _ in _RATES for g in spawn_generators(draws, size.networks)]
    network = Network.create(_WIDTHS, generators)
    return train(
        network,
        Adam(learning_rate=tuple(np.repeat(_RATES, size.networks).tolist())),
        x,
        labels,
        epochs=size.epochs,
        batch_size=32,
        generators=generators,
        rows=np.tile(rows, (len(_RATES), 1)),
        validation_rows=np.tile(validation_rows, (len(_RATES), 1)),
    )


def _candidate(name: str, history: History, rows: Array, validation_rows: Array) -> Candidate:
    k = len(rows)
    ratio = validation_rows.shape[1] / rows.shape[1]
    losses = history.at_best("validation_loss").reshape(len(_RATES), k)
    search = search_rates(_RATES, losses, ratio)
    return Candidate(
        optimizer=name,
        hyperparameters=Adam(learning_rate=search.rate),
        search=search,
        history=history.select([r * k + i for i, r in enumerate(search.chosen)]),
        final=history.select(range(search.best * k, search.best * k + k)),
        validation_to_train=ratio,
        seconds=0.0,
    )
