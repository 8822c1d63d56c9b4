"""``decision.metric`` from ``pipeline.toml`` to selection, gate, verdict and report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ffn.pipelines.retraining import retrain
from ffn.settings.pipeline import Pipeline, find_pipeline
from tests.pipelines.test_labels_by_rule import planted

METRIC = 'costs = {good = {bad = 1}, bad = {good = 10}}\nmetric = "expected_cost"'


def changed(pipeline: Pipeline, old: str, new: str) -> None:
    path = pipeline.folder / "pipeline.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def document(pipeline: Pipeline, version: int, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        (pipeline.artifacts / f"models/{version:04}/{name}").read_text()
    )
    return found


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """Three versions: by the mean cost, the same at another rate, and one that learnt nothing."""
    root = tmp_path_factory.mktemp("root")
    found = planted(root, METRIC)
    changed(found, "[optimizers.adam]", "[gate]\nmetric_margin = 0.2\n\n[optimizers.adam]")
    retrain(find_pipeline("loans", root))
    changed(found, "learning_rate = 0.03", "learning_rate = 0.02")
    retrain(find_pipeline("loans", root))
    changed(found, "epochs = 10", "epochs = 1")
    changed(found, "learning_rate = 0.02", "learning_rate = 1e-7")
    changed(found, "metric_margin = 0.2", 'metric_margin = 0.2\nbaseline = "ignore"')
    retrain(find_pipeline("loans", root))
    return found


def test_the_optimizer_is_selected_by_it(pipeline: Pipeline) -> None:
    selection = document(pipeline, 1, "metrics.json")["selection"]
    assert selection["metric"] == "mean cost"
    (line,) = selection["leaderboard"]
    # Of the trivial labels, "good" for all costs ten times the share of bad ones.
    assert 0 < line["figure"]["low"] < line["figure"]["value"] < 0.7


def test_the_gate_compares_by_it_alone(pipeline: Pipeline) -> None:
    verdict = document(pipeline, 2, "verdict.json")
    metric = verdict["held_out"]["metric"]
    assert (metric["metric"], metric["words"]) == ("expected_cost", "mean cost")
    assert metric["gain"] == pytest.approx(metric["production"] - metric["challenger"])
    # All held-out rows but one, which repeats a training row: nearly the figure of the report.
    cost = document(pipeline, 2, "metrics.json")["decision"]["test"]["cost"]["value"]
    assert metric["challenger"] == pytest.approx(400 / 399 * cost)
    assert metric["gain_low"] > -0.2
    assert verdict["promote"] is True
    assert ", mean cost 0." in verdict["reason"]


def test_one_that_learnt_nothing_is_kept_back_for_its_cost(pipeline: Pipeline) -> None:
    verdict = document(pipeline, 3, "verdict.json")
    assert verdict["promote"] is False
    assert verdict["reason"].startswith(
        "mean cost is not shown to be within 0.2 of production's: on 399 rows"
    )
    assert verdict["held_out"]["failures"] == [
        "mean cost is not shown to be within 0.2 of production's"
    ]
    report = next((pipeline.artifacts / "reports/0003").glob("report.html")).read_text()
    assert "mean cost: the gain, which decides alone" in report
    assert "mean cost" in report.split("p (Holm)")[0]


def test_without_it_the_verdict_has_no_such_entry(tmp_path: Path) -> None:
    found = planted(tmp_path, "thresholds = {bad = 0.1}")
    retrain(found)
    selection = document(found, 1, "metrics.json")["selection"]
    assert "metric" not in selection
    assert "figure" not in selection["leaderboard"][0]
