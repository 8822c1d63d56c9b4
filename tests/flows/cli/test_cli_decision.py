"""Metric and label sets, wherever the command line shows the figures of a version."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ffn.pipelines.retraining import retrain
from ffn.quantities import NOTHING
from ffn.reports.status_page import read_status, status_markdown
from ffn.settings.pipeline import find_pipeline
from tests.helpers.command_line import Done
from tests.pipelines.test_labels_by_rule import planted

DECISION = 'metric = "f1"\nthresholds = "auto"\nlabel_sets = 0.8'


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root with two versions: the first has neither, the second a metric and label sets."""
    root = tmp_path_factory.mktemp("root")
    settings = planted(root, "abstain_below = 0.1").folder / "pipeline.toml"
    retrain(find_pipeline("loans", root))
    settings.write_text(settings.read_text().replace("abstain_below = 0.1", DECISION))
    retrain(find_pipeline("loans", root))
    return root


def metrics(root: Path, version: int) -> dict[str, Any]:
    path = root / f"artifacts/loans/models/{version:04}/metrics.json"
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def shown(figure: dict[str, float]) -> str:
    return f"{figure['value']:.3f} [{figure['low']:.3f}, {figure['high']:.3f}]"


def one_space(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def test_they_are_shown_by_models_and_status(ffn: Callable[..., Done], two: Path) -> None:
    root = ("--root", two)
    found = metrics(two, 2)
    (right, missed, alarms) = (
        sum(n for i, j, n in found["test"]["confusions"] if (i, j) == pair)
        for pair in ((0, 0), (0, 1), (1, 0))
    )
    value = 2 * right / (2 * right + missed + alarms)
    sets = found["decision"]["test"]["label_sets"]
    said = (
        f"hold the class in {shown(sets['coverage'])} of the held-out rows, 0.8 is promised for "
        f'each class; by class: "bad" {shown(sets["of_classes"][0])}, '
        f'"good" {shown(sets["of_classes"][1])}'
    )
    detail = one_space(ffn("models", "loans", 2, *root).out)
    assert f'metric F1 of "bad" {value:.3f} [' in detail
    assert f"label sets {said} verdict" in detail
    described = json.loads(ffn("models", "loans", 2, "--json", *root).out)
    decision = described["summary"]["held_out"]["decision"]
    assert decision["metric"] == "F1"
    assert decision["figure"]["value"] == pytest.approx(value)
    assert decision["coverage"] == sets["coverage"]
    assert [one["coverage"] for one in decision["classes"]] == sets["of_classes"]

    ffn("promote", "loans", 2, *root)
    status = ffn("status", "loans", *root).out
    assert max(map(len, [line for line in status.splitlines() if "sets" in line])) <= 80
    assert f'metric F1 of "bad" {value:.3f} [' in one_space(status)
    assert f"sets {said} inbox" in one_space(status)
    (listed,) = json.loads(ffn("status", "loans", "--json", *root).out)
    assert listed["decision"]["figure"][0] == pytest.approx(value)
    assert listed["decision"]["promised"] == 0.8
    assert listed["decision"]["coverage"] == [
        sets["coverage"][key] for key in ("value", "low", "high")
    ]
    page = status_markdown(read_status(find_pipeline("loans", two)))
    assert f"Metric: F1 of bad {value:.3f} [" in page
    assert f"Label sets {said.replace(chr(34), '')}." in page


def test_they_are_compared(ffn: Callable[..., Done], two: Path) -> None:
    done = ffn("compare", "loans", 1, 2, "--root", two)
    assert done.code == 0
    sets = metrics(two, 2)["decision"]["test"]["label_sets"]
    text = one_space(done.out)
    assert f'metric: F1 of "bad" {NOTHING} 0.' in text
    assert f"label sets promise {NOTHING} 0.8 " in text
    assert f"sets hold the class {NOTHING} {shown(sets['coverage'])} " in text
    for name, own in zip(("bad", "good"), sets["of_classes"], strict=True):
        assert f'sets hold "{name}" {NOTHING} {shown(own)} ' in text
    both = json.loads(ffn("compare", "loans", 1, 2, "--json", "--root", two).out)
    assert both["second"]["summary"]["held_out"]["decision"]["promised"] == 0.8
    assert "decision" not in both["first"]["summary"]["held_out"]


def test_nothing_is_said_where_there_is_neither(
    ffn: Callable[..., Done], two: Path, tmp_path: Path
) -> None:
    shutil.copytree(two, tmp_path / "root")
    root = ("--root", tmp_path / "root")
    ffn("promote", "loans", 1, *root)
    for verb in (("models", "loans", 1), ("status", "loans"), ("compare", "loans", 1, 1)):
        found = ffn(*verb, *root).out
        assert "log-loss" in found or "held-out accuracy" in found
        assert not re.search(r"metric|\bsets\b", found), verb
    (listed,) = json.loads(ffn("status", "loans", "--json", *root).out)
    assert "decision" not in listed
    described = json.loads(ffn("models", "loans", 1, "--json", *root).out)
    assert "decision" not in described["summary"]["held_out"]
