"""The sides: what a library is given, and what ours is held to."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from benchmarks.accuracy.__main__ import main
from benchmarks.accuracy.contestant import PROGRAMS
from benchmarks.accuracy.figures import figures_of
from benchmarks.accuracy.peers import OURS, SIDES, sides_named
from benchmarks.accuracy.sides.ours import DisagreementError, check_written
from benchmarks.accuracy.sides.rows import read_rows, with_indicators
from benchmarks.accuracy.sides.trees import hist_gradient_boosting


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    train, test = tmp_path / "train.csv", tmp_path / "test.csv"
    train.write_text("a b,k,n,label\n1,x,NA,10\n,y,,9\n3,,z,9\n")
    test.write_text("a b,k,n,label\n,new,z,9\n2,y,q,10\n")
    return train, test


def test_libraries_get_numbers_categories_and_gaps(files: tuple[Path, Path]) -> None:
    rows = read_rows(*files, seed=5)
    # Sorted as texts, as ours sorts them.
    assert rows.classes == ["10", "9"]
    assert rows.labels.tolist() == [0, 1, 1]
    assert (rows.numeric, rows.categorical, rows.seed) == (["c0"], ["c1", "c2"], 5)
    np.testing.assert_array_equal(rows.train["c0"], [1, np.nan, 3])
    # "NA" is a text like any other; only an empty cell is missing.
    assert rows.train["c2"].cat.categories.tolist() == ["NA", "z"]
    assert rows.test["c1"].isna().tolist() == [True, False]
    assert "label" not in rows.test


def test_a_gap_becomes_the_mean_of_training_and_an_indicator(files: tuple[Path, Path]) -> None:
    train, test = with_indicators(read_rows(*files, seed=0))
    assert train["c0"].tolist() == [1, 2, 3]
    assert train["c0_missing"].tolist() == [0, 1, 0]
    assert test["c0"].tolist() == [2, 2]
    assert test["c0_missing"].tolist() == [1, 0]


def test_more_categories_than_a_library_takes_leave_the_frequent_ones(tmp_path: Path) -> None:
    names = [f"n{number}" for number in range(300)]
    # The label is that of the category, of which the first 100 come often.
    often = set(names[:100])
    cells = [(n, int(n[1:]) % 2) for n in names for _ in range(15 if n in often else 1)]
    frame = pd.DataFrame(cells, columns=["name", "label"])
    frame.to_csv(tmp_path / "t.csv", index=False)
    rows = read_rows(tmp_path / "t.csv", tmp_path / "t.csv", 0)
    with pytest.raises(ValueError, match="255"):
        HistGradientBoostingClassifier().fit(rows.train, rows.labels)
    found = hist_gradient_boosting(rows)
    right = found.argmax(axis=1) == frame["label"]
    assert right[frame["name"].isin(often)].mean() > 0.95


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("side", ["hist_gradient_boosting", "mlp", "logistic_regression"])
def test_libraries_learn_a_table_with_gaps_and_texts(side: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=600)
    frame = pd.DataFrame(
        {"x": x, "k": rng.choice(["u", "v"], 600), "label": np.where(x > 0, "up", "down")}
    )
    frame.loc[::50, "x"] = np.nan
    frame.iloc[:400].to_csv(tmp_path / "train.csv", index=False)
    frame.iloc[400:].to_csv(tmp_path / "test.csv", index=False)
    rows = read_rows(tmp_path / "train.csv", tmp_path / "test.csv", 0)
    found = figures_of(PROGRAMS[side](rows), rows.classes, frame["label"].to_numpy()[400:])
    assert found.accuracy > 0.9


def test_every_side_has_a_program() -> None:
    assert {side.name for side in SIDES} == {OURS, *PROGRAMS}


def test_an_unknown_side_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert [side.name for side in sides_named(["mlp", OURS])] == [OURS, "mlp"]
    with pytest.raises(SystemExit, match=r"^2$"):
        main(["--peers", "xgboost"])
    assert 'there is no peer "xgboost"; there are ours, lightgbm, ' in capsys.readouterr().err


def test_written_probabilities_are_held_to_those_of_the_model() -> None:
    exact = np.array([[0.12345, 0.87655]])
    check_written(np.array([[0.1235, 0.8765]]), exact)
    with pytest.raises(DisagreementError, match="other probabilities"):
        check_written(np.array([[0.1236, 0.8764]]), exact)
