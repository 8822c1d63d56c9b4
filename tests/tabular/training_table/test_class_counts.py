"""Statistics of a table: what training rows get, what others get, and that no label leaks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.preprocessing import TargetEncoder

from ffn.storage.cache import Cache
from ffn.tabular.cells import MISSING, UNKNOWN
from ffn.tabular.ingestion.choice import Choice
from ffn.tabular.ingestion.ingest import read_dataset
from ffn.tabular.schema import Schema
from ffn.tabular.training_table import class_counts
from ffn.tabular.training_table.class_counts import FOLDS, CrossFit, fold_of_rows
from ffn.tabular.training_table.dataset import Dataset
from ffn.tabular.training_table.preparation_fit import fit_preparation
from ffn.tabular.training_table.preprocessing import Preparation


def read(folder: Path, lines: list[str], header: str = "c,y") -> Dataset:
    (folder / "t.csv").write_text(f"{header}\n" + "".join(f"{line}\n" for line in lines))
    options = Choice(target="y", missing_values=("",), kinds={"c": "categorical"})
    return read_dataset(folder / "t.csv", Cache(folder / "cache"), options)


def prepare(dataset: Dataset, train: np.ndarray, most: int) -> tuple[Schema, Preparation]:
    schema, _ = dataset.learn_schema(train)
    return schema, fit_preparation(dataset, schema, train, most_categories=most)


def training_inputs(dataset: Dataset, train: np.ndarray, most: int) -> np.ndarray:
    """Return inputs [N, n_in] in which training rows are cross-fitted."""
    schema, preparation = prepare(dataset, train, most)
    numeric, codes = dataset.arrays(schema)
    x = preparation.transform(numeric, codes, np.float64)
    cross_fit = CrossFit(dataset, schema, train, preparation.inputs_of_statistics())
    cross_fit.write(x, codes, dataset.fingerprints, train)
    return x


def test_inputs_by_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Six training rows in two folds, one of each class held out."""
    lines = ["p,a", "p,b", "p,b", "q,a", "r,a", "q,b", "p,a", "s,b"]
    dataset = read(
        tmp_path,
        [f"{line.split(',')[0]},{i},{line[-1]}" for i, line in enumerate(lines)],
        "c,row,y",
    )
    train = np.arange(8) < 6
    schema, preparation = prepare(dataset, train, 1)
    # Inputs: row number, p, others, statistic of class b.
    assert preparation.n_inputs == 4
    assert preparation.inputs_of_features() == [[0], [1, 2, 3]]
    assert preparation.inputs_of_statistics() == {0: [3]}
    numeric, codes = dataset.arrays(schema)
    x = preparation.transform(numeric, codes, np.float64)
    np.testing.assert_array_equal(x[:, 1], [1, 1, 1, 0, 0, 0, 1, 0])
    # "s" is unknown, and counts as one of the others.
    np.testing.assert_array_equal(x[:, 2], [0, 0, 0, 1, 1, 1, 0, 1])

    def statistic(of_b: int, n: int) -> float:
        """With half of the rows of class b: log-odds of (n_b + 10) / (n + 20)."""
        return float(np.log((of_b + 10) / (n - of_b + 10)))

    p, q, r = statistic(2, 3), statistic(1, 2), statistic(0, 1)
    np.testing.assert_allclose(x[:, 3], [p, p, p, q, r, q, p, 0], atol=1e-12)
    assert codes[7, 0] == UNKNOWN

    monkeypatch.setattr(
        class_counts, "fold_of_rows", lambda prints: np.isin(prints, in_first).astype(int)
    )
    in_first = dataset.fingerprints[[0, 1, 4]]
    fitted = training_inputs(dataset, train, 1)
    np.testing.assert_array_equal(fitted[:, :3], x[:, :3])
    # Row 0 and 1 see row 2 alone of p, row 2 sees both; q is in one fold with itself, r too.
    expected = [statistic(1, 1), statistic(1, 1), statistic(1, 2), 0, 0, 0, p, 0]
    np.testing.assert_allclose(fitted[:, 3], expected, atol=1e-12)


def test_missing_values_have_no_statistic(tmp_path: Path) -> None:
    dataset = read(tmp_path, ["p,a", "q,b", "r,a", ",b", "p,a", "q,b"])
    schema, preparation = prepare(dataset, np.ones(6, bool), 2)
    x = preparation.transform(np.empty((2, 0)), np.array([[MISSING], [UNKNOWN]]), np.float64)
    # p, q, others, statistic, missing.
    np.testing.assert_array_equal(x, [[0, 0, 0, 0, 1], [0, 0, 1, 0, 0]])
    assert preparation.inputs_of_features() == [[0, 1, 2, 3, 4]]
    assert len(schema.categorical[0].categories) == 3


