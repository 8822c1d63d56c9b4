"""CPU time of the reference and of stacks in ``ffn.nn``, for the same training."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np

from examples.course.flowers import iris, scaled
from examples.course.measurements.resamples import WIDTHS
from ffn.nn import Adam, Network, reference, spawn_generators, train

__all__ = ["costs_without", "measure_speed"]

_STACKS = (1, 4, 16, 64)
_EPOCHS = 50


def measure_speed(rounds: int = 9) -> dict[str, Any]:
    """Return how many times the reference's CPU time a network is of that in a stack.

    Parameters
    ----------
    rounds
        All sides take turns this often; of their ratios the median, lowest and highest count.
    """
    flowers, labels = iris()
    x = scaled(flowers)
    ratios: dict[int, list[float]] = {k: [] for k in _STACKS}
    microseconds = []
    for _ in range(rounds):
        begun = time.process_time()
        (generator,) = spawn_generators(1, 1)
        parameters = reference.initialise(WIDTHS, generator)
        orders = (generator.permutation(150) for _ in range(_EPOCHS))
        reference.train(parameters, reference.adam, 0.005, x, labels, orders, 32)
        plain = time.process_time() - begun
        microseconds.append(1e6 * plain / (5 * _EPOCHS))
        for k in _STACKS:
            begun = time.process_time()
            generators = spawn_generators(1, k)
            network = Network.create(WIDTHS, generators, np.float64)
            train(
                network,
                Adam(learning_rate=0.005),
                x,
                labels,
                epochs=_EPOCHS,
                batch_size=32,
                generators=generators,
            )
            ratios[k].append(k * plain / (time.process_time() - begun))
    return {
        "rounds": rounds,
        "microseconds": round(float(np.median(microseconds)), 1),
        "times_faster": {
            str(k): [round(float(f(found)), 2) for f in (np.median, np.min, np.max)]
            for k, found in ratios.items()
        },
    }


def costs_without() -> tuple[list[str], dict[str, list[str]]]:
    """Return the table of the network's page: what a training takes more without each trick.

    Returns
    -------
    tuple
        The trainings that were measured; and for each trick the CPU time more in each of them.
    """
    page = (Path(__file__).parents[3] / "docs" / "network.md").read_text("utf-8")
    section = page.partition("\n### Speed\n")[2].partition("\n#")[0]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in section.splitlines()
        if line.startswith("|")
    ]
    head, _, *body = rows
    return head[2:], {row[0]: row[2:] for row in body}
