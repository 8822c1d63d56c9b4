"""A column of row weights: what is read, what is left out, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from ffn.errors import DataError, SettingsError
from ffn.settings.pipeline import Pipeline
from ffn.tabular.weighting.effective_rows import effective_rows, weighing_sentence
from ffn.training import steps
from tests.helpers.retrained import made, prepare

HEADER = "p,w,c,y\n"
ROWS = ["1,2,u,a", "2,0,v,zz", "3,0.5,u,b", "4,x,u,", "5,1e3,w,a", "6,-0,u,b", "7,3,w,b"]


def weighted(folder: Path, rows: list[str], toml: str = "", weight: str = "w") -> Pipeline:
    table = HEADER + "\n".join(rows) + "\n"
    return made(folder, table, f'[data]\nweight = "{weight}"\n{toml}')


def test_rows_of_weight_0_are_as_if_they_were_not_in_the_file(tmp_path: Path) -> None:
    """Neither its label nor its categories exist; a row without a label needs no weight."""
    found = steps.load(weighted(tmp_path, ROWS))
    assert (found.rows, found.unlabelled, found.weightless) == (4, 1, 2)
    assert found.order == ("p", "c")
    assert found.classes == ("a", "b")
    assert_array_equal(found.weights, [2, 0.5, 1000, 3])
    assert_array_equal(found.numeric["p"], [1, 3, 5, 7])
    assert [found.row_in_file(row) for row in range(4)] == [1, 3, 5, 7]
    assert {*found.category_texts()["c"]} == {"u", "w"}
    assert_array_equal(found.labelled_rows(), [True, False, True, False, True, False, True])


def test_without_the_setting_it_is_a_feature_like_any_other(tmp_path: Path) -> None:
    rows = [row.replace("x", "1") for row in ROWS]
    found = steps.load(made(tmp_path, HEADER + "\n".join(rows) + "\n"))
    assert found.order == ("p", "w", "c")
    assert found.weights is None


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("-1", "the weight -1 is negative; weights are numbers from 0 up"),
        ("inf", '"inf" is no weight, which is a finite number from 0 up'),
        ("heavy", '"heavy" is no weight, which is a finite number from 0 up'),
        ("", "no weight, so it is unknown how much the row counts"),
        ("NaN", "no weight, so it is unknown how much the row counts"),
        ("2e15", r"the weight 2e15 is beyond the range of weights, 0 or 1e-15 to 1e\+15"),
        ("1e-16", "the weight 1e-16 is beyond the range"),
    ],
)
def test_a_weight_that_cannot_be_used_is_refused_with_its_row(
    tmp_path: Path, cell: str, said: str
) -> None:
    rows = [*ROWS, f"8,{cell},u,a"]
    with pytest.raises(DataError, match=rf't\.csv row 8 \(line 9\), column "w": {said}'):
        steps.load(weighted(tmp_path, rows))


def test_columns_that_cannot_be_weights_are_refused(tmp_path: Path) -> None:
    zero = ["1,0,u,a", "2,0,u,b", "3,5,u,"]
    with pytest.raises(DataError, match="no row with a label has a weight above 0"):
        steps.load(weighted(tmp_path, zero))
    with pytest.raises(SettingsError, match=r'no column "v", which data\.weight names'):
        steps.load(weighted(tmp_path, ROWS, weight="v"))
    with pytest.raises(SettingsError, match=r'data\.weight names "y", which is the target'):
        steps.load(weighted(tmp_path, ROWS, weight="y"))
    with pytest.raises(SettingsError, match=r'data\.weight and data\.features both name "w"'):
        steps.load(weighted(tmp_path, ROWS, 'features = ["p", "w"]'))


def test_both_parts_have_weights_of_mean_1_in_the_order_of_their_rows(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    given = rng.integers(0, 6, 200)
    rows = [f"{i},{w},{'uv'[i % 3 == 0]},{'ab'[i % 2]}" for i, w in enumerate(given)]
    pipeline = weighted(tmp_path, rows)
    prepared = prepare(pipeline)
    dataset = steps.load(pipeline)
    division = steps.split(dataset, pipeline)
    parts = (prepared.training, division.training), (prepared.held_out, division.held_out)
    for part, where in parts:
        own = given[given > 0][where]
        assert part.weights is not None
        assert part.weights.mean() == pytest.approx(1)
        assert_allclose(part.weights, own / own.mean())
    assert prepared.notices[0] == weighing_sentence(
        "w", prepared.training.weights, prepared.held_out.weights, int((given == 0).sum())
    )
    assert f"; {int((given == 0).sum())} rows of weight 0 left out" in prepared.notices[0]


def test_a_file_of_held_out_rows_has_weights_too(tmp_path: Path) -> None:
    rows = [f"{i},{1 + i % 3},u{i % 2},{'ab'[i % 2]}" for i in range(40)]
    (tmp_path / "h.csv").write_text(HEADER + "1,7,u0,a\n2,0,u1,b\n3,1,u0,b\n")
    pipeline = weighted(tmp_path, rows, '[split]\ntest = "h.csv"')
    found = prepare(pipeline).held_out
    assert found.weights is not None
    assert_array_equal(found.weights, [7 / 4, 1 / 4])
    (tmp_path / "h.csv").write_text(HEADER + "1,0,u0,a\n")
    with pytest.raises(DataError, match="no row has a label and a weight above 0"):
        steps.load(pipeline)


def test_effective_rows_of_two_weights() -> None:
    # (1 + 3)² / (1 + 9)
    assert effective_rows(np.array([1.0, 3.0])) == pytest.approx(1.6)
    assert effective_rows(np.full(7, 1e200)) == pytest.approx(7)


@given(st.lists(st.floats(1e-9, 1e9), min_size=1, max_size=30), st.floats(1e-3, 1e3))
def test_effective_rows_are_within_1_and_n_and_have_no_unit(values: list[float], unit: float):
    weights = np.array(values)
    found = effective_rows(weights)
    assert 1 - 1e-9 <= found <= len(weights) + 1e-9
    assert effective_rows(weights * unit) == pytest.approx(found)


def test_the_sentence_has_the_figures_of_both_parts() -> None:
    assert weighing_sentence("w", np.array([1.0, 3.0]), np.ones(5), 1) == (
        'rows are weighted by "w", in training and in every figure: 2 training rows as many as '
        "1.6 of equal weight, 5 held-out rows as many as 5.0 of equal weight; 1 row of weight 0 "
        "left out"
    )
