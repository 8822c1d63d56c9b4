"""The scoring benchmark: its files, its sides, what it checks before a time counts, its tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.rounds import Measured
from benchmarks.scoring.agreement import DisagreementError, check_agreement
from benchmarks.scoring.data import SHAPES, write_rows
from benchmarks.scoring.picture import draw
from benchmarks.scoring.processes import Finished
from benchmarks.scoring.tables import Found, full_table, targets_table
from ffn.tabular.csv.parsing.position import Counts


@pytest.mark.parametrize("shape", SHAPES)
def test_files_are_the_same_again(tmp_path: Path, shape: str) -> None:
    for name in ("a", "b"):
        write_rows(shape, 50_000, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    frame = pd.read_csv(tmp_path / "a", dtype=str, keep_default_na=False)
    assert len(frame) == 50_000
    if shape == "variable-width":
        assert (frame == "3.1?").sum().sum() == 5
        assert frame["note"].str.contains('"').sum() == 50


@pytest.mark.parametrize(
    ("labels", "confidences", "expected"),
    [
        (["x", "y", "x"], [0.5, 0.6, 0.7], "1 of 3 labels differ"),
        (["x", "x", "x"], [0.5, 0.6, 0.8], "a confidence differs by 0.1"),
        (["x", "x"], [0.5, 0.6], "another count of rows"),
    ],
)
def test_other_labels_are_found(
    tmp_path: Path, labels: list[str], confidences: list[float], expected: str
) -> None:
    ours = pd.DataFrame({"label": ["x"] * 3, "confidence": [0.5, 0.6, 0.7]})
    ours.to_csv(tmp_path / "ours", index=False)
    pd.DataFrame({"p": labels, "c": confidences}).to_csv(tmp_path / "other", index=False)
    check_agreement("same", tmp_path / "ours", tmp_path / "ours")
    with pytest.raises(DisagreementError, match=expected):
        check_agreement("other", tmp_path / "ours", tmp_path / "other")


def found() -> Found:
    seconds = {"ours": np.array([1.0, 2.0]), "pandas": np.array([9.0, 22.0])}
    return Found(
        rows=1_000_000,
        files=1000,
        shapes={"fixed-width": Measured(work="fixed-width", seconds=seconds)},
        peaks={"fixed-width": {"ours": 50_000_000, "pandas": 400_000_000}},
        blocks={"fixed-width": Counts(10, 9, 8, 1)},
        lengths={1_000: Finished(output='{"peak": 151000000}', cpu=1, wall=1)},
        two_processes={1_000_000: np.array([1.7]), 4_000_000: np.array([1.5])},
        comparison=np.array([0.04, 0.07, 0.045]),
        many=Finished(output="", cpu=10, wall=10),
        single=np.array([0.3, 0.3]),
    )


def test_targets_are_judged_by_medians() -> None:
    reached = [line.split("|")[-2].strip() for line in targets_table(found()).splitlines()[2:]]
    # 10.0 of 10; 151 MB of 150; 4.5 % of 5; 1.7 and 1.5 of 1.6; 1,000 times 0.3 s by 10 s is
    # 30 of 20.
    assert reached == ["yes", "**no**", "yes", "yes", "**no**", "yes"]
    assert "| fixed-width | ours | 1.50 | 50 MB | 10; 9; 8; 1 |" in full_table(found())


def test_the_picture_has_a_bar_for_each_side() -> None:
    (axes,) = draw(found().shapes, 1_000_000).axes
    assert [bar.get_width() for bar in axes.patches] == [1.5, 15.5]
