"""FFNClassifier with `kinds`: the inputs and probabilities of a pipeline, in scikit-learn."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from ffn import FFNClassifier
from ffn.bundles.bundle import Bundle
from ffn.errors import UnknownCategoryWarning
from ffn.estimator import classifier, column_inputs
from ffn.scoring.model import Model
from ffn.settings.data_settings import DEFAULT_MISSING
from ffn.settings.feature_settings import FeatureSettings
from ffn.storage.cache import Cache
from ffn.tabular.ingestion.choice import Choice
from ffn.tabular.ingestion.ingest import read_dataset
from ffn.tabular.splitting.division import Division
from ffn.training.partition import write_parts
from ffn.training.tables.learning import learn
from tests.helpers.mixed_columns import COLUMNS, FRAME, N, Y, answers, fit, table


@pytest.mark.parametrize(
    "features",
    [
        {"numbers": "standardised"},
        {"numbers": "piecewise", "bins": 5, "most_categories": 3},
    ],
)
def test_the_inputs_and_probabilities_are_those_of_a_pipeline(
    features: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own steps read the rows from a file, learn from them, and score others."""
    FRAME.assign(label=Y).to_csv(tmp_path / "t.csv", index=False)
    formats = {"day": "iso", "vip": "true/false"}
    choice = Choice(
        target="label", missing_values=DEFAULT_MISSING, kinds={"note": "text"}, formats=formats
    )
    dataset = read_dataset(tmp_path / "t.csv", Cache(tmp_path / "cache"), choice)
    everything = np.ones(N, dtype=bool)
    division = Division.of(~everything)
    chosen = FeatureSettings(**features, text_components=3)
    schema, preparation, _ = learn(dataset, division, chosen)
    write_parts(tmp_path, dataset, division, schema, preparation, np.float64)
    expected = np.load(tmp_path / "train_inputs.npy")

    seen: dict[str, np.ndarray] = {}

    def watched(network: Any, optimizer: Any, x: Any, labels: Any, **options: Any) -> Any:
        seen["x"], seen["labels"] = x, labels
        return train(network, optimizer, x, labels, **options)

    train = classifier.train
    monkeypatch.setattr(classifier, "train", watched)
    model = fit(**COLUMNS, **features, dtype="float64")
    own = model.column_inputs_.schema
    assert own.features == schema.features
    theirs = sorted(map(tuple, np.column_stack([dataset.labels, expected]).round(9)))
    ours = sorted(map(tuple, np.column_stack([seen["labels"], seen["x"]]).round(9)))
    assert_allclose(ours, theirs, atol=2e-9)

    bundle = Bundle(
        pipeline="p",
        optimizer="adam",
        schema=schema,
        preparation=preparation,
        network=model.network_,
        fingerprints=dataset.fingerprints,
    )
    other = table(1)
    assert_allclose(
        model.predict_proba(other), Model(bundle).predict_proba(other), rtol=0, atol=1e-6
    )
    assert_array_equal(model.predict(other), Model(bundle).predict(other))


def test_inputs_are_those_of_scikit_learns_encoders() -> None:
    columns = ["age", "city"]
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    absent = make_pipeline(
        SimpleImputer(strategy="constant", fill_value="none"), OneHotEncoder(drop=["none"])
    )
    encoder = make_column_transformer((numbers, ["age"]), (absent, ["city"]))
    frame = FRAME[columns].astype({"city": object}).where(FRAME[columns].notna(), np.nan)
    # What is learnt is learnt from the distinct labelled rows.
    expected = encoder.fit(frame[~frame.assign(label=Y).duplicated()]).transform(frame)
    model = fit(FRAME[columns], dtype="float64")
    x = next(iter(classifier.inputs_of(model, FRAME[columns])))
    gaps = FRAME[columns].isna().to_numpy()
    assert_allclose(x, np.column_stack([expected[:, 0], gaps[:, 0], expected[:, 1:], gaps[:, 1]]))


