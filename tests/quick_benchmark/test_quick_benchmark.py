"""The quick run of the benchmark does the work of every suite.

Outside the normal suite, since it shows nothing of the product and takes most of a minute:
``make benchmark-quick``.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks.training.parts import PARTS
from tests.helpers.page_tables import tables


def test_quick_runs_every_suite_and_writes_nothing(repository: Path) -> None:
    kept = {path: path.read_bytes() for path in (repository / "benchmarks").glob("*.[pm][nd]*")}
    assert {path.name for path in kept} == {
        "README.md",
        "training.png",
        "growth.png",
        "scoring.png",
        "accuracy.png",
    }
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--quick"],
        cwd=repository,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    targets, parts, full, new, growth, scoring_targets, scoring, *accuracy = tables(done.stdout)
    assert targets[0][:3] == ["work", "against", "to reach"]
    assert {row[1] for row in full[1:]} >= {"ours", "matrix products alone", "scikit-learn"}
    assert [row[0] for row in parts[1:]] == list(PARTS)
    assert [row[:2] for row in new] == [["rows", "columns"], ["200", "3"]]
    assert growth[0][0] == "rows"
    assert [row[0] for row in growth[1:]] == ["1,000", "4,000"]
    compared = [row[:2] for row in scoring_targets]
    for shape in ("fixed-width", "variable-width", "categories"):
        assert [f"50,000 rows, {shape}", "pandas"] in compared
    assert ["50,000 rows, two processes", "one process, wall time"] in compared
    paths = [[int(n) for n in row[4].split(";")] for row in scoring if row[1] == "ours"]
    # Nearly all blocks are regular, those with quotes too, and no record is read by itself.
    assert len(paths) == 3
    assert all(regular >= blocks - 2 and careful == 0 for blocks, regular, _, careful in paths)
    assert [alike >= blocks - 2 for blocks, _, alike, _ in paths] == [True, False, False]
    ranks, against, loss, right, area = accuracy
    sides = ["ours", "HistGradientBoosting", "logistic regression"]
    assert sorted(row[0] for row in ranks[1:]) == sorted(sides)
    assert [row[0] for row in against[1:]] == sides[1:]
    assert [found[0][4:] for found in (loss, right, area)] == [sides] * 3
    # Which tumour it is, anybody can tell: below this a label or a column was mixed up.
    assert all(float(cell.strip("*")) > 90 for cell in right[1][4:])
    assert {path: path.read_bytes() for path in kept} == kept
