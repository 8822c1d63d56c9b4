from __future__ import annotations

from pathlib import Path

from ffn.promotion.comparison import Paired, compare
from flows.cli.display.comparison_table import paired_sentence
from tests.promotion.test_gate_of_splits import retrain, splitting, table


def test_two_versions_are_compared_by_group(tmp_path: Path) -> None:
    lines = table(range(300), 30)
    retrain(splitting(tmp_path, lines, 'group = "who"'))
    found = splitting(tmp_path, lines, 'group = "who"', share=0.5)
    retrain(found)
    paired = compare(found, 1, 2).paired
    assert isinstance(paired, Paired)
    # The six groups that the first left out are among the fifteen that the second left out.
    assert paired.rows.groups == 6
    assert paired.rows.fit == 120
    said = paired_sentence(1, 2, paired)
    assert "which are of 6 groups," in said
    assert "sign flips by group" in said
    assert "95 % intervals, with the group as the unit." in said
