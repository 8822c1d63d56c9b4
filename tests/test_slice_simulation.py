"""The simulation of slices: its tables, and whether the page says what it found."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from ffn.evaluation.inference.statistics import wilson
from simulations.page import with_section
from simulations.slices import (
    FULL_SLICES,
    PLANTED,
    SERVED_ALIKE,
    SlicesSize,
    count_tables,
    draw_table,
    slices_section,
)


def test_tables_are_what_they_say() -> None:
    found = draw_table(SERVED_ALIKE["5,000 rows, 2 % wrong"], np.random.default_rng(1))
    assert (found.rows, found.searched + found.too_small) == (5_000, 47)
    shares = [one.accuracy.value for one in found.slices]
    assert 0.95 < np.mean(shares) < 0.99
    planted = draw_table(
        PLANTED["5,000 rows, 10 % wrong, in the slice 20 %"], np.random.default_rng(1)
    )
    assert [(one.column, one.value) for one in planted.worse] == [("column 8", "3")]


def test_few_reports_name_a_slice_if_all_are_served_alike() -> None:
    """Of twenty, more than four at a level of 0.05 is a chance of less than three in a thousand."""
    for name in ("1,000 rows, 20 % wrong", "1,000 rows in 100 groups, 20 % wrong"):
        assert count_tables(SERVED_ALIKE[name], 20, 7, population=1_000).named <= 4


def test_the_page_holds_every_table(repository: Path) -> None:
    page = (repository / "docs/slices.md").read_text("utf-8")
    assert with_section(page, "x") != page
    assert f"Of {FULL_SLICES.tables:,} sets" in page
    cells = dict(re.findall(r"^\| (\d[^|]+?) \| \*\*(\d\.\d+)\*\*", page, re.M))
    assert set(cells) == {*SERVED_ALIKE, *PLANTED}
    for name in SERVED_ALIKE:
        share = wilson(round(float(cells[name]) * FULL_SLICES.tables), FULL_SLICES.tables)
        assert share.low <= 0.05, name
    # What the page says of them in words.
    rows = re.findall(r"\*\*(\d\.\d+)\*\* \[", page)
    alike = [float(share) for share in rows[: 3 * len(SERVED_ALIKE)]]
    assert f"named a slice in {100 * max(alike[::3]):.1f} % of reports at most" in page
    assert f"that is of each kind at least {min(alike[1::3] + alike[2::3]):.3f}" in page
    tiny = slices_section(SlicesSize(tables=1))
    assert tiny.count("\n| ") == len(cells) + 2
