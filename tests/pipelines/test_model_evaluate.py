"""``Model.evaluate``: the figures are scikit-learn's, of the rows that are new to the model."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy.stats import binomtest
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    f1_score,
    log_loss,
    precision_score,
    recall_score,
    roc_auc_score,
)

import ffn
from tests.pipelines.conftest import rows

NEW = rows(300, 11)


@pytest.fixture
def model(trained: Path) -> ffn.Model:
    return ffn.load("sizes", root=trained)


@pytest.fixture
def frame() -> pd.DataFrame:
    """New rows, some of them with a label that their size does not tell."""
    found = pd.read_csv(io.StringIO(NEW))
    turned = np.random.default_rng(3).random(len(found)) < 0.1
    found["kind"] = found["kind"].mask(turned, "small")
    return found


def test_the_figures_are_those_of_scikit_learn(model: ffn.Model, frame: pd.DataFrame) -> None:
    found = model.evaluate(frame)
    labels, shares, answers = frame["kind"], model.predict_proba(frame), model.predict(frame)
    assert (found.rows, found.evaluated, found.left_out) == (300, 300, {})
    assert (found.pipeline, found.version, found.notices) == ("sizes", 1, ())
    small = shares[:, 1]
    for figure, expected in {
        found.accuracy: accuracy_score(labels, answers),
        found.balanced_accuracy: balanced_accuracy_score(labels, answers),
        found.macro_f1: f1_score(labels, answers, average="macro"),
        found.log_loss: log_loss(labels, shares),
        found.auc: roc_auc_score(labels == "small", small),
        # Summed over both classes.
        found.brier: 2 * np.mean((small - (labels == "small")) ** 2),
    }.items():
        assert figure.value == pytest.approx(expected, rel=1e-9)
        assert figure.low < figure.value < figure.high
    right = int((labels == answers).sum())
    wilson = binomtest(right, 300).proportion_ci(method="wilson")
    assert (found.accuracy.low, found.accuracy.high) == pytest.approx(tuple(wilson))
    for own in found.classes:
        assert own.rows == (labels == own.name).sum()
        of = {"labels": [own.name], "average": "macro"}
        assert own.recall.value == pytest.approx(recall_score(labels, answers, **of))
        assert own.precision.value == pytest.approx(precision_score(labels, answers, **of))
    assert sum(n for label, answer, n in found.confusions if label == answer) == right


def test_every_carrier_gives_the_same(
    model: ffn.Model, frame: pd.DataFrame, tmp_path: Path
) -> None:
    expected = model.evaluate(frame).to_json()
    frame.to_csv(tmp_path / "new.csv", index=False)
    frame.to_parquet(tmp_path / "new.parquet")
    semicolons = tmp_path / "german.csv"
    frame.to_csv(semicolons, index=False, sep=";", decimal=",")
    shuffled = frame[["kind", "colour", "size"]].assign(more=1)
    for table in (
        tmp_path / "new.csv",
        str(tmp_path / "new.parquet"),
        pl.from_pandas(frame),
        pa.Table.from_pandas(frame),
        frame.astype({"kind": "category", "size": str}),
        shuffled,
    ):
        assert model.evaluate(table).to_json() == expected
    assert model.evaluate(semicolons, delimiter=";", decimal=",").to_json() == expected
    renamed = frame.rename(columns={"kind": "what"})
    assert model.evaluate(renamed, target="what").to_json() == expected
    assert json.loads(json.dumps(expected, allow_nan=False)) == expected


def test_each_row_is_evaluated_or_left_out_with_its_reason(
    model: ffn.Model, trained: Path, tmp_path: Path
) -> None:
    # A fifth of the training table was held out of the training: 24 of 120 rows.
    known = NEW + (trained / "data/sizes/train.csv").read_text().partition("\n")[2]
    bad = ["x,red,small", ",red,small", "1e300,red,small", "1,red", "1.5,red,", "1.5,red,huge"]
    (tmp_path / "mixed.csv").write_text(known + "\n".join(bad) + "\n")
    found = model.evaluate(tmp_path / "mixed.csv")
    assert found.left_out == {
        "not_a_number": 1,
        "missing_value": 1,
        "not_finite": 1,
        "wrong_field_count": 1,
        "no_label": 1,
        "unknown_label": 1,
        "trained_on": 96,
    }
    assert (found.rows, found.evaluated) == (426, 324)
    (tmp_path / "clean.csv").write_text(known)
    clean = model.evaluate(tmp_path / "clean.csv")
    assert (found.accuracy, found.log_loss, found.auc) == (
        clean.accuracy,
        clean.log_loss,
        clean.auc,
    )
    right = sum(n for label, answer, n in clean.confusions if label == answer)
    assert found.notices == (
        "The model was trained on 96 rows of this table, which are not in the figures.",
        '1 row with labels that the model does not know ("huge") is not in the figures; counted '
        f"as wrong, the accuracy would be {right / 325:.3f}.",
    )
    assert repr(found).count("\n") == 0
    assert repr(found).startswith("<TableEvaluation of sizes: 324 of 426 rows evaluated with")


def test_rows_in_memory_are_left_out_the_same_way(model: ffn.Model, trained: Path) -> None:
    known = pd.read_csv(trained / "data/sizes/train.csv")
    new = pd.read_csv(io.StringIO(NEW)).head(60)
    gaps = pd.DataFrame(
        {"size": [np.nan, 1.5, np.inf], "colour": "red", "kind": ["small", None, "large"]}
    )
    found = model.evaluate(pd.concat([known, new, gaps]))
    assert found.left_out == {
        "missing_value": 1,
        "no_label": 1,
        "not_a_number": 1,
        "trained_on": 96,
    }
    assert found.evaluated == 60 + 24


def test_a_bundle_without_its_registry_says_what_it_cannot_know(
    trained: Path, tmp_path: Path, frame: pd.DataFrame
) -> None:
    shutil.copytree(trained / "artifacts/sizes/models/0001/bundle", tmp_path / "loose")
    loose = ffn.load(tmp_path / "loose")
    found = loose.evaluate(frame)
    assert found.notices[0].startswith("The bundle is outside a registry, so rows that it was")
    known = pd.read_csv(trained / "data/sizes/train.csv")
    assert loose.evaluate(pd.concat([frame, known])).left_out == {"trained_on": 96}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop(columns="kind"), r'the table has no column "kind", which holds the'),
        (lambda t: t.drop(columns="size"), r'the table has no column "size", which the model'),
        (lambda t: t.assign(kind="huge"), r"none of 300 rows can be evaluated \(unknown_label 300"),
        (lambda t: t.assign(kind=None), r"none of 300 rows can be evaluated \(no_label 300\)"),
        (lambda t: t.head(0), r"none of 0 rows can be evaluated\. Give labelled rows"),
        (lambda t: t.assign(kind=1), r"column \"kind\": cells of the type int64, such as \"1\""),
        (lambda t: t.to_numpy(), r"rows are of the type ndarray; give a DataFrame"),
        (lambda t: "nowhere.csv", r"nowhere\.csv"),
    ],
)
def test_what_cannot_be_evaluated_is_refused_in_one_line(
    model: ffn.Model, frame: pd.DataFrame, change, message: str
) -> None:
    with pytest.raises(ffn.FFNError, match=message) as found:
        model.evaluate(change(frame))
    assert "\n" not in str(found.value)


def test_of_the_training_table_the_rows_held_out_remain(model: ffn.Model, trained: Path) -> None:
    found = model.evaluate(trained / "data/sizes/train.csv")
    assert (found.evaluated, found.left_out) == (24, {"trained_on": 96})
    registered = trained / "artifacts/sizes/models/0001/metrics.json"
    promised = json.loads(registered.read_text())["test"]
    for name in ("accuracy", "balanced_accuracy", "log_loss", "brier", "auc", "macro_f1"):
        assert found.to_json()[name]["value"] == pytest.approx(promised[name]["value"], rel=1e-9)


def test_an_option_that_is_not_there_is_refused(model: ffn.Model, frame: pd.DataFrame) -> None:
    with pytest.raises(ffn.FFNError, match=r'no option "delimeter"\. There are delimiter, decimal'):
        model.evaluate(frame, delimeter=";")


def test_labels_are_read_as_the_settings_of_the_version_say(
    untrained: Path, frame: pd.DataFrame
) -> None:
    toml = untrained / "data/sizes/pipeline.toml"
    more = 'labels = {"big" = "large", "none" = ""}\n'
    toml.write_text(toml.read_text().replace('target = "kind"\n', f'target = "kind"\n{more}'))
    ffn.retrain("sizes", root=untrained)
    model = ffn.load("sizes", root=untrained)
    other = frame.assign(kind=frame["kind"].replace({"large": "big"}))
    assert model.evaluate(other).to_json() == model.evaluate(frame).to_json()
    other.loc[:9, "kind"] = "none"
    assert model.evaluate(other).left_out == {"no_label": 10}
