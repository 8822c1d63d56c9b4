"""The benchmark of estimates: what it says follows from what it found. It measures nothing here."""

from __future__ import annotations

import re
from pathlib import Path

from benchmarks.estimates import FULL, Compared, estimates_table, verdict
from ffn.durations.retraining_time import Estimate


def compared(rows: int, low: float, high: float, seconds: float) -> Compared:
    estimate = Estimate(low=low, high=high, networks=8, epochs=150, rows=rows)
    return Compared(rows=rows, columns=20, estimate=estimate, seconds=seconds)


FOUND = [compared(1_000, 10, 20, 15), compared(30_000, 30, 120, 121)]


def test_a_time_out_of_the_range_is_said() -> None:
    assert estimates_table(FOUND).splitlines()[2:] == [
        "| 1,000 | 20 | 10 s to 20 s | 15.0 | yes |",
        "| 30,000 | 20 | 30 s to 2 min | 121.0 | **no** |",
    ]
    assert verdict(FOUND) == (
        "1 of 2 retrainings took as long as `ffn init` had said. The upper end is 2.0 to 4.0 times "
        "the lower one."
    )


def test_the_page_has_every_table_of_the_benchmark(repository: Path) -> None:
    page = (repository / "benchmarks/README.md").read_text("utf-8")
    section = page.partition("<!-- estimates:")[2].partition("<!-- end of estimates")[0]
    rows = re.findall(r"^\| ([\d,]+) \| (\d+) \|", section, re.MULTILINE)
    assert [(int(n.replace(",", "")), int(c)) for n, c in rows] == list(FULL.tables)
