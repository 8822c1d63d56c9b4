"""A model with a decision rule, from ``pipeline.toml`` to every way of scoring."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest

from ffn.bundles.bundle import read_bundle, write_bundle
from ffn.decision_rules.rule import DecisionRule
from ffn.errors import BundleError, SettingsError
from ffn.pipelines.retraining import retrain
from ffn.reports.score_page import score_page
from ffn.scoring.model import Model, load
from ffn.settings.pipeline import Pipeline, find_pipeline
from tests.helpers.bundles import make

SETTINGS = """
[data]
source = "train.csv"
target = "loan"

[network]
hidden_layers = []

[training]
epochs = 10
networks = 3

[optimizers.adam]
learning_rate = 0.03

[decision]
{decision}
"""
COSTS = "costs = {good = {bad = 1}, bad = {good = 10}}\nabstain_below = 0.15"
# Labelled "bad" from 1/11 on, and not at all where that is below 0.15.
RULE = DecisionRule(costs=((0.0, 10.0), (1.0, 0.0)), abstain_below=0.15)


def loans(rows: int, seed: int) -> pd.DataFrame:
    """One loan in twenty is bad, at most two in five of any kind."""
    generator = np.random.default_rng(seed)
    debt = generator.normal(size=rows)
    share = 0.4 / (1 + np.exp(4 - 2 * debt))
    loan = np.where(generator.random(rows) < share, "bad", "good")
    return pd.DataFrame({"debt": debt.round(3), "loan": loan})


def planted(root: Path, decision: str) -> Pipeline:
    folder = root / "data/loans"
    folder.mkdir(parents=True)
    (folder / "pipeline.toml").write_text(SETTINGS.format(decision=decision))
    loans(2_000, 0).to_csv(folder / "train.csv", index=False)
    return find_pipeline("loans", root)


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    found = planted(tmp_path_factory.mktemp("root"), COSTS)
    retrain(found)
    return found


@pytest.fixture
def model(pipeline: Pipeline) -> Model:
    return load(pipeline.artifacts)


def labels_of(path: Path) -> list[str]:
    with path.open(newline="") as file:
        return [row["predicted_loan"] for row in csv.DictReader(file)]


def test_every_way_of_scoring_gives_the_labels_of_the_rule(
    pipeline: Pipeline, model: Model, tmp_path: Path
) -> None:
    rows = loans(3_000, 1).drop(columns="loan")
    p = model.predict_proba(rows)[:, 0]
    # By hand; no probability is so close to a limit that rounding matters.
    assert np.abs(p - 1 / 11).min() > 1e-9
    chosen = np.where(p > 1 / 11, "bad", "good")
    confidence = np.where(p > 1 / 11, p, 1 - p)
    wanted = np.where(confidence.round(4) < 0.15, "", chosen).tolist()
    assert {*wanted} == {"bad", "good", ""}

    source, parquet = tmp_path / "in.csv", tmp_path / "in.parquet"
    rows.to_csv(source, index=False)
    rows.to_parquet(parquet)
    assert [label or "" for label in model.predict(rows)] == wanted
    exported = joblib.load(pipeline.export)
    assert [label or "" for label in exported.predict(rows)] == wanted
    for name, given, options in (
        ("plain.csv", source, {}),
        ("all.csv", source, {"probabilities": True}),
        ("two.csv", source, {"workers": 2}),
        ("columnar.csv", parquet, {}),
    ):
        result = model.score_csv(given, tmp_path / name, **options)
        assert labels_of(tmp_path / name) == wanted, name
        counts = result.class_counts
        assert counts == {"bad": wanted.count("bad"), "good": wanted.count("good")}
        assert (result.abstained, result.scored) == (wanted.count(""), 3_000)
        assert result.mean_confidence == pytest.approx(confidence.mean(), abs=1e-4)
        manifest = json.loads(result.manifest.read_text())
        assert manifest["abstained"] + sum(manifest["classes"].values()) == manifest["scored"]
        again = model.score_csv(given, tmp_path / name, **options)
        assert (again.unchanged, again.abstained) == (True, result.abstained)
        page = score_page([result], {}, {})
        assert f"{result.abstained:,} scored rows got no label" in page
    for name in ("out.parquet", "from_csv.parquet"):
        given = source if name.startswith("from") else parquet
        model.score_csv(given, tmp_path / name, probabilities=True)
        table = pd.read_parquet(tmp_path / name)
        assert table["predicted_loan"].fillna("").tolist() == wanted
        assert table["confidence"].to_numpy() == pytest.approx(confidence, abs=5.1e-5)


def test_costs_find_the_rare_class_and_the_report_says_what_it_costs(
    pipeline: Pipeline, model: Model
) -> None:
    assert model.scorer.rule == RULE
    folder = pipeline.artifacts / "models/0001"
    metrics: dict[str, Any] = json.loads((folder / "metrics.json").read_text())
    found = metrics["decision"]
    assert (found["source"], found["rule"]) == ("costs", RULE.to_json())
    test = found["test"]
    assert test["recalls"][0]["value"] > 0.3 > 0.1 > test["argmax_recalls"][0]["value"]
    assert test["difference"]["value"] < 0
    # What is held out has bad loans (first) and good ones.
    bad, good = (figures["rows"] for figures in metrics["test"]["classes"])
    missed, alarms = (
        sum(n for i, j, n in metrics["test"]["confusions"] if (i, j) == pair)
        for pair in ((0, 1), (1, 0))
    )
    assert test["cost"]["value"] == pytest.approx((10 * missed + alarms) / (bad + good))
    assert test["cost"]["value"] < test["argmax_cost"]["value"] <= 10 * bad / (bad + good)
    report = pipeline.artifacts / "reports/0001"
    assert (report / "coverage_accuracy.png").stat().st_size > 5_000
    assert "Accuracy of labels over the share of rows that get one" in (
        (report / "report.html").read_text()
    )
    card = (folder / "model_card.md").read_text()
    assert "The label is the class of the lowest expected cost (Elkan 2001)" in card
    assert "0.15 (in use)" in card


def test_a_threshold_is_chosen_on_rows_of_the_training_part(tmp_path: Path) -> None:
    found = planted(tmp_path, 'thresholds = "auto"\nmetric = "balanced_accuracy"')
    outcome = retrain(found)
    metrics = json.loads((found.artifacts / "models/0001/metrics.json").read_text())["decision"]
    # Three networks, each asked for the fifth of 1,600 rows that it was not trained on.
    assert (metrics["source"], metrics["rows"]) == ("tuned", 3 * 320)
    threshold, free = metrics["rule"]["thresholds"]
    assert free is None
    # The balanced accuracy asks for the class's share, one in twenty, of calibrated probabilities.
    assert 0.01 < threshold < 0.15
    recalls = [figures.recall.value for figures in outcome.evaluation.classes]
    assert np.mean(recalls) > 0.65
    assert (
        "balanced accuracy on 960 predictions"
        in (found.artifacts / "models/0001/model_card.md").read_text()
    )


def test_a_misspelt_class_is_refused_before_training(tmp_path: Path) -> None:
    found = planted(tmp_path, "thresholds = {bda = 0.2}")
    with pytest.raises(SettingsError, match=r'names "bda", .* Did you mean "bad"\?'):
        retrain(found)
    assert not list(found.artifacts.glob("models/0*"))


def test_a_bundle_keeps_its_rule_and_one_without_has_no_key(tmp_path: Path) -> None:
    plain, ruled = tmp_path / "plain", tmp_path / "ruled"
    for folder in (plain, ruled):
        folder.mkdir()
    first = write_bundle(make(), plain)
    assert "decision" not in json.loads((plain / "model.json").read_text())
    assert write_bundle(replace(make(), rule=RULE), ruled) != first
    assert read_bundle(ruled).rule == RULE


def test_a_forged_rule_is_refused(tmp_path: Path) -> None:
    ruled = tmp_path / "ruled"
    ruled.mkdir()
    write_bundle(replace(make(), rule=DecisionRule(weights=(1.0, 2.0, 3.0))), ruled)
    with pytest.raises(BundleError, match="the decision rule does not fit the classes"):
        read_bundle(ruled)
