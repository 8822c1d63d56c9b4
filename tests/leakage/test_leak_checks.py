"""The checks by themselves, beside scikit-learn, counts by hand, and comparisons pair by pair."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import PredefinedSplit, cross_val_predict
from sklearn.tree import DecisionTreeClassifier

from ffn.evaluation.inference.statistics import Interval
from ffn.leakage.findings import (
    AlonePredicts,
    KnownLate,
    LabelUnderAnotherName,
    NearRepeats,
    leak_to_json,
)
from ffn.leakage.late_values import find_one_label_value
from ffn.leakage.near_repeats import find_near_repeats
from ffn.leakage.one_column_rule import draw_folds, predict_alone, skill
from ffn.leakage.sampled_columns import SampledColumn, draw_sample


def column(values, texts=None, name: str = "x") -> SampledColumn:
    return SampledColumn(name=name, values=np.asarray(values, dtype=float), texts=texts)


@given(st.lists(st.integers(0, 3), min_size=10, max_size=80), st.integers(0, 9))
def test_each_fold_has_its_share_of_each_class(labels, seed) -> None:
    folds = draw_folds(np.array(labels), seed)
    for label in set(labels):
        counts = np.bincount(folds[np.array(labels) == label], minlength=5)
        assert counts.max() - counts.min() <= 1


def test_the_tree_is_that_of_scikit_learn() -> None:
    generator = np.random.default_rng(2)
    x = generator.normal(size=300)
    labels = ((x > 0.3) ^ (generator.random(300) < 0.02)).astype(np.int64)
    folds = draw_folds(labels, 0)
    expected = cross_val_predict(
        DecisionTreeClassifier(max_leaf_nodes=8, min_samples_leaf=3, random_state=0),
        np.argsort(np.argsort(x))[:, np.newaxis],
        labels,
        cv=PredefinedSplit(folds),
    )
    found = predict_alone(column(x), labels, 2, folds, 0.5)
    np.testing.assert_array_equal(found, expected)


@settings(max_examples=25)
@given(st.data())
def test_the_most_frequent_label_of_each_value_in_the_other_folds(data) -> None:
    cells = data.draw(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2)), min_size=40))
    values, labels = np.array(cells).T
    folds = draw_folds(labels, 1)
    found = predict_alone(column(values, tuple("abcde")), labels, 3, folds, 0.9)
    assert found is not None
    for value, label, fold, predicted in zip(values, labels, folds, found, strict=True):
        others = (folds != fold) & (values == value)
        counts = Counter(labels[others if others.any() else folds != fold].tolist())
        assert counts[predicted] == max(counts.values())
        assert 0 <= label <= 2


def test_ids_predict_nothing() -> None:
    labels = np.arange(200) % 2
    assert (
        predict_alone(column(range(200), ("",) * 200), labels, 2, draw_folds(labels, 0), 0) is None
    )


@pytest.mark.parametrize(
    ("right", "usual", "expected"), [(1, 0.9, 1), (0.9, 0.9, 0), (0.95, 0.9, 0.5), (0.8, 0.9, -1)]
)
def test_skill_is_the_share_of_mistakes_avoided(right, usual, expected) -> None:
    assert skill(right, usual) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("filled", "of_label", "others", "found"),
    [
        # 0.5 ** 40 is 9e-13, 0.5 ** 25 is 3e-8.
        (40, 60, 60, True),
        (25, 40, 40, False),
        # Of 60 rows of the label only 29.
        (29, 60, 60, False),
        # 0.9 ** 60 is 0.002.
        (60, 90, 10, False),
    ],
)
def test_a_value_of_one_label_is_most_of_it_and_no_chance(filled, of_label, others, found) -> None:
    labels = np.repeat([0, 1], [others, of_label])
    values = np.full(len(labels), np.nan)
    values[-filled:] = np.arange(filled)
    event = find_one_label_value(column(values), labels, 2)
    assert (event is not None) == found
    if event:
        assert (event.what, event.label, int(event.rows.sum())) == ("filled", 1, filled)


def test_near_repeats_are_those_of_a_comparison_pair_by_pair() -> None:
    generator = np.random.default_rng(4)
    # 40 cases of two rows that differ in `noise`; 60 rows of their own; 10 rows repeated whole.
    cases = np.repeat(generator.normal(size=(40, 4)), 2, axis=0)
    others = generator.normal(size=(60, 4))
    table = np.concatenate([cases, others])
    table = np.column_stack([table, generator.normal(size=len(table))])
    table = np.concatenate([table, table[-10:]])
    labels = np.concatenate([np.repeat(np.arange(40) % 2, 2), np.arange(70) % 2])
    columns = [column(values, name=f"c{i}") for i, values in enumerate(table.T)]
    found = find_near_repeats(columns, labels, 0)
    assert found is not None
    assert found.differing == ("c4",)
    near = [
        (i, j)
        for i, j in combinations(range(len(table)), 2)
        if (table[i, :4] == table[j, :4]).all() and table[i, 4] != table[j, 4]
    ]
    assert found.rows == len({row for pair in near for row in pair}) == 80
    same = np.mean([labels[i] == labels[j] for i, j in near])
    assert found.same_label == pytest.approx(same) == 1
    assert found.by_chance == pytest.approx(0.5)


def test_repeats_whose_labels_differ_give_nothing_away() -> None:
    generator = np.random.default_rng(4)
    table = np.repeat(generator.normal(size=(100, 5)), 2, axis=0)
    table[:, 4] = generator.normal(size=200)
    columns = [column(values, name=f"c{i}") for i, values in enumerate(table.T)]
    assert find_near_repeats(columns, np.repeat(np.arange(100) % 2, 2), 0) is not None
    assert find_near_repeats(columns, np.arange(200) % 2, 0) is None


@pytest.mark.parametrize(("rows", "columns", "drawn"), [(500, 4, 500), (30_000, 4, 10_000)])
def test_long_tables_are_sampled(rows, columns, drawn) -> None:
    training = np.arange(2 * rows) % 2 == 0
    found = draw_sample(training, columns, 3)
    assert len(found) == len(set(found.tolist())) == drawn
    assert training[found].all()
    assert (np.diff(found) > 0).all()


def test_sentences_are_made_of_their_figures() -> None:
    alone = AlonePredicts(
        column="x",
        target="y",
        alone=Interval(0.998, 0.99, 1),
        others=Interval(0.7, 0.65, 0.75),
        rows=1200,
    )
    assert alone.sentence == (
        'column "x" alone predicts "y" almost perfectly: on 1,200 training rows a rule on it is '
        "right for 0.998 [0.990, 1.000], and a model of the other columns for 0.700 [0.650, "
        '0.750]. If "x" is known only after the label, or is made from it, add it to data.exclude'
    )
    assert leak_to_json(alone) == {"column": "x", "kind": "alone", "text": alone.sentence}
    late = KnownLate(
        column="x",
        target="y",
        label="bad",
        what="other",
        value="0",
        own=49,
        total=50,
        of_label=80,
        others=Interval(0.6, 0.5, 0.7),
    )
    assert late.sentence.startswith(
        'column "x" is other than "0" in 49 of the 80 training rows with "y" "bad" and in 1 of all '
        "others, which the other columns do not explain (they tell these rows apart for 0.600 ["
    )
    named = [(f"label {i}", f"value {i}") for i in range(6)]
    words = LabelUnderAnotherName(column="x", target="y", pairs=named, rows=70)
    assert '"value 4" for "label 4", …. Add it to data.exclude unless' in words.sentence
    repeats = NearRepeats(
        column="a",
        differing=("a", "b"),
        rows=30,
        of=90,
        same_label=0.9,
        by_chance=0.5,
        id_differs=False,
    )
    assert repeats.sentence.startswith(
        '33.3 % of 90 training rows repeat another one in every column but "a" and "b", and 90 % '
        "of such pairs have the same label (by chance 50 %): a random split puts one of them on "
        "each"
    )
