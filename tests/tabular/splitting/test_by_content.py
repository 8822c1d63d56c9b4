from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from sklearn.datasets import load_diabetes

from ffn.errors import DataError
from ffn.storage.cache import Cache
from ffn.tabular.ingestion.choice import Choice
from ffn.tabular.ingestion.ingest import read_dataset
from ffn.tabular.splitting.by_content import hold_out_stable, resamples, sampling_units
from ffn.tabular.training_table.class_sizes import check_class_sizes
from ffn.tabular.training_table.dataset import Dataset


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CACHE, "folder", tmp_path / "cache")


CACHE: dict[str, Path] = {}


def typed(path: Path, target: str = "species") -> Dataset:
    choice = Choice(target=target, missing_values=("", "NA"), kinds={})
    return read_dataset(path, Cache(CACHE["folder"]), choice)


def held_out_rows(path: Path, share: float = 0.2, seed: int = 42) -> set[tuple]:
    """The held-out rows as sets of named values, numbers by value."""
    data = typed(path)
    held_out = hold_out_stable(data.labels, data.fingerprints, share, seed)
    names = sorted(data.numeric)
    return {tuple(float(data.numeric[name][i]) for name in names) for i in np.flatnonzero(held_out)}


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def write(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture(scope="module")
def iris(repository: Path) -> Path:
    return repository / "data" / "iris" / "train.csv"


@pytest.mark.parametrize("seed", range(5))
def test_iris_gives_thirty_rows_ten_of_each_species(iris: Path, seed: int) -> None:
    data = typed(iris)
    held_out = hold_out_stable(data.labels, data.fingerprints, 0.2, seed)
    assert held_out.dtype == bool
    assert np.bincount(data.labels[held_out]).tolist() == [10, 10, 10]
    assert np.bincount(data.labels[~held_out]).tolist() == [40, 40, 40]


def test_penguins_give_their_share_by_largest_remainders(repository: Path) -> None:
    # 152, 68 and 124 birds; a fifth is 30.4, 13.6 and 24.8, 69 of 344 in all.
    data = typed(repository / "data" / "penguins" / "train.csv")
    held_out = hold_out_stable(data.labels, data.fingerprints, 0.2, 42)
    assert dict(zip(data.classes, np.bincount(data.labels[held_out]), strict=True)) == {
        "Adelie": 30,
        "Chinstrap": 14,
        "Gentoo": 25,
    }


def test_another_seed_holds_out_other_rows(iris: Path) -> None:
    first, second = held_out_rows(iris, seed=1), held_out_rows(iris, seed=2)
    assert len(first & second) < 15


def test_the_file_may_be_reordered_and_respelt(iris: Path, tmp_path: Path) -> None:
    rows = rows_of(iris)
    expected = held_out_rows(iris)
    shuffled = [rows[i] for i in np.random.default_rng(0).permutation(len(rows))]
    turned = [dict(reversed(row.items())) for row in rows]
    respelt = [
        {
            key: value if key == "species" else f" +{float(value):.3f}e0"
            for key, value in row.items()
        }
        for row in rows
    ]
    assert respelt[0]["sepal_length"] == " +5.100e0"
    for changed in (shuffled, turned, respelt):
        assert held_out_rows(write(tmp_path / "t.csv", changed)) == expected


def test_missing_cells_are_alike_however_they_are_spelt(repository: Path, tmp_path: Path) -> None:
    source = repository / "data" / "penguins" / "train.csv"
    rows = rows_of(source)
    gaps = sum(value in ("", "NA") for row in rows for value in row.values())
    assert gaps > 10
    respelt = [
        {key: {"": " NA", "NA": ""}.get(value, value) for key, value in row.items()} for row in rows
    ]
    again = typed(write(tmp_path / "t.csv", respelt))
    np.testing.assert_array_equal(again.fingerprints, typed(source).fingerprints)


def test_as_a_table_grows_few_rows_change_sides() -> None:
    """Only the cut moves, by chance; a fresh random split would move a third of the rows."""
    rng = np.random.default_rng(0)
    content = rng.integers(0, 2**64, 2_000, dtype=np.uint64)
    labels = rng.integers(0, 3, 2_000)
    before = hold_out_stable(labels[:1_000], content[:1_000], 0.2, 42)
    after = hold_out_stable(labels, content, 0.2, 42)[:1_000]
    assert after.sum() == pytest.approx(200, abs=40)
    assert (before != after).sum() <= 40
    # Within a class rows cross the cut in one direction only.
    for c in range(3):
        crossed = after[labels[:1_000] == c].astype(int) - before[labels[:1_000] == c]
        assert len(set(crossed.tolist()) - {0}) <= 1


def test_one_row_more_moves_at_most_one_row_across() -> None:
    rng = np.random.default_rng(1)
    content, labels = rng.integers(0, 2**64, 301, dtype=np.uint64), np.arange(301) % 2
    for n in range(100, 300):
        before = hold_out_stable(labels[:n], content[:n], 0.2, 7)
        after = hold_out_stable(labels[: n + 1], content[: n + 1], 0.2, 7)[:n]
        for c in range(2):
            assert (before != after)[labels[:n] == c].sum() <= 1


@st.composite
def tables(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Labels [N] and fingerprints [N] with duplicates; three or more contents in each class."""
    labels, content = [], []
    for c in range(draw(st.integers(2, 4))):
        sizes = draw(st.lists(st.integers(1, 12), min_size=3, max_size=15))
        contents = draw(
            st.lists(st.integers(0, 40), min_size=len(sizes), max_size=len(sizes), unique=True)
        )
        for size, value in zip(sizes, contents, strict=True):
            labels += [c] * size
            content += [value] * size
    order = draw(st.randoms()).sample(range(len(labels)), len(labels))
    return np.array(labels)[order], np.array(content, dtype=np.uint64)[order]


shares = st.floats(0.01, 0.99)


@given(tables(), shares, st.integers(0, 2**63 - 1))
def test_duplicates_never_straddle_and_both_sides_can_do_their_work(table, share, seed) -> None:
    labels, content = table
    check_class_sizes(labels, content, ["c"] * (labels.max() + 1), "t.csv")
    held_out = hold_out_stable(labels, content, share, seed)
    for c in range(labels.max() + 1):
        tested = set(content[(labels == c) & held_out].tolist())
        trained = set(content[(labels == c) & ~held_out].tolist())
        assert not tested & trained
        assert tested, "a class without a row to test on has no figure"
        assert len(trained) >= 2, "one to learn from, one to compare optimizers on"


@pytest.mark.parametrize("seed", range(20))
def test_a_group_too_large_for_the_share_does_not_cost_it(seed: int) -> None:
    """Thirty equal rows, twenty single ones; a fifth of fifty is ten, wherever the thirty stand."""
    content = np.array([99] * 30 + [*range(20)] + [*range(100, 150)], dtype=np.uint64)
    labels = np.repeat([0, 1], 50)
    held_out = hold_out_stable(labels, content, 0.2, seed)
    assert np.bincount(labels[held_out]).tolist() == [10, 10]
    assert not held_out[:30].any()


@given(tables(), shares)
def test_without_duplicates_the_share_is_exact(table, share) -> None:
    labels, _ = table
    content = np.arange(len(labels), dtype=np.uint64)
    held_out = hold_out_stable(labels, content, share, 0)
    sizes, taken = np.bincount(labels), np.bincount(labels[held_out])
    within = np.clip(sizes * share, 1, sizes - 2)
    assert (np.abs(taken - within) <= 1).all()
    if (sizes * share >= 1).all() and (sizes * (1 - share) >= 3).all():
        assert held_out.sum() == round(len(labels) * share)


@given(tables(), shares, st.integers(0, 2**32))
def test_resamples_are_stratified_disjoint_and_of_equal_sizes(table, share, seed) -> None:
    labels, content = table
    generators = [np.random.default_rng([seed, k]) for k in range(3)]
    train, validation = resamples(labels, content, share, generators)
    assert len(train) == len(validation) == 3
    for own_train, own_validation in zip(train, validation, strict=True):
        together = np.concatenate((own_train, own_validation))
        np.testing.assert_array_equal(np.sort(together), np.arange(len(labels)))
        for part in (own_train, own_validation):
            assert (np.bincount(labels[part], minlength=labels.max() + 1) > 0).all()
        counts = np.bincount(labels[own_validation])
        wanted = np.clip(np.bincount(labels) * share, 1, np.bincount(labels) - 1)
        assert (np.abs(counts - wanted) <= 1).all()


def test_resamples_keep_duplicates_together_where_the_count_allows() -> None:
    content = np.repeat(np.arange(50, dtype=np.uint64), 2)
    labels = np.repeat([0, 1], 50)
    generators = [np.random.default_rng(k) for k in range(8)]
    train, validation = resamples(labels, content, 0.2, generators)
    for own_train, own_validation in zip(train, validation, strict=True):
        assert not set(content[own_train]) & set(content[own_validation])
    assert len({tuple(rows) for rows in validation.tolist()}) == 8


@pytest.mark.parametrize(
    ("labels", "content", "message"),
    [
        ([0] * 9, range(9), r't\.csv: every row has the label "a"; at least two classes'),
        (
            [0] * 9 + [1, 1],
            range(11),
            r'too few distinct rows to split: class "b" has 2; each class needs 3\. Add rows of it',
        ),
        ([0] * 9 + [1] * 9, [*range(9), *[9] * 9], r'class "b" has 1; each class needs 3'),
        ([0, 0, 1, 1, 2], range(5), r'class "a" has 2, "b" has 2, "c" has 1; each'),
    ],
)
def test_classes_that_cannot_be_split_are_named(labels, content, message) -> None:
    classes = ["a", "b", "c"][: max(labels) + 1]
    with pytest.raises(DataError, match=message):
        check_class_sizes(np.array(labels), np.array(content, dtype=np.uint64), classes, "t.csv")


def test_of_many_small_classes_five_are_named() -> None:
    n = 100_000
    classes = [f"c{i}" for i in range(n)]
    with pytest.raises(DataError, match=r'"c4" has 1 and 99,995 classes more; each class needs 3'):
        check_class_sizes(np.arange(n), np.arange(n, dtype=np.uint64), classes, "t.csv")


@pytest.mark.parametrize("mark", [".", ","])
def test_a_number_to_predict_is_no_class(mark) -> None:
    """In scikit-learn's table of diabetes 442 rows have 214 measures of it."""
    measured = load_diabetes().target.tolist()
    classes = sorted({str(value).replace(".", mark) for value in measured})
    labels = np.array([classes.index(str(value).replace(".", mark)) for value in measured])
    content = np.arange(len(labels), dtype=np.uint64)
    with pytest.raises(DataError, match=r"needs 3\. The labels look like a number to predict, and"):
        check_class_sizes(labels, content, classes, "t.csv")
    classes[-1] = "many"
    with pytest.raises(
        DataError, match=r"needs 3\. The labels look like ids, names or dates: name"
    ):
        check_class_sizes(labels, content, classes, "t.csv")


def test_a_few_rare_grades_are_classes() -> None:
    labels = np.array([0, 0, 1, 2, *[3] * 30, *[4] * 30])
    with pytest.raises(
        DataError,
        match=r'class "0" has 2, "1" has 1, .* Add rows of it, .* set labels = \{"0" = "", ',
    ):
        check_class_sizes(labels, np.arange(64, dtype=np.uint64), list("01234"), "t.csv")


def test_rows_of_a_few_patterns_are_split_one_by_one() -> None:
    """Fourteen contents in 2,000 rows, both labels in each: no content is missing on a side."""
    rng = np.random.default_rng(0)
    content = rng.integers(0, 14, 2_000).astype(np.uint64) * np.uint64(0x1234567)
    labels = (rng.random(2_000) < 0.3).astype(np.int64)
    units = sampling_units(labels, content)
    pairs = np.stack((labels.astype(np.uint64), units), axis=1)
    assert len(np.unique(pairs, axis=0)) == 2_000
    held_out = hold_out_stable(labels, units, 0.2, 7)
    assert held_out.sum() == 400
    assert len(np.unique(content[held_out])) == len(np.unique(content[~held_out])) == 14
    # Appended rows leave the units of those before them as they are.
    assert_array_equal(sampling_units(labels[:1_500], content[:1_500]), units[:1_500])
    # In another order of the file each content and label gives as many rows.
    order = rng.permutation(2_000)
    again = hold_out_stable(labels[order], sampling_units(labels[order], content[order]), 0.2, 7)
    kind = labels + 2 * content.astype(np.int64)
    assert sorted(kind[order][again]) == sorted(kind[held_out])


@pytest.mark.parametrize("repeats", [1, 2, 3])
def test_slips_are_kept_together(repeats: int) -> None:
    content = np.repeat(np.arange(100, dtype=np.uint64), repeats)
    assert_array_equal(sampling_units(np.zeros(len(content), dtype=np.int64), content), content)
