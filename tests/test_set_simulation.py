"""The simulation of label sets: coverage, and whether the page says what it found."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from simulations.page import with_section
from simulations.set_coverage import (
    FULL_SETS,
    SET_WORLDS,
    SetSize,
    SetWorld,
    covered,
    sets_section,
)


@pytest.mark.parametrize("name", list(SET_WORLDS))
def test_sets_hold_the_class(name: str) -> None:
    """Of 200 at 0.9, fewer than 166 is a chance of one in a thousand."""
    held = np.array([covered(SET_WORLDS[name], seed) for seed in range(200)]).sum(axis=0)
    assert min(held) >= 166


def test_groups_that_are_not_told_cost_coverage() -> None:
    """Ten groups of a hundred: rows taken for independent promise too much on average."""
    world = SetWorld(sizes=(1_000, 1_000), rows_of_group=100)
    told, untold = (
        np.mean([covered(world, seed, told=told) for seed in range(300)]) for told in (True, False)
    )
    assert untold < 0.9 < told


def test_the_page_holds_every_world(repository: Path) -> None:
    whole = (repository / "docs/decision_rules.md").read_text("utf-8")
    assert with_section(whole, "x", "sets") != whole
    section = whole.split("sets: written by")[1].split("sets: end of")[0]
    cells = re.findall(r"(\d\.\d+) \[\d\.\d+, (\d\.\d+)\]", section)
    assert len(cells) == 2 * len(SET_WORLDS)
    # No coverage is shown to be below what is promised.
    assert min(float(high) for _, high in cells) >= 0.9
    assert f"Of {FULL_SETS.calibrations:,} calibrations" in section
    assert all(f"| {name} |" in section for name in SET_WORLDS)
    assert sets_section(SetSize(calibrations=2)).count("\n| ") == len(SET_WORLDS) + 1
