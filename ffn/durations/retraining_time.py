"""An estimate of the time that a first retraining takes, as a range.

The time is the sum of

- training: for each candidate, its learning rates times the epochs times what an epoch of its
  networks takes, which is measured (`timed_training`). With early stopping the networks may stop as
  soon as after ``patience`` epochs and a few, or go on to the last;
- the refit, or the student of a distilled ensemble, whose epochs are measured alike;
- boosted trees that teach it, which take a time in proportion to their number and to the values
  that they are fitted on;
- simpler models, which take a time in proportion to the values that they are fitted on;
- the rest: imports, reading, pictures, a fresh process that tries the model; a time in
  proportion to the cells of the table, and some seconds.

The factors of the last three were measured on one idle machine and hold for another only about,
which the range allows for; its upper end grows with the load that the timing met.
benchmarks/README.md compares estimates with retrainings.
"""

from __future__ import annotations

import math
import os
import time
from dataclasses import dataclass
from typing import Any

from ffn.distillation.boosted_trees import most_iterations, trees_each_iteration
from ffn.distillation.student import (
    STUDENT_BATCH,
    STUDENT_EPOCHS,
    STUDENT_FIGURE_ROWS,
    STUDENT_OPTIMIZER,
    copies_for,
)
from ffn.durations.timed_training import Training, seconds_an_epoch
from ffn.quantities import counted
from ffn.search.combinations import combinations, combined
from ffn.settings.pipeline import Pipeline
from ffn.training.fit import LEAST_FIGURE_ROWS, networks_at_once, training_threads
from ffn.training.network_groups import network_groups

__all__ = ["Estimate", "Size", "duration_text", "estimate_retraining"]

# Epochs in which a network still improves before it stops, at least: of 150, and of the recipe's
# tables, the fastest took these.
_FASTEST_BEST_EPOCH = 5
# Seconds for 1,000,000 values that simpler models are fitted on, and how many they are at most.
_SIMPLER_START, _SIMPLER, _MOST_VALUES, _FEWEST_ROWS = 1.0, 2.4, 4_000_000, 2_000
# Seconds for a boosted tree, and for 1,000,000 values that it is fitted on; iterations of a model.
_TREE, _TREE_VALUES, _ITERATIONS = 1.5e-3, 1.1e-2, (20, 100)
# Seconds for the rest, and for 1,000,000 cells of the table.
_REST, _CELLS = 3.5, 1.6
# How much faster or slower than measured: another machine, and another load than now.
_FASTER, _SLOWER = 0.6, 1.8
_MEASURED_FASTER, _MEASURED_SLOWER = 0.8, 1.4
# Rates that are tried beyond the edge of a grid.
_ADDED_RATES = 4
_UNITS = ((3_600, "h"), (60, "min"), (1, "s"))


