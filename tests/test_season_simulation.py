"""The simulation of seasons in small: years that are what they say, and what the page claims."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from ffn.scoring.drift.units import conversions
from simulations import months, seasons


def test_seasons_are_simulated_alike_each_time() -> None:
    size = seasons.YearsSize(years=1, mistaken=1)
    text = seasons.seasons_section(size)
    assert text == seasons.seasons_section(size)
    assert all(f"| {name} |" in text for name in (*seasons.SPANS, *seasons.MISTAKES))


def test_years_have_the_seasons_that_they_should() -> None:
    """July is warmer than January, days are alike from hour to hour, and the years are two."""
    for seed in range(5):
        one, other = seasons.draw_years(np.random.default_rng(seed))
        months = np.array([one.of([month]).mean(axis=0) for month in range(12)])
        assert months[:, 0].argmax() in (5, 6, 7)
        assert months[:, 0].argmin() in (0, 1, 11)
        assert (one.rows[:, 1] < one.rows[:, 0]).all()
        assert (one.rows[:, 2:] > 0).all()
        assert np.bincount(one.month).tolist() == pytest.approx([730] * 12, abs=1)
        assert not np.array_equal(one.rows, other.rows)
        # A sales season of up to the factor that is taken for plausible.
        assert months[:, 3].max() / months[:, 3].min() < 8


@pytest.mark.parametrize("mistake", seasons.MISTAKES)
def test_a_mistake_is_made_in_one_column_and_can_be_undone(mistake: str) -> None:
    name, place, change, _ = seasons.MISTAKES[mistake]
    values = np.array([10.0, 50.0])
    factors = {(how.factor, how.offset) for how in conversions(name, 10.0)}
    undone = [how * change(values) + offset for how, offset in factors]
    assert min(np.abs(own - values).max() for own in undone) < 1e-4
    assert seasons.PLAIN[place].split("_")[0] == name.split("_")[0]


def test_the_page_of_seasons_claims_at_most_one_in_a_hundred(repository: Path) -> None:
    page = (repository / "docs/drift.md").read_text("utf-8")
    for span in seasons.SPANS:
        (line,) = re.findall(rf"^\| {re.escape(span)} \|.*$", page, re.M)
        shares = re.findall(r"(\d\.\d+) \[(\d\.\d+), (\d\.\d+)\]", line)
        assert len(shares) == 2
        assert all(float(share) <= 0.01 for share, _, _ in shares)
    assert f"next year, {seasons.FULL_SEASONS.years * 12:,} files each" in page
    assert set(seasons.MISTAKES) <= set(re.findall(r"^\| ([a-z][^|]+?) \|", page, re.M | re.I))


def test_months_are_simulated_alike_each_time() -> None:
    text = months.months_section(months.MonthsSize(years=1))
    assert text == months.months_section(months.MonthsSize(years=1))
    assert all(f"| {world} | a day |" in text for world in months.WORLDS)


def test_the_page_of_months_claims_no_more_alarms_than_the_nominal_level(
    repository: Path,
) -> None:
    """One in a thousand files is nominal: no interval may lie above it."""
    page = (repository / "docs/drift.md").read_text("utf-8")
    assert f"Of {months.FULL_MONTHS.years * 12:,} files of the next year of each kind" in page
    shares = re.findall(r"\| a (?:month|day) \| \*\*(\d\.\d+)\*\* \[(\d\.\d+),", page)
    shares += re.findall(r"\| three days \| \*\*(\d\.\d+)\*\* \[(\d\.\d+),", page)
    assert len(shares) == 3 * len(months.WORLDS)
    assert all(float(low) <= 0.001 for _, low in shares)
