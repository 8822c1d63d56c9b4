"""Class statistics of texts: by a calculation without arrays, and that no row sees its label."""

from __future__ import annotations

import math
import random
from collections import Counter, defaultdict
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer

from ffn.storage.cache import Cache
from ffn.tabular.ingestion.choice import Choice
from ffn.tabular.ingestion.ingest import read_dataset
from ffn.tabular.schema import Schema
from ffn.tabular.text_encoding.ngram_classes import MOST_CLASSES, ngram_statistics_width
from ffn.tabular.training_table.class_counts import TextCrossFit, fold_of_rows
from ffn.tabular.training_table.dataset import Dataset
from ffn.tabular.training_table.preparation_fit import fit_preparation
from ffn.tabular.training_table.preprocessing import Preparation

WIDTH = 3
WORDS = ["steel", "bolt", "copper", "wire", "rubber", "seal", "blue", "paint"]
ANALYSE = cache(CountVectorizer(analyzer="char_wb", ngram_range=(3, 4)).build_analyzer())


def read(folder: Path, rows: list[tuple[str, str]]) -> Dataset:
    (folder / "t.csv").write_text("c,y\n" + "".join(f"{text},{label}\n" for text, label in rows))
    options = Choice(target="y", missing_values=("",), kinds={"c": "text"})
    return read_dataset(folder / "t.csv", Cache(folder / "cache"), options)


def some_rows(classes: str, n: int = 60) -> list[tuple[str, str]]:
    draw = random.Random(3)
    texts = [" ".join(draw.choices(WORDS, k=draw.randint(1, 4))) for _ in range(n)]
    texts[::9] = [""] * len(texts[::9])
    return [(text, draw.choice(classes)) for text in texts]


def prepare(dataset: Dataset, train: np.ndarray) -> tuple[Schema, Preparation]:
    schema, _ = dataset.learn_schema(train)
    preparation = fit_preparation(dataset, schema, train, text_components=WIDTH)
    return replace(schema, encoder=preparation.texts), preparation


def training_inputs(dataset: Dataset, train: np.ndarray) -> np.ndarray:
    """Return inputs [N, n_in] in which training rows are cross-fitted."""
    schema, preparation = prepare(dataset, train)
    assert preparation.texts is not None
    x = preparation.transform(*dataset.arrays(schema), np.float64)
    places = preparation.inputs_of_features()
    units = dataset.fingerprints
    TextCrossFit(dataset, schema, preparation.texts, places, train, units).write(x, slice(0, None))
    return x


def by_hand(
    rows: list[tuple[str, str]], counted: list[int], asked: str, classes: str, shares: list[float]
) -> list[float]:
    """The statistics of a text, from the rows with the numbers ``counted``, not standardised."""
    there = {text for text, _ in rows if text}
    texts_with = Counter(gram for text in there for gram in set(ANALYSE(text)))
    counts: dict[str, list[int]] = defaultdict(lambda: [0] * len(classes))
    for number in counted:
        text, label = rows[number]
        for gram in set(ANALYSE(text)):
            counts[gram][classes.index(label)] += 1
    grams = [gram for gram in ANALYSE(asked) if texts_with[gram] > 1]
    weights = {
        gram: (1 + math.log(grams.count(gram)))
        * (math.log((1 + len(there)) / (1 + texts_with[gram])) + 1)
        for gram in grams
    }
    length = math.sqrt(sum(weight**2 for weight in weights.values()))
    found = []
    for c, share in enumerate(shares):
        total = 0.0
        for gram, weight in weights.items():
            n = sum(counts[gram])
            p = (counts[gram][c] + share) / (n + 1)
            if n:
                total += weight / length * (math.log(p / (1 - p)) - math.log(share / (1 - share)))
        found.append(total)
    return found[1:] if len(classes) == 2 else found


