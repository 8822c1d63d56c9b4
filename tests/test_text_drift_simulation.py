"""The simulation of drifting texts in small, and what the page says of it."""

from __future__ import annotations

import re
from pathlib import Path

from simulations.text_drift import FULL_TEXTS, KINDS, QUICK_TEXTS, texts_section


def test_texts_are_simulated_alike_each_time() -> None:
    text = texts_section(QUICK_TEXTS)
    assert text == texts_section(QUICK_TEXTS)
    assert all(f"| {kind} | " in text for kind in KINDS)


def test_the_page_claims_no_more_alarms_than_the_nominal_level(repository: Path) -> None:
    """One in a thousand files is nominal: no interval may lie above it."""
    page = (repository / "docs/drift.md").read_text("utf-8")
    page = page.partition("<!-- texts: written by")[2]
    assert f"{FULL_TEXTS.tables * FULL_TEXTS.clean:,} files without drift" in page
    (clean,) = re.findall(r"(?m)^\| without drift \| (.*) \|$", page)
    lows = re.findall(r"\*\*\d\.\d+\*\* \[(\d\.\d+),", clean)
    assert len(lows) == len(FULL_TEXTS.rows)
    assert all(float(low) <= 0.001 for low in lows)
    assert set(KINDS) <= set(re.findall(r"(?m)^\| ([a-z][^|]+?) \| \d", page))
