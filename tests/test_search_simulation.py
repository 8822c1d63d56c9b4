"""The simulation of searches: its losses, its rules, and whether the page says what it found."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.testing import assert_allclose

from ffn.evaluation.inference.race import RACE_ALPHA
from ffn.evaluation.inference.statistics import wilson
from simulations.page import with_section
from simulations.searches import (
    FULL_SEARCHES,
    RULES,
    WORLDS,
    SearchesSize,
    draw_losses,
    excess_losses,
    race,
    searches_section,
)


def test_losses_of_two_resamples_are_correlated_as_those_that_share_rows() -> None:
    drawn = draw_losses((0.0,) * 4_000, 2, np.random.default_rng(3))
    assert_allclose(drawn.std(), 0.05, rtol=0.05)
    # n_validation / (n_validation + n_training) of a fifth.
    assert_allclose(np.corrcoef(drawn.T)[0, 1], 0.2, atol=0.06)


def test_rules_by_hand() -> None:
    """Of three, the second is 0.001 worse on each resample, the first by 1 on one of them."""
    best = np.array([0.1, 0.2, 0.3, 0.2])
    first, second = np.array([0, 0, 0, 1]), np.array([0.001, 0.002, 0.001, 0.002])
    losses = np.array([best + first, best + second, best])
    # The first: 0.25 on average, with a standard error of (1/4 + 1/4)^0.5 / 2 = 0.354; the best
    # one's own interval reaches to 0.2 + 2^0.5 * 3.182 * 0.5^0.5 * 0.0816 = 0.460.
    assert excess_losses((0.3, 0.2, 0.0), losses) == (0.3, 0.3, 0.0)


def test_a_race_drops_by_hand() -> None:
    """The second is worse by 1 everywhere; the third by 0.0005, and its resamples are mixed."""
    wobble = 0.001 * np.array([0, 1, 2, 0, 1, 2, 0, 1])
    found = race(np.array([wobble, 1 + wobble[::-1], 0.0005 + wobble[[1, 2, 0, 0, 2, 1, 1, 0]]]))
    assert found.left == [0, 2]
    assert found.networks == 3 * 4 + 2 * 4
    assert found.chosen == 0
    # Judged on the last four resamples alone.
    assert_allclose(found.crossfitted, wobble[4:].mean())


def test_the_best_is_seldom_dropped() -> None:
    generator = np.random.default_rng(5)
    true = WORLDS["12 equal"]
    lost = sum(0 not in race(draw_losses(true, 8, generator)).left for _ in range(100))
    # More than eleven of a hundred at a level of 0.05 is a chance of less than one in two hundred.
    assert lost <= 11


def test_what_the_page_says_of_its_measured_gain_follows_from_the_table(repository: Path) -> None:
    page = (repository / "docs/how-to/search.md").read_text("utf-8")
    found = re.findall(
        r"^\| \w+ \| [\d.]+ \| [\d.]+ \| \S+ \[(\S+), (\S+)\] \| ([a-z ]+) "
        r"\|.*\| (\d+) \| (\d+) \|$",
        page,
        re.M,
    )
    words = [
        "better" if float(high) < 0 else "worse" if float(low) > 0 else "not told apart"
        for low, high, *_ in found
    ]
    assert words == [one[2] for one in found]
    ratios = [int(searched) / int(plain) for *_, plain, searched in found]
    assert (
        f"Of {len(found)} tables, the search is better on {words.count('better')}, worse on "
        f"{words.count('worse')}, and not told apart on {words.count('not told apart')}; it takes "
        f"{min(ratios):.0f} to {max(ratios):.0f} times the CPU seconds"
    ) in page


def test_the_page_holds_every_world(repository: Path) -> None:
    page = (repository / "docs/how-to/search.md").read_text("utf-8")
    assert with_section(page, "x") != page
    assert f"raced in {FULL_SEARCHES.trials:,} searches each" in page
    assert f"| candidates | {' | '.join(RULES)} |" in page
    lines = re.findall(r"^\| ([^|]+) \| (8|16) \| (\d\.\d+) \[", page, re.M)
    assert [(name, k) for name, k, _ in lines] == [
        (name, k) for name in WORLDS for k in ("8", "16")
    ]
    for name, _, share in lines:
        found = wilson(round(float(share) * FULL_SEARCHES.trials), FULL_SEARCHES.trials)
        assert found.high <= RACE_ALPHA, name
    costs = {
        name: [float(cost) for cost in (first, second, third)]
        for name, first, second, third in re.findall(
            r"^\| ([^|]+) \| (\d\.\d+) \| (\d\.\d+) \| (\d\.\d+) \|$", page, re.M
        )
    }
    assert list(costs) == list(WORLDS)
    # Why the lowest mean is taken.
    means = np.mean(list(costs.values()), axis=0)
    assert means[2] < means[1] < means[0]
    assert searches_section(SearchesSize(trials=1)).count("\n| ") == 3 * len(WORLDS) + 2
