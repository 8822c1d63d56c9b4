"""How often label sets hold the class of a new row, over many calibrations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ffn.decision_rules.label_sets import set_limits
from ffn.decision_rules.rule import DecisionRule
from ffn.evaluation.inference.statistics import wilson

__all__ = [
    "FULL_SETS",
    "QUICK_SETS",
    "SET_WORLDS",
    "SetSize",
    "SetWorld",
    "covered",
    "sets_section",
]

Array = npt.NDArray[Any]

_SEED, _COVERAGE = 2026, 0.9


@dataclass(frozen=True, kw_only=True)
class SetSize:
    """How much is simulated.

    Attributes
    ----------
    calibrations
        Sets of calibration rows, each with new rows.
    """

    calibrations: int


FULL_SETS, QUICK_SETS = SetSize(calibrations=4_000), SetSize(calibrations=100)


@dataclass(frozen=True, kw_only=True)
class SetWorld:
    """A kind of rows, and a model.

    Attributes
    ----------
    sizes
        Calibration rows of the frequent class and of the rare one.
    apart
        Distance of the classes' scores.
    sharpness
        By how much the model's scores are too large: 1 for calibrated probabilities.
    rows_of_group
        Rows of a class that come in a group and share most of their noise; 1: none do.
    """

    sizes: tuple[int, int]
    apart: float = 1.5
    sharpness: float = 1.0
    rows_of_group: int = 1


SET_WORLDS = {
    "calibrated model": SetWorld(sizes=(475, 25)),
    "overconfident model": SetWorld(sizes=(475, 25), sharpness=5.0),
    "model that knows nothing": SetWorld(sizes=(475, 25), apart=0.0),
    "8 rows of the rare class": SetWorld(sizes=(152, 8)),
    "groups of 20": SetWorld(sizes=(2_000, 400), rows_of_group=20),
}


def _probabilities(
    world: SetWorld, labels: Array, groups: Array, generator: np.random.Generator
) -> Array:
    noise = generator.normal(size=len(labels))
    if world.rows_of_group > 1:
        noise = 0.5 * noise + generator.normal(size=int(groups.max()) + 1)[groups]
    scores = world.sharpness * (world.apart * (labels + noise - 0.5) * 2 - 2)
    share = 1 / (1 + np.exp(-scores))
    return np.stack([1 - share, share], axis=1)


def covered(world: SetWorld, seed: int, *, told: bool = True) -> tuple[bool, bool]:
    """Return whether the set of a new row of each class holds it, after one calibration.

    Parameters
    ----------
    world
        What is drawn from.
    seed
        Seed of rows and new rows.
    told
        Whether the calibration knows the groups; default: yes.
    """
    generator = np.random.default_rng((_SEED, seed))
    labels = np.repeat([0, 1], world.sizes)
    groups = np.arange(len(labels)) // world.rows_of_group
    probabilities = _probabilities(world, labels, groups, generator)
    in_groups = groups if told and world.rows_of_group > 1 else None
    rule = DecisionRule(set_limits=set_limits(probabilities, labels, _COVERAGE, in_groups))
    new = np.array([0, 1])
    asked = _probabilities(world, new, new, generator)
    members = rule.label_sets(asked, rule.labels(asked))
    return bool(members[0, 0]), bool(members[1, 1])


def sets_section(size: SetSize) -> str:
    """Simulate, and return the table of coverages."""
    lines = [
        f"Of {size.calibrations:,} calibrations for a coverage of {_COVERAGE:g}, each followed by "
        "a new row of each class, the set held the class (share, 95 % interval):",
        "",
        "| world | calibration rows | frequent class | rare class |",
        "|---|--:|---|---|",
    ]
    for name, world in SET_WORLDS.items():
        found = np.array([covered(world, seed) for seed in range(size.calibrations)])
        cells = []
        for held in found.sum(axis=0).tolist():
            share = wilson(held, size.calibrations)
            cells.append(f"{share.value:.3f} [{share.low:.3f}, {share.high:.3f}]")
        sizes = " and ".join(f"{rows:,}" for rows in world.sizes)
        lines.append(f"| {name} | {sizes} | {' | '.join(cells)} |")
    return "\n".join(lines)