@pytest.mark.parametrize("classes", ["ab", "abc"])
def test_statistics_by_hand(tmp_path: Path, classes: str) -> None:
    rows = some_rows(classes)
    dataset = read(tmp_path, rows)
    train = np.ones(len(rows), dtype=bool)
    labels = [label for _, label in rows]
    shares = [labels.count(one) / len(labels) for one in classes]
    folds = fold_of_rows(dataset.fingerprints).tolist()
    every = list(range(len(rows)))
    fitted = {
        i: by_hand(rows, [j for j in every if folds[j] != folds[i]], rows[i][0], classes, shares)
        for i in every
        if rows[i][0]
    }
    values = np.array(list(fitted.values()))
    x = training_inputs(dataset, train)
    inputs = slice(WIDTH, WIDTH + values.shape[1])
    expected = (values - values.mean(axis=0)) / values.std(axis=0)
    np.testing.assert_allclose(x[list(fitted), inputs], expected, atol=1e-6)
    # Missing texts have the average in all inputs, and one that tells.
    assert not x[::9, :-1].any()
    assert x[:, -1].tolist() == [float(not text) for text, _ in rows]

    # Rows that are scored have the statistics of all training rows.
    schema, preparation = prepare(dataset, train)
    scored = preparation.transform(*dataset.arrays(schema), np.float64)
    whole = np.array([by_hand(rows, every, rows[i][0], classes, shares) for i in fitted])
    expected = (whole - values.mean(axis=0)) / values.std(axis=0)
    np.testing.assert_allclose(scored[list(fitted), inputs], expected, atol=1e-6)


def test_a_training_row_does_not_see_its_label(tmp_path: Path) -> None:
    """Two rows of one fold exchange their labels; no row of that fold changes."""
    rows = some_rows("ab")
    before = read(tmp_path, rows)
    folds = fold_of_rows(before.fingerprints)
    labels = np.array([label for _, label in rows])
    (fold,) = {int(folds[i]) for i in range(1, 2)}
    first = int(np.flatnonzero((folds == fold) & (labels == "a"))[0])
    second = int(np.flatnonzero((folds == fold) & (labels == "b"))[0])
    changed = list(rows)
    changed[first], changed[second] = (rows[first][0], "b"), (rows[second][0], "a")
    train = np.ones(len(rows), dtype=bool)
    own = folds == fold
    (tmp_path / "other").mkdir()
    one, other = (
        training_inputs(dataset, train)[own, WIDTH] * moments(dataset, train)[1]
        + moments(dataset, train)[0]
        for dataset in (before, read(tmp_path / "other", changed))
    )
    np.testing.assert_allclose(one, other, atol=1e-9)


def moments(dataset: Dataset, train: np.ndarray) -> tuple[float, float]:
    """Mean and deviation by which the statistic is standardised."""
    texts = prepare(dataset, train)[1].texts
    assert texts is not None
    return float(texts.text_centres[0, -1]), float(texts.text_scales[0, -1])


def test_held_out_rows_are_left_as_they_are(tmp_path: Path) -> None:
    rows = some_rows("abc")
    dataset = read(tmp_path, rows)
    train = np.arange(len(rows)) < 40
    schema, preparation = prepare(dataset, train)
    scored = preparation.transform(*dataset.arrays(schema), np.float64)
    fitted = training_inputs(dataset, train)
    np.testing.assert_array_equal(fitted[40:], scored[40:])
    assert (fitted[:40] != scored[:40]).any()


def test_labels_that_say_nothing_give_no_signal_to_training_rows(tmp_path: Path) -> None:
    """Without cross-fitting, texts that never repeat would give the label of their row away."""
    draw = random.Random(0)
    letters = "abcdefghijklmnopqrstuvwxyz"
    rows = [
        (" ".join("".join(draw.choices(letters, k=6)) for _ in range(3)), draw.choice("xy"))
        for _ in range(400)
    ]
    dataset = read(tmp_path, rows)
    train = np.ones(len(rows), dtype=bool)
    schema, preparation = prepare(dataset, train)
    is_y = np.array([label == "y" for _, label in rows])
    seen = preparation.transform(*dataset.arrays(schema), np.float64)[:, WIDTH]
    fitted = training_inputs(dataset, train)[:, WIDTH]
    assert np.corrcoef(seen, is_y)[0, 1] > 0.5
    assert abs(np.corrcoef(fitted, is_y)[0, 1]) < 3 / math.sqrt(len(rows))


def test_tables_of_very_many_classes_have_no_statistics(tmp_path: Path) -> None:
    classes = [f"k{n:02}" for n in range(MOST_CLASSES + 1)]
    rows = [(f"steel bolt {WORDS[n % 8]}", classes[n % len(classes)]) for n in range(204)]
    dataset = read(tmp_path, rows)
    _, preparation = prepare(dataset, np.ones(len(rows), dtype=bool))
    assert ngram_statistics_width(len(classes)) == 0
    assert preparation.n_inputs == WIDTH
    assert ngram_statistics_width(MOST_CLASSES) == MOST_CLASSES
    assert ngram_statistics_width(2) == 1