def test_class_statistics_are_cross_fitted_where_training_sees_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Labels drawn at random: with its own label in its statistic, a network would find them."""
    frame = pd.DataFrame({"code": [f"c{i // 2}" for i in range(400)]})
    y = np.random.default_rng(0).permutation(400) % 2
    settings = {"kinds": {"code": "categorical"}, "most_categories": 1, "hidden_layer_sizes": ()}
    model = fit(frame, y, epochs=60, learning_rate=0.05, optimizer="adam", **settings)
    # The statistic of the whole table does tell the labels of its rows.
    x = next(iter(classifier.inputs_of(model, frame)))
    assert abs(np.corrcoef(x[:, -1], y)[0, 1]) > 0.6
    assert model.loss_curve_[-1] > 0.95 * np.log(2)


def test_rows_to_stop_by_are_not_learnt_from(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def every_second(rows: np.ndarray, labels: np.ndarray, *_: Any) -> Any:
        seen.append((rows[::2], labels))
        return rows[::2], rows[1::2]

    monkeypatch.setattr(classifier, "hold_out", every_second)
    frame = pd.DataFrame({"a": np.arange(40.0), "c": [f"c{i}" for i in range(40)]})
    model = fit(frame, np.arange(40) % 2, early_stopping=True)
    (feature, codes) = model.column_inputs_.schema.features
    assert len(codes.categories) == 20
    kept = frame.a[frame.c.isin(codes.categories)]
    assert_allclose(model.column_inputs_.preparation.mean, kept.mean())
    assert (feature.minimum, feature.maximum) == (kept.min(), kept.max())


@pytest.mark.parametrize("settings", [{}, {"early_stopping": True}, {"most_categories": 2}])
def test_the_order_of_rows_and_copies_do_not_matter(settings: dict[str, Any]) -> None:
    expected = fit(**COLUMNS, **settings).network_.parameters
    order = np.random.default_rng(1).permutation(N)
    found = fit(FRAME.iloc[order], Y[order], **COLUMNS, **settings)
    assert_array_equal(found.network_.parameters, expected)
    weights = np.arange(N) % 3
    copies = np.repeat(np.arange(N), weights)
    assert_array_equal(
        fit(FRAME, Y, weights, **COLUMNS, **settings).network_.parameters,
        fit(FRAME.iloc[copies], Y[copies], **COLUMNS, **settings).network_.parameters,
    )


def test_what_training_never_saw() -> None:
    known, other = FRAME.dropna(subset="age"), table(2)
    model = fit(known, Y[known.index], **COLUMNS)
    with pytest.warns(UserWarning, match=r'"age": 14 missing cells, .*as its median\.$') as told:
        found = model.predict_proba(other)
    assert told[0].filename == __file__
    filled = other.fillna({"age": known.age.median()})
    assert_array_equal(found, model.predict_proba(filled))
    # An unknown category has no input, in a column that is not pooled.
    elsewhere = other.assign(age=1.0, city=np.where(np.arange(N) % 2, other.city, "Atlantis"))
    x = next(iter(classifier.inputs_of(model, elsewhere)))
    places = model.column_inputs_.inputs_of_features()[3]
    assert not x[::2, places].any()
    assert (x[1::2, places].sum(axis=1) == 1).all()
    with pytest.warns(UnknownCategoryWarning, match=r'column "city": training never saw any'):
        model.predict(elsewhere.assign(city="Atlantis"))


def test_a_copy_in_another_process_predicts_alike(tmp_path: Path) -> None:
    model = fit(**COLUMNS, most_categories=3, numbers="piecewise")
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(model))
    FRAME.to_pickle(tmp_path / "frame.pkl")
    script = (
        "import pickle, sys, numpy as np\n"
        "model, frame = (pickle.load(open(p, 'rb')) for p in sys.argv[1:3])\n"
        "np.save(sys.argv[3], model.predict_proba(frame))"
    )
    paths = [str(tmp_path / name) for name in ("model.pkl", "frame.pkl", "found.npy")]
    subprocess.run([sys.executable, "-c", script, *paths], check=True)
    assert_array_equal(np.load(tmp_path / "found.npy"), model.predict_proba(FRAME))


def test_in_searches_and_cross_validation() -> None:
    estimator = FFNClassifier(
        6, kinds="auto", epochs=25, optimizer="adam", learning_rate=0.02, random_state=0
    )
    frame, y = table(3, 300), answers(table(3, 300))
    assert cross_val_score(estimator, frame, y, cv=3, error_score="raise").mean() > 0.85
    held_out = cross_val_predict(make_pipeline(clone(estimator)), pl.from_pandas(frame), y, cv=3)
    assert (held_out == y).mean() > 0.85
    search = GridSearchCV(
        estimator,
        {"numbers": ["standardised", "piecewise"], "kinds": ["auto", {"note": "text"}]},
        cv=2,
        error_score="raise",
    ).fit(frame, y)
    assert search.best_score_ > 0.85
    assert search.best_estimator_.column_inputs_.schema.features


def test_a_distilled_network_of_columns() -> None:
    teachers = fit(n_networks=3, **COLUMNS)
    student = fit(n_networks=3, distilled=True, **COLUMNS)
    assert len(student.network_.parameters) == 1
    gap = student.predict_proba(FRAME) - teachers.predict_proba(FRAME)
    assert np.abs(gap).mean() < 0.05


def test_inputs_that_fit_no_memory_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    n_inputs = fit().network_.widths[0]
    needed = len(FRAME) * n_inputs * 4
    monkeypatch.setattr(column_inputs, "memory_limit", lambda: needed)
    assert fit().network_.widths[0] == n_inputs
    monkeypatch.setattr(column_inputs, "memory_limit", lambda: needed - 1)
    shops = FRAME.shop.nunique()
    with pytest.raises(ValueError, match=rf'"shop" alone has {shops} inputs.*most_categories'):
        fit()