@dataclass(frozen=True, kw_only=True)
class Size:
    """What the time depends on of a table.

    Attributes
    ----------
    rows, columns
        Of the table; rows are those with a label.
    training_rows
        Rows that are not held out.
    inputs, classes
        Of the network.
    audited
        Columns whose values are kept apart once.
    """

    rows: int
    columns: int
    training_rows: int
    inputs: int
    classes: int
    audited: int = 0


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """How long a retraining takes.

    Attributes
    ----------
    low, high
        Seconds: if networks stop early, and if they do not.
    networks, epochs
        Networks that are trained to compare candidates, and the most epochs of each.
    rows
        Rows that each trains on.
    """

    low: float
    high: float
    networks: int
    epochs: int
    rows: int

    @property
    def sentence(self) -> str:
        """The estimate, in one line."""
        between = [duration_text(self.low), duration_text(self.high)]
        takes = between[0] if len({*between}) == 1 else f"{between[0]} to {between[1]}"
        return (
            f"A retraining will take about {takes} on this machine as it is now: "
            f"{counted(self.networks, 'network')}, each on {counted(self.rows, 'row')} for at most "
            f"{counted(self.epochs, 'epoch')}."
        )

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object; times are in seconds."""
        return {"low": self.low, "high": self.high, "sentence": self.sentence}


def duration_text(seconds: float) -> str:
    """Return a time that is known roughly: in its largest unit, with one or two digits.

    Parameters
    ----------
    seconds
        The time; less than a second counts as one.
    """
    seconds = max(1.0, seconds)
    # A time that rounds to 60 s is 1 min.
    size, unit = next(one for one in _UNITS if seconds >= 0.995 * one[0])
    value = seconds / size
    return f"{value:.0f} {unit}" if value >= 9.95 or unit == "s" else f"{value:.2g} {unit}"


def estimate_retraining(size: Size, pipeline: Pipeline) -> Estimate:
    """Time a short training and return what a first retraining takes, in this process.

    Parameters
    ----------
    size
        What the time depends on of the table.
    pipeline
        Settings of network and training.
    """
    settings = pipeline.settings.training
    candidates = [combined(pipeline, one) for one in combinations(pipeline.settings).values()]
    rows = max(1, round(size.training_rows * (1 - settings.validation_share)))
    fewest = min(settings.epochs, settings.patience + _FASTEST_BEST_EPOCH)
    fewest = fewest if settings.patience else settings.epochs
    low = high = 0.0
    networks = 0
    wall, cpu = time.perf_counter(), time.process_time()
    timed: dict[object, tuple[float, int]] = {}
    for recipe, search in candidates:
        rates = len(search.rates)
        own = recipe.settings.training
        # Candidates that differ in nothing else take the same time.
        alike = (
            type(search.optimizer),
            rates,
            recipe.settings.network.hidden_layers,
            own.batch_size,
            own.dropout > 0,
        )
        if alike not in timed:
            timed[alike] = _epoch_of_stack(size, recipe, search.optimizer, rates, rows)
        epoch, waves = timed[alike]
        low += _MEASURED_FASTER * epoch * waves * fewest
        more = (rates + _ADDED_RATES) / rates if search.grows else 1.0
        high += _MEASURED_SLOWER * epoch * waves * settings.epochs * more
        networks += rates * settings.networks
    one_rate = sum(len(search.rates) for _, search in candidates)
    again = _again(size, pipeline) / one_rate
    low, high = low * (1 + again), high * (1 + again)
    student = _seconds_of_student(size, pipeline)
    # Beside other work this process got a share of a processor, and so will a retraining.
    waiting = (time.perf_counter() - wall) / max(time.process_time() - cpu, 1e-3)
    fitted = min(
        size.training_rows * size.inputs,
        max(_FEWEST_ROWS * size.inputs, _MOST_VALUES),
    )
    fixed = (
        _SIMPLER_START + _SIMPLER * fitted / 1e6 + _REST + _CELLS * size.rows * size.columns / 1e6
    )
    soonest, latest = (_seconds_of_trees(size, pipeline, n) for n in _ITERATIONS)
    return Estimate(
        low=low + _MEASURED_FASTER * student + _FASTER * (fixed + soonest),
        high=high + _MEASURED_SLOWER * student + _SLOWER * (fixed + latest) * max(1.0, waiting),
        networks=networks,
        epochs=settings.epochs,
        rows=rows,
    )


def _epoch_of_stack(
    size: Size, pipeline: Pipeline, optimizer: Any, rates: int, rows: int
) -> tuple[float, int]:
    """Return the seconds of an epoch of one group of networks, and how many take turns."""
    settings, network = pipeline.settings.training, pipeline.settings.network
    widths = (size.inputs, *network.hidden_layers, size.classes)
    batch = min(settings.batch_size, rows)
    threads = training_threads(widths, batch, pipeline)
    at_once = networks_at_once(widths, batch, settings.dtype)
    threads = min(threads, max(1, at_once // 2))
    groups = network_groups(rates * settings.networks, at_once // threads, threads)
    validation = size.training_rows - rows
    seconds = seconds_an_epoch(
        Training(
            widths=widths,
            networks=groups[0].stop,
            rows=rows,
            validation_rows=validation,
            batch_size=settings.batch_size,
            optimizer=optimizer,
            dropout=settings.dropout,
            figure_rows=min(rows, max(LEAST_FIGURE_ROWS, validation)),
            dtype=settings.dtype,
        )
    )
    return seconds, math.ceil(len(groups) / min(threads, os.cpu_count() or 1))


def _again(size: Size, pipeline: Pipeline) -> float:
    """Return how many more times a candidate's networks at one rate are trained: refit, audit."""
    return (pipeline.settings.ensemble != "resamples") + (size.audited > 0)


def _seconds_of_student(size: Size, pipeline: Pipeline) -> float:
    settings, network = pipeline.settings.training, pipeline.settings.network
    if settings.ensemble != "distilled":
        return 0.0
    layers = network.student_layers or network.hidden_layers
    rows = size.training_rows * (1 + copies_for(size.training_rows, size.inputs))
    return STUDENT_EPOCHS * seconds_an_epoch(
        Training(
            widths=(size.inputs, *layers, size.classes),
            networks=1,
            rows=rows,
            validation_rows=0,
            batch_size=max(settings.batch_size, STUDENT_BATCH),
            optimizer=STUDENT_OPTIMIZER,
            dropout=0.0,
            figure_rows=STUDENT_FIGURE_ROWS,
            dtype=settings.dtype,
        )
    )


def _seconds_of_trees(size: Size, pipeline: Pipeline, iterations: int) -> float:
    settings = pipeline.settings.training
    trees = min(iterations, most_iterations(size.classes)) * trees_each_iteration(size.classes)
    values = size.training_rows * (1 - settings.validation_share) * size.columns
    return settings.boosted_teachers * trees * (_TREE + _TREE_VALUES * values / 1e6)
