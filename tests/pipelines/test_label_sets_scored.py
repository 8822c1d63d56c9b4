"""``decision.label_sets`` from ``pipeline.toml`` to every way of scoring."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ffn.errors import SettingsError
from ffn.pipelines.retraining import retrain
from ffn.pipelines.retraining_steps import LOAD, SPLIT
from ffn.reproduction.reproduce import reproduce
from ffn.scoring.model import Model, load
from ffn.settings.pipeline import Pipeline, find_pipeline
from tests.pipelines.test_labels_by_rule import loans, planted

SETS = "label_sets = 0.8\nthresholds = {bad = 0.1}\nabstain_below = 0.15"


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    found = planted(tmp_path_factory.mktemp("root"), SETS)
    retrain(found)
    return found


@pytest.fixture
def model(pipeline: Pipeline) -> Model:
    return load(pipeline.artifacts)


def metrics_of(pipeline: Pipeline) -> dict[str, Any]:
    text = (pipeline.artifacts / "models/0001/metrics.json").read_text()
    found: dict[str, Any] = json.loads(text)["decision"]
    return found


def test_the_limits_are_those_of_rows_that_are_neither_trained_on_nor_held_out(
    pipeline: Pipeline, model: Model
) -> None:
    dataset = LOAD.function(pipeline)
    division = SPLIT.function(dataset, pipeline)
    aside = division.calibration
    assert aside is not None
    assert not (aside & (division.training | division.held_out)).any()
    # A fifth of the four fifths.
    assert (aside.sum(), division.training.sum()) == (pytest.approx(320, abs=2), 1_280)
    known = np.isin(dataset.fingerprints, model.scorer.fingerprints)  # type: ignore[attr-defined]
    assert known[division.training].all()
    table = pd.read_csv(pipeline.folder / "train.csv")
    p = model.predict_proba(table.drop(columns="loan"))
    decision = metrics_of(pipeline)
    assert (decision["coverage"], decision["calibration_rows"]) == (0.8, aside.sum())
    for c, name in enumerate(("bad", "good")):
        own = np.sort(p[aside & (table["loan"] == name).to_numpy(), c])
        k = int((len(own) + 1) * 0.2 + 1e-9)
        assert decision["rule"]["set_limits"][c] == pytest.approx(own[k - 1], rel=1e-12)


def test_the_report_says_how_often_they_hold_the_class(pipeline: Pipeline, model: Model) -> None:
    dataset = LOAD.function(pipeline)
    held_out = SPLIT.function(dataset, pipeline).held_out
    table = pd.read_csv(pipeline.folder / "train.csv")[held_out]
    members = model.predict_sets(table.drop(columns="loan"))
    bad = (table["loan"] == "bad").to_numpy()
    held = np.where(bad, members[:, 0], members[:, 1])
    found = metrics_of(pipeline)["test"]["label_sets"]
    assert found["coverage"]["value"] == pytest.approx(held.mean())
    assert found["of_classes"][0]["value"] == pytest.approx(held[bad].mean())
    assert found["mean_size"] == pytest.approx(members.sum(axis=1).mean())
    # The label is in every set, and is right more often than in four rows of five.
    assert found["coverage"]["value"] > 0.8
    assert found["single"]["value"] < 1
    card = (pipeline.artifacts / "models/0001/model_card.md").read_text()
    assert "hold a row's class with a probability of at least 0.8, whichever class it" in card


def test_every_way_of_scoring_gives_the_same_sets(
    pipeline: Pipeline, model: Model, tmp_path: Path
) -> None:
    rows = loans(3_000, 1).drop(columns="loan")
    limits = np.array(metrics_of(pipeline)["rule"]["set_limits"])
    p = model.predict_proba(rows)
    # By hand; the label is in its set.
    inside = p >= limits
    label = np.where(p[:, 0] >= 0.1, 0, 1)
    inside[np.arange(len(p)), label] = True
    assert (model.predict_sets(rows) == inside).all()
    wanted = ["|".join(np.array(["bad", "good"])[row]) for row in inside]
    assert {*wanted} >= {"good", "bad|good"}

    source, parquet = tmp_path / "in.csv", tmp_path / "in.parquet"
    rows.to_csv(source, index=False)
    rows.to_parquet(parquet)
    for name, given, options in (
        ("plain.csv", source, {}),
        ("all.csv", source, {"probabilities": True}),
        ("two.csv", source, {"workers": 2}),
        ("guarded.csv", source, {"escape_formulas": True}),
        ("columnar.csv", parquet, {}),
    ):
        result = model.score_csv(given, tmp_path / name, **options)
        assert result.scored == 3_000
        with (tmp_path / name).open(newline="") as file:
            read = list(csv.DictReader(file))
        assert [row["possible_loan"] for row in read] == wanted, name
        assert list(read[0])[-1] == "possible_loan"
        # A row without a label has a set.
        assert any(row["predicted_loan"] == "" for row in read)
    for name in ("out.parquet", "from_csv.parquet"):
        given = source if name.startswith("from") else parquet
        model.score_csv(given, tmp_path / name, probabilities=True)
        table = pd.read_parquet(tmp_path / name)
        assert ["|".join(labels) for labels in table["possible_loan"]] == wanted
        assert table.columns[-1] == "possible_loan"
    assert (pipeline.artifacts / "models/0001/canary.json").exists()
    verdict = json.loads((pipeline.artifacts / "models/0001/verdict.json").read_text())
    assert verdict["canary"] == {"problem": "", "rows": 6}


def test_it_is_made_again_with_the_same_digest(pipeline: Pipeline) -> None:
    assert reproduce(pipeline, 1).same


def test_a_model_without_sets_says_so(tmp_path: Path) -> None:
    found = planted(tmp_path, "thresholds = {bad = 0.1}")
    retrain(found)
    with pytest.raises(
        SettingsError, match=r"loans, version 1, has no label sets\. Set label_sets"
    ):
        load(found.artifacts).predict_sets(loans(5, 1))


def test_they_are_refused_where_rows_change_over_time_unless_that_is_denied(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "data/loans"
    folder.mkdir(parents=True)
    table = loans(400, 0).assign(day=pd.date_range("2024-01-01", periods=400).astype(str))
    table.to_csv(folder / "train.csv", index=False)
    text = (
        '[data]\nsource = "train.csv"\ntarget = "loan"\n[split]\ntime = "day"\n'
        "[decision]\nlabel_sets = 0.9\n"
    )
    (folder / "pipeline.toml").write_text(text)
    found = find_pipeline("loans", tmp_path)
    dataset = LOAD.function(found)
    with pytest.raises(SettingsError, match=r"split\.time says that rows change over time\."):
        SPLIT.function(dataset, found)
    (folder / "pipeline.toml").write_text(f"{text}exchangeable = true\n")
    division = SPLIT.function(dataset, find_pipeline("loans", tmp_path))
    assert division.calibration is not None
    assert division.calibration.sum() == pytest.approx(64, abs=3)
    assert not (division.calibration & division.training).any()


def test_whole_groups_calibrate(tmp_path: Path) -> None:
    folder = tmp_path / "data/loans"
    folder.mkdir(parents=True)
    table = loans(1_000, 0).assign(customer=np.arange(1_000) // 10)
    table.to_csv(folder / "train.csv", index=False)
    (folder / "pipeline.toml").write_text(
        '[data]\nsource = "train.csv"\ntarget = "loan"\n[split]\ngroup = "customer"\n'
        "[decision]\nlabel_sets = 0.9\n"
    )
    found = find_pipeline("loans", tmp_path)
    division = SPLIT.function(LOAD.function(found), found)
    sides = [set(table["customer"][side]) for side in (division.training, division.calibration)]
    assert sides[1]
    assert not sides[0] & sides[1]


def test_a_column_of_the_table_may_not_have_the_name_of_the_sets(tmp_path: Path) -> None:
    found = planted(tmp_path, "label_sets = 0.9")
    table = pd.read_csv(found.folder / "train.csv").assign(possible_loan=1.5)
    table["possible_loan"] = np.arange(len(table)) / 7
    table.to_csv(found.folder / "train.csv", index=False)
    with pytest.raises(SettingsError, match='has a feature column "possible_loan", which is'):
        LOAD.function(found)