@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_column_of_noise_tells_no_label(tmp_path: Path, n_classes: int) -> None:
    """1,000 categories of three rows each, drawn without regard to the class."""
    rng = np.random.default_rng(n_classes)
    n = 3000
    labels = rng.integers(0, n_classes, n)
    names = rng.permutation(np.repeat(np.arange(1000), 3))
    lines = [
        f"k{name},{value:.6f},{'abc'[label]}"
        for name, value, label in zip(names, rng.random(n), labels, strict=True)
    ]
    dataset = read(tmp_path, lines, "c,v,y")
    train = np.ones(n, dtype=bool)
    schema, preparation = prepare(dataset, train, 20)
    (inputs,) = preparation.inputs_of_statistics().values()
    assert len(inputs) == (1 if n_classes == 2 else 3)
    naive = preparation.transform(*dataset.arrays(schema), np.float64)[:, inputs]
    fitted = training_inputs(dataset, train, 20)[:, inputs]
    for c, column in enumerate(inputs):
        label = labels == (1 if n_classes == 2 else c)
        place = column - inputs[0]
        assert np.corrcoef(naive[:, place], label)[0, 1] > 0.5
        assert abs(np.corrcoef(fitted[:, place], label)[0, 1]) < 4 / np.sqrt(n)


def test_a_column_that_tells_the_class_keeps_doing_so(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    n, names = 4000, rng.integers(0, 200, 4000)
    labels = (rng.random(n) < np.where(names % 2, 0.8, 0.2)).astype(int)
    lines = [
        f"k{name},{value:.6f},{'ab'[label]}"
        for name, value, label in zip(names, rng.random(n), labels, strict=True)
    ]
    dataset = read(tmp_path, lines, "c,v,y")
    train = np.ones(n, dtype=bool)
    schema, preparation = prepare(dataset, train, 10)
    ((input_,),) = preparation.inputs_of_statistics().values()
    fitted = training_inputs(dataset, train, 10)[:, input_]
    whole = preparation.transform(*dataset.arrays(schema), np.float64)[:, input_]
    assert np.corrcoef(fitted, names % 2)[0, 1] > 0.8
    # What networks learn from is on the scale of what they are asked with.
    assert np.polyfit(whole, fitted, 1)[0] == pytest.approx(0.85, abs=0.15)
    encoder = TargetEncoder(smooth=20.0, target_type="binary").fit(names[:, None], labels)
    prior = labels.mean()
    odds = np.exp(whole) * prior / (1 - prior)
    np.testing.assert_allclose(odds / (1 + odds), encoder.transform(names[:, None])[:, 0])


def test_the_order_of_rows_changes_no_input(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    lines = [
        f"k{rng.integers(0, 40)},{rng.integers(0, 5)},{'abc'[rng.integers(0, 3)]}"
        for _ in range(300)
    ]
    order = rng.permutation(300)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one = read(tmp_path / "a", lines, "c,v,y")
    other = read(tmp_path / "b", [lines[i] for i in order], "c,v,y")
    train = rng.random(300) < 0.8
    x = training_inputs(one, train, 7)
    again = training_inputs(other, train[order], 7)
    # The mean of the number in another order may differ in its last digit.
    np.testing.assert_array_equal(again[:, 1:], x[order][:, 1:])
    # Rows of equal features are in one fold.
    folds = fold_of_rows(one.fingerprints)
    contents = np.array([line.rpartition(",")[0] for line in lines])
    assert all(len(set(folds[contents == content])) == 1 for content in contents)
    assert set(folds) == set(range(FOLDS))


def test_folds_are_of_equal_size() -> None:
    digests = np.random.default_rng(0).integers(0, 2**64, 50_000, dtype=np.uint64)
    sizes = np.bincount(fold_of_rows(digests), minlength=FOLDS)
    # Four standard deviations of a binomial count.
    assert np.abs(sizes - 10_000).max() < 4 * np.sqrt(50_000 * 0.2 * 0.8)


def test_columns_of_few_categories_are_as_ever(tmp_path: Path) -> None:
    dataset = read(tmp_path, ["p,a", "q,b", "r,a", "p,b"])
    everything = np.ones(4, dtype=bool)
    schema, preparation = prepare(dataset, everything, 3)
    assert preparation.pooled is None
    plain = fit_preparation(dataset, schema, everything)
    assert preparation.to_arrays().keys() == plain.to_arrays().keys()
