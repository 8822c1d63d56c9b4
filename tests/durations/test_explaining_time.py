"""How long reasons take is said before, if it is long."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ffn.attribution.shapley_rows import Explainer
from ffn.durations.explaining_time import explaining_sentence, rows_about, seconds_a_row
from ffn.errors import BundleError
from tests.helpers.explainable import explainable


def ticking(step: float) -> itertools.count[float]:
    return itertools.count(0.0, step)


def table(path: Path, rows: int) -> Path:
    path.write_bytes(b"n0,c0,n1,c1\n" + b"0.25,p,1,q\n" * rows)
    return path


def test_every_column_takes_part_in_what_is_timed() -> None:
    explainer = Explainer(explainable(12, 3))
    rows = explainer.unlike_the_reference(2)
    found = explainer.explain(rows, np.zeros(2, dtype=int))
    assert not found.exact.any()
    assert found.values.all()
    # Two rows within one tick of a second.
    ticks = ticking(1.0)
    assert seconds_a_row(explainer, lambda: next(ticks)) == 0.5


def test_rows_are_counted_about(tmp_path: Path) -> None:
    assert rows_about(table(tmp_path / "a.csv", 7)) == 7
    assert rows_about(table(tmp_path / "a.csv", 200_000)) == pytest.approx(200_000, rel=0.001)
    assert rows_about(table(tmp_path / "a.csv.gz", 7)) is None
    (tmp_path / "t").write_bytes(b"PAR1\n\n\nPAR1")
    for unknown in (tmp_path / "t", tmp_path, tmp_path / "none.csv"):
        assert rows_about(unknown) is None


@pytest.mark.parametrize(
    ("step", "rows", "workers", "sentence"),
    [
        # Half a second a row: 100 rows are 50 s.
        (1.0, 100, 1, ""),
        (1.0, 300, 1, "the reasons of about 300 rows will take about 2.5 min (0.5 s a row)"),
        (1.0, 300, 4, ""),
        (0.02, 1_000_000, 2, "the reasons of about 1,000,000 rows will take about 1.4 h (0.005 s "),
    ],
)
def test_a_long_run_is_announced(
    tmp_path: Path, step: float, rows: int, workers: int, sentence: str
) -> None:
    ticks = ticking(step)
    file = table(tmp_path / "a.csv", rows)
    found = explaining_sentence(explainable(), [file], workers, lambda: next(ticks))
    assert found.startswith(sentence)
    assert bool(found) is bool(sentence)


def test_where_rows_are_unknown_the_pace_is_told(tmp_path: Path) -> None:
    ticks = ticking(1.0)
    found = explaining_sentence(explainable(), [tmp_path], clock=lambda: next(ticks))
    assert found == "reasons take about 0.5 s a row, which is 120 rows a minute"
    both = [tmp_path, table(tmp_path / "a.csv", 200)]
    found = explaining_sentence(explainable(), both, clock=lambda: next(ticks))
    assert found == "the reasons of about 200 rows will take at least 1.7 min (0.5 s a row)"


def test_a_model_that_explains_nothing_is_left_to_the_scoring(tmp_path: Path) -> None:
    without = replace(explainable(), reference=None)
    with pytest.raises(BundleError, match="has no histograms of its training rows"):
        Explainer(without)
    assert explaining_sentence(without, [table(tmp_path / "a.csv", 10**6)]) == ""
