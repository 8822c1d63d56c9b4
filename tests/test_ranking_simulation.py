"""The simulation of ranking metrics: its worlds, and whether the page says what it found."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

from simulations.page import with_section
from simulations.ranking import (
    FULL_RANKING,
    QUICK_RANKING,
    WORLDS,
    RankedWorld,
    coverage,
    draw_world,
    ranking_section,
)


def test_the_worlds_of_ranking_are_what_they_say() -> None:
    """Of one score each, normal and ``apart`` from the other, the AUC is known in closed form."""
    world = RankedWorld(sizes=(900, 100), apart=0.8)
    many = (45_000, 5_000)
    probabilities, labels = draw_world(world, many, np.random.default_rng(1))
    assert np.bincount(labels).tolist() == list(many)
    # The difference of the two scores decides: 2 * 0.8 apart, with a variance of 2.
    expected = stats.norm.cdf(2 * 0.8 / np.sqrt(2) / np.sqrt(2))
    assert metrics.roc_auc_score(labels, probabilities[:, 1]) == pytest.approx(expected, abs=0.01)
    # Nothing is hopeless, so the probabilities are the true ones: the mean of each is its share.
    assert probabilities.mean(axis=0) == pytest.approx([0.9, 0.1], abs=0.005)


def test_the_intervals_of_ranking_hold_the_truth() -> None:
    """Of sixty, fewer than fifty at a coverage of 0.95 is a chance of one in a thousand."""
    size = replace(QUICK_RANKING, runs=60, population=20_000)
    for name in ("two classes, hardly separated", "three classes of ten rows"):
        held = coverage(WORLDS[name], size, 3)
        assert min(held) >= 50
    assert coverage(WORLDS[name], size, 3) == held


def test_the_page_holds_the_coverage_of_every_world(repository: Path) -> None:
    whole = (repository / "docs/evaluation.md").read_text("utf-8")
    assert with_section(whole, "x", "ranking") != whole
    page = whole.split("## Rare classes")[1].split("\n## ")[0]
    cells = re.findall(r"\*\*(\d\.\d+)\*\* \[(\d\.\d+), (\d\.\d+)\]", page)
    assert len(cells) == 3 * len(WORLDS)
    # The page names the lowest one.
    assert f"lowest coverage is {min(float(share) for share, _, _ in cells):.2f}" in page
    assert f"Of {FULL_RANKING.runs:,} sets of held-out rows" in page
    assert set(WORLDS) <= set(re.findall(r"^\| ([a-z][^|]+?) \(", page, re.M))
    tiny = replace(QUICK_RANKING, runs=1, population=100)
    assert ranking_section(tiny).count("\n| ") == len(WORLDS) + 1
