"""What each comparison may spend, and the file that remembers it."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from ffn.errors import RegistryError
from ffn.registry.alpha_spending import (
    LOOKS_FILE,
    ComparisonCounts,
    alpha_of_look,
    choose_look,
    read_looks,
)


def ids(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.uint64)


NONE = ComparisonCounts(rows=ids(), times=np.empty(0, dtype=np.int64))


def test_all_looks_together_spend_alpha() -> None:
    """Euler: the sum of 1 / k^2 is pi^2 / 6."""
    spent = math.fsum(alpha_of_look(0.05, k) for k in range(1, 200_001))
    assert spent == pytest.approx(0.05, abs=2e-7)
    assert spent < 0.05
    assert alpha_of_look(0.05, 1) == pytest.approx(0.0304, abs=5e-5)
    assert alpha_of_look(0.05, 10) == pytest.approx(alpha_of_look(0.05, 1) / 100)


def test_rows_are_counted_each_by_itself() -> None:
    once = NONE.after(ids(9, 3, 3))
    twice = once.after(ids(9, 2**63 + 1))
    assert twice.rows.tolist() == [3, 9, 2**63 + 1]
    assert twice.of(ids(9, 5, 3, 2**63 + 1)).tolist() == [2, 0, 1, 1]
    assert NONE.of(ids(1, 2)).tolist() == [0, 0]


def test_what_is_written_is_read(tmp_path: Path) -> None:
    assert read_looks(tmp_path).of(ids(3)).tolist() == [0]
    NONE.after(ids(4, 2**63)).after(ids(4)).write(tmp_path)
    found = read_looks(tmp_path)
    assert (found.rows.tolist(), found.times.tolist()) == ([4, 2**63], [2, 1])
    assert [path.name for path in tmp_path.iterdir()] == [LOOKS_FILE]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not safetensors",
        safetensors.numpy.save({"rows": ids(1)}),
        safetensors.numpy.save({"rows": ids(2, 1), "times": np.ones(2, dtype=np.int64)}),
        safetensors.numpy.save({"rows": ids(1, 2), "times": np.ones(1, dtype=np.int64)}),
        safetensors.numpy.save({"rows": ids(1), "times": np.zeros(1, dtype=np.int64)}),
        safetensors.numpy.save({"rows": ids(1), "times": np.ones(1)}),
    ],
)
def test_a_damaged_file_is_refused_rather_than_taken_for_none(tmp_path: Path, content) -> None:
    (tmp_path / LOOKS_FILE).write_bytes(content)
    with pytest.raises(
        RegistryError, match=r"looks\.safetensors is damaged, .* remove it to start"
    ):
        read_looks(tmp_path)


def test_a_few_fresh_rows_do_not_outweigh_many_that_were_looked_at() -> None:
    look = choose_look(np.array([1] * 90 + [0] * 10), 0.05)
    assert look.chosen.all()
    assert (look.number, look.alpha) == (2, alpha_of_look(0.05, 2))


def test_rows_looked_at_often_are_left_out_where_fresh_ones_show_more() -> None:
    """100 fresh at level 0.030 need a difference of 2.72 / 10; 200 at 0.000084 of 4.60 / 14.1."""
    look = choose_look(np.array([18] * 100 + [0] * 100), 0.05)
    assert look.chosen.tolist() == [False] * 100 + [True] * 100
    assert (look.number, look.alpha) == (1, alpha_of_look(0.05, 1))


def test_the_most_looked_at_row_says_which_look_it_is() -> None:
    assert choose_look(np.array([0, 3, 1, 3, 3, 3]), 0.05).number == 4
    assert choose_look(np.zeros(5, dtype=np.int64), 0.05).number == 1
    assert choose_look(np.zeros(0, dtype=np.int64), 0.05).number == 1
