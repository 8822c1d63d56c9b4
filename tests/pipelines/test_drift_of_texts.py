"""Texts of another kind than training's are drift, whatever carries them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import ffn
from ffn.bundles.bundle import Bundle, write_bundle
from ffn.errors import BundleError
from ffn.nn import Network
from ffn.scoring.partitioned.score_dataset import score_dataset
from ffn.tabular.schema import Feature, Schema
from ffn.tabular.text_encoding.text_fit import learn_texts
from ffn.tabular.text_encoding.text_signals import text_signals
from ffn.tabular.training_table.histograms import Histogram, Reference, histogram_of
from ffn.tabular.training_table.preprocessing import Preparation
from tests.pipelines.test_texts_end_to_end import comments

SCHEMA = Schema(
    features=(
        Feature(name="size", kind="numeric", minimum=1.0, maximum=9.0),
        Feature(name="comment", kind="text", missing=True),
        Feature(name="shop", kind="categorical", categories=("x", "y", "z")),
    ),
    target="again",
    classes=("no", "yes"),
    missing_values=("",),
)


def with_gaps(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(comment=table["comment"].mask(table.index % 40 == 0))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> ffn.Model:
    """Networks that were not trained: of drift they decide nothing but the predictions."""
    known, held_out = comments(400, 1), with_gaps(comments(200, 2))
    encoding = learn_texts([set(known["comment"])], [True], 20)
    assert encoding is not None
    preparation = Preparation(
        fill=np.array([5.0]),
        mean=np.array([5.0]),
        scale=np.array([2.5]),
        categories=np.array([3]),
        has_missing=np.array([False]),
        texts=encoding,
    )
    cells = [None if pd.isna(text) else text for text in held_out["comment"]]
    numbers = np.column_stack([held_out["size"], encoding.components(0, cells)])
    codes = held_out["shop"].map({"x": 0, "y": 1, "z": 2}).to_numpy()[:, None]
    x = preparation.transform(numbers, codes)
    reference = Reference(
        numeric=(histogram_of(known["size"].to_numpy(dtype=float)),),
        categorical=(
            Histogram(counts=tuple(known["shop"].value_counts().sort_index()), missing=0),
        ),
        labels=(200, 200),
        texts=tuple(histogram_of(column) for column in text_signals(encoding, x).T),
    )
    folder = tmp_path_factory.mktemp("texts") / "bundle"
    bundle = Bundle(
        pipeline="shop",
        optimizer="sgd",
        schema=SCHEMA,
        preparation=preparation,
        network=Network((x.shape[1], 2), np.zeros((1, 2 * x.shape[1] + 2))),
        fingerprints=np.zeros(0, dtype=np.uint64),
        reference=reference,
    )
    write_bundle(bundle, folder)
    return ffn.load(folder)


def drift_of(model: ffn.Model, table: pd.DataFrame, path: Path) -> Any:
    table.drop(columns="again").to_csv(path, index=False)
    return model.score_csv(path, path.with_name(f"out-{path.name}")).drift


def test_texts_of_another_kind_are_drift_and_the_same_kind_is_none(
    model: ffn.Model, tmp_path: Path
) -> None:
    table = with_gaps(comments(300, 8))
    same = drift_of(model, table, tmp_path / "same.csv")
    assert not same.detected
    assert [column.name for column in same.columns] == ["size", "comment", "shop"]
    other = table.assign(comment=[f"zug {n} nach hamburg verspätet" for n in range(300)])
    assert "comment" in drift_of(model, other, tmp_path / "other.csv").drifted
    absent = comments(300, 8)
    absent["comment"] = absent["comment"].mask(absent.index % 2 == 0)
    (column,) = (
        one
        for one in drift_of(model, absent, tmp_path / "absent.csv").columns
        if one.name == "comment"
    )
    assert column.alarm
    # By hand: half of the rows, and before one in forty of 200.
    assert column.missing == 0.5
    assert column.missing_before == 5 / 200


def test_containers_and_parts_have_the_same_drift(model: ffn.Model, tmp_path: Path) -> None:
    table = comments(200, 9)
    expected = drift_of(model, table, tmp_path / "t.csv").to_json()
    table.to_parquet(tmp_path / "t.parquet")
    found = model.score_csv(tmp_path / "t.parquet", tmp_path / "out.parquet").drift
    assert found is not None
    assert found.to_json() == expected
    (tmp_path / "lake").mkdir()
    for part in (0, 1):
        half = table.iloc[part * 100 : part * 100 + 100]
        half.to_csv(tmp_path / f"lake/{part}.csv", index=False)
    in_parts = score_dataset(model.scorer, tmp_path / "lake", tmp_path / "scored").drift
    assert in_parts is not None
    assert in_parts.to_json() == expected


def test_a_bundle_of_an_earlier_release_compares_no_texts(model: ffn.Model, tmp_path: Path) -> None:
    bundle = model.scorer
    assert isinstance(bundle, Bundle)
    assert bundle.reference is not None
    before = replace(bundle, reference=replace(bundle.reference, texts=()))
    write_bundle(before, tmp_path / "before")
    assert '"texts"' not in (tmp_path / "before/reference.json").read_text()
    found = drift_of(ffn.load(tmp_path / "before"), comments(200, 9), tmp_path / "t.csv")
    assert [column.name for column in found.columns] == ["size", "shop"]


def test_histograms_of_texts_that_do_not_fit_are_refused(model: ffn.Model) -> None:
    bundle = model.scorer
    assert isinstance(bundle, Bundle)
    assert bundle.reference is not None
    good = bundle.reference.to_json()
    assert Reference.from_json(good, bundle.schema) == bundle.reference
    short = good | {"texts": [good["texts"][0] | {"edges": []}]}
    plain = replace(bundle.schema, features=bundle.schema.numeric + bundle.schema.categorical)
    for value, schema in ((short, bundle.schema), (good, plain)):
        with pytest.raises(BundleError, match="does not fit the schema"):
            Reference.from_json(value, schema)
