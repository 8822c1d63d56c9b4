"""The table of students of longer tables, and that the page has it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from benchmarks.accuracy import longer_students
from benchmarks.accuracy.longer_students import VARIANTS, longer_students_table


def test_the_best_of_each_table_is_bold() -> None:
    losses = dict(zip(VARIANTS, (0.5, 0.4004, 0.4001, 0.45), strict=True))
    lines = longer_students_table({"flights": (29_700, 2, losses)}).splitlines()
    assert lines[0].startswith("| table | training rows | classes | average of the networks |")
    assert lines[2] == "| flights | 29,700 | 2 | 0.500 | **0.400** | **0.400** | 0.450 |"


def test_letters_are_put_together_by_their_place(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("x,label\n1,A\n2,E\n3,F\n4,Z\n")
    longer_students._put_together(path, 4)
    assert pd.read_csv(path)["label"].tolist() == ["class 0", "class 0", "class 1", "class 1"]


def test_the_page_has_the_table(repository: Path) -> None:
    page = (repository / "docs" / "recipe.md").read_text("utf-8")
    assert longer_students_table({}) in page
    assert "python -m benchmarks.accuracy.longer_students" in page
